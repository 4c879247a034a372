"""What the command line says of a dispute at each of its moments: what can be done next, by whom, and until when."""

from numerbay_chain.core.units import format_time
from tests.support.adversary import ANOTHER_KEY, CONTENT, DAY, HOUR, Cheat, blind, sold
from tests.support.fixtures import Says
from tests.support.places import Place
from tests.support.programs import flat
from tests.support.told import Told


def test_a_buyer_without_a_key_is_shown_the_way_to_his_money(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, _ = sold(place)
    name = f"{listing}-0"
    cheat.release(listing, str(place.file()))
    assert "released" in nbc("buyer-1", 1, "orders").stdout
    shown = flat(nbc("buyer-1", 1, "orders", name).stdout)
    assert "dispute open until 20" in shown
    assert "fetch" not in shown
    assert "one can be opened until" in flat(nbc("buyer-1", 1, "dispute", "show", name).stdout)
    asked = flat(nbc("buyer-1", 1, "dispute", "open", name).stderr)
    assert "with the right key, the bond is lost, and the price is the seller's" in asked
    again = nbc("buyer-1", 1, "dispute", "open", name)
    assert "it is challenged already, nothing was sent" in again.stdout
    assert "transaction" not in again.stderr
    assert "claims" not in nbc("buyer-1", 1, "dispute", "claim", name, code=1).stderr, "it looks before it announces"
    assert "an answer until 20" in flat(nbc("auditor", 9, "audit").stdout)

    place.chain.advance(HOUR + 2)
    for words in (("fetch", name, "-o", place.output()), ("verify", name)):
        done = nbc("buyer-1", 1, *words, code=1)
        said = flat(done.stdout + done.stderr)
        assert "dispute claim" in said
        assert "overdue since 20" in said
        assert "at stake is 0.011 ETH" in said
        assert "try again later" not in said
    assert "dispute claim" in nbc("buyer-1", 1, "orders").stdout
    assert "unanswered" in nbc("buyer-1", 1, "orders", name).stdout
    assert "dispute claim" in nbc("buyer-1", 1, "dispute", "open", name).stdout
    assert "unanswered, can be claimed" in flat(nbc("auditor", 9, "audit").stdout)
    told = nbc("seller", 0, "dispute", "respond", "--json", code=1).object
    assert [(one["name"], one["code"], one["failed"]) for one in told["left"]] == [(name, "too-late", True)]
    assert "dispute claim" not in nbc("seller", 0, "dispute", "list", "--seller").stdout
    assert "claims 0.011 ETH" in nbc("buyer-1", 1, "dispute", "claim", name).stderr
    assert "paid back" in nbc("seller", 0, "dispute", "list", "--seller", "--all").stdout


def test_where_the_time_for_a_dispute_is_over_nobody_is_told_to_wait(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, _ = sold(place)
    name = f"{listing}-0"
    cheat.release(listing, str(place.file()))
    place.chain.advance(3 * DAY)
    for words in (("verify", name), ("fetch", name, "-o", place.output()), ("dispute", "open", name)):
        done = nbc("buyer-1", 1, *words, code=1)
        said = flat(done.stdout + done.stderr)
        assert f"the time for a dispute about round 0 of order {name} ended 20" in said
        assert "outside of the marketplace only" in said
        assert "try again later" not in said
        assert "no problems" not in said
    assert "dispute open" not in nbc("buyer-1", 1, "orders").stdout


def test_an_order_that_came_after_the_keys_is_not_said_to_have_one(place: Place, nbc: Says) -> None:
    listing, _ = sold(place, instant=True)
    place.seller.deliver(place.file(), listing)
    late = place.buyer(2).buy(listing).order
    posted = flat(nbc("buyer-1", 1, "orders").stdout)
    assert "0: keys posted" in posted
    assert "fetch" in posted
    told = flat(nbc("buyer-2", 2, "orders").stdout)
    assert "0: released" in told
    assert "dispute open (" in told
    assert "fetch" not in told
    assert "dispute open" not in nbc("buyer-1", 1, "dispute", "show", f"{listing}-0").stdout
    assert "dispute open" in nbc("buyer-2", 2, "dispute", "show", str(late)).stdout
    rows = nbc("buyer-2", 2, "orders").stdout.splitlines()
    assert max(map(len, rows)) <= 80


def test_the_last_second_to_decline_is_the_same_wherever_it_is_said(place: Place, nbc: Says) -> None:
    listing, (order,) = sold(place, decline_window=600)
    name = f"{listing}-0"
    place.seller.deliver(place.file(), listing)
    release = Told(place.contract).release(listing, 0)
    assert release is not None
    last = release.released_at + 599
    assert place.buyer().order(order).rounds[0].declinable_until == last
    assert place.buyer().verify(order).declinable_until == last
    for words in (("dispute", "open", name), ("dispute", "prove", name), ("dispute", "show", name), ("orders", name)):
        done = nbc("buyer-1", 1, *words, code=1 if words[1] in ("open", "prove") else 0)
        assert f"until {format_time(last)}" in flat(done.stdout + done.stderr), words
    place.chain.advance(last - place.chain.connection.now() - 1)
    assert place.buyer().decline(order).paid > 0


def test_who_has_no_right_seller_secret_is_told_so_in_either_form(place: Place, nbc: Says) -> None:
    listing, (order,) = sold(place, challenge_bond=0)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    assert "no challenge was answered" in nbc("elsewhere", 0, "dispute", "respond", code=4).stdout
    nbc("elsewhere", 0, "dispute", "respond", f"{listing}-0", code=4)
    planned = nbc("seller", 0, "dispute", "respond", "--dry-run", "--json").object["arguments"]
    assert all(isinstance(planned["opened"][name], str) for name in ("dispute_key", "price", "bond"))


def test_a_round_that_the_order_does_not_cover_has_no_dispute(place: Place, nbc: Says) -> None:
    listing, _ = sold(place)
    said = nbc("buyer-1", 1, "dispute", "show", f"{listing}-0", "--round", 7, code=1).stderr
    assert f"order {listing}-0 covers round 0, not round 7" in said


def test_a_key_file_that_can_t_be_read_is_to_be_restored_not_made_anew(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, _ = sold(place)
    cheat.release(listing, str(place.file()))
    (kept,) = (place.folder / "buyer-1" / "keys").glob("*.json")
    kept.write_text("{")
    said = nbc("buyer-1", 1, "fetch", f"{listing}-0", "-o", place.output(), code=4).stderr
    assert "restore the key file from its backup" in flat(said)
    assert "keys new" not in said.split("hint:")[1]


def test_whose_step_comes_next_depends_on_who_asks(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    place.buyer().open_dispute(order)

    def next_of(role: str, number: int | None) -> str:
        shown = nbc(role, number, "dispute", "show", order).stdout.splitlines()
        return next(line.removeprefix("next").strip() for line in shown if line.startswith("next"))

    assert next_of("seller", 0) == "dispute respond"
    assert next_of("buyer-1", 1) == next_of("somebody", None) == "the seller's: dispute respond"
    shown = nbc("buyer-1", 1, "dispute", "show", order, "--json").object
    command = f"numerbay-chain dispute respond {listing}-0"
    step = {"step": "dispute respond", "command": command, "from": None, "until": shown["deadline"]}
    assert shown["next_steps"] == [step]
    place.chain.advance(HOUR + 2)
    assert next_of("buyer-1", 1) == "dispute claim"
    assert next_of("seller", 0) == "the buyer's: dispute claim"


def test_a_proof_says_what_it_costs_and_what_for_and_whether_it_is_worth_it(
    place: Place, cheat: Cheat, nbc: Says
) -> None:
    cheap = place.seller.create_listing(1_000, dispute_window=DAY, response_window=HOUR).id
    place.buyer().buy(cheap)
    listing, _ = sold(place, 2)
    for number in (cheap, listing):
        _, key = cheat.release_junk(number, CONTENT, chunk=0)
        cheat.hand_out(key, [number << 32])
        said = [
            nbc("buyer-1", 1, "fetch", f"{number}-0", "-o", place.output(), code=5).stderr,
            nbc("buyer-1", 1, "verify", f"{number}-0", code=1).stdout,
            nbc("buyer-1", 1, "dispute", "prove", f"{number}-0").stderr,
        ]
        for words in map(flat, said):
            assert ("NOT WORTH IT" in words) is (number == cheap)
        for words in map(flat, said if number == listing else said[:2]):
            assert "about 680,000 gas (600,000 for the proof, 80,000 to be paid back), at most" in words
    shown = nbc("buyer-2", 2, "dispute", "show", f"{listing}-1").stdout
    assert "refundable" in shown
    nbc("buyer-2", 2, "dispute", "settle", f"{listing}-1")
    for text in (shown, nbc("buyer-2", 2, "dispute", "show", f"{listing}-1").stdout):
        assert "bond" not in text, "nobody paid one"


def test_verify_says_what_became_of_the_key(place: Place, cheat: Cheat, nbc: Says) -> None:
    listing, (order,) = sold(place)

    def key(code: int, role: str = "buyer-1") -> str:
        lines = nbc(role, 1, "verify", order, code=code).stdout.splitlines()
        return next(line.removeprefix("key").strip() for line in lines if line.startswith("key "))

    sealed = cheat.release(listing, str(place.file()))
    assert key(0) == "not here yet"
    assert key(1, "elsewhere") == "not looked for: the order's key file is not here"
    cheat.hand_out(ANOTHER_KEY, [order])
    assert key(1) == "here, but not the one that was committed to"
    place.buyer().open_dispute(order)
    cheat.answer(order, sealed.manifest, ANOTHER_KEY)
    assert key(1) == "in the seller's answer, but not the one that was committed to"
    place.buyer().prove(order)
    assert key(1) == "none: the round was paid back"
