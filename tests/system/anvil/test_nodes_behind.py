"""Behind one address some nodes are behind others: what was written or seen is never read as if it were not there."""

import pytest

from numerbay_chain.chain import tokens
from numerbay_chain.chain.connection import Connection, connect
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import LocalSigner
from numerbay_chain.core.errors import NetworkError
from numerbay_chain.core.policy import Policy
from tests.support.chains.lagging import Lagging
from tests.support.chains.proxy import Proxy
from tests.support.chains.stage import PRICE, Stage
from tests.support.codes import fails_with
from tests.support.told import Told

pytestmark = pytest.mark.anvil


@pytest.fixture(params=[False, True], ids=["silent", "strict"])
def lagging(request: pytest.FixtureRequest, proxy: Proxy) -> Lagging:
    proxy.mischief = Lagging(strict=request.param)
    return proxy.mischief


@pytest.fixture
def public(lagging: Lagging, proxy: Proxy) -> Connection:
    connection = connect(proxy.url)
    connection.is_development = False
    return connection


@pytest.fixture
def buyer(stage: Stage, public: Connection) -> Sender:
    signer = LocalSigner.from_key(b"\x33" * 32)
    request(stage.connection, "anvil_setBalance", signer.address, hex(10**19))
    return Sender(public, signer, stage.session.address, confirmations=1, patience=30)


def test_what_was_written_is_there_for_every_read_that_follows(
    stage: Stage, public: Connection, buyer: Sender, lagging: Lagging
) -> None:
    session = MarketplaceContract(public, stage.session.address, stage.session.from_block)
    token = stage.deploy_contract("StandardToken")
    stage.mint(token, buyer.account, 10 * PRICE)
    listing = stage.new_listing(token=token)
    buyer.send(calls.register(public_key=b"\5" * 32))
    assert session.current_key(buyer.account) is not None
    nonce = public.transaction_count(buyer.account)
    for number in range(3):
        assert buyer.approve(token, PRICE) is not None
        bought = buyer.send(stage.purchase(listing, recipient=buyer.account))
        assert tokens.allowance(public, token, buyer.account, session.address) == 0
        assert session.listing(listing).orders == number + 1
        assert len(Told(session).orders_of(listing)) == number + 1
        assert [event.transaction for event in Told(session).events(["Bought"], buyer=buyer.account)][
            -1
        ] == bought.transaction
    assert public.transaction_count(buyer.account) == nonce + 6
    assert lagging.behind > 30


def test_one_who_only_reads_gets_all_logs_of_the_newest_blocks(
    stage: Stage, public: Connection, lagging: Lagging
) -> None:
    session = MarketplaceContract(public, stage.session.address, stage.session.from_block)
    listing = stage.new_listing()
    for number in range(4):
        order = stage.order(listing)
        while (head := public.block_number()) < stage.connection.block_number():
            pass  # nothing has shown it yet
        assert [one.id for one in Told(session).orders_of(listing, last=head)][-1] == order
        sold = [event for event in Told(session).events(["Bought"], last=head) if event["order"] >> 32 == listing]
        assert len(sold) == number + 1
    assert lagging.behind > 10


@pytest.mark.parametrize("strict", [False, True])
def test_a_node_that_never_catches_up_is_named_and_nothing_is_blamed_on_the_contract(
    stage: Stage, proxy: Proxy, strict: bool
) -> None:
    connection = connect(proxy.url, policy=Policy(catch_up=0.5))
    connection.is_development = False
    session = MarketplaceContract(connection, stage.session.address, stage.session.from_block)
    before = connection.block_number()
    order = stage.order(stage.new_listing())
    head = connection.block_number()
    assert head > before

    late = Lagging(None, strict=strict)
    late._heads.append((0.0, before))
    proxy.mischief = lambda asked, node: late._late(asked, node, before)
    with fails_with(NetworkError, "stale-node") as stale:
        connection.now()
    assert stale.value.code == "stale-node"
    connection.fresh.note(head)
    for read in (
        lambda: session.at(head).order(order),
        lambda: connection.timestamp(head),
        lambda: connection.balance(stage.buyer.account, head),
        lambda: list(Told(session).events(["Bought"], last=head)),
    ):
        with pytest.raises(NetworkError) as behind:
            read()
        assert behind.value.code == "node-behind"
