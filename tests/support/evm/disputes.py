"""Disputes: one-time keys, answers and artifacts that are right or wrong, and the parties' moves.

Points are coincurve's, ChaCha20 `cryptography`'s, trees those of the vectors' reference: nothing is the package's.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import coincurve
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from eth_abi import encode
from eth_utils import keccak

from tests.support.evm.chain import CHAIN_ID, Receipt
from tests.support.evm.contracts import Contract, Event
from tests.support.evm.world import ETHER, World, manifest
from tests.support.model.wallets import NATIVE
from tests.support.vectors.reference import H, N, merkle_path, merkle_root, subkey

CHUNK = 4096
NOTHING, CHALLENGED, PAID_TO_SELLER, PAID_BACK = range(4)
NO_RESPONSE, WRONG_KEY, WRONG_CONTENT, NOTHING_PROVEN = range(4)


# --------------------------------------------------------------------------------------------------------------- keys


class Key(NamedTuple):
    """A scalar whose point has even y, and that point's x."""

    secret: int
    x: int

    @classmethod
    def of(cls, secret: int) -> "Key":
        point = coincurve.PrivateKey(secret.to_bytes(32, "big")).public_key.format()
        return cls(secret if point[0] == 2 else N - secret, int.from_bytes(point[1:], "big"))

    @classmethod
    def named(cls, name: str) -> "Key":
        return cls.of(int.from_bytes(keccak(text=name), "big"))


def content_key(number: int) -> Key:
    """The key of `tests.support.evm.world.manifest(number)`."""
    return Key.named(f"content key {number}")


class Challenge(NamedTuple):
    """The contract's struct; all but the first five are empty until it is answered."""

    dispute_key: int
    bucket: int
    price: int
    bond: int
    challenged_at: int
    responded_at: int = 0
    response_key: int = 0
    sealed_key: bytes = bytes(32)
    key_commitment: int = 0

    @property
    def digest(self) -> bytes:
        kinds = ["uint256", "uint32", "uint88", "uint88", "uint40", "uint40", "uint256", "bytes32", "uint256"]
        return keccak(encode(kinds, list(self)))

    @classmethod
    def told(cls, event: Event) -> "Challenge":
        return cls(*(event[name] for name in ("disputeKey", "bucket", "price", "bond", "challengedAt")))

    def answered(self, event: Event) -> "Challenge":
        return self._replace(
            responded_at=event["respondedAt"],
            response_key=event["responseKey"],
            sealed_key=event["sealedKey"],
            key_commitment=event["keyCommitment"],
        )


class Place(NamedTuple):
    """Where an answer belongs: it opens nowhere else."""

    chain_id: int
    market: str
    order: int
    round: int


def seal_key(key: int, place: Place, dispute_key: int, response: int) -> bytes:
    """key XOR mask, as a seller whose one-time scalar is `response` computes it. docs/protocol.md §2 "Disputes"."""
    point = coincurve.PublicKey(b"\2" + dispute_key.to_bytes(32, "big")).multiply(response.to_bytes(32, "big"))
    shared = keccak(point.format(compressed=False)[1:])[12:]
    domain = keccak(text="numerbay-chain/v1/dispute")
    kinds = ["bytes32", "uint256", "address", "uint256", "uint256", "uint256", "uint256", "address"]
    mask = keccak(encode(kinds, [domain, *place, dispute_key, Key.of(response).x, shared]))
    return bytes(a ^ b for a, b in zip(key.to_bytes(32, "big"), mask, strict=True))


# ---------------------------------------------------------------------------------------------------------- artifacts


class Chunk(NamedTuple):
    commitment: bytes
    ciphertext: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a seller published: the manifest, and the chunks of which it tells."""

    key: Key
    manifest: bytes
    chunks: Mapping[int, Chunk]

    @property
    def content_hash(self) -> bytes:
        return hashlib.sha256(self.manifest).digest()

    def proof(self, chunk: int = 0, /, **other: Any) -> tuple[Any, ...]:
        """The contract's ContentProof of a chunk, with `other` values put in the place of its own."""
        fields = {"key": self.key.secret, "index": chunk, **self.chunks[chunk]._asdict()} | other
        return tuple(fields[name] for name in ("key", "index", "commitment", "ciphertext", "path"))


def bare(number: int = 0) -> Sealed:
    """The artifact that `World.release` tells of in round `number`: no chunk of it exists."""
    return Sealed(content_key(number), manifest(number), {})


def seal(plaintext: bytes, number: int = 0, *, instead: Mapping[int, bytes] | None = None) -> Sealed:
    """An artifact of any number of chunks; `instead`: what the seller encrypts where he committed to something else."""
    key = content_key(number)
    pieces = [plaintext[start : start + CHUNK] for start in range(0, max(1, len(plaintext)), CHUNK)]
    commitments = [_commit(key.secret, index, piece) for index, piece in enumerate(pieces)]
    published = {**dict(enumerate(pieces)), **(instead or {})}
    ciphertexts = [_encrypt(key.secret, index, published[index]) for index in range(len(pieces))]
    leaves = [a + b for a, b in zip(commitments, ciphertexts, strict=True)]
    chunks = {
        index: Chunk(commitments[index], ciphertexts[index], tuple(merkle_path(leaves, index)))
        for index in range(len(pieces))
    }
    return Sealed(key, _manifest(number, len(plaintext), merkle_root(leaves)), chunks)


def seal_one_of(count: int, index: int, plaintext: bytes, number: int = 0, *, instead: bytes | None = None) -> Sealed:
    """Chunk `index` of an artifact of `count` whole chunks, a power of two; the rest of the tree is any hashes."""
    key = content_key(number)
    commitment = _commit(key.secret, index, plaintext)
    ciphertext = _encrypt(key.secret, index, plaintext if instead is None else instead)
    path = tuple(keccak(text=f"neighbour {level}") for level in range(count.bit_length() - 1))
    node, place = H(b"\0", commitment, ciphertext), index
    for neighbour in path:
        node = H(b"\1", neighbour, node) if place & 1 else H(b"\1", node, neighbour)
        place >>= 1
    return Sealed(key, _manifest(number, count * CHUNK, node), {index: Chunk(commitment, ciphertext, path)})


def _commit(key: int, index: int, piece: bytes) -> bytes:
    return H(b"\2", H(subkey("salt", key.to_bytes(32, "big")), index.to_bytes(8, "big")), piece)


def _encrypt(key: int, index: int, piece: bytes) -> bytes:
    counter = 1 + CHUNK // 64 * index
    nonce = counter.to_bytes(4, "little") + bytes(12)
    cipher = Cipher(algorithms.ChaCha20(subkey("stream", key.to_bytes(32, "big")), nonce), mode=None)
    return cipher.encryptor().update(piece)


def _manifest(number: int, size: int, root: bytes) -> bytes:
    text = manifest(number, size=size)
    return text[:96] + root + text[128:]


# -------------------------------------------------------------------------------------------------------------- moves


class Dispute:
    """One order's round in dispute. `state` is the challenge as the events told it."""

    def __init__(self, world: World, order: int, round_: int = 0, content: Sealed | None = None) -> None:
        self.world, self.market, self.order, self.round = world, world.market, order, round_
        self.listing = order >> 32
        self.terms = world.listing(self.listing)["terms"]
        self.content = content or bare(round_)
        self.key = Key.named(f"one-time key of {order}, {round_}")
        self.state = Challenge(self.key.x, 0, 0, 0, 0)
        bought = world.order(order)
        self.bucket = bought["bucket"] if bought["bucket"] and round_ == bought["first"] else self._released()

    def _released(self) -> int:
        """The bucket of the round released last."""
        return int(self.market.bucketAt(self.listing, self.world.listing(self.listing)["lastTurn"]))

    @property
    def place(self) -> Place:
        return Place(CHAIN_ID, str(self.market), self.order, self.round)

    @property
    def bond(self) -> int:
        return int(min(self.terms["challengeBond"], self.world.order(self.order)["price"] // 10))

    @property
    def maturity(self) -> int:
        return int(self.market.maturityOf(self.listing, self.bucket))

    @property
    def answer_until(self) -> int:
        return int(self.state.challenged_at + self.terms["responseWindow"])

    @property
    def proof_until(self) -> int:
        """The last second; not before the money would have matured."""
        return max(self.state.responded_at + self.terms["disputeWindow"], self.maturity - 1)

    @property
    def settlement(self) -> int:
        return int(self.market.settled(self.order, self.round))

    def sealed(self, key: int | None = None, response: Key | None = None, **elsewhere: Any) -> tuple[int, bytes]:
        """Rx and sealed key of an answer with a content key, the right one unless given, at this place or elsewhere."""
        response = response or Key.named("the seller's one-time key")
        key = self.content.key.secret if key is None else key
        place = self.place._replace(**elsewhere)
        return response.x, seal_key(key, place, self.state.dispute_key, response.secret)

    def challenge(
        self, *, by: Any = None, key: int | None = None, bucket: int | None = None, value: int | None = None
    ) -> Receipt:
        native = self.terms["token"] == NATIVE
        receipt = self.market.challenge(
            self.order,
            self.round,
            self.bucket if bucket is None else bucket,
            self.key.x if key is None else key,
            sender=by or self.world.buyer,
            value=value if value is not None else self.bond if native else 0,
        )
        self.state = Challenge.told(_one(receipt, "Challenged"))
        return receipt

    def respond(
        self, sealed: tuple[int, bytes] | None = None, *, by: Any = None, manifest: bytes | None = None
    ) -> Receipt:
        """The seller's answer: the right key, unless `sealed` says something else."""
        response_key, sealed_key = sealed or self.sealed()
        manifest = self.content.manifest if manifest is None else manifest
        arguments = (self.order, self.round, self.state, manifest, response_key, sealed_key)
        receipt = self.market.respond(*arguments, sender=by or self.world.seller)
        self.state = self.state.answered(_one(receipt, "Responded"))
        return receipt

    def respond_wrongly(self) -> Receipt:
        """An answer with another key than the promised one."""
        return self.respond(self.sealed(Key.named("another content key").secret))

    def claim(self, *, by: Any = None) -> Receipt:
        return self.market.claimTimeout(self.order, self.round, self.state, sender=by or self.world.stranger)

    def prove_key(self, secret: int | None = None, *, by: Any = None) -> Receipt:
        secret = self.key.secret if secret is None else secret
        return self.market.proveWrongKey(self.order, self.round, self.state, secret, sender=by or self.world.stranger)

    def settle(self, *, by: Any = None) -> Receipt:
        return self.market.settleChallenge(self.order, self.round, self.state, sender=by or self.world.stranger)

    def prove_content(self, chunk: int = 0, /, **other: Any) -> Receipt:
        """That the release is faulty, for all who bought it; `other` as in `Sealed.proof`."""
        arguments = (self.listing, self.round, self.content.manifest, self.content.proof(chunk, **other))
        return self.market.proveWrongContent(*arguments, sender=self.world.stranger)

    def prove_copy(self, chunk: int = 0, /, *, bucket: int | None = None, **other: Any) -> Receipt:
        bucket, proof = self.bucket if bucket is None else bucket, self.content.proof(chunk, **other)
        arguments = (self.order, self.round, bucket, self.content.manifest, proof)
        return self.market.proveWrongCopy(*arguments, sender=self.world.stranger)

    def refund(self, *, bucket: int | None = None) -> Receipt:
        bucket = self.bucket if bucket is None else bucket
        return self.market.refundFaulty(self.order, self.round, bucket, sender=self.world.stranger)

    def withdraw(self) -> Receipt:
        return self.market.withdraw(self.listing, [self.round], [self.bucket], sender=self.world.seller)


def _one(receipt: Receipt, name: str) -> Event:
    (event,) = [event for event in receipt.events if event.name == name]
    return event


def challengeable(
    world: World, *, by: Any = None, rounds: int = 1, content: Sealed | None = None, price: int = ETHER, **terms: Any
) -> Dispute:
    """An order of the buyer's in a listing of its own, its first round out, the decline window just over."""
    if isinstance(token := terms.get("token"), Contract):
        for buyer in (world.buyer, world.other, world.friend):
            world.give(token, buyer)
    listing = world.list(price=price, **terms)
    order = world.buy(listing, by=by, rounds=rounds)
    copies = terms.get("copies", False)
    world.release(listing, content=content.manifest if content and not copies else None)
    if copies and content:
        world.market.deliverCopies(listing, 0, [order], [content.content_hash], sender=world.seller)
    world.chain.advance(world.listing(listing)["terms"]["declineWindow"])
    return Dispute(world, order, 0, content)


def spoiled(number: int = 0) -> Sealed:
    """An artifact of one chunk that is not what its seller committed to."""
    return seal(b"what was promised", number, instead={0: b"what was not  :-("})
