"""A development chain in this process, over the fast machine: what the package's own embedded chain does in Python."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.local.embedded import ACCOUNTS, BALANCE
from numerbay_chain.chain.node.blocks import require_advance
from numerbay_chain.chain.signers.signer import DevelopmentSigner
from tests.support.evm.chain import Chain, Log
from tests.support.evm.node import BASE_FEE, Node, NodeTransport, RefusedRequest

signer = cache(DevelopmentSigner)


@dataclass
class InstantNode(Node):
    """A block for each transaction, a second after the one before; the clock stands still in between. Gas is paid."""

    def __post_init__(self) -> None:
        self._times = [self.start - 1, self.start]  # of each block
        super().__post_init__()

    @property
    def head(self) -> int:
        return len(self._times) - 1

    @property
    def pending(self) -> int:
        return self.head + 1

    def time_of(self, block: int) -> int:
        return self._times[block] if block <= self.head else self._times[-1] + 1

    def mine(self, seconds: int = 1) -> None:
        self._times.append(self._times[-1] + seconds)
        self.now = self._times[-1]

    def snapshot(self) -> Callable[[], None]:
        """What brings the chain back to where it stands now."""
        kept = {name: copy(getattr(self, name)) for name in ("mined", "_times", "_by_name", "now")}
        nonces = {sender: [*blocks] for sender, blocks in self._nonces.items()}

        def restore() -> None:
            for name, value in kept.items():
                setattr(self, name, copy(value))
            self._nonces = {sender: [*blocks] for sender, blocks in nonces.items()}
            self._past = {}
            self._logs = {}
            self._chain = self._rebuilt(self.head)

        return restore

    def _run(
        self, chain: Chain, sender: str, to: str, data: bytes, value: int, block: int
    ) -> tuple[int, int, tuple[Log, ...], str | None]:
        ran = super()._run(chain, sender, to, data, value, block)
        chain.fund(sender, chain.balance(sender) - ran[1] * BASE_FEE)
        return ran

    def _accounts(self) -> list[str]:
        return [signer(index).address for index in range(ACCOUNTS)]

    def _send_transaction(self, transaction: dict[str, Any]) -> str:
        """One that the node signs: its accounts' keys are known to everybody."""
        chosen = next(one for one in map(signer, range(ACCOUNTS)) if one.address == transaction["from"])
        value = int(transaction.get("value", "0x0"), 16)
        fields = {
            "type": 2, "chainId": self.chain_id, "nonce": int(self._get_transaction_count(chosen.address), 16),
            "to": transaction.get("to", b""), "data": transaction.get("data", "0x"), "value": value, "gas": 5_000_000,
            "maxFeePerGas": 2 * BASE_FEE, "maxPriorityFeePerGas": 0,
        }  # fmt: skip
        return self._send_raw_transaction("0x" + chosen.sign_transaction(fields).hex())

    def _require_paid(self, sender: str, fields: dict[str, Any]) -> None:
        most = int(fields["value"]) + int(fields["gas"]) * int(fields.get("maxFeePerGas", fields.get("gasPrice", 0)))
        if self._chain.balance(sender) < most:
            raise RefusedRequest("insufficient funds for gas * price + value")


class InsideChain:
    """`connection`, `signer` and `advance` as `EmbeddedChain` has them, with the same funded accounts."""

    def __init__(self, accounts: int = ACCOUNTS) -> None:
        self.node = InstantNode()
        for index in range(accounts):
            self.node.fund(signer(index).address, BALANCE)
        self.connection = Connection(NodeTransport(self.node.request), name="the embedded chain", local=True)

    def signer(self, index: int) -> DevelopmentSigner:
        return signer(index)

    def advance(self, seconds: int) -> None:
        require_advance(seconds, self.node.now)
        self.node.mine(seconds)

    def snapshot(self) -> Callable[[], None]:
        """What brings the chain back to where it stands now."""
        return self.node.snapshot()
