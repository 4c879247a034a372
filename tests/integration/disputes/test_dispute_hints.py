"""A step that is refused says what to do instead, in words that say nothing twice and recommend nothing harmful."""

from tests.support.adversary import ANOTHER_KEY, DAY, HOUR, Cheat, blind, sold
from tests.support.fixtures import Says
from tests.support.places import Place
from tests.support.programs import flat


def test_who_declines_too_late_is_shown_what_is_left(place: Place, nbc: Says) -> None:
    listing, _ = sold(place, decline_window=600)
    place.seller.deliver(place.file(), listing)
    place.chain.advance(601)
    error = nbc("buyer-1", 1, "decline", f"{listing}-0", "--json", code=1).object["error"]
    assert (error["code"], error["exit_code"], bool(error["hint"])) == ("too-late", 1, True)


def test_a_buyer_is_never_told_to_do_what_pays_the_seller(place: Place, nbc: Says) -> None:
    listing, (order,) = sold(place)
    name = f"{listing}-0"
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    place.seller.respond(order)
    early = flat(nbc("buyer-1", 1, "dispute", "claim", name, code=1).stderr)
    assert "hint: a claim is for where no answer came" in early
    place.chain.advance(2 * DAY)
    for step in ("claim", "prove"):
        said = flat(nbc("buyer-1", 1, "dispute", step, name, code=1).stderr)
        assert "0.011 ETH can be settled to the seller" in said
        assert "dispute settle" not in said
        assert "hint: nothing comes back to the buyer any more" in said
    assert "next the seller's: dispute settle" in flat(nbc("buyer-1", 1, "dispute", "show", name).stdout)
    assert "hint: use `dispute settle`" in nbc("seller", 0, "dispute", "respond", name, code=1).stderr


def test_where_there_is_no_dispute_the_hint_is_what_can_be_done(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, _ = sold(place, 1)
    name = f"{listing}-0"

    def refused(*words: str, who: tuple[str, int] = ("buyer-1", 1)) -> str:
        return flat(nbc(*who, "dispute", *words, name, code=1).stderr)

    for step in ("claim", "settle"):
        said = refused(step)
        assert f"there is no dispute: round 0 of order {name} is not released yet" in said
        assert "hint: wait for it, or cancel the order" in said
    nothing = refused("respond", who=("seller", 0))
    assert nothing.count(f"round 0 of order {name}") == 1
    assert "hint: see what there is to answer with `dispute list --seller`" in nothing
    cheat.release(listing, str(place.file()))
    assert "the buyer can challenge with `dispute open`" in refused("claim")
    cheat.hand_out(ANOTHER_KEY, [listing << 32])
    assert "hint: `fetch` it, or `dispute open` if that fails" in refused("settle")


def test_a_challenge_that_was_answered_is_not_opened_again_but_read_or_proven_wrong(place: Place, nbc: Says) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    place.seller.respond(order)
    said = flat(nbc("buyer-1", 1, "dispute", "open", order).stdout)
    assert "it is challenged already, nothing was sent: the seller answered" in said
    assert "the buyer can `fetch` it, and until 20" in said
    assert "`dispute prove` that key or content is wrong" in said
    assert "hint: wait for that" in nbc("seller", 0, "dispute", "respond", order, code=1).stderr


def test_settling_where_no_answer_came_names_no_other_command(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    place.buyer().open_dispute(order)
    place.chain.advance(HOUR + 2)
    said = nbc("stranger", 5, "dispute", "settle", order).stderr
    assert "settles it: the seller did not answer in time, 0.011 ETH go back to the buyer" in said
    assert "dispute claim" not in said


def test_a_seller_who_wants_to_give_in_is_told_how(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    place.buyer().open_dispute(order)
    said = flat(nbc("seller", 0, "refund", order, "--round", 0, code=1).stderr)
    assert "a seller who gives in to a challenge does not answer it, and the buyer claims the money" in said


def test_answers_to_several_challenges_are_announced_as_such_and_a_failure_is_said_once(
    place: Place, cheat: Cheat, nbc: Says
) -> None:
    listing, orders = sold(place, 2)
    cheat.release(listing, str(place.file()))
    for number, order in enumerate(orders, 1):
        place.buyer(number).open_dispute(order)
    said = flat(nbc("elsewhere", 0, "dispute", "respond", code=4).stderr)
    assert f"answers the challenges of round 0 of order {listing}-0, round 0 of order {listing}-1 with" in said
    assert f"round 0 of order {listing}-1 can't be answered with this seller secret" in said
    assert "is not answered" not in said


def test_an_empty_list_says_how_past_disputes_are_shown(place: Place, nbc: Says) -> None:
    place.buyer()
    nothing = nbc("buyer-1", 1, "dispute", "list").stderr
    assert "`--all`" in nothing
    assert "`--seller`" in nothing, "a seller is told how to see disputes about their listings"
    assert "`--all`" not in nbc("buyer-1", 1, "dispute", "list", "--all").stderr
    assert nbc("buyer-1", 1, "dispute", "list", "--json").object == {"disputes": [], "more": 0}


def test_a_listing_is_not_taken_for_an_order(place: Place, nbc: Says) -> None:
    listing, _ = sold(place)
    said = flat(nbc("buyer-1", 1, "dispute", "open", listing, code=2).stderr)
    assert f"'{listing}' is not an order" in said
    assert f"write it as LISTING-INDEX, such as {listing}-0" in said
    unknown = nbc("buyer-1", 1, "dispute", "open", f"{listing}-9", code=1).stderr
    assert f"there is no order {listing}-9" in unknown
    assert "hint: see yours with `orders`, a listing's with `orders --listing NUMBER`" in unknown
