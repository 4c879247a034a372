"""Vectors of docs/protocol.md §2 "Disputes". Numbers of 256 bits are in hex, ids and amounts in decimal."""

from typing import Any

from eth_utils import keccak

from tests.contracts.libraries import reference as judge
from tests.support.vectors import reference as ref
from tests.support.vectors.material import BUYERS, MARKETPLACE, Vectors, failure, flip

CHAIN_ID = 31337
ORDER, ROUND = 3 << 32 | 7, 2
PLACE: dict[str, Any] = {"chain_id": CHAIN_ID, "marketplace": MARKETPLACE, "order": ORDER, "round": ROUND}
LARGEST = {"chain_id": 2**256 - 1, "marketplace": b"\xff" * 20, "order": 2**64 - 1, "round": 2**64 - 1}


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def even(start: int) -> int:
    """The first scalar from there on whose point has even y."""
    return next(scalar for scalar in range(start, ref.N) if ref.normalise(scalar)[0] == scalar)


def named(place: Vectors) -> Vectors:
    """Ids in decimal: no JSON reader loses digits."""
    return {name: str(value) if isinstance(value, int) else value for name, value in place.items()}


# small enough for k + n to have 256 bits
K = even(0x0123456789ABCDEF0123456789ABCDEF)
OTHER_K = even(K + 1)
R = ref.normalise(int.from_bytes(ref.H(b"r"), "big"))[0]
SMALL_P = even(2)


def dispute_key() -> Vectors:
    places = [PLACE, {**PLACE, "round": 3}, {**PLACE, "order": ORDER + 1}, {**PLACE, "chain_id": 1}, LARGEST]
    valid = []
    for private_key, place in [(BUYERS[0], place) for place in places] + [(BUYERS[1], PLACE)]:
        scalar, x = ref.dispute_key(private_key, **place)
        valid.append({"private_key": private_key, **named(place), "scalar": word(scalar), "x": word(x)})
    base = {"private_key": BUYERS[0], **named(PLACE)}
    invalid = [
        failure("private key of 31 bytes", "AccountError", private_key=BUYERS[0][1:]),
        failure("private key of 33 bytes", "AccountError", private_key=BUYERS[0] + b"\0"),
        failure("marketplace of 19 bytes", "UsageError", marketplace=MARKETPLACE[1:]),
    ]
    return {"about": "§2 disputes: a buyer's one-time key", "valid": valid, "base": base, "invalid": invalid}


def respond(scalar: int, p: int, r: int, place: Vectors = PLACE) -> Vectors:
    """An answer that holds `scalar`, sealed as it should be."""
    px, rx = ref.normalise(p)[1], ref.normalise(r)[1]
    shared = judge.address(ref.multiply(r, judge.lift(px)))
    assert shared == judge.address(ref.multiply(p, judge.lift(rx)))
    mask = judge.mask(place["chain_id"], place["marketplace"], place["order"], place["round"], px, rx, shared)
    return {
        **named(place), "p": word(p), "dispute_key": word(px), "r": word(r), "response_key": word(rx),
        "shared": shared, "mask": word(mask), "sealed_key": word(scalar ^ mask), "opened": word(scalar),
    }  # fmt: skip


def response() -> Vectors:
    p = ref.dispute_key(BUYERS[0], **PLACE)[0]
    valid = [
        {"commitment": word(ref.normalise(k)[1]), **respond(k, p, r, place)}
        for k, p, r, place in [
            (K, p, R, PLACE),
            (even(1), even(1), even(1), PLACE),
            (
                ref.normalise(ref.N - 1)[0],
                SMALL_P,
                ref.normalise(ref.N - 2)[0],
                {**PLACE, "order": 1 << 32, "round": 0},
            ),
            (K, p, R, {**PLACE, "order": 2**64 - 1, "round": 2**24 - 1}),
        ]
    ]
    base = valid[0]
    mask = int.from_bytes(base["mask"], "big")
    scalars = {"k + 1": K + 1, "k + n": K + ref.N, "n - k": ref.N - K, "0": 0, "n": ref.N, "2^256 - 1": 2**256 - 1}
    answers = {f"holds {name}": word(scalar ^ mask) for name, scalar in scalars.items()}
    answers |= {"holds another key": word(OTHER_K ^ mask), "not sealed at all": word(K), "all zero": bytes(32)}
    elsewhere = {
        "chain": {**PLACE, "chain_id": 1},
        "marketplace": {**PLACE, "marketplace": bytes(20)},
        "order": {**PLACE, "order": ORDER + 1},
        "round": {**PLACE, "round": ROUND + 1},
    }
    answers |= {f"made for another {name}": respond(K, p, R, place)["sealed_key"] for name, place in elsewhere.items()}
    answers["made for another challenge"] = respond(K, SMALL_P, R)["sealed_key"]
    answers["made with another one-time key of the seller's"] = respond(K, p, even(R + 1))["sealed_key"]
    answers["made under the envelopes' domain"] = _sealed(base, domain=b"numerbay-chain/v1/envelope")
    theirs = judge.lift(ref.normalise(p)[1])
    odd, shared = ref.multiply(ref.N - R, theirs), ref.multiply(R, theirs)
    assert shared
    answers["made with the r whose point has odd y"] = _sealed(base, shared=judge.address(odd))
    answers["made with the shared point's x for its address"] = _sealed(base, shared=word(shared[0])[12:])
    answers["one bit"] = flip(base["sealed_key"], 31)
    assert not any(
        judge.is_key_of(ref.normalise(K)[1], int.from_bytes(sealed, "big") ^ mask) for sealed in answers.values()
    )
    wrong = [
        {"why": why, "sealed_key": sealed, "opened": word(int.from_bytes(sealed, "big") ^ mask)}
        for why, sealed in answers.items()
    ]
    return {
        "about": "§2 disputes: what a seller seals, and when it convicts him; ids in decimal",
        "valid": valid,
        "base": base,
        "wrong": wrong,
        "points": _points(),
        "keys": _keys(p),
    }


def _sealed(vector: Vectors, domain: bytes = b"numerbay-chain/v1/dispute", shared: bytes | None = None) -> bytes:
    """K under a mask that was made otherwise."""
    ids = [word(int(vector["chain_id"])), bytes(12) + vector["marketplace"], word(ORDER), word(ROUND)]
    ends = [vector["dispute_key"], vector["response_key"], bytes(12) + (shared or vector["shared"])]
    return word(K ^ int.from_bytes(keccak(b"".join([keccak(domain), *ids, *ends])), "big"))


def _points() -> list[Vectors]:
    """What may stand for a point: challenge, respond and a manifest's key commitment take no other x."""
    on_curve = {x: judge.lift(x) is not None for x in range(1, 100)}
    above = next(x for x in range(ref.N, ref.P) if judge.lift(x))
    below = next(x for x in range(ref.N - 1, 0, -1) if judge.lift(x))
    first = next(x for x, found in on_curve.items() if found)
    named = {
        "the generator": (ref.G[0], True),
        "the smallest": (first, True),
        "the largest below n": (below, True),
        "0": (0, False),
        "off the curve": (next(x for x, found in on_curve.items() if not found), False),
        "n": (ref.N, False),
        "a point's, but not below n": (above, False),
        "the field's prime": (ref.P, False),
        "the smallest, above the field's prime": (ref.P + first, False),
        "2^256 - 1": (2**256 - 1, False),
    }
    assert all(judge.is_x(x) == right for x, right in named.values())
    return [{"why": why, "x": word(x), "is_point": right} for why, (x, right) in named.items()]


def _keys(p: int) -> list[Vectors]:
    """Scalar and x: the key of (x, even y), or not. So a dispute key and a content key are told."""
    x, small_x = ref.normalise(p)[1], ref.normalise(SMALL_P)[1]
    named = {
        "the key": (p, x),
        "a small key": (SMALL_P, small_x),
        "that of the other sign": (ref.N - p, x),
        "one more": (p + 1, x),
        "one less": (p - 1, x),
        "n more": (SMALL_P + ref.N, small_x),
        "0": (0, x),
        "n": (ref.N, x),
        "1, whose point is the generator": (1, x),
        "another point's": (SMALL_P, x),
        "2^256 - 1": (2**256 - 1, x),
    }
    return [
        {"why": why, "scalar": word(scalar), "x": word(x), "is_key": judge.is_key_of(x, scalar)}
        for why, (scalar, x) in named.items()
    ]


# ------------------------------------------------------------------------------------------------------ wrong content


def content_proof() -> Vectors:
    places = ((0, 0), (1, 0), (4096, 0), (4097, 1), (12_293, 1), (12_293, 3))
    valid = [_judged("as committed", *place) for place in places]
    valid += [_judged("another commitment", *place, bad="commitment") for place in places]
    valid += [_judged("another ciphertext", *place, bad="ciphertext") for place in ((1, 0), (4097, 1), (12_293, 1))]
    valid += [_judged("a byte too long", *place, bad="long") for place in ((0, 0), (4097, 1))]
    valid += [_judged("a byte short", *place, bad="short") for place in ((1, 0), (4097, 1), (12_293, 1))]
    valid.append(_judged("another chunk's place", 12_293, 1, bad="swapped"))
    base = _proof(12_293, 3, bad="commitment")
    ciphertext, path = base["ciphertext"], base["path"]
    leaf = ref.H(b"\0", base["commitment"], ciphertext)

    def refused(why: str, reverts: str, **fields: Any) -> Vectors:
        return failure(why, "ContentError", reverts=reverts, **fields)

    def not_the_key(why: str, **fields: Any) -> Vectors:
        return failure(why, "DecryptionError", reverts="NotTheContentKey", **fields)

    invalid = [
        refused("another index", "NotInTree", index=2),
        refused("index at the count", "NoSuchLeaf", index=4),
        refused("index beyond 64 bits", "NoSuchLeaf", index=str(2**64)),
        refused("path a step short", "WrongPathLength", path=path[:-1]),
        refused("path a step long", "WrongPathLength", path=[*path, bytes(32)]),
        refused("no path", "WrongPathLength", path=[]),
        refused("a sibling flipped", "NotInTree", path=[flip(path[0], 0), *path[1:]]),
        refused("the last sibling flipped", "NotInTree", path=[*path[:-1], flip(path[-1], 31, 128)]),
        refused("siblings in another order", "NotInTree", path=path[::-1]),
        refused("commitment flipped", "NotInTree", commitment=flip(base["commitment"], 0)),
        refused("ciphertext flipped", "NotInTree", ciphertext=flip(ciphertext, 0)),
        refused("ciphertext a byte short", "NotInTree", ciphertext=ciphertext[:-1]),
        refused("ciphertext a byte long", "NotInTree", ciphertext=ciphertext + b"\0"),
        refused("another data root", "NotInTree", data_root=flip(base["data_root"], 0)),
        refused("a size of fewer chunks", "NoSuchLeaf", size=4097),
        refused("a size of more chunks", "WrongPathLength", size=16_385),
        refused(
            "node passed as leaf", "NotInTree", size=8192, index=1, commitment=path[0], ciphertext=leaf, path=path[1:]
        ),
        not_the_key("another key", content_key=word(OTHER_K)),
        not_the_key("the key's other sign", content_key=word(ref.N - K)),
        not_the_key("n more than the key", content_key=word(K + ref.N)),
        not_the_key("no key", content_key=bytes(32)),
        not_the_key("another commitment to the key", key_commitment=word(ref.G[0])),
    ]
    about = "§2 disputes, §3: proofs of wrong content; byte i of the plaintext is i mod 251"
    return {"about": about, "valid": valid, "base": base, "invalid": invalid}


def _judged(why: str, size: int, index: int, bad: str = "") -> Vectors:
    proof = _proof(size, index, bad)
    chunk = (proof["data_root"], proof["ciphertext"], proof["commitment"], proof["path"])
    convicts = judge.is_faulty(K, index, size, *chunk)
    assert convicts is bool(bad), why
    return {"why": why, "convicts": convicts, **proof}


def _proof(size: int, index: int, bad: str = "") -> Vectors:
    """The proof for chunk `index` of an artifact that is as committed but for that chunk's `bad`."""
    ciphertext, commitments, _ = ref.container(word(K), ref.pattern(size))
    chunks = [ciphertext[start : start + 4096] for start in range(0, max(1, size), 4096)]
    leaves = [(commitments[32 * i : 32 * i + 32], chunk) for i, chunk in enumerate(chunks)]
    commitment, chunk = leaves[index]
    leaves[index] = {
        "": (commitment, chunk),
        "commitment": (flip(commitment, 31), chunk),
        "ciphertext": (commitment, flip(chunk, len(chunk) - 1) if chunk else chunk),
        "long": (commitment, chunk + b"\0"),
        "short": (commitment, chunk[:-1]),
        "swapped": leaves[index - 1],
    }[bad]
    data = [b"".join(leaf) for leaf in leaves]
    return {
        "size": size, "data_root": ref.merkle_root(data), "key_commitment": word(ref.normalise(K)[1]),
        "content_key": word(K), "index": index, "commitment": leaves[index][0], "ciphertext": leaves[index][1],
        "path": ref.merkle_path(data, index),
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the challenge


def challenge() -> Vectors:
    p = ref.dispute_key(BUYERS[0], **PLACE)[0]
    answer = respond(K, p, R)
    opened = {
        "dispute_key": answer["dispute_key"],
        "bucket": str(
            (1_800_100_000 + 600 + 86_400) // 21_600 + 1
        ),  # of a release then, with windows of 600 and 86,400 s
        "price": str(10**18),
        "bond": str(10**16),
        "challenged_at": str(1_800_100_600),
        "responded_at": "0",
        "response_key": bytes(32),
        "sealed_key": bytes(32),
        "key_commitment": bytes(32),
    }
    answered = opened | {
        "responded_at": str(1_800_101_000),
        "response_key": answer["response_key"],
        "sealed_key": answer["sealed_key"],
        "key_commitment": word(ref.normalise(K)[1]),
    }
    largest = {
        name: b"\xff" * 32
        if isinstance(value, bytes)
        else str(2 ** {"bucket": 32, "price": 88, "bond": 88}.get(name, 40) - 1)
        for name, value in opened.items()
    }
    valid = [{**fields, **_hashed(fields)} for fields in (opened, answered, largest)]
    invalid = [
        {"why": f"another {name}", name: flip(value, 31) if isinstance(value, bytes) else str(int(value) + 1)}
        for name, value in answered.items()
    ]
    return {
        "about": "§2 disputes: what the contract keeps of a challenge, keccak256 of nine ABI words; numbers in decimal",
        "valid": valid,
        "base": {**answered, **_hashed(answered)},
        "invalid": invalid,
    }


def _hashed(fields: Vectors) -> Vectors:
    encoded = b"".join(value if isinstance(value, bytes) else word(int(value)) for value in fields.values())
    return {"encoded": encoded, "hash": keccak(encoded)}
