"""Addresses that people type: EIP-55's checksum is checked wherever one comes in."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from numerbay_chain.chain.encoding import abi, calls
from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import ExitCode, UsageError
from numerbay_chain.listings.vouchers import SignedVoucher
from numerbay_chain.protocol.types import Voucher

RIGHT = [  # EIP-55's own test vectors
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
WRONG = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"


@pytest.mark.parametrize("address", RIGHT)
def test_a_right_checksum_is_taken(address: str) -> None:
    assert checksummed(address) == address
    for same in (address.lower(), "0x" + address[2:].upper()):
        assert checksummed(same) == address


@pytest.mark.parametrize("position", range(2, 42))
def test_a_digit_that_is_mistyped_is_found(position: int) -> None:
    """One digit raised by one: the chance that the case of all letters still fits is one in thousands."""
    address = RIGHT[4]
    other = "123456789aBcDeF0"["0123456789abcdef".index(address[position].lower())]
    with pytest.raises(UsageError) as caught:
        checksummed(address[:position] + other + address[position + 1 :])
    assert (caught.value.code, caught.value.exit_code) == ("bad-checksum", ExitCode.USAGE)


@pytest.mark.parametrize(
    "text",
    ["", "0x", "0x" + 39 * "1", "0x" + 41 * "1", "0x" + 39 * "1" + "g", "0x" + 40 * "\u0661", " 0x" + 40 * "1", None],
)
def test_what_is_no_address_is_told_apart(text: object) -> None:
    with pytest.raises(UsageError) as caught:
        checksummed(text)
    assert caught.value.code == "not-an-address"


VOUCHER = Voucher(listing=1, buyer=RIGHT[4], price=1, max_rounds=1, uses=1, deadline=1, nonce=1)
CALLS: dict[str, Callable[[str], calls.Call]] = {
    "payout": lambda address: calls.set_payout(listing=1, payout=address),
    "operator": lambda address: calls.set_operator(listing=1, operator=address),
    "token": lambda address: calls.collect(token=address, to=RIGHT[0]),
    "receiver": lambda address: calls.collect(token=RIGHT[0], to=address),
    "in a struct": lambda address: calls.revoke_voucher(voucher=replace(VOUCHER, buyer=address)),
}


@pytest.mark.parametrize("what", CALLS)
def test_no_call_is_encoded_with_an_address_that_was_mistyped(what: str) -> None:
    assert abi.encode_call(CALLS[what](RIGHT[4])) == abi.encode_call(CALLS[what](RIGHT[4].lower()))
    with pytest.raises(UsageError) as caught:
        abi.encode_call(CALLS[what](WRONG))
    assert caught.value.code == "bad-checksum"


@pytest.mark.parametrize("where", ["marketplace", "buyer"])
def test_a_voucher_with_a_mistyped_address_is_refused_as_that(where: str) -> None:
    document = json.loads(SignedVoucher(1, RIGHT[4], VOUCHER, b"\x01").to_json())
    place = document if where == "marketplace" else document["voucher"]
    place[where] = place[where].lower()
    assert SignedVoucher.from_json(json.dumps(document)).marketplace == RIGHT[4]
    place[where] = WRONG
    with pytest.raises(UsageError) as caught:
        SignedVoucher.from_json(json.dumps(document))
    assert (caught.value.code, caught.value.exit_code) == ("bad-checksum", ExitCode.USAGE)
