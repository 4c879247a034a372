"""Whole trials on a marketplace: a purchase, a release, and what the contract does with what is handed in."""

import random
from collections import Counter
from dataclasses import replace
from typing import Any

from tests.contracts.libraries import reference as ref
from tests.contracts.libraries.reference import CHUNK, MAX_SIZE, N
from tests.contracts.libraries.soundness import FAULTS, RESPONSES, Counts, Proof, Random, a_response, honest
from tests.support.evm import CustomError
from tests.support.evm.world import ETHER, World
from tests.support.model import manifest as manifests


class Court:
    """One listing; each trial is about a round of its own."""

    def __init__(self) -> None:
        self.world = World()
        self.listing = self.world.list()
        self.round = 0

    def release(self, manifest: bytes) -> tuple[int, int]:
        """An order of this round, and the bucket of its money."""
        world = self.world
        state = world.listing(self.listing)
        world.reach(state["lastTurn"] + state["terms"]["minInterval"])
        order = world.buy(self.listing)
        self.round = state["nextRound"]
        bucket = world.bucket(self.listing)
        world.market.release(self.listing, self.round, manifest, sender=world.seller)
        return order, bucket

    def try_key(self, rng: Random, kind: str) -> bool:
        """Whether a response of this kind is convicted; the money went where that says."""
        world, market = self.world, self.world.market
        answer, _ = a_response(rng, bytes.fromhex(market.address[2:]), kind)
        order, bucket = self.release(manifests.encode(answer.commitment))
        answer = replace(answer, order=order, round=self.round)
        sealed = RESPONSES[kind](answer, rng)
        world.chain.advance(600)
        market.challenge(order, self.round, bucket, answer.px, sender=world.buyer)
        opened = (answer.px, bucket, ETHER, 0, world.chain.now, 0, 0, bytes(32), 0)
        world.chain.advance(rng.randrange(3601))
        manifest = manifests.encode(answer.commitment)
        response = (answer.rx, sealed.to_bytes(32, "big"))
        market.respond(order, self.round, opened, manifest, *response, sender=world.operator)
        opened = (*opened[:5], world.chain.now, *response, answer.commitment)
        world.chain.advance(rng.randrange(24 * 3600 + 1))
        before = world.chain.balance(world.buyer)
        try:
            market.proveWrongKey(order, self.round, opened, answer.p, sender=world.stranger)
        except CustomError as error:
            if error.name != "KeyIsRight":
                raise
            return False
        assert world.chain.balance(world.buyer) == before + ETHER
        return True

    def try_content(self, proof: Proof) -> bool | None:
        """Whether the round is marked as faulty; None where the proof is refused."""
        market = self.world.market
        commitment = ref.times(proof.k, ref.G)
        assert commitment
        manifest = manifests.encode(commitment[0], size=proof.size, data_root=int.from_bytes(proof.root, "big"))
        self.release(manifest)
        handed_in = (proof.k, proof.index, proof.commitment, proof.ciphertext, list(proof.path))
        for other in self._other_manifests(manifest):
            assert self._refusal(other, handed_in) == "WrongManifest"
        refusal = self._refusal(manifest, handed_in)
        marked = market.faultyAt(self.listing, self.round)
        assert marked == (0 if refusal else self.world.chain.now)
        assert refusal in ("", "ContentIsRight", "NotInTree", "WrongPathLength", "NoSuchLeaf"), refusal
        return None if refusal and refusal != "ContentIsRight" else not refusal

    def _refusal(self, manifest: bytes, handed_in: tuple[Any, ...]) -> str:
        """The error's name, "" where there is none."""
        try:
            self.world.market.proveWrongContent(
                self.listing, self.round, manifest, handed_in, sender=self.world.stranger
            )
        except CustomError as error:
            return error.name
        return ""

    def _other_manifests(self, manifest: bytes) -> list[bytes]:
        return [b"", manifest[:-1], manifest[:-32], manifest + b"\0", manifest + bytes(32), bytes(288)]


def malformed(rng: Random) -> dict[str, bytes]:
    """What no seller can release."""
    x = rng.choice([0, N, N + 1, ref.FIELD, 2**256 - 1, *(x for x in range(5, 30) if not ref.lift(x))])
    good = manifests.encode(1, size=rng.randrange(MAX_SIZE + 1))
    return {
        "short manifest": good[: rng.randrange(288)],
        "long manifest": good + rng.randbytes(rng.randrange(1, 65)),
        "another version": manifests.encode(1, version=rng.choice([0, 2, 2**256 - 1])),
        "size too large": manifests.encode(1, size=rng.choice([MAX_SIZE + 1, MAX_SIZE + CHUNK, 2**64, 2**256 - 1])),
        "key commitment that is no point": manifests.encode(x),
    }


def trials(cases: int, seed: int) -> Counts:
    """Raises AssertionError with the case where the marketplace's verdict is wrong."""
    rng, counts, court = random.Random(seed), Counter[str](), Court()
    faults, kinds = list(FAULTS.items()), list(RESPONSES)
    for number in range(cases):
        told = f"seed {seed}, trial {number}"
        kind = kinds[number % len(kinds)] if number % 4 < 3 else "honest"
        assert court.try_key(rng, kind) == (kind != "honest"), f"{told}: {kind}"
        counts[f"{kind}: {'convicted' if kind != 'honest' else 'not convicted'}"] += 1
        fault, made = faults[number % len(faults)]
        proof = made(rng)
        while fault == "sealed with another key" and proof.k == 0:
            proof = made(rng)
        # the contract takes k or n - k, whichever has even y: the artifact must be sealed with that one
        if ref.even(proof.k) != proof.k:
            proof = honest(rng)
        if ref.even(proof.k) == proof.k:
            assert court.try_content(proof) == proof.verdict(), f"{told}: {proof}"
            counts["convicted by content" if proof.verdict() else "honest: not convicted by content"] += 1
        bad, manifest = list(malformed(rng).items())[number % 5]
        refused = ""
        try:
            court.release(manifest)
        except CustomError as error:
            refused = error.name
        assert refused == "InvalidManifest", f"{told}: {bad}: {refused}"
        counts[f"{bad}: refused"] += 1
    return counts
