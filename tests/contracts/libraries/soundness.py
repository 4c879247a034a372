"""The libraries' verdicts against the reference's.

An honest response or artifact is never convicted, a wrong one always is, and whatever else somebody hands in gets the
verdict that the reference gives. Every kind of case has the same share.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tests.contracts.libraries import reference as ref
from tests.contracts.libraries.judging import of_content, opened
from tests.contracts.libraries.reference import CHUNK, MAX_SIZE, N
from tests.support.evm import Account, Chain, Contract, CustomError, artifact
from tests.support.evm.chain import CHAIN_ID

EDGES = (1, 2, 3, (N - 1) // 2, (N + 1) // 2, N - 2, N - 1, 2**128, 2**255)
EDGE_COORDINATES = (0, 1, 2, N - 1, N, N + 1, ref.FIELD - 1, ref.FIELD, ref.FIELD + 1, 2**255, 2**256 - 1)
SIZES = (0, 1, 63, 64, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2**32, MAX_SIZE - CHUNK, MAX_SIZE - 1, MAX_SIZE)
SIZES_LIED = {"a larger count", "a smaller count"}
NOT_PROVEN = {"NotInTree", "NoSuchLeaf", "WrongPathLength"}

Random = random.Random
Counts = Counter[str]


def harness() -> Contract:
    chain, deployer = Chain(), Account.named("deployer")
    chain.fund(deployer)
    return artifact("JudgeHarness").deploy(chain, deployer)


# -------------------------------------------------------------------------------------------------------- the key judge


@dataclass(frozen=True, slots=True)
class Response:
    """The content key k and both one-time keys, of even y; `sealed` is what the seller answers."""

    market: bytes
    order: int
    round: int
    k: int
    p: int
    r: int

    @property
    def px(self) -> int:
        return _x(self.p)

    @property
    def rx(self) -> int:
        return _x(self.r)

    @property
    def commitment(self) -> int:
        return _x(self.k)

    def shared(self, secret: int) -> bytes:
        return _shared(secret, self.px)

    def mask(self, **other: Any) -> int:
        usual = {"chain": CHAIN_ID, "market": self.market, "order": self.order, "round_": self.round}
        usual |= {"px": self.px, "rx": self.rx, "shared": other.pop("shared", None) or self.shared(self.r)}
        return ref.mask(**(usual | other))


@lru_cache(maxsize=64)
def _x(scalar: int) -> int:
    point = ref.times(scalar, ref.G)
    assert point
    return point[0]


@lru_cache(maxsize=64)
def _shared(secret: int, px: int) -> bytes:
    return ref.address(ref.times(secret, ref.lift(px)))


#: What a seller answers with, from the honest response: the sealed key of 256 bits.
RESPONSES: dict[str, Callable[[Response, Random], int]] = {
    "honest": lambda a, rng: a.k ^ a.mask(),
    "k + 1": lambda a, rng: (a.k + 1) ^ a.mask(),
    "k - 1": lambda a, rng: (a.k - 1) ^ a.mask(),
    "n - k": lambda a, rng: (N - a.k) ^ a.mask(),
    "0": lambda a, rng: a.mask(),
    "n": lambda a, rng: N ^ a.mask(),
    "k + n": lambda a, rng: (a.k + N) ^ a.mask(),
    "2^256 - 1": lambda a, rng: (2**256 - 1) ^ a.mask(),
    "another key": lambda a, rng: rng.randrange(1, N) ^ a.mask(),
    "random bits": lambda a, rng: rng.getrandbits(256),
    "one bit flipped": lambda a, rng: a.k ^ a.mask() ^ 1 << rng.randrange(256),
    "not sealed": lambda a, rng: a.k,
    "mask of another order": lambda a, rng: a.k ^ a.mask(order=a.order + rng.choice([1, 2**32])),
    "mask of another round": lambda a, rng: a.k ^ a.mask(round_=a.round + 1),
    "mask of another chain": lambda a, rng: a.k ^ a.mask(chain=1),
    "mask of another marketplace": lambda a, rng: a.k ^ a.mask(market=rng.randbytes(20)),
    "mask of another dispute key": lambda a, rng: a.k ^ a.mask(px=_x(rng.randrange(1, N))),
    "mask of another response key": lambda a, rng: a.k ^ a.mask(rx=_x(rng.randrange(1, N))),
    "mask of another secret": lambda a, rng: a.k ^ a.mask(shared=a.shared(rng.randrange(1, N))),
    "a sign that was not normalised": lambda a, rng: a.k ^ a.mask(shared=a.shared(N - a.r)),
    "no point": lambda a, rng: a.k ^ a.mask(shared=bytes(20)),
}


def a_response(rng: Random, market: bytes, kind: str) -> tuple[Response, int]:
    """What was answered, and with what."""

    def scalar() -> int:
        return ref.even(rng.choice([rng.choice(EDGES), rng.randrange(1, N), rng.randrange(1, 1000)]))

    order, round_ = rng.getrandbits(rng.choice([1, 40, 56])), rng.getrandbits(rng.choice([1, 24]))
    answer = Response(market, order, round_, scalar(), scalar(), scalar())
    while kind == "k + n" and answer.k + N >= 2**256:
        answer = replace(answer, k=ref.even(rng.randrange(1, 1000)))
    return answer, RESPONSES[kind](answer, rng)


def judge_keys(judge: Contract, cases: int, seed: int) -> Counts:
    """Verdicts by kind of response. Raises AssertionError with the case where one is wrong."""
    rng, counts = Random(seed), Counts()
    market = bytes.fromhex(judge.address.removeprefix("0x"))
    for number in range(cases):
        kind = list(RESPONSES)[number % len(RESPONSES)]
        answer, sealed = a_response(rng, market, kind)
        told = f"seed {seed}, case {number}, {kind}: {answer}"
        assert all(judge.isX(x) for x in (answer.px, answer.rx, answer.commitment)), told
        assert judge.isKeyOf(answer.px, answer.p), told
        keys = (answer.px, answer.rx)
        key = opened(judge, answer.order, answer.round, keys, sealed.to_bytes(32, "big"), answer.p)
        assert key == sealed ^ answer.mask(), told
        convicted = not judge.isKeyOf(answer.commitment, key)
        assert convicted == (not ref.is_key_of(answer.commitment, key)), told
        assert convicted == (kind != "honest"), told
        counts[f"{kind}: {'convicted' if convicted else 'not convicted'}"] += 1
    return counts


def judge_points(judge: Contract, cases: int, seed: int) -> Counts:
    """Coordinates and scalars that nobody honest writes, as often as those that somebody does."""
    rng, counts = Random(seed), Counts()
    for number in range(cases):
        x = rng.choice([rng.choice(EDGE_COORDINATES), rng.getrandbits(256), _near(rng, EDGE_COORDINATES)])
        told = f"seed {seed}, case {number}: x = {x}"
        assert judge.isX(x) == (x > 0 and ref.is_x(x)), told
        counts["a point" if judge.isX(x) else "no point"] += 1
        if number % 10 == 0:  # one with a product of the reference's
            a, b = (rng.choice([0, *EDGES, N, rng.getrandbits(256)]) for _ in range(2))
            point = ref.lift(x) if x < N else None
            # ecrecover takes no s = 0, so that a multiple of n as `a` gives nothing, as combine says
            sum_ = ref.add(ref.times(a, point), ref.times(b, ref.G)) if point and a % N else None
            assert bytes.fromhex(judge.combine(x, a, b)[2:]) == ref.address(sum_), f"{told}, a = {a}, b = {b}"
            assert judge.isKeyOf(x, a) == ref.is_key_of(x, a), told
            counts["a sum"] += 1
    return counts


def _near(rng: Random, edges: tuple[int, ...]) -> int:
    return (rng.choice(edges) + rng.randrange(-1000, 1000)) % 2**256


# ---------------------------------------------------------------------------------------------------- the content judge


@dataclass(frozen=True, slots=True)
class Proof:
    """One chunk of an artifact of `size` bytes, as the calls take it, and the root that its seller published."""

    k: int
    index: int
    size: int
    root: bytes
    ciphertext: bytes
    commitment: bytes
    path: tuple[bytes, ...]

    @property
    def count(self) -> int:
        return ref.chunk_count(self.size)

    def published(self) -> "Proof":
        """Its leaf is the one under the root."""
        found = ref.root(ref.leaf(self.commitment, self.ciphertext), self.index, self.count, list(self.path))
        assert found
        return replace(self, root=found)

    def verdict(self) -> bool | None:
        return ref.is_faulty(
            self.k, self.index, self.size, self.root, self.ciphertext, self.commitment, list(self.path)
        )

    def sealed(self, plaintext: bytes) -> "Proof":
        commitment = ref.commit(self.k, self.index, plaintext)
        return replace(self, commitment=commitment, ciphertext=ref.crypt(self.k, self.index, plaintext)).published()


def honest(rng: Random, size: int | None = None) -> Proof:
    """A chunk of a file of any size: what lies beside it in the tree is random, only its digests matter."""
    size = _size(rng) if size is None else size
    count = ref.chunk_count(size)
    index = rng.choice([0, count - 1, rng.randrange(count), count // 2])
    path = tuple(rng.randbytes(32) for _ in range(ref.path_length(index, count)))
    k = rng.choice([rng.choice(EDGES), rng.randrange(1, N)])
    return Proof(k, index, size, b"", b"", b"", path).sealed(rng.randbytes(ref.chunk_length(size, index)))


def _size(rng: Random) -> int:
    return rng.choice(
        [rng.choice(SIZES), rng.randrange(1, 9 * CHUNK), rng.getrandbits(rng.randrange(1, 38)), 40 * CHUNK]
    )


def _flipped(rng: Random, data: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _full(rng: Random) -> Proof:
    """A chunk with bytes in it."""
    return honest(rng, max(1, _size(rng)))


def _wrong_bytes(rng: Random) -> Proof:
    proof = _full(rng)
    return replace(proof, ciphertext=_flipped(rng, proof.ciphertext)).published()


def _wrong_commitment(rng: Random) -> Proof:
    proof = honest(rng)
    return replace(proof, commitment=_flipped(rng, proof.commitment)).published()


def _of_another_key(rng: Random) -> Proof:
    proof = honest(rng)
    return replace(proof, k=(proof.k + rng.randrange(1, N - 1)) % N)


def _of_another_chunk(rng: Random) -> Proof:
    """Sealed right, for the place beside it."""
    proof = honest(rng, rng.randrange(2 * CHUNK, MAX_SIZE))
    index = proof.index - 1 if proof.index else 1
    plaintext = rng.randbytes(len(proof.ciphertext))
    other = replace(proof, index=index, path=tuple(bytes(32) for _ in range(ref.path_length(index, proof.count))))
    moved = other.sealed(plaintext)
    return replace(proof, ciphertext=moved.ciphertext, commitment=moved.commitment).published()


def _not_decrypted(rng: Random) -> Proof:
    """The stream of the block before."""
    proof = _full(rng)
    plaintext = rng.randbytes(len(proof.ciphertext))
    wrong = ref.crypt(proof.k, proof.index + 1 if proof.index < 2**26 - 1 else 0, plaintext)
    return replace(proof, ciphertext=wrong, commitment=ref.commit(proof.k, proof.index, plaintext)).published()


def _leaf_too_short(rng: Random) -> Proof:
    proof = _full(rng)
    return proof.sealed(rng.randbytes(rng.randrange(len(proof.ciphertext))))


def _leaf_too_long(rng: Random) -> Proof:
    proof = honest(rng)
    return proof.sealed(rng.randbytes(len(proof.ciphertext) + rng.choice([1, 64, rng.randrange(1, CHUNK)])))


def _last_chunk_full(rng: Random) -> Proof:
    """Padded to a whole chunk, as some formats do."""
    size = _full(rng).size // CHUNK * CHUNK + rng.randrange(1, CHUNK)
    proof = _last(rng, min(size, MAX_SIZE))
    return proof.sealed(rng.randbytes(CHUNK))


def _last(rng: Random, size: int) -> Proof:
    count = ref.chunk_count(size)
    path = tuple(rng.randbytes(32) for _ in range(ref.path_length(count - 1, count)))
    k = rng.randrange(1, N)
    return Proof(k, count - 1, size, b"", b"", b"", path).sealed(rng.randbytes(ref.chunk_length(size, count - 1)))


#: By a seller who is to blame.
FAULTS = {
    "bytes altered": _wrong_bytes,
    "commitment altered": _wrong_commitment,
    "sealed with another key": _of_another_key,
    "another chunk in its place": _of_another_chunk,
    "another part of the stream": _not_decrypted,
    "leaf too short": _leaf_too_short,
    "leaf too long": _leaf_too_long,
    "last chunk padded": _last_chunk_full,
}


def _lies(rng: Random, proof: Proof) -> dict[str, Proof | None]:
    """What a liar hands in against an honest artifact."""
    path, size, count = proof.path, proof.size, proof.count
    inner = rng.randbytes(32)
    wide = _last(rng, min(size // CHUNK * CHUNK + 32, MAX_SIZE) or 32)
    return {
        "path too long": replace(proof, path=(*path, inner)),
        "path too long at its beginning": replace(proof, path=(inner, *path)),
        "path too short": replace(proof, path=path[:-1]) if path else None,
        "path altered": replace(proof, path=(_flipped(rng, path[0]), *path[1:])) if path else None,
        "path in another order": replace(proof, path=path[::-1]) if len(path) > 1 else None,
        "no path": replace(proof, path=()) if path else None,
        "another index": replace(proof, index=proof.index ^ 1) if count > 1 else None,
        "an index beyond the last": replace(proof, index=count + rng.randrange(3)),
        "a very large index": replace(proof, index=2**256 - 1 - rng.randrange(3)),
        "a larger count": replace(proof, size=min(size + CHUNK * rng.choice([1, count]), MAX_SIZE)),
        "a smaller count": replace(proof, size=size - CHUNK) if count > 1 and size > CHUNK else None,
        "leaf altered": replace(proof, ciphertext=_flipped(rng, proof.ciphertext)) if proof.ciphertext else None,
        "leaf longer": replace(proof, ciphertext=proof.ciphertext + b"\0"),
        "leaf shorter": replace(proof, ciphertext=proof.ciphertext[:-1]) if proof.ciphertext else None,
        "commitment swapped": replace(proof, commitment=inner),
        "border between commitment and bytes moved": _shifted(proof) if len(proof.ciphertext) > 1 else None,
        # H(0x01 ‖ left ‖ right) as if it were H(0x00 ‖ commitment ‖ ciphertext), and the other way round
        "node passed as leaf": _node_as_leaf(proof) if path else None,
        "leaf passed as node": replace(wide, path=(wide.ciphertext, *wide.path), commitment=wide.commitment),
        "root of another artifact": replace(proof, root=inner),
    }


def _shifted(proof: Proof) -> Proof:
    whole = proof.commitment + proof.ciphertext
    return replace(proof, commitment=whole[1:33], ciphertext=whole[33:])


def _node_as_leaf(proof: Proof) -> Proof:
    """The two children of the first node on the path are handed in as commitment and ciphertext of a chunk."""
    below = ref.leaf(proof.commitment, proof.ciphertext)
    return replace(proof, commitment=below, ciphertext=proof.path[0], path=proof.path[1:], index=proof.index >> 1)


def judge_content(judge: Contract, cases: int, seed: int) -> Counts:
    """A third honest, a third faulty, a third lies. Raises AssertionError with the case where a verdict is wrong."""
    rng, counts = Random(seed), Counts()
    faults = list(FAULTS.items())
    for number in range(cases):
        told = f"seed {seed}, case {number}"
        if number % 3 == 0:
            proof = honest(rng)
            assert contract_verdict(judge, proof) is False, f"{told}: honest, convicted: {proof}"
            counts["honest: not convicted"] += 1
        elif number % 3 == 1:
            kind, fault = faults[number // 3 % len(faults)]
            proof = fault(rng)
            assert proof.verdict() is True, f"{told}: {kind}: the reference does not convict {proof}"
            assert contract_verdict(judge, proof) is True, f"{told}: {kind}: not convicted: {proof}"
            counts[f"{kind}: convicted"] += 1
        else:
            lies = sorted((kind, lie) for kind, lie in _lies(rng, honest(rng)).items() if lie)
            kind, lie = lies[number // 3 % len(lies)]
            verdict = contract_verdict(judge, lie)
            assert verdict == lie.verdict(), f"{told}: {kind}: {verdict}, not {lie.verdict()}: {lie}"
            # of another size than its manifest says, an artifact is not honest: the leaf's length may convict it
            assert not verdict or kind in SIZES_LIED, f"{told}: {kind}: an honest artifact is convicted by {lie}"
            counts[f"{kind}: {'no proof' if verdict is None else 'convicted' if verdict else 'not convicted'}"] += 1
    return counts


def contract_verdict(judge: Contract, proof: Proof) -> bool | None:
    """None where the contract refuses the proof."""
    try:
        asked = (proof.k, proof.index, proof.size, proof.root, proof.ciphertext, proof.commitment, proof.path)
        return bool(judge.isFaulty(*of_content(*asked)))
    except CustomError as error:
        if error.name not in NOT_PROVEN:
            raise
        return None
