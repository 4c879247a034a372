"""Who and what appears in the stateful test: people, contracts that behave badly, tokens, listings to begin with."""

from typing import Any

from tests.support.evm import artifact
from tests.support.evm.accounts import Account
from tests.support.evm.chain import GENESIS, RICH
from tests.support.evm.world import ETHER, World
from tests.support.model.terms import TERMS, Terms
from tests.support.model.wallets import NATIVE, Wallets

TOKENS = ("StandardToken", "FeeToken", "SilentToken", "BlockingToken", "ReenteringToken")
ACTORS = ("RefusingBuyer", "ReenteringBuyer")
UNLIMITED = 2**255
ACCEPTS = 0
MOST = 2**88 - 1

_USUAL: Terms = {
    "token": NATIVE, "supply": 0, "maxRounds": 5, "instant": False, "copies": False, "firstDue": 0, "period": 0,
    "minInterval": 100, "declineWindow": 60, "noticePeriod": 90, "disputeWindow": 300, "responseWindow": 60,
    "challengeBond": 0,
}  # fmt: skip
# Windows are short and of different lengths, so that their edges meet in a few steps.
LISTINGS: list[Terms] = [
    _USUAL,
    _USUAL | {"instant": True, "declineWindow": 0, "disputeWindow": 0, "responseWindow": 0, "minInterval": 60},
    _USUAL | {"supply": 3, "firstDue": GENESIS + 150, "period": 150, "challengeBond": ETHER // 20},
    _USUAL | {"token": "StandardToken", "instant": True, "supply": 2, "challengeBond": MOST},
    _USUAL
    | {"token": "FeeToken", "copies": True, "disputeWindow": 120, "responseWindow": 60, "challengeBond": ETHER // 50},
    _USUAL | {"token": "BlockingToken", "instant": True, "declineWindow": 30, "challengeBond": MOST},
    _USUAL
    | {
        "token": "ReenteringToken",
        "declineWindow": 100,
        "responseWindow": 100,
        "firstDue": GENESIS + 400,
        "period": 120,
        "challengeBond": 1,
    },
    _USUAL | {"token": "SilentToken", "copies": True, "instant": True, "disputeWindow": 0, "responseWindow": 0},
    _USUAL | {"token": "ReenteringToken", "instant": True, "disputeWindow": 0, "responseWindow": 0},
    _USUAL
    | {
        "maxRounds": 3,
        "copies": True,
        "supply": 4,
        "declineWindow": 61,
        "responseWindow": 100,
        "noticePeriod": 60,
        "challengeBond": MOST,
    },
]
_JUDGED = [number for number, terms in enumerate(LISTINGS) if terms["disputeWindow"]]
COPIES_JUDGED = [number for number in _JUDGED if LISTINGS[number]["copies"]]
RELEASES_JUDGED = [number for number in _JUDGED if not LISTINGS[number]["copies"]]


class Cast:
    """Everybody by name, and the model's view of what they hold."""

    def __init__(self) -> None:
        artifact("Disputes")  # has errors that the marketplace passes on
        self.world = World()
        self.chain, self.market = self.world.chain, self.world.market
        self.wallets = Wallets()
        self.sellers: list[Any] = [self.world.seller, self.world.friend]
        self.actors = {name: self.world.deploy(name) for name in ACTORS}
        self.actors["ContractWallet"] = self.world.deploy("ContractWallet", self.world.stranger)
        for actor in self.actors.values():
            self.chain.fund(actor)
        self.buyers: list[Any] = [self.world.buyer, self.world.other, *self.actors.values()]
        self.sellers.append(self.actors["ContractWallet"])
        self.keyless = self.world.stranger
        self.receivers: list[Any] = [self.world.payout, self.actors["RefusingBuyer"], self.actors["ReenteringBuyer"]]
        self.tokens = {name: self.world.deploy(name) for name in TOKENS}
        hostile = self.tokens["ReenteringToken"]  # it buys, too
        self.buyers.append(hostile)
        self.hostile = [self.actors["ReenteringBuyer"], self.actors["RefusingBuyer"], hostile]
        self.newcomers = [*self.actors.values(), hostile]  # who has yet to register a key
        people = [*self.buyers, *self.sellers, self.keyless, self.world.operator, self.world.payout]
        self.everybody = list(dict.fromkeys(people))  # the wallet buys and sells
        for person in self.everybody:
            self.wallets.balances[NATIVE][str(person)] = self.chain.balance(person)
            for token in self.tokens.values():
                token.mint(person, RICH, sender=self.keyless)
                token.approve(self.market, UNLIMITED, sender=person)
                self.wallets.balances[token.address][str(person)] = RICH
        self.wallets.refusing.add((NATIVE, hostile.address))

    def sign(self, seller: Any, digest: bytes) -> bytes:
        """A seller's signature: the wallet approves on chain and signs with nothing."""
        if isinstance(seller, Account):
            return seller.sign(digest)
        seller.approve(digest, sender=self.keyless)
        return b""

    def token(self, name: str) -> str:
        return NATIVE if name == NATIVE else self.tokens[name].address

    def terms(self, number: int) -> Terms:
        return LISTINGS[number] | {"token": self.token(LISTINGS[number]["token"])}

    def refuse_ether(self, refuses: bool, manner: int) -> None:
        """Let the contract that may refuse ether do so, in a manner of its own, or accept it again."""
        buyer = self.actors["RefusingBuyer"]
        buyer.setManner(manner if refuses else ACCEPTS, sender=self.keyless)
        self._note(NATIVE, buyer, refuses)

    def block(self, receiver: Any, refuses: bool, manner: int) -> None:
        """Let the blocking token refuse a receiver: 1 reverts, 2 answers false."""
        token = self.tokens["BlockingToken"]
        token.setRefusal(receiver, manner if refuses else ACCEPTS, sender=self.keyless)
        self._note(token.address, receiver, refuses)

    def accept_again(self) -> None:
        """Nobody refuses payments any more, but a contract that can't receive ether."""
        self.refuse_ether(False, 0)
        for token, account in sorted(self.wallets.refusing):
            if token == self.tokens["BlockingToken"].address:
                self.block(account, False, 0)

    def _note(self, token: str, receiver: Any, refuses: bool) -> None:
        (self.wallets.refusing.add if refuses else self.wallets.refusing.discard)((token, str(receiver)))


def terms_tuple(terms: Terms) -> tuple[Any, ...]:
    return tuple(terms[name] for name in TERMS)
