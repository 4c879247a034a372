"""Keccak-256 against the library, around the ends of its blocks."""

import subprocess
import sys

from eth_hash.auto import keccak as library
from hypothesis import example, given
from hypothesis import strategies as st

from numerbay_chain.core.hashing import hashed_here, keccak


@given(st.binary(max_size=1_200))
@example(b"")
@example(bytes(135))
@example(bytes(136))
@example(bytes(137))
@example(bytes(8 * 136 - 1))
@example(bytes(8 * 136))
def test_it_is_ethereum_s_hash(data: bytes) -> None:
    assert hashed_here(data) == keccak(data) == library(data)


def test_names_and_addresses_load_no_library() -> None:
    program = (
        "import sys; from numerbay_chain.core.addresses import checksummed; checksummed('0x' + 40 * 'a')\n"
        "print([name for name in ('Crypto', 'eth_hash', 'eth_utils') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
