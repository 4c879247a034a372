"""Two nodes over one chain: before a key, an answer, a proof or money leaves, both are asked the same, and what one of
them makes up, leaves out or does not know yet stops the step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from numerbay_chain.chain.connection import Connection, connect
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.local.devnet import Devnet, advance, request
from numerbay_chain.chain.second import SecondNode, confirmed, deciding
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.core.errors import ExitCode, NetworkError, NumerbayChainError, UsageError
from numerbay_chain.core.home import keyfile
from numerbay_chain.core.policy import Policy
from numerbay_chain.disputes.results import Answers
from numerbay_chain.ipfs import EmbeddedStore
from tests.support.adversary import ANOTHER_KEY, BOND, CONTENT, Cheat, blind, sold
from tests.support.chains.disagreeing import (
    added,
    answering,
    created_otherwise,
    data_altered,
    denying_receipts,
    ending_at,
    gone,
    knowing_no_final_block,
    knowing_nothing_of,
    left_out,
    on_a_fork,
    on_chain,
    taking_no_hash,
    together,
    topics_of,
    word_altered,
)
from tests.support.chains.proxy import Answer, Mischief, Proxy, Request, altering, honest
from tests.support.codes import failure
from tests.support.fixtures import Says
from tests.support.places import PRICE, Place
from tests.support.rehearsals import Visit
from tests.support.told import Told
from tests.support.wrapped import meanwhile

pytestmark = pytest.mark.anvil
KEY_IN_LOG = 0  # where the key stands in the data of KeyRegistered
PRICE_OF_ORDER = 3  # which word of getOrder's answer it is
SELLER_OF_LISTING, ROUNDS_OF_LISTING, ORDERS_OF_LISTING, ACTIVE_OF_LISTING = 0, 20, 21, 24  # words of getListing's


@dataclass
class Nodes:
    """A devnet behind two nodes."""

    devnet: Devnet
    first: Proxy
    second: Proxy
    connection: Connection

    def signer(self, index: int) -> Signer:
        return self.devnet.signer(index)

    def advance(self, seconds: int) -> None:
        advance(self.devnet.connection, seconds)

    @contextmanager
    def lying(self, *, first: Mischief = honest, second: Mischief = honest) -> Iterator[None]:
        self.first.mischief, self.second.mischief = first, second
        self.first.seen.clear(), self.second.seen.clear()
        try:
            yield
        finally:
            self.first.mischief = self.second.mischief = honest

    def head(self) -> int:
        return self.devnet.connection.block_number()

    def was_told(self, function: str) -> bool:
        """Whether either node saw a call of `function`, tried out or sent."""
        selector = abi.selector(abi.functions()[function]).hex()
        return any(selector in str(asked["params"]) for asked in [*self.first.seen, *self.second.seen])


@pytest.fixture
def nodes(devnet: Devnet) -> Iterator[Nodes]:
    with Proxy(devnet.rpc).running() as one, Proxy(devnet.rpc).running() as other:
        connection = connect(one.url, policy=Policy(patience=0.2))
        connection.second = SecondNode.at(other.url)
        yield Nodes(devnet, one, other, connection)


@pytest.fixture
def pinned(place: Place) -> list[str]:
    """The labels of what was pinned."""
    labels: list[str] = []
    meanwhile(place.store, "add", lambda _, label="": labels.append(label))
    return labels


@pytest.fixture
def place(nodes: Nodes, tmp_path: Path) -> Place:
    return Place.found(tmp_path, nodes, EmbeddedStore(tmp_path / "store"))


def refused(step: Callable[[], object], code: str = "nodes-disagree") -> NumerbayChainError:
    return failure(step, code)


# ---------------------------------------------------------------------------------------------------- keys in envelopes


def test_no_key_goes_out_where_the_second_node_tells_something_else(
    place: Place, nodes: Nodes, pinned: list[str]
) -> None:
    listing, (order,) = sold(place)
    for lie, named in [
        (word_altered("getOrder", PRICE_OF_ORDER), "getOrder"),
        (word_altered("keyAt"), "keyAt"),
        (word_altered("getListing", 1), "getListing"),
        (left_out("Bought"), "the event Bought"),
        (added("KeyRegistered"), "the event KeyRegistered"),
        (data_altered("KeyRegistered", KEY_IN_LOG, keyfile.generate().public_key), "the event KeyRegistered"),
    ]:
        with nodes.lying(second=lie):
            error = refused(lambda: place.seller.deliver(place.file(), listing))
            assert isinstance(error, NetworkError)
            assert named in str(error)
            assert nodes.first.url in str(error)
            assert nodes.second.url in str(error)
            assert not nodes.was_told("releaseAndDeliver")
    assert not any("envelopes" in label for label in pinned)
    delivered = place.seller.deliver(place.file(), listing)
    assert (delivered.state, delivered.newly_posted) == ("delivered", (order,))


def test_no_key_is_sealed_to_a_thief_whom_logs_and_state_of_one_node_name(
    place: Place, nodes: Nodes, pinned: list[str]
) -> None:
    listing, (order,) = sold(place, decline_window=60)
    thief = keyfile.generate().public_key
    place.seller.deliver(place.file(), listing)
    nodes.advance(61)
    with nodes.lying(first=together(answering("keyAt", thief), data_altered("KeyRegistered", KEY_IN_LOG, thief))):
        error = refused(lambda: place.seller.serve(listing))
        assert "KeyRegistered" in str(error) or "keyAt" in str(error)
    assert not any("envelopes" in label for label in pinned)
    (served,) = place.seller.serve(listing).rounds
    assert served.newly_posted == (order,)


def test_a_decline_that_one_node_leaves_out_stops_the_keys(place: Place, nodes: Nodes, pinned: list[str]) -> None:
    """Logs and pots of the first node agree on a buyer who was paid back."""
    listing, (order, other) = sold(place, 2, decline_window=60)
    place.seller.deliver(place.file(), listing)
    before = nodes.head()
    place.buyer(1).decline(order)
    nodes.advance(61)
    with nodes.lying(first=ending_at(before)):
        refused(lambda: place.seller.serve(listing, confirmations=0), "node-behind")
    assert not any("envelopes" in label for label in pinned)
    (served,) = place.seller.serve(listing).rounds
    assert served.newly_posted == (other,)


def test_no_money_goes_to_a_contract_of_which_one_node_alone_says_that_it_is_ours(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place, decline_window=600)
    place.seller.deliver(place.file(), listing)
    nodes.connection.second = SecondNode.at(nodes.second.url)
    with nodes.lying(second=created_otherwise):
        error = refused(lambda: place.buyer(2).buy(listing))
        assert place.contract.address in str(error)
        assert not nodes.was_told("buy")
        assert (
            place.buyer(1).decline(order).paid == PRICE
        )  # what has a deadline, and shows nothing, does not wait for it
    assert place.buyer(2).buy(listing).order.listing == listing


def test_keys_go_out_after_a_window_in_which_nothing_happened_on_the_chain(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place, decline_window=120)
    assert place.seller.deliver(place.file(), listing).state == "waiting"
    request(nodes.devnet.connection, "evm_increaseTime", 130)  # the latest block is as old as before
    (served,) = place.seller.serve(listing).rounds
    assert served.newly_posted == (order,)


@pytest.mark.parametrize(("window", "between", "state"), [(120, 100, "waiting"), (0, 0, "delivered")])
def test_keys_that_the_second_node_calls_too_early_wait_and_are_not_asked_for_without_end(
    place: Place, nodes: Nodes, window: int, between: int, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second node is further from calling a block final: the release's, or that of the purchase."""
    listing, (order,) = sold(place, decline_window=window)
    first = nodes.connection
    assert first.second is not None
    monkeypatch.setattr(nodes, "signer", Visit(nodes.devnet.rpc, public=True).signer)
    for node in (first, first.second.connection(first)):
        node.is_development, node.policy = False, replace(node.policy, trial=True)
    request(nodes.devnet.connection, "anvil_mine", hex(between))
    assert place.seller.deliver(place.file(), listing).newly_posted == ()
    nodes.advance(window + 10)
    request(nodes.devnet.connection, "anvil_mine", hex(70))
    with nodes.lying(second=knowing_no_final_block):
        (served,) = place.seller.serve(listing).rounds
        assert (served.state, served.newly_posted) == (state, ())
        assert len(nodes.first.seen) < 200
    (served,) = place.seller.serve(listing).rounds
    assert served.newly_posted == (order,)


# ------------------------------------------------------------------------------------------------- the node itself


def test_a_second_node_that_can_not_be_compared_with_stops_the_step(
    place: Place, nodes: Nodes, pinned: list[str]
) -> None:
    listing, _ = sold(place)
    for lie, code in [
        (ending_at(nodes.head() - 3), "node-behind"),
        (on_a_fork, "nodes-disagree"),
        (gone, "network"),
    ]:
        with nodes.lying(second=lie):
            error = refused(lambda: place.seller.deliver(place.file(), listing), code)
            assert error.exit_code == ExitCode.NETWORK
            assert nodes.second.url in str(error)
    assert not any("envelopes" in label for label in pinned)


def test_a_first_node_that_was_rolled_back_is_named(place: Place, nodes: Nodes) -> None:
    listing, _ = sold(place)
    with nodes.lying(first=ending_at(nodes.head() - 1)):
        error = refused(lambda: place.buyer(2).buy(listing), "node-behind")
    assert str(error).startswith(f"{nodes.first.url} is behind")


def test_a_second_node_of_another_chain_is_refused(place: Place, nodes: Nodes) -> None:
    listing, _ = sold(place)
    nodes.connection.second = SecondNode.at(nodes.second.url)
    with nodes.lying(second=on_chain(1)):
        error = refused(lambda: place.seller.deliver(place.file(), listing), "wrong-chain")
    assert isinstance(error, UsageError)
    assert "chain 1" in str(error)


def test_a_second_node_that_takes_no_hash_is_asked_by_number(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place)
    with nodes.lying(second=together(word_altered("getOrder", PRICE_OF_ORDER), taking_no_hash)):
        refused(lambda: place.seller.deliver(place.file(), listing))
    with nodes.lying(second=taking_no_hash):
        assert place.seller.deliver(place.file(), listing).newly_posted == (order,)
        asked = [one["params"][1] for one in nodes.second.seen if one["method"] == "eth_call"]
    decisions = ["whose key is pinned", "whose key is released", "that nobody else waits"]
    assert sum(isinstance(block, dict) for block in asked) == len(decisions), "once in each"
    assert all(block.startswith("0x") for block in asked if isinstance(block, str))


def test_both_nodes_on_one_host_are_said_once(place: Place) -> None:
    listing, _ = sold(place)
    place.told.clear()
    seller = place.seller
    seller.deliver(place.file(), listing)
    assert place.noted.count("same-host") == 1


# -------------------------------------------------------------------------------------------------------------- answers


def test_a_challenge_that_only_one_node_knows_is_not_answered(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    before = nodes.head()
    blind(place).open_dispute(order, unseen=True)
    for lie, code in [
        (left_out("Challenged"), "nodes-disagree"),
        (answering("challengeOf", bytes(32)), "nodes-disagree"),
        (word_altered("hashOf"), "nodes-disagree"),
        (ending_at(before), "node-behind"),
        (gone, "network"),
    ]:
        with nodes.lying(second=lie):
            refused(lambda: place.seller.respond(order), code)
            assert not nodes.was_told("respond")
    assert [one.order for one in place.seller.respond(order).answered] == [order]


def test_a_node_that_knows_of_no_challenge_is_compared_with_the_second_one(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    before = nodes.head()
    with nodes.lying():
        assert place.seller.respond() == Answers((), ())
    blind(place).open_dispute(order, unseen=True)
    with nodes.lying(first=ending_at(before)):  # it stands still
        refused(place.seller.respond, "node-behind")
        refused(place.seller.require_all_challenges, "node-behind")
    hidden = together(left_out("Challenged"), answering("settled", bytes(32)))
    with nodes.lying(first=together(hidden, word_altered("pot", by=PRICE))):
        refused(place.seller.respond, "nodes-disagree")
    assert [one.order for one in place.seller.respond().answered] == [order]


def test_a_listing_that_one_node_hides_hides_no_challenge(place: Place, nodes: Nodes, nbc: Says) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    hidden = together(left_out("ListingCreated"), word_altered("listingCount", by=1))
    strangers = word_altered("getListing", SELLER_OF_LISTING)
    for lie, asked in [(hidden, ()), (strangers, (listing,))]:
        with nodes.lying(first=lie):
            assert place.seller.looks_after(*asked).all == set()
            refused(lambda asked=asked: place.seller.respond(listings=asked))  # type: ignore[misc]  # its default
            refused(lambda asked=asked: place.seller.require_all_challenges(*asked))  # type: ignore[misc]  # its default
            chosen = [word for one in asked for word in ("--listing", one)]
            ended = nbc("seller", 0, "dispute", "respond", *chosen, "--json", code=ExitCode.NETWORK)
            assert ended.error == "nodes-disagree"
            nbc("seller", 0, "dispute", "list", "--seller", *chosen, code=ExitCode.NETWORK)
    assert [one.order for one in place.seller.respond().answered] == [order]


def test_a_challenge_that_was_hidden_at_first_is_answered_with_the_others(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    seller, lies = place.seller, [left_out("Challenged")]

    def once(asked: Request, node: Callable[[Request], Answer]) -> Answer:
        if asked["method"] == "eth_getLogs" and "Challenged" in topics_of(asked) and lies:
            return lies.pop()(asked, node)
        return node(asked)

    with nodes.lying(first=once):
        assert [one.order for one in seller.respond().answered] == [order]
    assert not lies


# --------------------------------------------------------------------------------------------------- nothing to be done


def test_that_nobody_waits_for_a_key_is_believed_of_both_nodes_alone(
    place: Place, nodes: Nodes, pinned: list[str]
) -> None:
    listing, (order,) = sold(place, decline_window=60)
    unsold = together(left_out("Bought"), word_altered("getListing", ORDERS_OF_LISTING))
    active = word_altered("getListing", ACTIVE_OF_LISTING, by=PRICE)
    with nodes.lying(first=together(unsold, active)):
        refused(lambda: place.seller.deliver(place.file(), listing))
    nodes.advance(61)
    unreleased = together(left_out("Released"), word_altered("getListing", ROUNDS_OF_LISTING))
    for lie in (together(unsold, word_altered("pot", by=PRICE)), unreleased):
        with nodes.lying(first=lie):
            refused(lambda: place.seller.serve(listing))
    assert not any("envelopes" in label for label in pinned)
    (served,) = place.seller.serve(listing).rounds
    assert served.newly_posted == (order,)
    assert place.seller.serve(listing).rounds == ()
    with nodes.lying(second=gone):
        refused(lambda: place.seller.serve(listing), "network")


def test_that_a_buyer_has_nothing_to_prove_is_believed_of_both_nodes_alone(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    blind(place).open_dispute(order, unseen=True)
    with nodes.lying(first=left_out("Challenged")):
        refused(place.buyer().disputes)
    assert [one.order for one in place.buyer().disputes()] == [order]


# --------------------------------------------------------------------------------------------------------------- proofs


def test_a_wrong_answer_that_only_one_node_knows_is_not_proven_wrong(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place)
    cheat = Cheat(place.seller.session)
    sealed = cheat.release(listing, str(place.file()))
    buyer = place.buyer()
    buyer.open_dispute(order)
    before = nodes.head()
    cheat.answer(order, sealed.manifest, ANOTHER_KEY)
    for lie, code in [
        (left_out("Responded"), "nodes-disagree"),
        (word_altered("challengeOf"), "nodes-disagree"),
        (ending_at(before), "node-behind"),
    ]:
        with nodes.lying(second=lie):
            refused(lambda: buyer.prove(order), code)
            assert not nodes.was_told("proveWrongKey")
    assert buyer.prove(order).paid == PRICE + BOND


def test_content_is_not_published_for_a_release_that_only_one_node_knows(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place)
    cheat = Cheat(place.seller.session)
    _, key = cheat.release_junk(listing, CONTENT, chunk=1)
    cheat.hand_out(key, [order])
    buyer = place.buyer()
    for lie in (word_altered("hashOf"), left_out("Released"), word_altered("getOrder", PRICE_OF_ORDER)):
        with nodes.lying(second=lie):
            refused(lambda: buyer.prove(order, publish_key=True))
            assert not nodes.was_told("proveWrongContent")
    assert buyer.prove(order, publish_key=True).paid == PRICE


def test_no_challenge_rests_on_one_node_alone(place: Place, nodes: Nodes) -> None:
    listing, (order,) = sold(place)
    place.seller.deliver(place.file(), listing)
    with nodes.lying(first=left_out("Delivered")):
        refused(lambda: place.buyer().open_dispute(order))
        assert not nodes.was_told("challenge")


# ------------------------------------------------------------------------------------------------------------- payments


def test_a_purchase_whose_receipt_one_node_denies_is_not_made_twice(place: Place, nodes: Nodes) -> None:
    listing = place.seller.create_listing(PRICE).id
    buyer = place.buyer()
    before = place.balance(1)
    for lie in (
        together(denying_receipts("buy"), left_out("Bought")),
        together(knowing_nothing_of("buy", others=1), left_out("Bought")),
    ):
        with nodes.lying(first=lie):
            error = refused(lambda: buyer.buy(listing))
            assert "0x" in str(error)
    assert buyer.buy(listing).resumed
    assert [order.buyer for order in Told(place.contract).orders_of(listing)] == [buyer.session.account]
    assert PRICE <= before - place.balance(1) < 2 * PRICE


def test_an_order_that_one_node_hides_is_not_bought_again(place: Place, nodes: Nodes) -> None:
    listing = place.seller.create_listing(PRICE).id
    buyer = place.buyer()
    buyer.buy(listing)
    with nodes.lying(first=left_out("Bought")):
        assert "the event Bought" in str(refused(lambda: buyer.buy(listing)))
        assert not nodes.was_told("buy")
    refused(lambda: buyer.buy(listing), "already-bought")


def test_nothing_is_bought_from_a_listing_that_two_nodes_have_differently(place: Place, nodes: Nodes) -> None:
    listing = place.seller.create_listing(PRICE).id
    buyer = place.buyer()
    with nodes.lying(second=word_altered("getListing", 0)):
        assert "seller" in str(refused(lambda: buyer.buy(listing)))
        assert not nodes.was_told("buy")
    request(nodes.devnet.connection, "evm_mine")
    assert buyer.buy(listing).order.listing == listing


def test_no_round_that_is_out_is_bought_that_two_nodes_tell_differently(place: Place, nodes: Nodes) -> None:
    listing = place.seller.create_listing(PRICE, instant=True).id
    place.seller.deliver(place.file(), listing)
    buyer = place.buyer()
    with nodes.lying(second=left_out("Released")):
        assert "the event Released" in str(refused(lambda: buyer.buy(listing)))
        assert not nodes.was_told("buy")
    assert buyer.buy(listing).order.first == 0


def test_a_key_that_only_one_node_names_is_not_looked_for(place: Place, nodes: Nodes) -> None:
    _, (order,) = sold(place)
    place.seller.deliver(place.file(), order >> 32)
    with nodes.lying(first=answering("keyAt", bytes(31) + b"\x09")):
        refused(lambda: place.buyer().fetch(order, path=place.output()))
    assert place.buyer().fetch(order, path=place.output()).size > 0


def test_of_many_calls_the_one_that_differs_is_named(nodes: Nodes, place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    orders = [place.buyer(number).buy(listing.id).order.id for number in (1, 2)]
    connection = nodes.connection

    def look() -> None:
        with deciding(connection):
            snapshot = place.contract.look()
            assert [order.id for order in snapshot.orders(orders)] == orders
            assert snapshot.listing(listing.id).orders == len(orders)
            snapshot.load(("order", orders[-1] + 1), ("settled", orders[0], 0))
            confirmed(connection)

    look()
    for changed in (word_altered("getOrder", PRICE_OF_ORDER), together(taking_no_hash, word_altered("getOrder", 3))):
        with nodes.lying(second=changed):
            error = refused(look)
        assert f"getOrder({orders[0]}) in block {nodes.head()}" in str(error)
        assert "price" in str(error)
    with nodes.lying(second=answering("settled", bytes(31) + b"\1")):
        assert "settled" in str(refused(look))
    with nodes.lying(second=answering("getOrder", bytes(32 * 9))):
        refused(look)
    with nodes.lying(second=taking_no_hash):
        look()
    assert connection.lacks == set()


def test_a_nonce_that_one_node_tells_too_high_is_not_signed(place: Place, nodes: Nodes) -> None:
    listing, buyer = place.seller.create_listing(PRICE).id, place.buyer(2)
    higher = altering("eth_getTransactionCount", lambda count: hex(int(count, 16) + 3))
    with nodes.lying(first=higher):
        refused(lambda: buyer.buy(listing))
        assert nodes.first.count("eth_sendRawTransaction") == 0
    assert not [*buyer.session.home.path.glob("outbox/*/*.json")]
    buyer.buy(listing)
