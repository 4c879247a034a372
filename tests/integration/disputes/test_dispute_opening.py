"""Before a challenge is sent: what speaks against it is said, and without --round the right one is meant."""

import pytest

from numerbay_chain import Buyer
from numerbay_chain.chain.connection import Connection
from numerbay_chain.core.errors import RefusedError, UnseenKeyError
from numerbay_chain.ipfs import EmbeddedStore, open_store
from tests.support.adversary import ANOTHER_KEY, DAY, HOUR, Cheat, sold
from tests.support.codes import fails_with
from tests.support.dying import KilledError, death
from tests.support.fixtures import Says
from tests.support.places import PRICE, Place
from tests.support.programs import flat
from tests.support.told import Told
from tests.support.wrapped import altered


@pytest.fixture
def order(place: Place) -> int:
    """Of three rounds, whose disputes are open for about a day."""
    terms = {"dispute_window": DAY, "response_window": HOUR, "min_interval": 60}
    return place.buyer().buy(place.seller.create_listing(PRICE, **terms).id, 3).id


def release(place: Place, cheat: Cheat, order: int, *rounds: str) -> None:
    """One round after the other: "keys" are handed out, or "none"."""
    for number, keys in enumerate(rounds):
        path = place.file(f"{number}.csv", b"round %d" % number)
        if keys == "keys":
            place.seller.deliver(path, order >> 32)
        else:
            cheat.release(order >> 32, str(path))
        place.chain.advance(60)


# ------------------------------------------------------------------------------------------------- what speaks against


def test_where_no_store_can_be_asked_for_a_key_it_takes_a_yes_to_challenge(place: Place, nbc: Says) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    nowhere = "kubo:http://127.0.0.1:9"
    away = Buyer(place.session("buyer-1", 1, store=open_store(nowhere)))
    with fails_with(UnseenKeyError, "unseen-key") as refused:
        away.open_dispute(order)
    assert Told(place.contract).challenge(order, 0) is None
    opened = nbc("buyer-1", 1, "dispute", "open", order, "--store", nowhere)  # with a yes in the environment
    assert str(refused.value) in flat(opened.stderr)
    again = away.open_dispute(order, unseen=True)
    assert (again.receipt, again.dispute.state) == (None, "challenged")


@pytest.mark.parametrize("chosen", [True, False])
def test_a_store_that_lacks_what_was_posted_takes_a_second_yes_whoever_chose_it(
    place: Place, nbc: Says, chosen: bool
) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    empty = EmbeddedStore(place.folder / "empty")
    mistaken = Buyer(place.session("buyer-1", 1, store=empty, explicit_store=chosen))
    for step in (mistaken.disputable, mistaken.open_dispute):
        with fails_with(UnseenKeyError, "unseen-key", "--store"):
            step(order)
    assert Told(place.contract).challenge(order, 0) is None
    said = flat(nbc("buyer-1", 1, "dispute", "open", order, "--store", f"embedded:{place.folder / 'empty'}").stderr)
    assert said.index("challenges round 0") < said.index(f"{empty.name} has no block")


def test_what_is_not_in_the_store_is_looked_for_in_another_one_before_it_is_disputed(place: Place, nbc: Says) -> None:
    listing, _ = sold(place)
    place.seller.deliver(place.file(), listing)
    empty = EmbeddedStore(place.folder / "empty")
    for words, code in ((("fetch", f"{listing}-0", "-o", place.output()), 3), (("verify", f"{listing}-0"), 1)):
        done = nbc("buyer-1", 1, *words, "--store", f"embedded:{place.folder / 'empty'}", code=code)
        said = flat(done.stdout + done.stderr)
        assert f"{empty.name} has no block" in said
        assert "try another `--store` first; else dispute it with `dispute open` until" in said
    nbc("buyer-1", 1, "fetch", f"{listing}-0", "-o", place.output())


def test_what_is_refused_is_refused_before_anybody_is_asked(
    place: Place, cheat: Cheat, nbc: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, _ = sold(place)
    cheat.release(listing, str(place.file()))
    place.buyer(2)

    def refused(role: str, number: int, code: int) -> str:
        said = nbc(role, number, "dispute", "open", f"{listing}-0", code=code).stderr
        assert "challenges round" not in said
        return flat(said)

    assert "only the buyer" in refused("buyer-2", 2, 1)
    assert "hint: name the right one with `--key FILE`, or restore it from its backup" in refused("elsewhere", 1, 4)
    with monkeypatch.context() as poor:
        altered(poor, place.chain.connection, "balance", lambda *_: 0)
        assert "holds 0 ETH" in refused("buyer-1", 1, 4)
    assert "challenges round" in nbc("buyer-1", 1, "dispute", "open", f"{listing}-0").stderr


def test_a_right_key_is_seen_before_anybody_is_asked(place: Place, nbc: Says) -> None:
    listing, _ = sold(place)
    place.seller.deliver(place.file(), listing)
    said = nbc("buyer-1", 1, "dispute", "open", f"{listing}-0", code=1).stderr
    assert "the right key for round 0" in said
    assert "challenges round" not in said


# ----------------------------------------------------------------------------------------------------- which round


def test_each_round_without_a_key_is_challenged_in_turn_the_newest_first(
    place: Place, cheat: Cheat, order: int, nbc: Says
) -> None:
    release(place, cheat, order, "none", "none")
    for round in (1, 0):
        assert nbc("buyer-1", 1, "dispute", "open", order, "--json").object["round"] == round
    assert "it is challenged already" in nbc("buyer-1", 1, "dispute", "open", order).stdout
    assert len([*Told(place.contract).events(["Challenged"], order=order)]) == 2


def test_a_newer_round_whose_key_is_there_is_passed_over(place: Place, cheat: Cheat, order: int) -> None:
    release(place, cheat, order, "none", "keys")
    assert place.buyer().open_dispute(order).dispute.round == 0
    again = place.buyer().open_dispute(order, 0)
    assert (again.receipt, again.dispute.state) == (None, "challenged")


def test_a_round_whose_time_is_over_is_not_meant(place: Place, cheat: Cheat, order: int) -> None:
    release(place, cheat, order, "none")
    place.chain.advance(3 * DAY)
    assert place.buyer().show_dispute(order).state == "none"
    cheat.release(order >> 32, str(place.file()))
    for round in (1, 1):
        assert place.buyer().open_dispute(order).dispute.round == round


@pytest.mark.parametrize("after", [False, True])
def test_a_challenge_that_was_interrupted_is_meant_before_any_other_round(
    place: Place, cheat: Cheat, order: int, nbc: Says, after: bool
) -> None:
    release(place, cheat, order, "none", "none")
    with death([(Connection, "send_raw")], 1, after=after), pytest.raises(KilledError):
        place.buyer().open_dispute(order)
    opened = nbc("buyer-1", 1, "dispute", "open", order, "--json")
    assert (opened.object["round"], opened.object["resumed"]) == (1, True)
    assert ("challenges round" in opened.stderr) is not after, "what was sent is not asked again"
    assert [event["round"] for event in Told(place.contract).events(["Challenged"], order=order)] == [1]


def test_a_challenge_of_round_10_that_is_not_mined_yet_is_none_of_round_1(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = {"dispute_window": DAY, "response_window": HOUR, "min_interval": 60}
    order = place.buyer().buy(place.seller.create_listing(PRICE, **terms).id, 11).id
    release(place, cheat, order, *["none"] * 11)
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        place.buyer().open_dispute(order, 10)
    dry = Buyer(place.session("buyer-1", 1, dry_run=True))
    monkeypatch.setattr(dry.session.sending.sender, "lookup", lambda _: "pending")
    with fails_with(RefusedError, "earlier-pending", 10, "1-0"):
        dry.disputable(order, 10)
    assert dry.disputable(order, 1).steps == ("dispute open --round 1",)


def test_a_round_that_can_be_challenged_is_shown_before_a_dispute_that_is_over(
    place: Place, cheat: Cheat, order: int, nbc: Says
) -> None:
    release(place, cheat, order, "none")
    place.buyer().open_dispute(order)
    place.chain.advance(HOUR + 2)
    place.buyer().claim(order)
    assert place.buyer().show_dispute(order).state == "paid-to-buyer"
    cheat.release(order >> 32, str(place.file("late.csv")))
    assert "next dispute open --round 1" in flat(nbc("buyer-1", 1, "dispute", "show", order).stdout)
    assert "paid back" in nbc("buyer-1", 1, "dispute", "show", order, "--round", 0).stdout


def test_advice_about_one_of_several_rounds_names_it(place: Place, cheat: Cheat, order: int, nbc: Says) -> None:
    release(place, cheat, order, "none", "none")
    cheat.hand_out(ANOTHER_KEY, [order], round=0)
    said = nbc("buyer-1", 1, "fetch", order, "--round", 0, "-o", place.output(), code=5).stderr
    assert "`dispute open --round 0`" in said
    place.buyer().open_dispute(order, 0)
    place.buyer().open_dispute(order, 1)
    place.chain.advance(HOUR + 2)
    steps = [one.steps for one in place.buyer().disputes()]
    assert steps == [("dispute claim --round 0",), ("dispute claim --round 1",)]


def test_a_round_that_is_not_the_orders_is_named_with_those_that_are(place: Place, nbc: Says) -> None:
    listing, _ = sold(place)
    said = nbc("buyer-1", 1, "dispute", "open", f"{listing}-0", "--round", 7, code=1).stderr
    assert f"order {listing}-0 covers round 0, not round 7" in said
    assert "see them with `orders`" in said
