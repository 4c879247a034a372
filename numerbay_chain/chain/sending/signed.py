"""What a signed transaction's bytes say. Only what sends loads this: the libraries below take half a second."""

import rlp  # type: ignore[import-untyped]  # it ships none
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes
from rlp.exceptions import RLPException  # type: ignore[import-untyped]  # it ships none

from numerbay_chain.core.errors import UsageError


def nonce_of(raw: bytes, account: str, chain_id: int) -> int:
    """Return a signed transaction's nonce. Raise `UsageError` for one of another account or chain."""
    problem = UsageError(
        "that is no signed transaction of this account and chain",
        "use the account that signed it",
        code="bad-transaction",
    )
    try:
        if raw[0] < 0x80:  # EIP-2718
            fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
            nonce, of_chain = int(fields["nonce"]), int(fields["chainId"])
        else:
            parts = rlp.decode(raw)
            nonce, of_chain = int.from_bytes(parts[0]), (int.from_bytes(parts[6]) - 35) // 2  # EIP-155
        signer = Account.recover_transaction(HexBytes(raw))
    except (ValueError, TypeError, LookupError, RLPException, BadSignature, ValidationError):
        raise problem from None
    if signer != account or of_chain != chain_id:
        raise problem
    return nonce
