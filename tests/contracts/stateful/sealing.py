"""Artifacts, one-time keys and proofs to choose from, all made once."""

from typing import Any

from tests.support.evm.disputes import Key, Sealed, seal
from tests.support.model import manifest as manifests
from tests.support.model.rules import Reason
from tests.support.vectors.reference import N

TEXT = b"as promised"
#: Of one chunk each, so that a proof is quick.
CONTENT = {
    "good": seal(TEXT, 10),
    "good as well": seal(b"", 11),
    "other bytes": seal(TEXT, 12, instead={0: b"as promiseD"}),
    "too short": seal(TEXT, 13, instead={0: b"as promise"}),
    "too long": seal(TEXT, 14, instead={0: b"as promised, and more"}),
    "nothing at all": seal(TEXT, 15, instead={0: b""}),
}
GOOD, BAD = list(CONTENT)[:2], list(CONTENT)[2:]
BY_HASH = {sealed.content_hash: name for name, sealed in CONTENT.items()}

#: No point of secp256k1 has this x.
NOT_A_POINT = 5
DISPUTE_KEYS = [Key.named(f"one-time key {number} of a buyer") for number in range(3)]
RESPONSE_KEYS = [Key.named(f"one-time key {number} of a seller") for number in range(3)]
SECRETS = {key.x: key.secret for key in DISPUTE_KEYS}

Proof = tuple[Any, ...]


def proof(name: str) -> tuple[Proof, Reason | None]:
    """That this content is wrong, and why it fails where the content is right."""
    return CONTENT[name].proof(), ("ContentIsRight", (0,)) if name in GOOD else None


def proofs_that_fail(sealed: Sealed) -> list[tuple[Proof, Reason]]:
    """Proofs that must not do, whatever the content is, and why."""
    key, (chunk,) = sealed.key.secret, sealed.chunks.values()
    not_the_key = ("NotTheContentKey", (manifests.key_commitment(sealed.manifest),))
    return [
        (sealed.proof(key=0), not_the_key),
        (sealed.proof(key=key % (N - 1) + 1), not_the_key),
        (sealed.proof(key=N - key), not_the_key),
        (sealed.proof(ciphertext=chunk.ciphertext + b"\0"), ("NotInTree", ())),
        (sealed.proof(commitment=bytes(32)), ("NotInTree", ())),
        (sealed.proof(index=1), ("NoSuchLeaf", (1, 1))),
        (sealed.proof(path=(bytes(32),)), ("WrongPathLength", (1,))),
    ]


def wrong_keys(content_key: int) -> list[int]:
    """None of these is the content key, and each looks like it in a way of its own."""
    return [0, content_key % (N - 1) + 1, N - content_key, N, 2**256 - 1]
