"""Sellers who cheat: the package's own pieces, put together in ways that its clients never would; what they sell."""

import os
from hashlib import sha256

from numerbay_chain import Buyer
from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.seal import SealedArtifact, seal
from numerbay_chain.chain.encoding import calls
from numerbay_chain.crypto.container import COMMITMENT_SIZE, Encryptor, PublicVerifier
from numerbay_chain.crypto.content_key import ContentKey, derive_content_key
from numerbay_chain.crypto.details import Details, seal_details
from numerbay_chain.crypto.dispute_keys import DisputePlace, Response, seal_response
from numerbay_chain.crypto.envelopes import seal_envelopes
from numerbay_chain.ipfs import EmbeddedStore
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.session import Market
from tests.support.places import PRICE, Place

HOUR, DAY = 3_600, 86_400
BOND = PRICE // 10
CONTENT = os.urandom(20_000)
ANOTHER_KEY = ContentKey(123_456_789)


def sold(place: Place, buyers: int = 1, **terms: object) -> tuple[int, list[int]]:
    """A listing with an order of each buyer's."""
    asked = {"challenge_bond": PRICE, "dispute_window": DAY, "response_window": HOUR, **terms}
    listing = place.seller.create_listing(PRICE, **asked).id  # type: ignore[arg-type]  # TermChanges' own names
    return listing, [place.buyer(number).buy(listing).order.id for number in range(1, buyers + 1)]


def blind(place: Place, number: int = 1) -> Buyer:
    """The same buyer, whose store finds nothing."""
    empty = EmbeddedStore(place.folder / f"empty-{number}")
    return Buyer(place.market(f"buyer-{number}", number, store=empty))


class Cheat:
    """Acts for a seller's account, without his client."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.secret, _ = market.home.seller_secret()

    def release(self, listing: int, path: str) -> SealedArtifact:
        """An honest release: what comes after it is not."""
        round = self.market.contract.listing(listing).next_round
        sealed = seal(path, self.market.store, self.secret, self.market.context(listing, round))
        self._release(listing, round, sealed.manifest)
        return sealed

    def release_junk(self, listing: int, content: bytes, chunk: int, order: int = 0) -> tuple[Manifest, ContentKey]:
        """A release (or, with `order`, that order's copy) whose commitment to one chunk is to something else: all that
        can be checked without the key is right."""
        market, store = self.market, self.market.store
        round = market.contract.listing(listing).next_round
        key = derive_content_key(self.secret, salt := sha256(content).digest(), market.context(listing, round, order))
        encryptor = Encryptor(key)
        first = encryptor.update(content)
        last = encryptor.finish()
        ciphertext, honest = first.ciphertext + last.ciphertext, first.commitments + last.commitments
        start = chunk * COMMITMENT_SIZE
        commitments = honest[:start] + sha256(b"something else").digest() + honest[start + COMMITMENT_SIZE :]
        verifier = PublicVerifier(len(content))
        verifier.update(ciphertext, commitments)
        verifier.finish()
        manifest = Manifest(
            key_commitment=key.commitment,
            key_salt=salt,
            data_root=verifier.data_root,
            size=len(content),
            ciphertext_digest=store.add(ciphertext).cid.digest,
            commitments_digest=store.add(commitments).cid.digest,
            details_digest=store.add(seal_details(key, Details("junk", "text/csv", len(content), ""))).cid.digest,
        )
        store.add(manifest.encode())
        if order:
            self.market.sender.send(calls.release(listing=listing, round=round))
            hashes = [manifest.content_hash]
            self.market.sender.send(calls.deliver_copies(listing=listing, round=round, orders=[order], hashes=hashes))
        else:
            self._release(listing, round, manifest)
        return manifest, key

    def _release(self, listing: int, round: int, manifest: Manifest) -> None:
        self.market.sender.send(calls.release(listing=listing, round=round, manifest=manifest.encode()))

    def hand_out(self, key: ContentKey, orders: list[int], round: int = 0) -> Receipt:
        """Envelopes for these orders alone, whatever key."""
        contract, listing = self.market.contract, orders[0] >> 32
        held = [contract.order(order) for order in sorted(orders)]
        recipients = [(order.id, contract.key_at(order.buyer, order.epoch)) for order in held]
        records = seal_envelopes(key, self.market.context(listing, round), recipients)
        digest = self.market.store.add(records).cid.digest
        return self.market.sender.send(calls.deliver(listing=listing, round=round, digest=digest, count=len(orders)))

    def answer(self, order: int, manifest: Manifest, key: ContentKey, round: int = 0, flip: int = 0) -> Receipt:
        """Answers a challenge with whatever key, XORed with `flip`."""
        contract = self.market.contract
        opened = contract.challenge(order, round)
        assert opened is not None
        place = DisputePlace(contract.connection.chain_id, bytes.fromhex(contract.address[2:]), order, round)
        response = seal_response(key, opened.dispute_key, place)
        sealed = (int.from_bytes(response.sealed_key) ^ flip).to_bytes(32)
        response = Response(response.response_key, sealed)
        call = calls.respond(
            order=order,
            round=round,
            opened=opened,
            manifest=manifest.encode(),
            response_key=response.response_key,
            sealed_key=response.sealed_key,
        )
        return self.market.sender.send(call)
