"""What an interrupted call had sent is told as such: never as something that this call did, never as a refusal."""

from collections.abc import Callable
from pathlib import Path

import pytest

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.identity import deployment, proxy
from numerbay_chain.chain.identity.deploying import Deployed, deploy_once
from numerbay_chain.chain.identity.deployment import load_all
from numerbay_chain.chain.local.embedded import EmbeddedChain
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import RefusedError
from numerbay_chain.core.files.journal import Entry
from numerbay_chain.core.home.home import Home
from tests.support.chains.deploying import place_proxy
from tests.support.codes import fails_with
from tests.support.dying import WRITES, KilledError, death
from tests.support.fixtures import Says
from tests.support.places import PRICE, Place
from tests.support.told import Told
from tests.support.wrapped import altered

DAY = 86_400


def killed_when_it_was_mined(action: Callable[[], object]) -> None:
    """The process dies between the receipt and its note of it."""
    with death([(Entry, "remove")], 1), pytest.raises(KilledError):
        action()


def test_a_skip_of_another_round_is_not_told_as_this_one(place: Place, nbc: Says) -> None:
    listing = place.seller.create_listing(PRICE, min_interval=60)
    place.buyer().buy(listing.id, rounds=3)
    killed_when_it_was_mined(lambda: place.seller.skip(listing.id))
    place.chain.advance(60)
    assert nbc("seller", 0, "skip", listing.id, "--json", code=1).error == "earlier-transaction"
    assert place.contract.listing(listing.id).next_round == 1
    assert "round 1 was skipped" in nbc("seller", 0, "skip", listing.id).stdout


def test_a_skip_that_is_taken_up_names_its_round(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    killed_when_it_was_mined(lambda: place.seller.skip(listing.id))
    done = place.seller.skip(listing.id)
    assert (done.round, done.resumed) == (0, True)
    assert place.contract.listing(listing.id).next_round == 1


def test_a_withdrawal_that_is_taken_up_is_told_apart(place: Place, nbc: Says) -> None:
    listing = place.seller.create_listing(PRICE, min_interval=60)
    place.buyer().buy(listing.id, rounds=2)
    for number in range(2):
        place.seller.deliver(place.file(f"{number}.csv", b"round %d" % number), listing.id)
        place.chain.advance(5 * DAY)
        if number == 0:
            killed_when_it_was_mined(lambda: place.seller.withdraw(listing.id))
    said = nbc("seller", 0, "withdraw", listing.id)
    assert said.stderr.count("sent by an earlier call that was interrupted") == 1
    assert [event["amount"] for event in Told(place.contract).events(["Withdrawn"])] == 2 * [PRICE]
    assert "there is nothing to withdraw" in nbc("seller", 0, "withdraw", listing.id).stdout


def test_a_withdrawal_that_is_taken_up_is_told_though_nothing_is_left(place: Place, nbc: Says) -> None:
    listing = place.seller.create_listing(PRICE, min_interval=60)
    place.buyer().buy(listing.id)
    place.seller.deliver(place.file(), listing.id)
    place.chain.advance(5 * DAY)
    killed_when_it_was_mined(lambda: place.seller.withdraw(listing.id))
    assert place.seller.withdrawable(listing.id).amount == 0
    said = nbc("seller", 0, "withdraw", listing.id, "--json")
    assert (said.object["amount"], said.object["resumed"]) == (str(PRICE), True)
    assert "sent by an earlier call that was interrupted" in said.stderr
    assert "there is nothing to withdraw" in nbc("seller", 0, "withdraw", listing.id).stdout
    assert [event["amount"] for event in Told(place.contract).events(["Withdrawn"])] == [PRICE]


@pytest.mark.parametrize("since", ["sold out", "closed"])
def test_an_order_that_was_paid_for_is_named_whatever_became_of_the_offer(place: Place, nbc: Says, since: str) -> None:
    listing = place.seller.create_listing(PRICE, supply=1)
    buyer = place.buyer()
    killed_when_it_was_mined(lambda: buyer.buy(listing.id, rounds=2))
    if since == "closed":
        place.seller.edit_listing(listing.id, opened=False)
    said = nbc("buyer-1", 1, "buy", listing.id, "--rounds", 2)
    assert said.stdout == "order 1-0: rounds 0 to 1 of listing 1, paid 0.02 ETH\n"
    assert "sent by an earlier call that was interrupted" in said.stderr
    assert "buys" not in said.stderr, "nothing is asked for what was paid already"


def test_the_rounds_that_are_told_are_those_that_were_bought(place: Place, nbc: Says) -> None:
    listing, buyer = place.seller.create_listing(PRICE, min_interval=60), place.buyer()
    killed_when_it_was_mined(lambda: buyer.buy(listing.id))
    place.seller.skip(listing.id)
    assert "order 1-0: round 0 of listing 1" in nbc("buyer-1", 1, "buy", listing.id).stdout


def test_an_earlier_purchase_of_something_else_is_named_before_any_quote(place: Place, nbc: Says) -> None:
    listing, buyer = place.seller.create_listing(PRICE, supply=1), place.buyer()
    killed_when_it_was_mined(lambda: buyer.buy(listing.id, rounds=2))
    refused = nbc("buyer-1", 1, "buy", listing.id, "--rounds", 3, "--json", code=1)
    assert refused.error == "earlier-transaction"
    assert "1-0" in refused.object["error"]["message"]


# --------------------------------------------------------------------------------------------------------- deployment


METHODS = pytest.mark.parametrize("method", ["direct", "proxy"])


def chain_with_proxy() -> EmbeddedChain:
    chain = EmbeddedChain()
    place_proxy(chain.connection, chain.signer(9))
    return chain


def deployed(home: Home, chain: EmbeddedChain, method: str, number: int = 0) -> Deployed:
    return deploy_once(home, Sender(chain.connection, chain.signer(number)), direct=method == "direct")


@METHODS
def test_a_deployment_that_is_killed_anywhere_ends_in_one_marketplace_that_is_remembered(
    tmp_path: Path, method: str
) -> None:
    places = [*WRITES, (deployment, "write_atomic")]
    chain = chain_with_proxy()
    with death(places) as whole:
        deployed(Home(tmp_path / "undisturbed"), chain, method)
    assert whole.passed == 4, "signed, sent, remembered, forgotten"
    for number in range(1, whole.passed + 1):
        for after in (False, True):
            home, chain = Home(tmp_path / f"{number}{after}"), chain_with_proxy()
            with death(places, number, after=after), pytest.raises(KilledError):
                deployed(home, chain, method)
            if (number, after) != (whole.passed, True):
                done = deployed(home, chain, method)
                assert done.deployment.method == method
                assert done.resumed or number == 1, "before it was signed, nothing was there to resume"
            assert chain.connection.transaction_count(chain.signer(0).address) == 1
            assert len(load_all(home.path / "deployments", chain.connection.chain_id)) == 1
            assert not list(home.path.glob("outbox/*/*.json"))


def test_a_second_direct_deployment_is_another_marketplace(tmp_path: Path) -> None:
    home, chain = Home(tmp_path), EmbeddedChain()
    first, second = deployed(home, chain, "direct"), deployed(home, chain, "direct")
    assert first.deployment.address != second.deployment.address
    assert (first.resumed, second.resumed) == (False, False)
    assert (first.existing, second.existing) == (False, False)


def test_a_second_deployment_through_the_proxy_finds_the_first_and_sends_nothing(tmp_path: Path) -> None:
    chain = chain_with_proxy()
    first = deployed(Home(tmp_path / "first"), chain, "proxy")
    chain.advance(5)
    assert (first.existing, first.deployment.address) == (False, proxy.known_address())
    for name, number in (("first", 0), ("second", 1)):
        sent = chain.connection.transaction_count(chain.signer(number).address)
        again = deployed(Home(tmp_path / name), chain, "proxy", number)
        assert (again.existing, again.receipt, again.resumed) == (True, None, False)
        assert (again.deployment.address, again.deployment.block) == (proxy.known_address(), first.deployment.block)
        assert chain.connection.transaction_count(chain.signer(number).address) == sent
    assert chain.connection.transaction_count(chain.signer(1).address) == 0


@pytest.mark.parametrize("when", ["before it is tried out", "after it was signed"])
def test_of_two_who_deploy_at_once_the_slower_one_finds_the_marketplace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    chain = chain_with_proxy()
    name = "fees" if when == "before it is tried out" else "send_raw"
    original, racing = getattr(Connection, name), [True]

    def faster(self: Connection, *arguments: object, **named: object) -> object:
        if racing.pop() if racing else False:
            deployed(Home(tmp_path / "faster"), chain, "proxy", 1)
        return original(self, *arguments, **named)

    altered(monkeypatch, chain.connection, name, faster)
    done = deployed(Home(tmp_path / "slower"), chain, "proxy", 0)
    assert (done.existing, done.deployment.address) == (True, proxy.known_address())
    assert not list((tmp_path / "slower").glob("outbox/*/*.json"))


def test_a_chain_without_the_proxy_is_told_what_to_do(tmp_path: Path) -> None:
    chain = EmbeddedChain()
    with pytest.raises(RefusedError) as refused:
        deployed(Home(tmp_path), chain, "proxy")
    assert (refused.value.code, "--direct" in str(refused.value.hint)) == ("no-proxy", True)
    assert chain.connection.transaction_count(chain.signer(0).address) == 0


def test_a_deployment_that_can_never_be_mined_makes_room_for_another(tmp_path: Path) -> None:
    home, chain = Home(tmp_path), EmbeddedChain()
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        deployed(home, chain, "direct")
    Sender(chain.connection, chain.signer(0)).deploy(bytes.fromhex("6001600c60003960016000f300"))  # uses its nonce
    assert deployed(home, chain, "direct").resumed is False
    assert chain.connection.transaction_count(chain.signer(0).address) == 2


def test_a_record_of_a_deployment_that_is_damaged_stops_everything(tmp_path: Path) -> None:
    home, chain = Home(tmp_path), EmbeddedChain()
    with death([(Connection, "send_raw")], 1), pytest.raises(KilledError):
        deployed(home, chain, "direct")
    (entry,) = home.path.glob("outbox/*/*.json")
    entry.write_text('{"version": 1, "hash": "0x", "raw": "no hex"}')
    with fails_with(RefusedError, "bad-journal"):
        deployed(home, chain, "direct")
