"""Nothing is signed for a contract that the shipped init code did not create, however much it looks like ours."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from numerbay_chain.auditor import Auditor
from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.connection import Connection, NodeRefusedError
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.identity import deployment, proxy
from numerbay_chain.chain.identity.code import require_code
from numerbay_chain.chain.identity.creation import Creation, find_creation, first_block_with_code
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import ExitCode, NetworkError, RefusedError, UsageError
from numerbay_chain.protocol.types import Offer
from numerbay_chain.seller import Seller
from numerbay_chain.session import Session
from tests.support.chains.deploying import lookalike
from tests.support.chains.stage import TERMS
from tests.support.places import PRICE, Place, session_at
from tests.support.wrapped import altered, counted

THIEF = 7


@pytest.fixture
def fake(place: Place) -> MarketplaceContract:
    """It passes for ours by its code, and its maker can collect what is paid to it."""
    connection = place.chain.connection
    thief = Sender(connection, place.chain.signer(THIEF))
    address = lookalike(connection, thief, place.contract.address, stolen=10 * PRICE)
    require_code(connection, address)
    contract = MarketplaceContract(connection, address, connection.block_number())
    assert contract.credit(thief.account, "0x" + 40 * "0") == 10 * PRICE
    sender = Sender(connection, thief.signer, address)
    sender.send(calls.register(public_key=b"\5" * 32))
    sender.send(calls.create_listing(terms=TERMS, offer=Offer(PRICE, True, bytes(32)), payout=thief.account))
    return contract


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What was signed."""
    count: Counter[str] = Counter()
    for kind in _kinds(Signer):
        for name in ("sign_transaction", "sign_typed_data"):
            if name in vars(kind):
                monkeypatch.setattr(kind, name, counted(count, vars(kind)[name]))
    return count


def _kinds(kind: type) -> list[type]:
    return [kind, *(each for sub in kind.__subclasses__() for each in _kinds(sub))]


STEPS: dict[str, Callable[[Session, Path], object]] = {
    "register": lambda session, _: Buyer(session).register_key(),
    "buy": lambda session, _: Buyer(session).buy(1, recipient=session.contract.listing(1).seller),
    "create": lambda session, _: Seller(session).create_listing(PRICE),
    "voucher": lambda session, _: Seller(session).sign_voucher(1, price=PRICE),
    "deliver": lambda session, file: Seller(session).deliver(file, 1),
    "collect": lambda session, _: Seller(session).collect(),
    "challenge": lambda session, _: Buyer(session).open_dispute(1 << 32, 0),
}


@pytest.mark.parametrize("step", STEPS)
def test_no_step_signs_for_a_contract_with_the_same_code_that_was_made_otherwise(
    place: Place, fake: MarketplaceContract, signed: Counter[str], step: str
) -> None:
    number = THIEF if step in ("voucher", "deliver") else 1
    if step == "challenge":
        Sender(place.chain.connection, place.chain.signer(THIEF), fake.address).send(
            calls.buy(
                listing=1, version=0, next_round=0, out=False, rounds=1, recipient=place.chain.signer(THIEF).address,
                value=PRICE,
            )
        )  # fmt: skip
    signed.clear()
    with pytest.raises(RefusedError) as refused:
        STEPS[step](session_at(place, fake, number), place.file())
    assert (refused.value.code, refused.value.exit_code) == ("contract-unknown", ExitCode.REFUSED)
    assert {"--created-by", "--unchecked-contract"} <= set(str(refused.value.hint).replace(",", "").split())
    assert not signed


def test_a_dry_run_refuses_it_too_and_reading_does_not(
    place: Place, fake: MarketplaceContract, signed: Counter[str]
) -> None:
    with pytest.raises(RefusedError) as refused:
        Buyer(session_at(place, fake, 1, dry_run=True)).buy(1, recipient=fake.listing(1).seller)
    assert refused.value.code == "contract-unknown"
    assert [view.listing.id for view in Buyer(session_at(place, fake, 1)).listings()] == [1]
    assert not signed


def test_an_audit_of_it_fails_though_its_books_are_in_order(place: Place, fake: MarketplaceContract) -> None:
    report = Auditor(session_at(place, fake, None)).audit()
    assert [(finding.severity, finding.subject) for finding in report.findings] == [("error", "contract")]
    assert not report.ok
    genuine = place.auditor.audit()
    assert (genuine.ok, genuine.checked["creations"]) == (True, 1)
    assert Auditor(session_at(place, fake, None, unchecked_contract=True)).audit().ok


def test_an_audit_over_a_node_without_old_state_warns(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = MarketplaceContract(place.chain.connection, place.contract.address, 0)
    place.chain.advance(1)
    forget_old_state(place, monkeypatch)
    report = Auditor(session_at(place, contract, None)).audit()
    assert [(finding.severity, finding.subject) for finding in report.findings] == [("warning", "contract")]
    assert report.ok


def test_what_its_maker_names_as_its_creation_is_looked_at(place: Place, fake: MarketplaceContract) -> None:
    connection = place.chain.connection
    genuine = deployment.deploy(Sender(connection, place.chain.signer(0)))
    (own,) = (one if isinstance(one, str) else one["hash"] for one in connection.transactions_in(fake.from_block) or ())
    for said in (own, genuine.transaction, genuine.transaction.upper().replace("X", "x")):
        with pytest.raises(RefusedError) as refused:
            session_at(place, fake, 1, created_by=said).require_known_contract()
        assert refused.value.code == "contract-unknown"
    for nonsense in ("0x12", genuine.transaction[2:], "", genuine.transaction + "\n"):
        with pytest.raises(UsageError):
            session_at(place, fake, 1, created_by=nonsense).require_known_contract()
    assert fake.from_block > 0


def test_a_transaction_that_the_node_does_not_know_is_no_proof(place: Place, fake: MarketplaceContract) -> None:
    with pytest.raises(RefusedError) as refused:
        session_at(place, fake, 1, created_by="0x" + 64 * "5").require_known_contract()
    assert refused.value.code == "contract-unknown"


def test_who_knows_better_may_pay_it(place: Place, fake: MarketplaceContract, signed: Counter[str]) -> None:
    session = session_at(place, fake, 1, unchecked_contract=True)
    Buyer(session).register_key()
    assert Buyer(session).buy(1).order.listing == 1
    assert signed["sign_transaction"] > 0
    assert fake.order(1 << 32).buyer == session.account


@pytest.mark.parametrize("told", ["transaction", "block", "wrong block", "nothing"])
def test_the_shipped_contract_is_known_by_its_transaction_its_block_or_a_search(place: Place, told: str) -> None:
    connection = place.chain.connection
    for _ in range(3):
        place.chain.advance(1)
    made = deployment.deploy(Sender(connection, place.chain.signer(0)))
    for _ in range(5):
        place.chain.advance(1)
    arguments: dict[str, Any] = {
        "transaction": {"transaction": made.transaction},
        "block": {"first_block": made.block},
        "wrong block": {"first_block": made.block - 1, "transaction": "0x" + 64 * "5"},
        "nothing": {},
    }[told]
    assert find_creation(connection, made.address, **arguments) == Creation("direct", made.transaction, made.block)
    assert first_block_with_code(connection, made.address) == made.block


def test_the_first_block_with_code_is_found_wherever_it_is(place: Place) -> None:
    connection = place.chain.connection
    made = [deployment.deploy(Sender(connection, place.chain.signer(number % 3))) for number in range(8)]
    for one in made:
        assert first_block_with_code(connection, one.address) == one.block
    assert first_block_with_code(connection, place.chain.signer(5).address) is None


def test_the_shipped_init_code_run_by_another_contract_is_not_taken(place: Place) -> None:
    """Its maker could have called it in the same transaction, before anybody saw it."""
    connection, code = place.chain.connection, proxy.init_code()
    size = len(code).to_bytes(2)
    # PUSH2 size PUSH1 15 PUSH0 CODECOPY PUSH2 size PUSH0 PUSH0 CREATE STOP, then the init code
    factory = (
        bytes.fromhex("61") + size + bytes.fromhex("60105f3961") + size + bytes.fromhex("5f5ff050") + b"\x5f\x5ff3"
    )
    factory = b"\x61" + size + b"\x60\x0f\x5f\x39\x61" + size + b"\x5f\x5f\xf0\x50\x00" + code
    sender = Sender(connection, place.chain.signer(3))
    made_by = sender.deploy(factory).created
    assert made_by is not None
    inner = keccak(b"\xd6\x94" + bytes.fromhex(made_by[2:]) + b"\x01")[12:]
    address = checksummed("0x" + inner.hex())
    require_code(connection, address)
    with pytest.raises(RefusedError) as refused:
        find_creation(connection, address)
    assert refused.value.code == "contract-unknown"


def test_init_code_with_something_behind_it_is_other_init_code(place: Place) -> None:
    connection = place.chain.connection
    receipt = Sender(connection, place.chain.signer(3)).deploy(proxy.init_code() + b"\0")
    assert receipt.created is not None
    for transaction in (receipt.transaction, None):
        with pytest.raises(RefusedError) as refused:
            find_creation(connection, receipt.created, transaction)
        assert refused.value.code == "contract-unknown"


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", 0), ("created", None), ("created", "0x" + 40 * "1"), ("block_hash", b"\1" * 32)],
)
def test_a_receipt_that_says_otherwise_is_believed(
    place: Place, monkeypatch: pytest.MonkeyPatch, field: str, value: object
) -> None:
    connection = place.chain.connection
    made = deployment.deploy(Sender(connection, place.chain.signer(0)))
    receipt = connection.receipt(made.transaction)
    assert receipt is not None
    altered(monkeypatch, place.chain.connection, "receipt", lambda *_: replace(receipt, **{field: value}))
    with pytest.raises(RefusedError) as refused:
        find_creation(connection, made.address, made.transaction)
    assert refused.value.code == "contract-unknown"


def test_another_transaction_than_was_asked_for_is_no_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = place.chain.connection
    made = deployment.deploy(Sender(connection, place.chain.signer(0)))
    sent = connection.transaction(made.transaction)
    assert sent is not None
    altered(monkeypatch, place.chain.connection, "transaction", lambda *_: replace(sent, hash=bytes(32)))
    with pytest.raises(NetworkError) as refused:
        find_creation(connection, made.address, made.transaction)
    assert refused.value.code == "bad-answer"


FORGOTTEN = (
    NodeRefusedError("refused asking for code", answer="missing trie node"),
    NetworkError("lacks block 1, though it showed block 9", code="node-behind"),
)


def forget_old_state(place: Place, monkeypatch: pytest.MonkeyPatch, error: NetworkError = FORGOTTEN[0]) -> None:
    code = Connection.code

    def pruned(self: Connection, address: str, block: int | None = None) -> bytes:
        if block is not None and block < self.block_number():
            raise error
        return code(self, address, block)

    altered(monkeypatch, place.chain.connection, "code", pruned)


@pytest.mark.parametrize("error", FORGOTTEN, ids=["a refusal", "a block that it lacks"])
def test_a_node_without_old_state_says_what_to_name(
    place: Place, monkeypatch: pytest.MonkeyPatch, error: NetworkError
) -> None:
    connection = place.chain.connection
    for _ in range(4):
        place.chain.advance(1)
    forget_old_state(place, monkeypatch, error)
    with pytest.raises(RefusedError) as refused:
        find_creation(connection, place.contract.address)
    assert refused.value.code == "contract-unknown"
    assert "--created-by" in str(refused.value.hint)
    assert find_creation(connection, place.contract.address, None, place.contract.from_block).method == "direct"
