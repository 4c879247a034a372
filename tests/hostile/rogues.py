"""Hostile people: they know the protocol, use no client's guards, and work together."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.errors import NumerbayChainError
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE
from numerbay_chain.disputes.challenge import open_dispute
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.protocol.types import Order, Settlement
from numerbay_chain.seller import Seller
from numerbay_chain.session import Session
from tests.hostile.honest import PRICE
from tests.hostile.world import RIVAL, ROGUE, SELLER, STRANGER, World
from tests.support.adversary import ANOTHER_KEY, Cheat
from tests.support.noise import noise
from tests.support.told import Told

HOUR = 3_600


def quietly(step: Callable[[], Any]) -> Any:
    """What the contract refuses a rogue is the rogue's loss."""
    with suppress(NumerbayChainError):
        return step()
    return None


@dataclass
class Rivals:
    """A hostile buyer and a stranger: they want a seller's key and their money back."""

    world: World
    orders: list[int] = field(default_factory=list)

    def session(self, number: int) -> Session:
        return self.world.session(number, EmbeddedStore(self.world.folder / "empty"))

    def register(self) -> None:
        from numerbay_chain.orders.registration import register_key

        for number in (RIVAL, STRANGER, ROGUE):
            register_key(self.session(number), None)

    def buy(self, listing: int, rounds: int = 1) -> None:
        from numerbay_chain.buyer import Buyer

        session = self.world.session(RIVAL, self.world.pinned)
        if bought := quietly(lambda: Buyer(session).buy(listing, rounds, check=False, again=True)):
            self.orders.append(bought.order.id)

    def challenge(self, order: Order, round: int) -> None:
        """Whether they have the key or not."""
        quietly(lambda: open_dispute(self.session(RIVAL), order.id, round, unseen=True))

    def distract(self, how_many: int, dispute_window: int, response_window: int) -> None:
        """Worthless listings that name the honest seller as operator, and challenges there that nobody can answer."""
        world, session = self.world, self.session(STRANGER)
        victim = world.address_of(SELLER)
        listing = quietly(
            lambda: Seller(session).create_listing(
                0,
                copies=True,
                decline_window=60,
                min_interval=60,
                dispute_window=dispute_window,
                response_window=response_window,
                operator=victim,
            )
        )
        if listing is None:
            return
        orders: list[int] = []
        for _ in range(how_many):
            call = calls.buy(
                listing=listing.id, version=0, next_round=0, out=False, rounds=1, recipient=session.account, value=0
            )
            receipt = quietly(lambda call=call: session.sending.sender.send(call))
            if receipt and (event := receipt.event("Bought")):
                orders.append(event["order"])
        quietly(lambda: Cheat(session).release_worthless_copies(listing.id, orders))
        world.sleep(62)
        for order in orders:
            quietly(lambda order=order: open_dispute(session, order, 0, unseen=True))

    def act(self) -> None:
        """One thing, at any moment."""
        world, rng = self.world, self.world.rng
        if not self.orders:
            return
        contract, send = world.contract, self.session(RIVAL).sending.sender.send
        order = contract.order(rng.choice(self.orders))
        listing = contract.listing(order.listing)
        newest = listing.next_round - 1
        match rng.choice(("decline", "cancel", "reclaim", "challenge", "claim", "missed", "skip", "challenge")):
            case "decline":
                quietly(lambda: send(calls.decline(order=order.id, round=newest)))
            case "cancel":
                quietly(lambda: send(calls.cancel(order=order.id)))
            case "reclaim":
                quietly(lambda: send(calls.reclaim(order=order.id)))
            case "challenge" if order.covers(newest):
                self.challenge(order, newest)
            case "claim":
                self.claim_all()
            case "missed":
                quietly(lambda: send(calls.refund_missed(order=order.id, round=max(newest, 0))))
            case "skip":
                quietly(lambda: send(calls.skip(listing=order.listing, round=listing.next_round)))

    def claim_all(self) -> None:
        """Everything that can be had back."""
        from numerbay_chain.disputes.settle import settle

        for id in self.orders:
            order = self.world.contract.order(id)
            for round in range(order.first, self.world.contract.listing(order.listing).next_round):
                if self.world.contract.settled(id, round) is Settlement.CHALLENGED:
                    quietly(lambda id=id, round=round: settle(self.session(RIVAL), id, round))
                quietly(
                    lambda id=id, round=round: self.session(RIVAL).sending.sender.send(
                        calls.refund_missed(order=id, round=round)
                    )
                )


@dataclass(frozen=True)
class Cheating:
    """How a hostile seller cheats in one round. `dead`: worthless envelopes posted after the real ones; `answer`: what
    a challenge gets."""

    junk: bool = False
    key: Literal["right", "wrong", "none"] = "right"
    dead: int = 0
    lost_details: bool = False
    answer: Literal["right", "wrong", "none"] = "right"
    vanishes: bool = False  # once nobody can decline any more
    drips: bool = False

    @classmethod
    def drawn(cls, rng: random.Random) -> "Cheating":
        return cls(
            junk=rng.random() < 0.5,
            key=rng.choice(("right", "right", "wrong", "none")),
            dead=rng.choice((0, 0, 1, 3)),
            lost_details=rng.random() < 0.3,
            answer=rng.choice(("right", "right", "wrong", "none")),
            vanishes=rng.random() < 0.3,
            drips=rng.random() < 0.3,
        )


@dataclass
class RogueSeller:
    """Sells to honest buyers, and cheats. `worthless`: CIDs that nobody is meant to have."""

    world: World
    manner: Cheating
    listing: int = 0
    sealed: dict[int, tuple[Manifest, ContentKey]] = field(default_factory=dict)
    parts: set[Cid] = field(default_factory=set)
    worthless: set[Cid] = field(default_factory=set)
    changed: Callable[[], Any] = lambda: None  # told when objects vanish

    @property
    def cheat(self) -> Cheat:
        return Cheat(self.world.session(ROGUE, self.world.pinned))

    def list(self, **terms: Any) -> int:
        self.listing = Seller(self.cheat.session).create_listing(PRICE, **terms).id
        return self.listing

    def release(self, size: int) -> None:
        """The next round."""
        round, cheat = self.world.contract.listing(self.listing).next_round, self.cheat
        path = self.world.folder / f"rogue-{round}"
        path.write_bytes(content := noise(size, round))
        altered = {"details_digest": noise(32, "details", round)} if self.manner.lost_details else {}
        if self.manner.junk:
            manifest, key = cheat.release_junk(self.listing, content, chunk=(size - 1) // 4096, **altered)
        else:
            artifact = cheat.release(self.listing, str(path), **altered)
            manifest, key = artifact.manifest, artifact.key
        if altered:
            self.worthless.add(manifest.details_cid)
        self.sealed[round] = manifest, key
        self.parts |= {manifest.ciphertext_cid, manifest.commitments_cid}

    def hand_out(self) -> None:
        """Envelopes: right ones, wrong ones or none, then dead ones."""
        for round, (_, key) in self.sealed.items():
            orders = [order.id for order in Told(self.world.contract).orders_of(self.listing) if order.covers(round)]
            if orders and self.manner.key != "none":
                given = key if self.manner.key == "right" else ANOTHER_KEY
                quietly(lambda given=given, orders=orders, round=round: self.cheat.hand_out(given, orders, round))
            for _ in range(self.manner.dead if orders else 0):
                self._post_nothing(round, len(orders))

    def _post_nothing(self, round: int, count: int) -> None:
        digest = noise(32, "envelopes", len(self.worthless))
        self.worthless.add(Cid.of(digest, count * ENVELOPE_SIZE))
        quietly(lambda: self.cheat.post(self.listing, digest, round, count))

    def answer(self) -> None:
        """Answers every challenge, right or wrong, or none."""
        contract = self.world.contract
        for round, (manifest, key) in self.sealed.items():
            for order in Told(contract).orders_of(self.listing):
                if not order.covers(round) or contract.settled(order.id, round) is not Settlement.CHALLENGED:
                    continue
                if self.manner.answer == "none" or Told(contract).challenge(order.id, round).responded:
                    continue
                given = key if self.manner.answer == "right" else ANOTHER_KEY
                quietly(
                    lambda order=order, given=given, manifest=manifest, round=round: self.cheat.answer(
                        order.id, manifest, given, round
                    )
                )
                for _ in range(self.manner.dead):
                    self._post_nothing(round, 1)

    def take_money(self) -> None:
        from numerbay_chain.disputes.settle import settle

        contract = self.world.contract
        for round in self.sealed:
            for order in Told(contract).orders_of(self.listing):
                if contract.settled(order.id, round) is Settlement.CHALLENGED:
                    quietly(lambda order=order, round=round: settle(self.cheat.session, order.id, round))
        quietly(lambda: Seller(self.cheat.session).withdraw(self.listing))
