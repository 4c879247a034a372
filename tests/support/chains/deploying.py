"""The deterministic deployment proxy for a chain that comes without it, and contracts that only look like ours."""

import rlp
from eth_utils.crypto import keccak

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.identity import proxy
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import Signer

MAKER = "0x3fAB184622Dc19b6109349B94811493BF2a45362"
"""The account of the transaction below: it follows from the signature, and nobody has its key."""
TRANSACTION = bytes.fromhex(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba0222222222222222222222222"
    "2222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222"
)


def place_proxy(connection: Connection, signer: Signer) -> None:
    """As it came to every chain: its one transaction is paid for, and sent."""
    fields = {"to": MAKER, "value": 10**16, "gas": 21_000, "chainId": connection.chain_id, "data": "0x"}
    nonce = connection.transaction_count(signer.address)
    connection.send_raw(signer.sign_transaction({**fields, "nonce": nonce, **connection.fees().fields()}))
    connection.send_raw(TRANSACTION)
    assert proxy.is_there(connection)


def lookalike(connection: Connection, maker: Sender, genuine: str, stolen: int) -> str:
    """A contract whose code is the shipped one in every byte, and in whose storage `stolen` wei belong to its maker."""
    account = bytes.fromhex(maker.account.removeprefix("0x"))
    fake = _created(account, connection.transaction_count(maker.account))
    old = bytes.fromhex(genuine.removeprefix("0x"))
    runtime = connection.code(genuine)
    for before, after in (
        (_domain(connection.chain_id, old), _domain(connection.chain_id, fake)),
        (old, fake),
        (_created(old, 1), _created(fake, 1)),
    ):
        assert before in runtime
        runtime = runtime.replace(before, after)
    disputes = bytes.fromhex(abi.disputes_artifact()["bytecode"].removeprefix("0x"))
    credit = keccak(
        bytes(32) + keccak(bytes(12) + account + (8).to_bytes(32))
    )  # credit[maker][coin], mapping in slot 8
    head = _init(credit, stolen, len(disputes), len(runtime), 0)
    init = _init(credit, stolen, len(disputes), len(runtime), len(head)) + disputes + runtime
    created = maker.deploy(init).created
    assert created is not None
    assert bytes.fromhex(created.removeprefix("0x")) == fake
    return created


def _created(maker: bytes, nonce: int) -> bytes:
    return keccak(rlp.encode([maker, nonce]))[12:]


def _domain(chain_id: int, address: bytes) -> bytes:
    kind = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    names = keccak(text="numerbay_chain") + keccak(text="1")
    return keccak(kind + names + chain_id.to_bytes(32) + bytes(12) + address)


def _init(slot: bytes, value: int, disputes: int, runtime: int, start: int) -> bytes:
    """Writes a word of storage, makes the contract that the marketplace's constructor makes, returns the code."""
    store = b"\x7f" + value.to_bytes(32) + b"\x7f" + slot + b"\x55"
    copy = _copy(disputes, start) + _push(disputes) + b"\x5f\x5f\xf0\x50"  # PUSH0 PUSH0 CREATE POP
    return store + copy + _copy(runtime, start + disputes) + _push(runtime) + b"\x5f\xf3"  # PUSH0 RETURN


def _copy(length: int, start: int) -> bytes:
    return _push(length) + _push(start) + b"\x5f\x39"  # PUSH0 CODECOPY


def _push(number: int) -> bytes:
    return b"\x61" + number.to_bytes(2)
