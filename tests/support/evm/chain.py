"""A chain of one machine: accounts, blocks and transactions on pyrevm, which nothing else imports."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyrevm

GAS_LIMIT = 30_000_000
GENESIS = 1_800_000_000  # Unix seconds
CHAIN_ID = 31337
RICH = 10**24

_OUTPUT = re.compile(r"output: 0x([0-9a-f]*)")
_ACCOUNT = re.compile(
    r"(0x[0-9a-f]{40}): Account \{ info: AccountInfo \{ balance: (\d+), nonce: (\d+), code_hash: 0x[0-9a-f]{64}, "
    r"code: (.*?)\}, storage: \{(.*?)\}, status"
)
_CODE = re.compile(r"bytecode: 0x([0-9a-f]*), state: Analysed \{ len: (\d+)")
_SLOT = re.compile(r"(\d+): StorageSlot \{ previous_or_original_value: \d+, present_value: (\d+)")


@dataclass(frozen=True, slots=True)
class Log:
    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction that succeeded leaves behind; gas as in a real receipt only on a settled chain."""

    output: bytes
    gas_used: int
    logs: tuple[Log, ...]
    decode: Callable[[bytes], Any] | None = field(default=None, repr=False)
    decode_logs: Callable[[tuple[Log, ...]], list[Any]] | None = field(default=None, repr=False)

    @property
    def value(self) -> Any:
        """The function's return value, decoded."""
        return self.decode(self.output) if self.decode else self.output

    @property
    def events(self) -> list[Any]:
        return self.decode_logs(self.logs) if self.decode_logs else []


class Reverted(Exception):
    """A call reverted; `data` is what it returned, `halt` why the machine stopped where it did not revert by itself."""

    def __init__(self, data: bytes, halt: str | None = None, text: str | None = None):
        self.data = data
        self.halt = halt
        super().__init__(text or halt or f"reverted with 0x{data.hex()}")


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction as it was sent; `to` is empty where it created a contract."""

    timestamp: int
    sender: str
    to: str
    data: bytes
    value: int


@dataclass(slots=True)
class _State:
    balance: int
    nonce: int
    code: bytes
    storage: dict[int, int]


class Chain:
    """Transactions cost no ether, so that balances tell of the contract's payments alone."""

    def __init__(self, timestamp: int = GENESIS, chain_id: int = CHAIN_ID) -> None:
        self.now = timestamp
        self.chain_id = chain_id
        self.block = 1
        self.history: list[Sent] = []  # transactions that succeeded
        self._base: dict[str, _State] = {}
        self._evm = self._machine()

    def _machine(self) -> pyrevm.EVM:
        return pyrevm.EVM(
            env=pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=self.chain_id), block=self._block_env()),
            gas_limit=GAS_LIMIT,
            spec_id="CANCUN",
        )

    def _block_env(self) -> pyrevm.BlockEnv:
        return pyrevm.BlockEnv(number=self.block, timestamp=self.now, gas_limit=GAS_LIMIT, prevrandao=bytes(32))

    # ------------------------------------------------------------------------------------------------- time and money

    def at(self, timestamp: int) -> None:
        """Mine the next block at this time; never back."""
        if timestamp < self.now:
            raise ValueError(f"the chain is at {self.now} already, {timestamp} is before it")
        self.now = timestamp
        self.block += 1
        self._evm.set_block_env(self._block_env())

    def advance(self, seconds: int) -> None:
        self.at(self.now + seconds)

    def balance(self, address: object) -> int:
        return self._evm.get_balance(str(address))

    def fund(self, address: object, wei: int = RICH) -> None:
        self._evm.set_balance(str(address), wei)

    def code(self, address: object) -> bytes:
        return self._evm.get_code(str(address)) or b""

    def install(self, address: str, code: bytes) -> None:
        """Code at an address of one's choice, where nothing was before."""
        self._evm.insert_account_info(address, pyrevm.AccountInfo(code=code))

    # --------------------------------------------------------------------------------------------------- transactions

    def deploy(self, code: bytes, sender: object) -> tuple[str, int]:
        """Create a contract; its address and the gas."""
        try:
            address = self._evm.deploy(str(sender), code, gas=GAS_LIMIT)
        except RuntimeError as error:
            raise _reverted(error) from None
        self.history.append(Sent(self.now, str(sender), "", code, 0))
        return address.lower(), self._evm.result.gas_used

    def transact(self, sender: object, to: str, data: bytes, value: int = 0, gas: int = GAS_LIMIT) -> Receipt:
        try:
            output = self._evm.message_call(str(sender), to, calldata=data, value=value, gas=gas)
        except RuntimeError as error:
            raise _reverted(error) from None
        finally:
            # The machine keeps one journal open, so the end of a transaction has to be told.
            self._evm.reset_transient_storage()
        self.history.append(Sent(self.now, str(sender), to, data, value))
        result = self._evm.result
        logs = tuple(_log(entry) for entry in result.logs)
        return Receipt(bytes(output), result.gas_used, logs)

    def call(self, to: str, data: bytes, sender: str = "0x" + "00" * 20) -> bytes:
        """Read, changing nothing."""
        try:
            return bytes(self._evm.message_call(sender, to, calldata=data, is_static=True))
        except RuntimeError as error:
            raise _reverted(error) from None

    def rehearse(self, sender: object, to: str, data: bytes, gas: int) -> bytes:
        """What a transaction with so much gas would answer, changing nothing."""
        before = self._evm.snapshot()
        try:
            return bytes(self._evm.message_call(str(sender), to, calldata=data, gas=gas))
        except RuntimeError as error:
            raise _reverted(error) from None
        finally:
            self._evm.reset_transient_storage()
            self._evm.revert(before)

    # ---------------------------------------------------------------------------------------------------- real receipts

    def settled(self) -> "Chain":
        """The same state on a machine of its own on which the next transaction meets cold storage, as in a new block.

        pyrevm runs everything in one journal: what one transaction touched is warm for the next, and storage counts as
        changed since the beginning. Gas of a real receipt therefore needs a machine that has seen nothing yet.
        """
        fresh = Chain(self.now, self.chain_id)
        fresh.block = self.block
        fresh._base = {address: _copy(state) for address, state in self._base.items()}
        accounts = _ACCOUNT.findall(self._evm.journal_str)
        if len(accounts) != len(self._evm.journal_state):
            raise RuntimeError("this pyrevm prints its state in another form than 0.3.7 does")
        for address, balance, nonce, code, storage in accounts:
            known = fresh._base.setdefault(address, _State(0, 0, b"", {}))
            known.balance, known.nonce = int(balance), int(nonce)
            if match := _CODE.search(code):
                known.code = bytes.fromhex(match[1])[: int(match[2])]
            known.storage.update((int(slot), int(value)) for slot, value in _SLOT.findall(storage))
        fresh._evm = fresh._machine()
        for address, state in fresh._base.items():
            info = pyrevm.AccountInfo(balance=state.balance, nonce=state.nonce, code=state.code or None)
            fresh._evm.insert_account_info(address, info)
            for slot, word in state.storage.items():
                # The value goes into the database; that the account was loaded on the way is undone.
                before = fresh._evm.snapshot()
                fresh._evm.insert_account_storage(address, slot, word)
                fresh._evm.revert(before)
        return fresh


def _copy(state: _State) -> _State:
    return _State(state.balance, state.nonce, state.code, dict(state.storage))


def _log(entry: pyrevm.Log) -> Log:
    topics, data = entry.data
    return Log(entry.address.lower(), tuple(bytes(topic) for topic in topics), bytes(data))


def _reverted(error: RuntimeError) -> Exception:
    text = str(error)
    if text.startswith("Revert") and (match := _OUTPUT.search(text)):
        return Reverted(bytes.fromhex(match[1]))
    if text.startswith("Halt"):
        return Reverted(b"", halt=text)
    return error
