"""KeyJudge: a response opens with the one-time key of the challenge, and with nothing else."""

from eth_abi import encode
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from numerbay_chain.crypto.secp256k1 import N, even_scalar, point_x
from tests.contracts.libraries.judging import opened
from tests.contracts.libraries.test_points import address, even_point, times
from tests.support.evm import Contract
from tests.support.evm.chain import CHAIN_ID

scalars = st.sampled_from([1, 2, N - 2, N - 1]) | st.integers(1, N - 1)
numbers = st.integers(0, 2**64 - 1)


def mask_of(judge: Contract, order: int, round_: int, px: int, rx: int, shared: str) -> bytes:
    kinds = ["bytes32", "uint256", "address", "uint256", "uint256", "uint256", "uint256", "address"]
    domain = keccak(text="numerbay-chain/v1/dispute")
    return keccak(encode(kinds, [domain, CHAIN_ID, judge.address, order, round_, px, rx, shared]))


@given(order=numbers, round_=numbers, p=scalars, r=scalars, k=st.integers(0, 2**256 - 1))
@settings(max_examples=60)
def test_what_a_seller_seals_is_what_the_contract_opens(
    judge: Contract, order: int, round_: int, p: int, r: int, k: int
) -> None:
    p, r = even_scalar(p), even_scalar(r)
    px, rx = point_x(p), point_x(r)
    shared = address(times(even_point(px), r))
    mask = mask_of(judge, order, round_, px, rx, shared)
    assert judge.mask(order, round_, px, rx, shared) == mask
    sealed = bytes(a ^ b for a, b in zip(k.to_bytes(32, "big"), mask, strict=True))
    assert opened(judge, order, round_, (px, rx), sealed, p) == k
    assert opened(judge, order + 1, round_, (px, rx), sealed, p) != k
    assert opened(judge, order, round_ + 1, (px, rx), sealed, p) != k
    assert opened(judge, order, round_, (px, rx), sealed, N - p) != k, "a sign that was not normalised"
