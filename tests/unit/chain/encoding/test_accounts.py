"""Addresses, signers and derived keys, against eth-account."""

import pytest
from coincurve.utils import GROUP_ORDER_INT
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from numerbay_chain.chain.encoding import accounts, typed_data
from numerbay_chain.chain.signers.signer import DEVELOPMENT_MNEMONIC, DEVELOPMENT_PATH, LocalSigner
from numerbay_chain.protocol.types import Voucher
from tests.support.codes import fails_with

KEYS = st.integers(1, 2**255).map(lambda key: key.to_bytes(32))
MARKETPLACE = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


@given(KEYS)
def test_a_key_s_address_is_ethereum_s(key: bytes) -> None:
    assert accounts.address_of(key) == Account.from_key(key).address


@pytest.mark.parametrize("key", [b"", bytes(32), bytes(31) + b"\1\1", b"\xff" * 32])
def test_what_is_no_key_has_no_address(key: bytes) -> None:
    with fails_with(ValueError):
        accounts.address_of(key)


@pytest.mark.parametrize("index", [0, 1, 9, 1000])
def test_test_accounts_are_those_of_the_mnemonic(index: int) -> None:
    Account.enable_unaudited_hdwallet_features()
    known = Account.from_mnemonic(DEVELOPMENT_MNEMONIC, account_path=f"{DEVELOPMENT_PATH}/{index}")
    assert accounts.derived(DEVELOPMENT_MNEMONIC, DEVELOPMENT_PATH).child(index).key == bytes(known.key)


@given(KEYS, st.integers(1, 2**64))
def test_a_signature_tells_its_signer(key: bytes, nonce: int) -> None:
    signer = LocalSigner.from_key(key)
    voucher = Voucher(1, signer.address, 5, 1, 1, 9, nonce)
    message = typed_data.voucher(31337, MARKETPLACE, voucher)
    parts = encode_typed_data(full_message=message)
    assert typed_data.separator(message) == parts.header
    signature = signer.sign_typed_data(message)
    digest = typed_data.digest(message)
    assert (
        accounts.signer_of(digest, signature) == signer.address == Account.recover_message(parts, signature=signature)
    )
    s, other_v = int.from_bytes(signature[32:64]), 55 - signature[64]
    for odd in (
        signature[:64] + bytes([signature[64] - 27]),
        signature[:32] + (GROUP_ORDER_INT - s).to_bytes(32) + bytes([other_v]),
        signature[:32] + (GROUP_ORDER_INT - s).to_bytes(32) + bytes([other_v - 27]),
    ):
        assert accounts.signer_of(digest, odd) is None, "no contract takes it"
        assert accounts.canonical(odd) == accounts.canonical(signature) == signature
    assert accounts.signer_of(digest[::-1], signature) != signer.address


@given(st.binary(max_size=70))
def test_any_bytes_are_somebody_s_signature_or_nobody_s(signature: bytes) -> None:
    assert accounts.signer_of(bytes(32), signature) is None or len(signature) == 65
    assert accounts.canonical(accounts.canonical(signature)) == accounts.canonical(signature)
