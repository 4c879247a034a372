"""The public names, and that naming them costs nothing."""

import subprocess
import sys

import numerbay_chain


def test_every_public_name_is_there() -> None:
    for name in numerbay_chain.__all__:
        assert getattr(numerbay_chain, name) is not None
    assert {"Seller", "Buyer", "Auditor", "NumerbayChainError", "SignedVoucher"} <= set(dir(numerbay_chain))


def test_names_of_earlier_versions_are_the_same_things() -> None:
    assert numerbay_chain.Market is numerbay_chain.Session
    assert numerbay_chain.open_market is numerbay_chain.open_session


def test_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys, numerbay_chain; print([m for m in ('web3', 'nacl', 'requests', 'click') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"
