"""The adversary: sellers and buyers who know the protocol, and put the package's own pieces together as its clients
never would.

`Cheat` acts for a seller's account; `sealed` is what they sell; `Dispute` is one order's round as both sides see it on
the chain, with the right and the wrong moves. `sold` and `blind` are the honest people around them.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import count
from random import Random

from numerbay_chain import Buyer
from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.seal import SealedArtifact, seal
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.crypto.container import CHUNK_SIZE, COMMITMENT_SIZE, Encryptor
from numerbay_chain.crypto.content_key import ContentKey, derive_content_key
from numerbay_chain.crypto.content_proof import ContentProof, ProofReader
from numerbay_chain.crypto.details import Details, seal_details
from numerbay_chain.crypto.dispute_keys import DisputeContext, DisputeKey, Response, seal_response
from numerbay_chain.crypto.envelopes import seal_envelopes
from numerbay_chain.crypto.merkle import MerkleTree
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.ipfs.unixfs import Importer
from numerbay_chain.protocol.events import Receipt, challenge_after
from numerbay_chain.protocol.types import Challenge
from numerbay_chain.session import Session
from tests.support.noise import noise
from tests.support.places import PRICE, Place
from tests.support.told import Told

HOUR, DAY = 3_600, 86_400
BOND = PRICE // 10
CONTENT = noise(20_000)
ANOTHER_KEY = ContentKey(123_456_789)
_numbers = count()


def sold(place: Place, buyers: int = 1, **terms: object) -> tuple[int, list[int]]:
    """Return a listing and an order of each buyer's."""
    asked = {"challenge_bond": PRICE, "dispute_window": DAY, "response_window": HOUR, **terms}
    listing = place.seller.create_listing(PRICE, **asked).id  # type: ignore[arg-type]  # TermChanges' own names
    return listing, [place.buyer(number).buy(listing).order.id for number in range(1, buyers + 1)]


def blind(place: Place, number: int = 1) -> Buyer:
    """Return the same buyer, whose store finds nothing."""
    empty = EmbeddedStore(place.folder / f"empty-{number}")
    return Buyer(place.session(f"buyer-{number}", number, store=empty))


# ---------------------------------------------------------------------------------------------------------- artifacts


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a seller publishes: as far as anybody without the key can tell, as it should be."""

    key: ContentKey
    manifest: Manifest
    ciphertext: bytes
    commitments: bytes
    details: bytes

    def proof(self, index: int) -> ContentProof:
        """Return what anybody who holds the key can send, whether it convicts or not."""
        reader = ProofReader(self.manifest.size, index)
        reader.update(self.ciphertext, self.commitments)
        reader.finish()
        return reader.proof(self.key)


def sealed(
    plaintext: bytes = bytes(2 * CHUNK_SIZE) + b"an artifact",
    *,
    bad_chunk: int | None = None,
    key: ContentKey | None = None,
    salt: bytes | None = None,
) -> Artifact:
    """Return an artifact under that key, or one of its own. The commitment to `bad_chunk` is to other bytes than its
    ciphertext holds."""
    random = Random(next(_numbers))
    key = key or ContentKey(1 + random.randrange(2**255))
    encryptor = Encryptor(key)
    first, last = encryptor.update(plaintext), encryptor.finish()
    ciphertext = first.ciphertext + last.ciphertext
    commitments = bytearray(first.commitments + last.commitments)
    if bad_chunk is not None:
        commitments[COMMITMENT_SIZE * bad_chunk] ^= 1
    chunks = [ciphertext[start : start + CHUNK_SIZE] for start in range(0, len(ciphertext), CHUNK_SIZE)]
    starts = range(0, len(commitments), COMMITMENT_SIZE)
    promised = [bytes(commitments[start : start + COMMITMENT_SIZE]) for start in starts]
    leaves = [sha256(b"\0" + one + chunk).digest() for one, chunk in zip(promised, chunks, strict=True)]
    details = seal_details(key, Details("junk", "text/csv", len(plaintext), ""))
    manifest = Manifest(
        key_commitment=key.commitment,
        key_salt=salt or random.randbytes(32),
        data_root=MerkleTree(leaves).root,
        size=len(plaintext),
        ciphertext_digest=_digest(ciphertext),
        commitments_digest=_digest(bytes(commitments)),
        details_digest=_digest(details),
    )
    return Artifact(key, manifest, ciphertext, bytes(commitments), details)


def _digest(content: bytes) -> bytes:
    """Return the digest of the CID that a store gives these bytes."""
    importer = Importer()
    importer.update(content)
    return importer.finish().cid.digest


def small_key() -> ContentKey:
    """Return so small a k that k + n has 256 bits too. Of every other small number the negative is the one with even
    y."""
    random = Random("small key")
    keys = (ContentKey(random.randrange(1, 2**120)) for _ in range(1000))
    return next(key for key in keys if int.from_bytes(key.reveal()) < 2**128)


# ------------------------------------------------------------------------------------------------------------- sellers


class Cheat:
    """Acts for a seller's account, without its client."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @cached_property
    def secret(self) -> bytes:
        return self.session.home.seller_secret()[0]

    def release(self, listing: int, path: str, **altered: bytes) -> SealedArtifact:
        """Post an honest release, but for the manifest's fields that are `altered`: what comes after it is not."""
        round_index = self.session.contract.listing(listing).next_round
        honest = seal(path, self.session.content.store, self.secret, self.session.context(listing, round_index))
        artifact = replace(honest, manifest=replace(honest.manifest, **altered))  # type: ignore[arg-type]  # bytes all
        self._release(listing, round_index, artifact.manifest)
        return artifact

    def release_junk(
        self, listing: int, content: bytes, chunk: int, order: int = 0, **altered: bytes
    ) -> tuple[Manifest, ContentKey]:
        """Post a release (or, with `order`, that order's copy) whose commitment to one chunk is to something else: all
        that can be checked without the key is right."""
        session, salt = self.session, sha256(content).digest()
        round_index = session.contract.listing(listing).next_round
        key = derive_content_key(self.secret, salt, session.context(listing, round_index, order))
        junk = sealed(content, bad_chunk=chunk, key=key, salt=salt)
        manifest = replace(junk.manifest, **altered)  # type: ignore[arg-type]  # bytes all
        for part in (junk.ciphertext, junk.commitments, junk.details, manifest.encode()):
            session.content.store.add(part)
        if order:
            session.sending.sender.send(calls.release(listing=listing, round=round_index))
            self._post_copies(listing, round_index, {order: manifest.content_hash})
        else:
            self._release(listing, round_index, manifest)
        return manifest, key

    def _release(self, listing: int, round_index: int, manifest: Manifest) -> None:
        self.session.sending.sender.send(calls.release(listing=listing, round=round_index, manifest=manifest.encode()))

    def _post_copies(self, listing: int, round_index: int, hashes: dict[int, bytes]) -> None:
        posted = calls.deliver_copies(listing=listing, round=round_index, orders=[*hashes], hashes=[*hashes.values()])
        self.session.sending.sender.send(posted)

    def release_worthless_copies(self, listing: int, orders: list[int]) -> None:
        """Release round 0 with a copy for each of these orders that nobody has."""
        self.session.sending.sender.send(calls.release(listing=listing, round=0))
        self._post_copies(listing, 0, {order: noise(32, "copy", order) for order in orders})

    def hand_out(self, key: ContentKey, orders: list[int], round: int = 0) -> Receipt:
        """Post envelopes for these orders alone, whatever key."""
        contract, listing = self.session.contract, orders[0] >> 32
        held = [contract.order(order) for order in sorted(orders)]
        recipients = [(order.id, contract.key_at(order.buyer, order.epoch)) for order in held]
        records = seal_envelopes(key, self.session.context(listing, round), recipients)
        return self.post(listing, self.session.content.store.add(records).cid.digest, round, len(orders))

    def post(self, listing: int, digest: bytes, round: int = 0, count: int = 1) -> Receipt:
        """Post envelopes by their hash alone, whether anybody has them or not."""
        return self.session.sending.sender.send(calls.deliver(listing=listing, round=round, digest=digest, count=count))

    def answer(self, order: int, manifest: Manifest, key: ContentKey, round: int = 0, flip: int = 0) -> Receipt:
        """Answer a challenge with whatever key, XORed with `flip`."""
        dispute = Dispute(self.session.contract, order, round)
        opened = Told(self.session.contract).challenge(order, round)
        assert opened is not None
        dispute.challenge = opened
        return dispute.respond(self.session.sending.sender, manifest, dispute.response(key, flip))


# ------------------------------------------------------------------------------------------------------------ disputes


class Dispute:
    """One order's dispute of one round. `challenge`: as the last event told it."""

    def __init__(self, session: MarketplaceContract, order: int, round: int = 0) -> None:
        self.session, self.order, self.round = session, order, round
        address = bytes.fromhex(session.address.removeprefix("0x"))
        self.place = DisputeContext(session.connection.chain_id, address, order, round)
        self.secret = DisputeKey(1 + Random(f"{session.address} {order} {round}").randrange(2**255))
        self.challenge = Challenge(0, 0, 0, 0, 0)

    @cached_property
    def bucket(self) -> int:
        release = Told(self.session).release(self.order >> 32, self.round)
        assert release is not None
        return release.bucket

    def open(self, buyer: Sender, bond: int = 0) -> Receipt:
        opened = calls.challenge(
            order=self.order, round=self.round, bucket=self.bucket, dispute_key=self.secret.x, bond=bond
        )
        return self._seen(buyer.send(opened), "Challenged")

    def response(self, key: ContentKey, flip: int = 0) -> Response:
        """Return the answer with that key, XORed with `flip`."""
        honest = seal_response(key, self.challenge.dispute_key, self.place)
        return replace(honest, sealed_key=(int.from_bytes(honest.sealed_key) ^ flip).to_bytes(32))

    def respond(self, seller: Sender, manifest: Manifest, response: Response) -> Receipt:
        """Send this answer, whatever it is."""
        call = calls.respond(
            order=self.order,
            round=self.round,
            opened=self.challenge,
            manifest=manifest.encode(),
            response_key=response.response_key,
            sealed_key=response.sealed_key,
        )
        return self._seen(seller.send(call), "Responded")

    def answer(self, seller: Sender, artifact: Artifact) -> Receipt:
        """Send the honest answer."""
        return self.respond(seller, artifact.manifest, self.response(artifact.key))

    def wrong_answer(self, seller: Sender, artifact: Artifact, scalar: int) -> Receipt:
        """Send another number than the content key, sealed as the key should be."""
        flip = int.from_bytes(artifact.key.reveal()) ^ scalar
        return self.respond(seller, artifact.manifest, self.response(artifact.key, flip))

    def prove_key(self, sender: Sender, private_key: int | None = None) -> Receipt:
        secret = self.secret.reveal() if private_key is None else private_key
        return sender.send(
            calls.prove_wrong_key(order=self.order, round=self.round, answered=self.challenge, private_key=secret)
        )

    def claim(self, sender: Sender) -> Receipt:
        return sender.send(calls.claim_timeout(order=self.order, round=self.round, opened=self.challenge))

    def settle(self, sender: Sender) -> Receipt:
        return sender.send(calls.settle_challenge(order=self.order, round=self.round, opened=self.challenge))

    def _seen(self, receipt: Receipt, name: str) -> Receipt:
        event = receipt.event(name)
        assert event is not None
        after = challenge_after(self.challenge, event)
        assert after is not None
        self.challenge = after
        assert Told(self.session).challenge(self.order, self.round) == after
        return receipt
