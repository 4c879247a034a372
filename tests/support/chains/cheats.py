"""Clients that cheat: the package's own parts, with one thing done otherwise."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.crypto.container import Encryptor
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.content_proof import ContentProof, ProofReader
from numerbay_chain.crypto.dispute_keys import DisputeKey, DisputePlace, Response, seal_response
from numerbay_chain.crypto.merkle import MerkleTree
from numerbay_chain.protocol.events import Receipt, challenge_after
from numerbay_chain.protocol.types import Challenge

CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a seller published: pinned, as far as anybody but the buyer can tell, as it should be."""

    key: ContentKey
    manifest: Manifest
    ciphertext: bytes
    commitments: bytes

    def proof(self, index: int) -> ContentProof:
        """What anybody who holds the key can send, whether it convicts or not."""
        reader = ProofReader(self.manifest.size, index)
        reader.update(self.ciphertext, self.commitments)
        reader.finish()
        return reader.proof(self.key)


def sealed(
    plaintext: bytes = bytes(2 * CHUNK) + b"an artifact", *, bad_chunk: int | None = None, key: ContentKey | None = None
) -> Artifact:
    """An artifact under a fresh key, or that one; the commitment to `bad_chunk` is to other bytes than its ciphertext
    holds."""
    key = key or ContentKey(1 + int.from_bytes(os.urandom(32), "big") % (2**255))
    encryptor = Encryptor(key)
    first, last = encryptor.update(plaintext), encryptor.finish()
    ciphertext = first.ciphertext + last.ciphertext
    commitments = bytearray(first.commitments + last.commitments)
    if bad_chunk is not None:
        commitments[32 * bad_chunk] ^= 1
    chunks = [ciphertext[start : start + CHUNK] for start in range(0, len(ciphertext), CHUNK)]
    leaves = [
        sha256(b"\0" + bytes(commitments[32 * i : 32 * i + 32]) + chunk).digest() for i, chunk in enumerate(chunks)
    ]
    manifest = Manifest(
        key_commitment=key.commitment,
        key_salt=os.urandom(32),
        data_root=MerkleTree(leaves).root,
        size=len(plaintext),
        ciphertext_digest=sha256(ciphertext).digest(),
        commitments_digest=sha256(commitments).digest(),
        details_digest=bytes(32),
    )
    return Artifact(key, manifest, ciphertext, bytes(commitments))


def small_key() -> ContentKey:
    """So small a k that k + n has 256 bits too. Of every other small number the negative is the one with even y."""
    keys = (ContentKey(1 + int.from_bytes(os.urandom(15), "big")) for _ in range(1000))
    return next(key for key in keys if int.from_bytes(key.reveal(), "big") < 2**128)


class Dispute:
    """One order's dispute of one round, as both sides' clients see it on the chain."""

    def __init__(self, market: MarketplaceContract, order: int, round: int = 0, bucket: int | None = None) -> None:
        self.market, self.order, self.round = market, order, round
        self.secret = DisputeKey(1 + int.from_bytes(os.urandom(32), "big") % 2**255)
        release = market.release(order >> 32, round)
        assert release is not None
        self.bucket = release.bucket if bucket is None else bucket
        self.place = DisputePlace(
            market.connection.chain_id, bytes.fromhex(market.address.removeprefix("0x")), order, round
        )
        self.challenge = Challenge(0, 0, 0, 0, 0)

    def open(self, buyer: Sender, bond: int = 0) -> Receipt:
        receipt = buyer.send(
            calls.challenge(
                order=self.order, round=self.round, bucket=self.bucket, dispute_key=self.secret.x, bond=bond
            )
        )
        return self._seen(receipt, "Challenged")

    def answer(self, seller: Sender, artifact: Artifact, response: Response | None = None, **changes: Any) -> Receipt:
        """The honest answer, or another one."""
        response = response or seal_response(artifact.key, self.secret.x, self.place)
        arguments = {
            "order": self.order,
            "round": self.round,
            "opened": self.challenge,
            "manifest": artifact.manifest.encode(),
            "response_key": response.response_key,
            "sealed_key": response.sealed_key,
        }
        return self._seen(seller.send(calls.respond(**(arguments | changes))), "Responded")

    def wrong_answer(self, seller: Sender, artifact: Artifact, scalar: int) -> Receipt:
        """Another number than the content key, sealed as the key should be."""
        honest = seal_response(artifact.key, self.secret.x, self.place)
        mask = int.from_bytes(honest.sealed_key, "big") ^ int.from_bytes(artifact.key.reveal(), "big")
        return self.answer(seller, artifact, replace(honest, sealed_key=(mask ^ scalar).to_bytes(32, "big")))

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
        assert self.market.challenge(self.order, self.round) == after
        return receipt


class Purses:
    """Balances to the wei: what each account gained, but for the gas that it paid itself."""

    def __init__(self, market: MarketplaceContract, *senders: Sender) -> None:
        self._market, self._senders = market, senders
        self._fees = dict.fromkeys(senders, 0)
        self._before = {sender: self._balance(sender.account) for sender in senders}
        self._held = self._balance(market.address)
        self._sends = {sender: sender.send for sender in senders}

    def _balance(self, account: str) -> int:
        return self._market.connection.balance(account)

    @contextmanager
    def watching(self) -> Iterator["Purses"]:
        """Counts the gas of everything that the senders send meanwhile."""
        for sender in self._senders:
            sender.send = self._counting(sender)  # type: ignore[method-assign]  # an observer of the real thing
        try:
            yield self
        finally:
            for sender in self._senders:
                del sender.send

    def _counting(self, sender: Sender) -> Any:
        def send(*arguments: Any, **named: Any) -> Receipt:
            receipt = self._sends[sender](*arguments, **named)
            self._fees[sender] += receipt.fee
            return receipt

        return send

    def gained(self, sender: Sender) -> int:
        return self._balance(sender.account) - self._before[sender] + self._fees[sender]

    @property
    def kept(self) -> int:
        """What the marketplace holds more than before."""
        return self._balance(self._market.address) - self._held
