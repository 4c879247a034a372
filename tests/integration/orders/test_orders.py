"""What `orders` says: how each order stands, what its buyer can do with it, and for how long, in eighty columns."""

import pytest

from numerbay_chain.core.units import format_time
from tests.support.adversary import CONTENT, DAY, HOUR, Cheat, sold
from tests.support.fixtures import Says
from tests.support.places import PRICE, Place


@pytest.fixture
def two_rounds(place: Place) -> int:
    """A listing with an order of two rounds; its disputes are open for about a day."""
    terms = {"dispute_window": DAY, "response_window": HOUR, "min_interval": 60}
    listing = place.seller.create_listing(PRICE, **terms).id
    place.buyer().buy(listing, 2)
    return listing


def last_second(place: Place, listing: int, round: int = 0) -> int:
    """To open a dispute about a round of the listing's first order."""
    matures_at = place.buyer().order(listing << 32).rounds[round].matures_at
    assert matures_at is not None
    return matures_at - 1


def pass_until(place: Place, time: int) -> None:
    place.chain.advance(time - place.chain.connection.now())


def test_a_round_whose_keys_are_there_says_until_when_it_can_be_disputed(place: Place, nbc: Says) -> None:
    listing, _ = sold(place)
    place.seller.deliver(place.file(), listing)
    last = last_second(place, listing)
    said = nbc("buyer-1", 1, "orders").stdout
    assert "0: keys posted  fetch, dispute (1d" in said
    assert f"dispute until {format_time(last)}" in nbc("buyer-1", 1, "orders", f"{listing}-0").stdout
    pass_until(place, last - 90)
    assert "fetch, dispute (1m" in nbc("buyer-1", 1, "orders").stdout
    pass_until(place, last + 1)
    assert nbc("buyer-1", 1, "orders").stdout.rstrip().endswith("0: keys posted  fetch")


def test_a_round_is_named_where_the_command_would_take_another_one(
    place: Place, cheat: Cheat, two_rounds: int, nbc: Says
) -> None:
    cheat.release(two_rounds, str(place.file()))
    assert "dispute open (1d" in nbc("buyer-1", 1, "orders").stdout, "it is the only one"
    place.chain.advance(DAY // 2)
    cheat.release(two_rounds, str(place.file("second", b"2")))
    said = nbc("buyer-1", 1, "orders").stdout
    assert "dispute open --round 0 (" in said
    assert ", dispute open (1d" in said
    dates = nbc("buyer-1", 1, "orders", f"{two_rounds}-0").stdout
    for round in (0, 1):
        assert f"can be disputed until {format_time(last_second(place, two_rounds, round))}" in dates
    pass_until(place, last_second(place, two_rounds) + 1)
    later = nbc("buyer-1", 1, "orders").stdout
    assert "--round" not in later, "the time for round 0 is over"
    assert "dispute open (" in later


def test_a_round_that_can_be_read_is_named_where_a_newer_one_can_t(
    place: Place, cheat: Cheat, two_rounds: int, nbc: Says
) -> None:
    place.seller.deliver(place.file(), two_rounds)
    assert "  fetch, " in nbc("buyer-1", 1, "orders").stdout
    place.chain.advance(HOUR)
    cheat.release(two_rounds, str(place.file("second", b"2")))
    assert "fetch --round 0" in nbc("buyer-1", 1, "orders").stdout
    nbc("buyer-1", 1, "fetch", f"{two_rounds}-0", "--round", 0, "-o", place.output())
    assert place.output().read_bytes() == place.file().read_bytes()


def test_a_round_that_the_command_takes_by_itself_is_not_named(
    place: Place, cheat: Cheat, two_rounds: int, nbc: Says
) -> None:
    cheat.release(two_rounds, str(place.file()))
    place.chain.advance(HOUR)
    other = cheat.release(two_rounds, str(place.file("second", b"2")))
    cheat.hand_out(other.key, [two_rounds << 32], round=1)
    assert "dispute open (1d" in nbc("buyer-1", 1, "orders").stdout
    opened = nbc("buyer-1", 1, "dispute", "open", f"{two_rounds}-0", "--json").object
    assert opened["round"] == 0


def test_where_the_time_is_over_and_no_key_came_that_is_said(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, _ = sold(place)
    cheat.release(listing, str(place.file()))
    last = last_second(place, listing)
    pass_until(place, last - 60)
    assert "0: released " in nbc("buyer-1", 1, "orders").stdout
    pass_until(place, last + 1)
    assert "0: no key in time" in nbc("buyer-1", 1, "orders").stdout
    shown = nbc("buyer-1", 1, "orders", f"{listing}-0")
    assert f"could be disputed until {format_time(last)}" in shown.stdout
    (round,) = nbc("buyer-1", 1, "orders", f"{listing}-0", "--json").object["rounds"]
    assert (round["too_late"], round["challengeable_until"]) == (True, None)


def test_a_listing_without_disputes_knows_no_time_for_them(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, _ = sold(place, dispute_window=0, response_window=0, challenge_bond=0)
    cheat.release(listing, str(place.file()))
    place.chain.advance(3 * DAY)
    said = nbc("buyer-1", 1, "orders").stdout
    assert "0: released" in said
    assert "dispute" not in said


def test_the_table_fits_eighty_columns(place: Place, cheat: Cheat, nbc: Says) -> None:
    """Orders of ten rounds, each in another state."""
    terms = {"dispute_window": 3 * DAY, "response_window": HOUR, "min_interval": 60}
    listings = [place.seller.create_listing(5 * PRICE, **terms).id for _ in range(5)]
    buyer = place.buyer()
    orders = [buyer.buy(listing, 10).order.id for listing in listings]
    place.seller.deliver(place.file(), listings[0])
    for listing in listings[1:4]:
        cheat.release(listing, str(place.file()))
    buyer.open_dispute(orders[2])
    place.seller.respond(orders[2])
    buyer.open_dispute(orders[3])
    place.seller.skip(listings[4])
    place.chain.advance(90)
    rows = nbc("buyer-1", 1, "orders").stdout.splitlines()
    for row, words in zip(
        rows[1:],
        (
            "0: keys posted  fetch, dispute (3d",
            "0: released     dispute open (3d",
            "0: answered     dispute show, fetch, cancel",
            "0: challenged   dispute show, cancel",
            "0: missed       reclaim --missed, cancel",
        ),
        strict=True,
    ):
        assert words in row
    assert max(len(row) for row in rows) <= 80


def test_a_round_that_was_proven_faulty_is_called_so(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, orders = sold(place, buyers=2)
    _, key = cheat.release_junk(listing, CONTENT, chunk=2)
    cheat.hand_out(key, orders)
    place.buyer(1).prove(orders[0], publish_key=True)
    row = nbc("buyer-2", 2, "orders").stdout.splitlines()[1]
    assert "  0: faulty  dispute settle" in row
    assert len(row) <= 80
