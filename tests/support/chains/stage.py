"""The people of a marketplace on a real chain: a seller, an operator, two buyers with keys, and a stranger."""

import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.identity import deployment
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.types import ZERO_ADDRESS, Offer, Terms

ARTIFACTS = Path(__file__).resolve().parent.parent.parent.parent / ".cache" / "artifacts"
PRICE = 10**15
GENERATOR_X = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
TERMS = Terms(
    token=ZERO_ADDRESS,
    supply=0,
    max_rounds=12,
    instant=False,
    copies=False,
    first_due=0,
    period=0,
    min_interval=60,
    decline_window=60,
    notice_period=60,
    dispute_window=240,
    response_window=60,
    challenge_bond=0,
)
# reverts with whatever bytes it is called with: CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY CALLDATASIZE PUSH0 REVERT
ECHO_REVERT = bytes.fromhex("365f5f37365ffd")


def manifest(number: int = 0) -> bytes:
    """288 bytes that the contract takes; another content for each number."""
    words = [bytes([number + place]) * 32 for place in range(1, 6)]
    return Manifest(
        key_commitment=GENERATOR_X.to_bytes(32),
        key_salt=words[0],
        data_root=words[1],
        size=5000,
        ciphertext_digest=words[2],
        commitments_digest=words[3],
        details_digest=words[4],
    ).encode()


def answering(answer: bytes) -> bytes:
    """Code that returns the same bytes always: as a contract's code its answer, as initialising code the contract."""
    size = len(answer).to_bytes(2)
    # PUSH2 size PUSH1 12 PUSH0 CODECOPY PUSH2 size PUSH0 RETURN, then the bytes
    return bytes.fromhex("61") + size + bytes.fromhex("600c5f3961") + size + bytes.fromhex("5ff3") + answer


class Chain(Protocol):
    """What an embedded chain and a devnet have in common."""

    connection: Connection

    def signer(self, index: int) -> Signer: ...

    def advance(self, seconds: int) -> None: ...


class Stage:
    """A marketplace that was just deployed. Senders: `seller`, `operator`, `buyer`, `other_buyer`, `stranger`."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.connection: Connection = chain.connection
        deployed = deployment.deploy(Sender(self.connection, chain.signer(0)))
        self.deployment = deployed
        self.session = MarketplaceContract(self.connection, deployed.address, deployed.block)
        names = ("seller", "operator", "buyer", "other_buyer", "stranger")
        self.seller, self.operator, self.buyer, self.other_buyer, self.stranger = (
            Sender(self.connection, chain.signer(index), deployed.address) for index in range(len(names))
        )
        for number, sender in enumerate((self.buyer, self.other_buyer), 1):
            sender.send(calls.register(public_key=bytes([number]) * 32, backup=b"kept"))

    def advance(self, seconds: int) -> None:
        self.chain.advance(seconds)

    def new_listing(self, *, price: int = PRICE, open: bool = True, **terms: Any) -> int:
        call = calls.create_listing(
            terms=replace(TERMS, **terms),
            offer=Offer(price, open, bytes(32)),
            operator=self.operator.account,
            payout=self.seller.account,
        )
        event = self.seller.send(call).event("ListingCreated")
        assert event is not None
        return int(event["listing"])

    def buy(self, listing: int, rounds: int = 1, sender: Sender | None = None, **changes: Any) -> Receipt:
        return (sender or self.buyer).send(self.purchase(listing, rounds, **changes))

    def purchase(self, listing: int, rounds: int = 1, **changes: Any) -> calls.Call:
        now = self.session.listing(listing)
        arguments: dict[str, Any] = {
            "listing": listing,
            "version": now.version,
            "next_round": now.next_round,
            "out": False,
            "rounds": rounds,
            "recipient": self.buyer.account,
            "value": rounds * now.offer.price if now.terms.native else 0,
        }
        return calls.buy(**arguments | changes)

    def order(self, listing: int, rounds: int = 1, **changes: Any) -> int:
        event = self.buy(listing, rounds, **changes).event("Bought")
        assert event is not None
        return int(event["order"])

    def release(self, listing: int, round: int = 0) -> Receipt:
        return self.seller.send(calls.release(listing=listing, round=round, manifest=manifest(round)))

    # ------------------------------------------------------------------------------------------------ other contracts

    def deploy_code(self, runtime: bytes) -> str:
        """A contract with exactly this code."""
        created = self.seller.deploy(answering(runtime)).created
        assert created is not None
        return created

    def deploy_contract(self, name: str) -> str:
        """One of the test contracts, as `make compile` left it."""
        artifact = json.loads((ARTIFACTS / f"{name}.json").read_text())
        created = self.seller.deploy(bytes.fromhex(artifact["bytecode"].removeprefix("0x"))).created
        assert created is not None
        return created

    def mint(self, token: str, owner: str, amount: int) -> None:
        self.transact(self.seller, token, "mint(address,uint256)", owner, amount)

    def transact(self, sender: Sender, target: str, signature: str, *arguments: Any, value: int = 0) -> Receipt:
        """A transaction to a contract that is not the marketplace."""
        types = signature.partition("(")[2].rstrip(")").split(",")
        data = keccak(text=signature)[:4] + encode(types if arguments else [], arguments)
        return self.resume(sender, self.sign(sender, to=target, data=data, value=value))

    def sign(self, sender: Sender, *, to: str, data: bytes = b"", value: int = 0, **fields: Any) -> bytes:
        """A transaction with the account's next nonce and plenty of gas, signed and not sent."""
        transaction = {
            "to": to,
            "data": "0x" + data.hex(),
            "value": value,
            "gas": 1_000_000,
            "nonce": self.connection.transaction_count(sender.account, pending=True),
            "chainId": self.connection.chain_id,
            **self.connection.fees().fields(),
        }
        return sender.signer.sign_transaction(transaction | fields)

    @staticmethod
    def resume(sender: Sender, raw: bytes) -> Receipt:
        receipt = sender.resume(raw)
        assert receipt is not None
        return receipt

    @cached_property
    def echo(self) -> str:
        """A contract that reverts with the bytes that it is called with."""
        return self.deploy_code(ECHO_REVERT)
