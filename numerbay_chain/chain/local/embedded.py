"""A whole chain inside this process, for demonstrations and tests: eth-tester over py-evm. Nothing of it is kept."""

import logging
from typing import Any

from web3 import EthereumTesterProvider, Web3

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.local.over_web3 import Web3Transport
from numerbay_chain.chain.node.blocks import require_advance
from numerbay_chain.chain.signers.signer import DEVELOPMENT_MNEMONIC, DEVELOPMENT_PATH, DevelopmentSigner
from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.extras import needs

with needs("eth-tester", "demo", "a chain inside this process"):
    from eth.vm.spoof import SpoofTransaction
    from eth_tester import EthereumTester, PyEVMBackend
    from eth_tester.backends.pyevm.main import _execute_and_revert_transaction

ACCOUNTS = 12
BALANCE = 10_000 * 10**18  # wei, each


class EmbeddedChain:
    """An EVM of the Prague fork, with the same funded test accounts as a devnet. `connection` is used like any other.

    Its clock stands still but for a second a block: `advance` moves it.
    """

    def __init__(self, accounts: int = ACCOUNTS) -> None:
        for name in ("eth", "eth_tester", "web3"):
            logging.getLogger(name).setLevel(logging.WARNING)
        backend = _Backend.from_mnemonic(
            DEVELOPMENT_MNEMONIC,
            num_accounts=accounts,
            hd_path=DEVELOPMENT_PATH,
            genesis_state_overrides={"balance": BALANCE},
        )
        self._accounts = accounts
        self._tester = EthereumTester(backend)
        w3 = Web3(EthereumTesterProvider(self._tester))
        w3.middleware_onion.remove("validation")  # it asks for the chain's id before each call
        self.connection = Connection(Web3Transport(w3), name="the embedded chain", local=True)

    def signer(self, index: int) -> DevelopmentSigner:
        """Test account `index`, funded. Raises `UsageError`."""
        if not 0 <= index < self._accounts:
            raise UsageError(f"the embedded chain has the accounts 0 to {self._accounts - 1}, not {index}")
        return DevelopmentSigner(index)

    def advance(self, seconds: int) -> None:
        """Make a block whose time is `seconds` after the latest one's, at least 1. Raise as `require_advance`."""
        latest = int(self._tester.get_block_by_number("latest")["timestamp"])
        require_advance(seconds, latest)
        self._tester.time_travel(latest + seconds + 1)  # eth-tester's word for the time of the block after


class _Backend(PyEVMBackend):  # type: ignore[misc]  # eth-tester has no types
    def call(self, transaction: dict[str, Any], block_number: Any = "latest") -> bytes:
        """With no more gas than the sender can pay, as other nodes do it: eth-tester takes the whole block's."""
        price = int(transaction.get("gas_price") or transaction.get("max_fee_per_gas") or 10**9)
        affordable = (self.get_balance(transaction["from"], block_number) - int(transaction.get("value", 0))) // price
        capped = {"gas": min(self._max_available_gas(), max(affordable, 21_000)), **transaction}
        return bytes(super().call(capped, block_number))

    def estimate_gas(self, transaction: dict[str, Any], block_number: Any = "latest") -> int:
        """py-evm's own search runs a transaction a dozen times, and knows no pending block; most need two runs."""
        latest = "latest" if block_number == "pending" else block_number
        full = {key: value for key, value in transaction.items() if key != "gas"}
        computation, intrinsic = self._run(full, self._max_available_gas(), block_number)
        if computation.is_success:
            used = computation.get_gas_used() + computation.get_gas_refund()
            # a call inside gets 63/64 of what is left (EIP-150)
            enough = intrinsic + used * 64 // 63 + 3_000
            if self._run(full, enough, block_number)[0].is_success:
                return int(enough)
        return int(super().estimate_gas(transaction, latest))

    def _run(self, transaction: dict[str, Any], gas: int, block_number: Any) -> tuple[Any, int]:
        """What became of it, and the gas that is taken before it runs."""
        unsigned = self._get_normalized_and_unsigned_evm_transaction({**transaction, "gas": gas}, block_number)
        spoofed = SpoofTransaction(unsigned, from_=transaction["from"])
        return _execute_and_revert_transaction(self.chain, spoofed, block_number), int(unsigned.intrinsic_gas)
