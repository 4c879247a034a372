"""A node that answers JSON-RPC out of the fast machine, in this process.

Blocks come every 12 seconds of its clock, empty or not, and cost nothing; state of past blocks is rebuilt from what was
sent.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import rlp
from eth_account import Account as EthAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from numerbay_chain.chain.encoding.reverts import find_data
from numerbay_chain.chain.node.rpc import Request, RpcError
from tests.support.evm.chain import CHAIN_ID, GAS_LIMIT, Chain, Log, Reverted

SLOT = 12  # seconds
FINAL, SAFE = 64, 32  # blocks behind the latest one
BASE_FEE = 10**9  # wei
RICH = 10**22  # wei
_PADDING = 33  # bytes that the machine adds to code that it runs


class RefusedRequest(Exception):
    """An error of the node's own, as JSON-RPC has it."""

    def __init__(self, message: str, code: int = -32000, data: str | None = None) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, **({} if data is None else {"data": data})}


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in its block; `created` is the contract that it made."""

    name: str
    raw: bytes
    sender: str
    to: str
    data: bytes
    value: int
    nonce: int
    block: int
    status: int
    gas_used: int
    logs: tuple[Log, ...]
    created: str | None


@dataclass
class Node:
    """`now` is the world's clock in Unix seconds; the latest block is the last slot's. A transaction is mined in the
    next slot, which moves the clock."""

    chain_id: int = CHAIN_ID
    start: int = 1_800_000_000
    mined: list[Mined] = field(default_factory=list)
    funded: dict[str, int] = field(default_factory=dict)
    prepare: Callable[[Chain], None] = lambda _: None

    def __post_init__(self) -> None:
        self.now = self.start
        self._chain = self._fresh()
        self._past: dict[int, Chain] = {}
        self._by_name: dict[str, Mined] = {}
        self._logs: dict[str, list[dict[str, Any]]] = {}
        self._nonces: dict[str, list[int]] = {}  # sender → the blocks in which its nonces were used

    def _fresh(self) -> Chain:
        chain = Chain(self.start, self.chain_id)
        self.prepare(chain)
        for address, wei in self.funded.items():
            chain.fund(address, wei)
        return chain

    def fund(self, address: str, wei: int = RICH) -> None:
        """Money from nowhere, for an account that has sent nothing yet."""
        self.funded[address.lower()] = wei
        self._chain.fund(address, wei)

    # ---------------------------------------------------------------------------------------------------------- blocks

    @property
    def head(self) -> int:
        return (self.now - self.start) // SLOT + 1

    def time_of(self, block: int) -> int:
        return self.start + (block - 1) * SLOT

    @property
    def pending(self) -> int:
        """The block whose state and time a question about "pending" is answered with."""
        return self.head

    def mine(self) -> None:
        """The next block begins."""
        self.now = self.time_of(self.head + 1)

    def _number(self, tag: Any) -> int:
        if isinstance(tag, dict):  # EIP-1898
            if "blockHash" in tag:
                return self._number_of(tag["blockHash"])
            tag = tag["blockNumber"]
        match tag:
            case "latest" | None:
                return self.head
            case "pending":
                return self.pending
            case "safe":
                return max(self.head - SAFE, 0)
            case "finalized":
                return max(self.head - FINAL, 0)
            case "earliest":
                return 0
        number = int(tag, 16)
        if number > self.pending:
            raise RefusedRequest("header not found")
        return number

    def _hash(self, block: int) -> str:
        return "0x" + keccak(text=f"block {block} of chain {self.chain_id}").hex()

    def _number_of(self, name: str) -> int:
        for block in range(self.head, -1, -1):
            if self._hash(block) == name:
                return block
        raise RefusedRequest("header for hash not found")

    def _block(self, number: int) -> dict[str, Any]:
        return {
            "number": hex(number), "hash": self._hash(number), "parentHash": self._hash(number - 1),
            "timestamp": hex(self.time_of(number)), "gasLimit": hex(GAS_LIMIT), "gasUsed": "0x0",
            "baseFeePerGas": hex(BASE_FEE), "extraData": "0x", "miner": "0x" + "00" * 20,
            "transactions": [one.name for one in self.mined if one.block == number],
        }  # fmt: skip

    # ----------------------------------------------------------------------------------------------------------- state

    def _at(self, block: int) -> Chain:
        """The machine as it stood at the end of a block, on that block's clock."""
        last = self.mined[-1].block if self.mined else 0
        chain = self._chain if block >= last else self._rebuilt(block)
        chain.now, chain.block = self.time_of(block), block
        chain._evm.set_block_env(chain._block_env())
        return chain

    def _rebuilt(self, block: int) -> Chain:
        count = sum(one.block <= block for one in self.mined)
        if count not in self._past:
            chain = self._fresh()
            for one in self.mined[:count]:
                self._run(chain, one.sender, one.to, one.data, one.value, one.block)
            self._past = {count: chain}  # one at a time: past blocks are asked for in a row
        return self._past[count]

    def _run(
        self, chain: Chain, sender: str, to: str, data: bytes, value: int, block: int
    ) -> tuple[int, int, tuple[Log, ...], str | None]:
        chain.now, chain.block = self.time_of(block), block
        chain._evm.set_block_env(chain._block_env())
        try:
            if not to:
                created, gas = chain.deploy(data, sender)
                return 1, gas, _logs(chain), created
            receipt = chain.transact(sender, to, data, value)
        except Reverted:
            return 0, 100_000, (), None
        return 1, receipt.gas_used, receipt.logs, None

    def _simulate(self, call: dict[str, Any], block: int) -> tuple[bytes, int]:
        chain = self._at(block)
        sender, to = call.get("from", "0x" + "00" * 20), call.get("to")
        data = bytes(HexBytes(call.get("data") or call.get("input") or "0x"))
        value = int(call.get("value", "0x0"), 16)
        evm, before = chain._evm, chain._evm.snapshot()
        try:
            if to is None:
                created, _ = chain.deploy(data, sender)
                return bytes(chain.code(created)).removesuffix(bytes(_PADDING)), evm.result.gas_used
            output = evm.message_call(sender, to, calldata=data, value=value, gas=GAS_LIMIT)
            return bytes(output), evm.result.gas_used
        except RuntimeError as error:
            raise _refusal(error) from None
        except Reverted as error:
            raise RefusedRequest("execution reverted", 3, "0x" + error.data.hex()) from None
        finally:
            evm.reset_transient_storage()
            evm.revert(before)
            if to is None:
                chain.history.pop()

    # -------------------------------------------------------------------------------------------------------- requests

    def request(self, method: str, parameters: list[Any]) -> Any:
        """The result of one JSON-RPC request. Raises `RefusedRequest`."""
        name = method.removeprefix("eth_")
        answer = getattr(self, f"_{_snake(name)}", None)
        if answer is None or method == name:
            raise RefusedRequest(f"the method {method} does not exist", -32601)
        return answer(*parameters)

    def _chain_id(self) -> str:
        return hex(self.chain_id)

    def _block_number(self) -> str:
        return hex(self.head)

    def _gas_price(self) -> str:
        return hex(BASE_FEE)

    def _max_priority_fee_per_gas(self) -> str:
        return hex(10**8)

    def _get_block_by_number(self, tag: str, _full: bool = False) -> dict[str, Any] | None:
        try:
            return self._block(self._number(tag))
        except RefusedRequest:
            return None

    def _get_block_by_hash(self, name: str, _full: bool = False) -> dict[str, Any] | None:
        try:
            return self._block(self._number_of(name))
        except RefusedRequest:
            return None

    def _get_balance(self, address: str, tag: Any = "latest") -> str:
        return hex(self._at(self._number(tag)).balance(address))

    def _get_code(self, address: str, tag: Any = "latest") -> str:
        code = self._at(self._number(tag)).code(address)
        return "0x" + code.removesuffix(bytes(_PADDING)).hex()

    def _get_storage_at(self, address: str, slot: str, tag: Any = "latest") -> str:
        value = self._at(self._number(tag))._evm.storage(address, int(slot, 16))
        return "0x" + int(value).to_bytes(32).hex()

    def _get_transaction_count(self, address: str, tag: Any = "latest") -> str:
        block = self._number(tag)
        return hex(sum(used <= block for used in self._nonces.get(address.lower(), ())))

    def _call(self, call: dict[str, Any], tag: Any = "latest", *_: Any) -> str:
        return "0x" + self._simulate(call, self._number(tag))[0].hex()

    def _estimate_gas(self, call: dict[str, Any], tag: Any = "latest", *_: Any) -> str:
        used = self._simulate(call, self._number(tag))[1]
        return hex(used * 64 // 63 + 60_000)

    def _send_raw_transaction(self, raw: str) -> str:
        data = bytes(HexBytes(raw))
        sender = EthAccount.recover_transaction(HexBytes(data)).lower()
        fields = _fields(data)
        name = "0x" + keccak(data).hex()
        used = self._nonces.setdefault(sender, [])
        if name in self._by_name:
            raise RefusedRequest("already known")
        if fields["nonce"] != len(used):
            raise RefusedRequest("nonce too low" if fields["nonce"] < len(used) else "nonce too high")
        self._require_paid(sender, fields)
        to = "0x" + bytes(fields["to"]).hex() if fields["to"] else ""
        return self._mine_one(name, data, sender, to, bytes(fields["data"]), int(fields["value"]))

    def pretend(self, sender: str, to: str, data: bytes, value: int = 0) -> None:
        """A transaction that nobody signed, for crowds: of an account whose key nobody has. It must not revert."""
        sender = sender.lower()
        name = "0x" + keccak(text=f"transaction {len(self._nonces.get(sender, ()))} of {sender}").hex()
        self._mine_one(name, b"", sender, to.lower(), data, value)
        assert self._by_name[name].status == 1

    def _mine_one(self, name: str, raw: bytes, sender: str, to: str, data: bytes, value: int) -> str:
        self.mine()
        block, used = self.head, self._nonces.setdefault(sender, [])
        status, gas, logs, created = self._run(self._at(block), sender, to, data, value, block)
        made = to_checksum_address(created) if created else None
        one = Mined(name, raw, sender, to, data, value, len(used), block, status, gas, logs, made)
        used.append(block)
        self.mined.append(one)
        self._by_name[name] = one
        return name

    def _require_paid(self, sender: str, fields: dict[str, Any]) -> None:
        """Raises `RefusedRequest` where the sender can't pay for a transaction. Here gas costs nothing."""

    def _get_transaction_by_hash(self, name: str) -> dict[str, Any] | None:
        one = self._by_name.get(name)
        if one is None:
            return None
        return {
            "hash": one.name, "from": to_checksum_address(one.sender),
            "to": to_checksum_address(one.to) if one.to else None,
            "input": "0x" + one.data.hex(), "nonce": hex(one.nonce), "value": hex(one.value),
            "blockNumber": hex(one.block), "blockHash": self._hash(one.block), "transactionIndex": "0x0",
            "gas": hex(GAS_LIMIT), "type": "0x2", "chainId": hex(self.chain_id),
        }  # fmt: skip

    def _get_transaction_receipt(self, name: str) -> dict[str, Any] | None:
        one = self._by_name.get(name)
        if one is None:
            return None
        return {
            "transactionHash": one.name, "blockNumber": hex(one.block), "blockHash": self._hash(one.block),
            "status": hex(one.status), "gasUsed": hex(one.gas_used), "cumulativeGasUsed": hex(one.gas_used),
            "effectiveGasPrice": hex(BASE_FEE), "contractAddress": one.created, "from": to_checksum_address(one.sender),
            "to": to_checksum_address(one.to) if one.to else None, "transactionIndex": "0x0", "type": "0x2",
            "logs": self._logs_of(one),
        }  # fmt: skip

    def _logs_of(self, one: Mined) -> list[dict[str, Any]]:
        if one.name not in self._logs:
            before = sum(len(other.logs) for other in self.mined if other.block == one.block and other is not one)
            self._logs[one.name] = [
                {
                    "address": to_checksum_address(log.address), "topics": ["0x" + topic.hex() for topic in log.topics],
                    "data": "0x" + log.data.hex(), "blockNumber": hex(one.block), "blockHash": self._hash(one.block),
                    "transactionHash": one.name, "transactionIndex": "0x0", "logIndex": hex(before + number),
                    "removed": False,
                }
                for number, log in enumerate(one.logs)
            ]  # fmt: skip
        return self._logs[one.name]

    def _get_logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        if "blockHash" in query:
            first = last = self._number_of(query["blockHash"])
        else:
            first, last = self._number(query.get("fromBlock", "latest")), self._number(query.get("toBlock", "latest"))
        wanted, asked = query.get("topics") or [], query["address"]
        addresses = {one.lower() for one in (asked if isinstance(asked, list) else [asked])}
        return [
            log
            for one in self.mined
            if first <= one.block <= last
            for log in self._logs_of(one)
            if log["address"].lower() in addresses and _fits(log["topics"], wanted)
        ]


class NodeTransport:
    """A transport to a `Node`; `ask` may stand between them."""

    def __init__(self, ask: Callable[[str, list[Any]], Any]) -> None:
        self._ask = ask

    def request(self, method: str, params: Sequence[Any]) -> Any:
        try:
            return self._ask(method, [*params])
        except RefusedRequest as error:
            body = error.body
            raise RpcError(body["message"], body["code"], find_data(body.get("data")), method) from None

    def batch(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        found: list[Any | RpcError] = []
        for method, params in requests:
            try:
                found.append(self.request(method, params))
            except RpcError as error:
                found.append(error)
        return found

    def within(self, seconds: float) -> AbstractContextManager[None]:
        return nullcontext()


def _fields(raw: bytes) -> dict[str, Any]:
    """What a signed transaction says, also one of before EIP-2718."""
    if raw[0] < 0xC0:
        return dict(TypedTransaction.from_bytes(HexBytes(raw)).as_dict())
    nonce, price, gas, to, value, data = rlp.decode(raw)[:6]
    numbers = {"nonce": nonce, "gasPrice": price, "gas": gas, "value": value}
    return {**{name: int.from_bytes(number) for name, number in numbers.items()}, "to": to, "data": data}


def _fits(topics: list[str], wanted: list[Any]) -> bool:
    for place, choice in enumerate(wanted):
        if choice is None:
            continue
        if place >= len(topics) or topics[place] not in (choice if isinstance(choice, list) else [choice]):
            return False
    return True


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _logs(chain: Chain) -> tuple[Log, ...]:
    from tests.support.evm.chain import _log

    return tuple(_log(entry) for entry in chain._evm.result.logs)


def _refusal(error: RuntimeError) -> RefusedRequest:
    from tests.support.evm.chain import _reverted

    found = _reverted(error)
    if isinstance(found, Reverted):
        return RefusedRequest("execution reverted", 3, "0x" + found.data.hex())
    return RefusedRequest(str(found))
