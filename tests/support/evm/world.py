"""A marketplace with its people and tokens on a fresh chain, and the words in which tests talk about it."""

from typing import Any

from eth_keys.datatypes import PrivateKey
from eth_utils import keccak

from tests.support.evm.accounts import Account
from tests.support.evm.chain import Chain, Receipt
from tests.support.evm.contracts import Contract, artifact
from tests.support.evm.digests import VOUCHER_FIELDS, permit_digest, voucher_digest
from tests.support.model import manifest as manifests
from tests.support.model.terms import TERMS
from tests.support.model.wallets import NATIVE

ETHER = 10**18
HOUR = 3600
DETAILS = keccak(text="details")
NO_PERMIT = (0, 0, 0, bytes(32), bytes(32))
NO_VOUCHER = (0, NATIVE, 0, 0, 0, 0, 0)
TERMS_OF_USE: dict[str, Any] = {
    "token": NATIVE, "supply": 0, "maxRounds": 52, "instant": False, "copies": False, "firstDue": 0, "period": 0,
    "minInterval": HOUR, "declineWindow": 600, "noticePeriod": HOUR, "disputeWindow": 24 * HOUR, "responseWindow": HOUR,
    "challengeBond": 0,
}  # fmt: skip


def key_of(name: str) -> bytes:
    """A public key that is not of small order; whether it is anybody's does not matter to the chain."""
    return keccak(text=f"public key of {name}")


def commitment(number: int = 0) -> int:
    """x of a point, a different one for each number."""
    return int.from_bytes(PrivateKey(keccak(text=f"content key {number}")).public_key.to_bytes()[:32], "big")


def manifest(number: int = 0, **fields: Any) -> bytes:
    return manifests.encode(commitment(number), salt=keccak(text=f"salt {number}"), **fields)


class World:
    """`seller`, `operator`, `payout`, `buyer`, `other` … are funded accounts; buyers have keys."""

    def __init__(self) -> None:
        self.chain = Chain()
        names = ("deployer", "seller", "operator", "payout", "buyer", "other", "friend", "stranger")
        self.accounts = {name: Account.named(name) for name in names}
        for account in self.accounts.values():
            self.chain.fund(account)
        self.market = self.deploy("Marketplace")
        for buyer in (self.buyer, self.other, self.friend):
            self.register(buyer)

    def __getattr__(self, name: str) -> Account:
        try:
            return self.__dict__["accounts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def deploy(self, name: str, *arguments: Any) -> Contract:
        return artifact(name).deploy(self.chain, self.accounts["deployer"], *arguments)

    def settled(self) -> "World":
        """The same world on a chain on which the next transaction's gas is a real receipt's."""
        world = object.__new__(World)
        world.chain, world.accounts = self.chain.settled(), self.accounts
        world.market = self.market.on(world.chain)
        return world

    # ------------------------------------------------------------------------------------------------------------ words

    def register(self, owner: Any) -> Receipt:
        return self.market.register(key_of(str(owner)), b"", sender=owner)

    def list(
        self, *, price: int = ETHER, open: bool = True, operator: Any = None, payout: Any = None, **terms: Any
    ) -> int:
        """A listing of the seller's with the usual terms but for those given; its id."""
        offer = (price, open, DETAILS)
        operator, payout = operator or self.operator, payout or self.payout
        values = TERMS_OF_USE | {name: str(v) if name == "token" else v for name, v in terms.items()}
        return self.market.createListing(
            tuple(values[term] for term in TERMS), offer, operator, payout, sender=self.seller
        ).value

    def buy(self, listing: int, **details: Any) -> int:
        """An order of the buyer's at today's terms; its id. Details as of `purchase`."""
        return self.purchase(listing, **details).value

    def purchase(
        self, listing: int, *, by: Any = None, to: Any = None, rounds: int = 1, out: bool = False,
        next_round: int | None = None, value: int | None = None,
    ) -> Receipt:  # fmt: skip
        """`out`: start with the round that is out; `next_round`: the one that the buyer has seen."""
        by = by or self.buyer
        state = self.listing(listing)
        if value is None:
            value = state["offer"][0] * rounds if state["terms"]["token"] == NATIVE else 0
        seen = state["nextRound"] if next_round is None else next_round
        return self.market.buy(listing, state["version"], seen, out, rounds, to or by, sender=by, value=value)

    def voucher(self, listing: int, **fields: Any) -> dict[str, Any]:
        usual = {"listing": listing, "buyer": NATIVE, "price": ETHER // 2, "maxRounds": 9, "uses": 1, "nonce": 0}
        return usual | {"deadline": self.chain.now + 24 * HOUR} | fields

    def buy_with(
        self, listing: int, voucher: dict[str, Any] | None = None, *, signer: Account | None = None, by: Any = None,
        to: Any = None, rounds: int = 1, out: bool = False, next_round: int | None = None,
        permit: tuple[Any, ...] = NO_PERMIT, value: int | None = None, signature: bytes | None = None,
    ) -> Receipt:  # fmt: skip
        """buyWith: a voucher signed by the seller (or `signer`), a permit, or both."""
        by = by or self.buyer
        state = self.listing(listing)
        price = voucher["price"] if voucher else state["offer"][0]
        if value is None:
            value = price * rounds if state["terms"]["token"] == NATIVE else 0
        if voucher and signature is None:
            signature = (signer or self.seller).sign(voucher_digest(self.market, voucher))
        values = tuple(voucher[field] for field in VOUCHER_FIELDS) if voucher else NO_VOUCHER
        seen = state["nextRound"] if next_round is None else next_round
        terms = (listing, state["version"], seen, out, rounds, to or by)
        return self.market.buyWith(*terms, permit, values, signature or b"", sender=by, value=value)

    def permit(self, token: Contract, owner: Account, value: int) -> tuple[Any, ...]:
        deadline = self.chain.now + HOUR
        digest = permit_digest(token, token.name(), owner, self.market, value, token.nonces(owner), deadline)
        signature = owner.sign(digest)
        return value, deadline, signature[64], signature[:32], signature[32:64]

    def release(self, listing: int, *, by: Any = None, content: bytes | None = None, **fields: Any) -> Receipt:
        """Release the next round as soon as it may be, with a manifest of that number unless another is given."""
        state = self.listing(listing)
        if state["lastTurn"]:
            self.reach(state["lastTurn"] + state["terms"]["minInterval"])
        if content is None:
            content = b"" if state["terms"]["copies"] else manifest(state["nextRound"], **fields)
        return self.market.release(listing, state["nextRound"], content, sender=by or self.seller)

    def reach(self, timestamp: int) -> None:
        """Wait until then, if it is not past."""
        self.chain.at(max(self.chain.now, timestamp))

    def give(self, token: Contract, account: Any, amount: int = 100 * ETHER) -> None:
        """Tokens, and leave for the marketplace to take them."""
        token.mint(account, amount, sender=self.accounts["stranger"])
        token.approve(self.market, amount, sender=account)

    # ------------------------------------------------------------------------------------------------------------ views

    def listing(self, listing: int) -> dict[str, Any]:
        fields = [
            "seller",
            "operator",
            "payout",
            "terms",
            "offer",
            "version",
            "nextRound",
            "orders",
            "voided",
            "lastTurn",
            "active",
        ]
        state = dict(zip(fields, self.market.getListing(listing), strict=True))
        state["terms"] = dict(zip(TERMS, state["terms"], strict=True))
        return state

    def order(self, order: int) -> dict[str, Any]:
        fields = ["buyer", "first", "rounds", "price", "version", "epoch", "bucket", "cancelledAt"]
        return dict(zip(fields, self.market.getOrder(order), strict=True))

    def bucket(self, listing: int) -> int:
        """The bucket of money that is earned now."""
        return self.market.bucketAt(listing, self.chain.now)

    def held(self, token: Any = NATIVE) -> int:
        """What the marketplace has of a token."""
        if str(token) == NATIVE:
            return self.chain.balance(self.market)
        return token.balanceOf(self.market)
