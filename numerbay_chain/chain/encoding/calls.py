"""One builder for each function of the contract that changes state; `Sender` simulates, plans and sends the result.

Arguments have Solidity's names, order and units (contracts/interfaces); ids and rounds are integers. Nothing is checked
here but what only a caller can know: widths are checked where a call is encoded. Nothing here loads web3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from numerbay_chain.core.errors import UsageError
from numerbay_chain.protocol.types import ZERO_ADDRESS, Challenge, Offer, Permit, Terms, Voucher

Interface = Literal["marketplace", "erc20"]
Proof = tuple[int, int, bytes, bytes, tuple[bytes, ...]]
"""Solidity's ContentProof: content key, index, commitment, ciphertext, path."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments by name, in the ABI's order, and the native coin that goes along (wei).

    `target` is the contract's address, None for the marketplace that the sender was made for.
    """

    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    value: int = 0
    target: str | None = None
    interface: Interface = "marketplace"


# ------------------------------------------------------------------------------------------------------------- keys


def register(*, public_key: bytes, backup: bytes = b"") -> Call:
    """Append an X25519 public key (32 bytes) for the caller; `backup` goes into the event only."""
    return Call("register", {"publicKey": public_key, "backup": backup})


def register_for(*, owner: str, public_key: bytes, backup: bytes = b"", deadline: int, signature: bytes) -> Call:
    """Append a key for `owner`, who signed it (`typed_data.registration`)."""
    arguments = {
        "owner": owner,
        "publicKey": public_key,
        "backup": backup,
        "deadline": deadline,
        "signature": signature,
    }
    return Call("registerFor", arguments)


# --------------------------------------------------------------------------------------------------------- listings


def create_listing(*, terms: Terms, offer: Offer, payout: str, operator: str = ZERO_ADDRESS) -> Call:
    """Create a listing; its id is in the event ListingCreated."""
    return Call("createListing", {"terms": terms, "offer": offer, "operator": operator, "payout": payout})


def change_offer(*, listing: int, offer: Offer) -> Call:
    """Change price, open or details for later orders."""
    return Call("changeOffer", {"listing": listing, "offer": offer})


def set_operator(*, listing: int, operator: str) -> Call:
    """Name another operator, or nobody (`ZERO_ADDRESS`)."""
    return Call("setOperator", {"listing": listing, "operator": operator})


def set_payout(*, listing: int, payout: str) -> Call:
    """Send later withdrawals elsewhere."""
    return Call("setPayout", {"listing": listing, "payout": payout})


# ----------------------------------------------------------------------------------------------------------- orders


def buy(*, listing: int, version: int, next_round: int, out: bool, rounds: int, recipient: str, value: int) -> Call:
    """Buy at the offer's price, from `next_round` on or, with `out`, from the round before it, which is out.

    `value`: `price * rounds` in wei for the native coin, 0 for a token.
    """
    arguments = {
        "listing": listing,
        "version": version,
        "nextRound": next_round,
        "out": out,
        "rounds": rounds,
        "recipient": recipient,
    }
    return Call("buy", arguments, value)


def buy_with(
    *,
    listing: int,
    version: int,
    next_round: int,
    out: bool,
    rounds: int,
    recipient: str,
    value: int,
    permit: Permit | None = None,
    voucher: Voucher | None = None,
    signature: bytes | None = None,
) -> Call:
    """Buy with an ERC-2612 permit, a voucher and the seller's signature of it, or both.

    The signature of a contract that approved the voucher on chain is `b""`. Raises `UsageError` for one without the
    other, and for a voucher of listing 0: to the contract that is no voucher, and it would take the full price.
    """
    if bool(signature) if voucher is None else signature is None:
        raise UsageError("a voucher and its signature come together")
    if voucher is not None and voucher.listing == 0:
        raise UsageError("a voucher names its listing", "give the whole voucher that the seller signed")
    plain = buy(
        listing=listing,
        version=version,
        next_round=next_round,
        out=out,
        rounds=rounds,
        recipient=recipient,
        value=value,
    )
    arguments = {
        **plain.arguments,
        "permit": permit or Permit.none(),
        "voucher": voucher or Voucher.none(),
        "signature": signature or b"",
    }
    return Call("buyWith", arguments, value)


def revoke_voucher(*, voucher: Voucher) -> Call:
    """Make a voucher unusable."""
    return Call("revokeVoucher", {"voucher": voucher})


def decline(*, order: int, round: int) -> Call:
    """End the order before the round that was just released, within its decline window."""
    return Call("decline", {"order": order, "round": round})


def cancel(*, order: int) -> Call:
    """End the order after the next round."""
    return Call("cancel", {"order": order})


def reclaim(*, order: int) -> Call:
    """Take the next round back too, the notice period after `cancel`."""
    return Call("reclaim", {"order": order})


def refund(*, order: int) -> Call:
    """The seller gives all unreleased rounds of an order back."""
    return Call("refund", {"order": order})


def refund_round(*, order: int, round: int, bucket: int) -> Call:
    """The seller gives one released round of an order back, out of its pot."""
    return Call("refundRound", {"order": order, "round": round, "bucket": bucket})


def refund_missed(*, order: int, round: int) -> Call:
    """Pay a missed round back to the order's buyer."""
    return Call("refundMissed", {"order": order, "round": round})


# --------------------------------------------------------------------------------------------------------- releases


def release(*, listing: int, round: int, manifest: bytes = b"") -> Call:
    """Release the next round; `manifest` is 288 bytes, or empty in a listing of copies."""
    return Call("release", {"listing": listing, "round": round, "manifest": manifest})


def release_and_deliver(*, listing: int, round: int, manifest: bytes, digest: bytes, count: int) -> Call:
    """Release the next round and post its envelopes."""
    arguments = {"listing": listing, "round": round, "manifest": manifest, "digest": digest, "count": count}
    return Call("releaseAndDeliver", arguments)


def skip(*, listing: int, round: int) -> Call:
    """Miss the next round."""
    return Call("skip", {"listing": listing, "round": round})


def deliver(*, listing: int, round: int, digest: bytes, count: int) -> Call:
    """Post envelopes for a released round."""
    return Call("deliver", {"listing": listing, "round": round, "digest": digest, "count": count})


def deliver_copies(*, listing: int, round: int, orders: Sequence[int], hashes: Sequence[bytes]) -> Call:
    """Post the content hashes of orders' own copies, one an order."""
    if len(orders) != len(hashes):
        raise UsageError(f"{len(orders)} orders, but {len(hashes)} content hashes")
    return Call("deliverCopies", {"listing": listing, "round": round, "orders": list(orders), "hashes": list(hashes)})


# --------------------------------------------------------------------------------------------------------- disputes


def challenge(*, order: int, round: int, bucket: int, dispute_key: int, bond: int = 0) -> Call:
    """Ask for the content key of a round; `bond` is what goes along where the listing takes the native coin."""
    arguments = {"order": order, "round": round, "bucket": bucket, "disputeKey": dispute_key}
    return Call("challenge", arguments, bond)


def respond(
    *, order: int, round: int, opened: Challenge, manifest: bytes, response_key: int, sealed_key: bytes
) -> Call:
    """Answer a challenge with the content key, sealed to its one-time key."""
    arguments = {
        "order": order,
        "round": round,
        "opened": opened,
        "manifest": manifest,
        "responseKey": response_key,
        "sealedKey": sealed_key,
    }
    return Call("respond", arguments)


def claim_timeout(*, order: int, round: int, opened: Challenge) -> Call:
    """Pay price and bond back where no answer came in time."""
    return Call("claimTimeout", {"order": order, "round": round, "opened": opened})


def prove_wrong_key(*, order: int, round: int, answered: Challenge, private_key: int) -> Call:
    """Prove that the answer is another key than was committed to. A right one is told to the world by this."""
    return Call("proveWrongKey", {"order": order, "round": round, "answered": answered, "privateKey": private_key})


def settle_challenge(*, order: int, round: int, opened: Challenge) -> Call:
    """End a challenge, for the seller or for the buyer."""
    return Call("settleChallenge", {"order": order, "round": round, "opened": opened})


def prove_wrong_content(*, listing: int, round: int, manifest: bytes, proof: Proof) -> Call:
    """Prove that a release does not decrypt to what was committed to. The content key becomes public."""
    return Call("proveWrongContent", {"listing": listing, "round": round, "manifest": manifest, "proof": proof})


def prove_wrong_copy(*, order: int, round: int, bucket: int, manifest: bytes, proof: Proof) -> Call:
    """Prove the same of an order's own copy."""
    arguments = {"order": order, "round": round, "bucket": bucket, "manifest": manifest, "proof": proof}
    return Call("proveWrongCopy", arguments)


def refund_faulty(*, order: int, round: int, bucket: int) -> Call:
    """Pay a round that was proven faulty back to the order's buyer."""
    return Call("refundFaulty", {"order": order, "round": round, "bucket": bucket})


# -------------------------------------------------------------------------------------------------------- the money


def withdraw(*, listing: int, rounds: Sequence[int], buckets: Sequence[int]) -> Call:
    """Pay matured pots to the payout address, one (round, bucket) each."""
    if len(rounds) != len(buckets):
        raise UsageError(f"{len(rounds)} rounds, but {len(buckets)} buckets")
    return Call("withdraw", {"listing": listing, "rounds": list(rounds), "buckets": list(buckets)})


def collect(*, token: str, to: str) -> Call:
    """Collect the caller's credit in `token` (`ZERO_ADDRESS`: the native coin)."""
    return Call("collect", {"token": token, "to": to})


def collect_for(*, account: str, token: str) -> Call:
    """Pay an account its credit in `token` (`ZERO_ADDRESS`: the native coin); by anyone."""
    return Call("collectFor", {"account": account, "token": token})


def approve(*, token: str, spender: str, amount: int) -> Call:
    """ERC-20: let `spender` take `amount` of the caller's tokens."""
    return Call("approve", {"spender": spender, "amount": amount}, target=token, interface="erc20")
