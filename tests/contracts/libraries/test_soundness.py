"""The contracts' verdicts are the reference's: a few of each kind of the cases that `make fuzz-judge` tries."""

import coincurve
import pytest
from eth_utils import keccak

from tests.contracts.libraries import reference as ref
from tests.contracts.libraries.soundness import FAULTS, RESPONSES, SIZES_LIED, judge_content, judge_keys, judge_points
from tests.contracts.libraries.trials import trials
from tests.support.evm import Contract


def test_an_honest_response_is_never_convicted_and_a_wrong_one_always_is(judge: Contract) -> None:
    counts = judge_keys(judge, 10 * len(RESPONSES), seed=1)

    assert counts["honest: not convicted"] == 10
    assert {kind.partition(":")[0] for kind in counts} == set(RESPONSES)


def test_points_and_sums_are_the_reference_s(judge: Contract) -> None:
    counts = judge_points(judge, 500, seed=1)

    assert counts["a point"] > 100
    assert counts["no point"] > 100


def test_an_honest_artifact_is_never_convicted_and_a_wrong_one_always_is(judge: Contract) -> None:
    counts = judge_content(judge, 600, seed=1)

    assert counts["honest: not convicted"] == 200
    convicted = {kind.removesuffix(": convicted") for kind in counts if kind.endswith(": convicted")}
    assert convicted - SIZES_LIED == set(FAULTS)
    assert {"path too long: no proof", "node passed as leaf: no proof", "leaf passed as node: no proof"} <= set(counts)


def test_the_marketplace_pays_by_the_verdict() -> None:
    counts = trials(2 * len(RESPONSES), seed=1)

    assert {"honest: not convicted", "k + n: convicted", "convicted by content"} <= set(counts)
    assert {"short manifest: refused", "size too large: refused"} <= set(counts)


@pytest.mark.parametrize("scalar", [1, 2, 3, ref.N - 1, ref.N // 2, 2**255, 0xC0FFEE])
def test_the_reference_multiplies_points_as_libsecp256k1_does(scalar: int) -> None:
    public = coincurve.PrivateKey(scalar.to_bytes(32, "big")).public_key

    assert ref.times(scalar, ref.G) == public.point()
    other = coincurve.PrivateKey(keccak(text="another")).public_key
    assert ref.times(scalar, other.point()) == other.multiply(scalar.to_bytes(32, "big")).point()


def test_the_reference_reads_a_tree_as_rfc_6962_builds_one() -> None:
    leaves = [ref.leaf(bytes([i]) * 32, b"") for i in range(7)]
    left = ref.node(ref.node(leaves[0], leaves[1]), ref.node(leaves[2], leaves[3]))
    right = ref.node(ref.node(leaves[4], leaves[5]), leaves[6])  # §2.1.3: the seventh rises as it is

    assert ref.root(leaves[6], 6, 7, [ref.node(leaves[4], leaves[5]), left]) == ref.node(left, right)
    assert ref.root(leaves[2], 2, 7, [leaves[3], ref.node(leaves[0], leaves[1]), right]) == ref.node(left, right)
    assert ref.root(leaves[6], 6, 7, [left]) is None
