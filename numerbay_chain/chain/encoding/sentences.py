"""The contract's custom errors in plain words: what happened, and what to do next."""

from collections.abc import Mapping
from typing import Any

from numerbay_chain.core.text import one_line
from numerbay_chain.core.units import format_order_id, format_time

_TIMES = {"due", "earliest", "deadline", "maturity", "faultyAt", "respondedAt"}
_LATER = 2**40  # seconds; what lies beyond it is no time

# name -> (what happened, what to do next); fields are the error's arguments
SENTENCES: Mapping[str, tuple[str, str]] = {
    # listings
    "NoListing": ("there is no listing {listing}", "see them with `listing list`"),
    "NotSeller": ("only the seller {seller} may do this, not {caller}", "use the seller's account"),
    "NotOperator": (
        "only the seller {seller} or the operator {operator} may do this, not {caller}",
        "use one of their accounts",
    ),
    "TermOutOfBounds": ("the term {term} is {value}, outside of {least} to {most}", "change this term"),
    "CopiesNeedDeclineWindow": (
        "an adjudicated listing of copies needs a decline window, and can't be instant",
        "set a decline window and leave instant off, or set the dispute window to 0",
    ),
    "NotAToken": ("there is no token at {token}", "check the token's address and the chain"),
    "InvalidReceiver": ("money can't be sent to {receiver}", "name another address, not zero and not the marketplace"),
    "TooManyVersions": ("the offer of listing {listing} can't change any more", "create a new listing"),
    # buying
    "Closed": ("listing {listing} is closed", "wait until it opens, or ask the seller for a voucher"),
    "SoldOut": ("listing {listing} is sold out: all {supply} places are taken", "wait until a place becomes free"),
    "TermsChanged": (
        "the offer of listing {listing} changed: it is at version {current}, not {expected}",
        "look at the new price and details, then buy again",
    ),
    "RoundMoved": (
        "listing {listing} moved on: its next round is {current}, not {expected}",
        "look at the listing again, then buy the round that is on offer now",
    ),
    "NotInstant": (
        "the round that is out can't be bought in listing {listing}: it is not instant",
        "buy from the next round on",
    ),
    "Overdue": (
        "round {round} of listing {listing} is overdue: it was due at {due}",
        "skip it first (anyone may), or wait for the seller",
    ),
    "RoundsOutOfBounds": (
        "an order can't cover {rounds} rounds here: it is 1 to {most}",
        "choose another number of rounds",
    ),
    "WrongPayment": (
        "the payment must be exact: {sent} wei came along, {expected} are due",
        "look at the price again; a token is paid with an allowance, and no coin goes along",
    ),
    "TokenTookFee": (
        "the token {token} handed over {received} units instead of {expected}",
        "tokens that take a fee on transfer can't be used here",
    ),
    "VoucherNotYours": ("the voucher is for {buyer}, not for {caller}", "buy with the account that it names"),
    "VoucherForOtherListing": (
        "the voucher is for listing {voucherListing}, not {listing}",
        "name the voucher's listing",
    ),
    "VoucherExpired": ("the voucher could be used until {deadline}", "ask the seller for a new one"),
    "VoucherSpent": (
        "the voucher is used up ({uses} uses) or was revoked",
        "ask the seller for a new one",
    ),
    # releases
    "NotNextRound": (
        "round {round} of listing {listing} is not the next one: that is {nextRound}",
        "look at the listing: the round was released or skipped already, or is not its turn",
    ),
    "TooEarly": (
        "it is too early for round {round} of listing {listing}: the time is from {earliest} on",
        "run it again then",
    ),
    "NotLatest": (
        "round {round} of listing {listing} is not the latest one: round {nextRound} is next",
        "only the round that was released last will do",
    ),
    "InvalidManifest": ("the manifest is not valid: {problem}", "seal the file again"),
    "ManifestNotWanted": (
        "listing {listing} is sold as copies: its release carries no manifest",
        "deliver the copies instead",
    ),
    "NotReleased": (
        "round {round} of listing {listing} was not released",
        "wait for its release; a missed round is paid back",
    ),
    "NotCopies": ("listing {listing} is not sold as copies", "deliver one file to all its buyers"),
    "LengthsDiffer": ("two lists that belong together have {first} and {second} entries", "give one entry for each"),
    "TooLate": ("this could be done before {deadline}", "see what can still be done with `orders`"),
    # orders
    "NoOrder": ("there is no order {order}", "see yours with `orders`, a listing's with `orders --listing NUMBER`"),
    "NotBuyer": ("only the buyer {buyer} may do this, not {caller}", "use the buyer's account"),
    "NotCovered": ("order {order} does not cover round {round}", "see its rounds with `orders`"),
    "BoughtWhenOut": (
        "round {round} of order {order} was out when it was bought: it can't be declined",
        "later rounds can",
    ),
    "AlreadySettled": (
        "round {round} of order {order} is settled already, or challenged",
        "see it with `dispute show`; a seller who gives in to a challenge does not answer it, and the buyer claims the "
        "money",
    ),
    "AlreadyCancelled": ("order {order} was cancelled before", "reclaim its last round when the notice period is over"),
    "NothingLeft": ("order {order} has no round left that could be given back", "look at the order again"),
    "NotCancelled": ("order {order} was not cancelled", "cancel it first"),
    "NotMissed": ("round {round} of listing {listing} was not missed", "a missed round is one that was skipped"),
    # the money
    "WrongBucket": (
        "the money of order {order} for round {round} does not lie in bucket {bucket}",
        "name the release's bucket, or the order's own where it was bought late",
    ),
    "NotMatured": (
        "the money of round {round} of listing {listing} can be withdrawn from {maturity} on",
        "run it again then",
    ),
    "Matured": (
        "the money of round {round} of listing {listing} matured at {maturity}: it is the seller's",
        "pay the buyer back outside of the marketplace",
    ),
    "NothingToPay": ("there is nothing to pay to {account}", "look at what has matured or was credited"),
    "TooLittleGas": ("{left} gas were left for a payment that needs {needed}", "run it again, with more gas"),
    "PaymentRefused": ("{to} refused a payment of {amount}", "name an address that takes it"),
    # disputes
    "NotAdjudicated": (
        "listing {listing} is not adjudicated: it takes no challenge and no proof",
        "ask the seller for the money, outside of the marketplace",
    ),
    "Declinable": (
        "round {round} of order {order} can still be declined, and be challenged from {earliest} on",
        "decline it, or wait until then",
    ),
    "Faulty": (
        "round {round} of listing {listing} was proven faulty at {faultyAt}",
        "what had not matured by then goes back to the buyers",
    ),
    "InvalidPoint": ("{x} is no x-coordinate of a point that can be used", "make a new one-time key"),
    "NotTheChallenge": (
        "order {order} has no open challenge of round {round} that looks like this",
        "look at the dispute again",
    ),
    "AlreadyResponded": (
        "the challenge of round {round} of order {order} was answered at {respondedAt}",
        "look at the dispute again",
    ),
    "NotResponded": ("the challenge of round {round} of order {order} was not answered yet", "wait for the answer"),
    "StillOpen": ("this can be done after {deadline}", "run it again then"),
    "WrongManifest": (
        "the manifest is not the one whose hash was posted: {found} instead of {expected}",
        "take the one that was released",
    ),
    "NotTheDisputeKey": ("that is not the private key of this challenge", "use the key file the order was bought with"),
    "KeyIsRight": (
        "the seller answered round {round} of order {order} with the right key",
        "decrypt with it: there is nothing to prove",
    ),
    "NotTheContentKey": ("that is not the content key that the seller committed to", "look at the dispute again"),
    "ContentIsRight": ("chunk {chunk} is what the seller committed to", "there is nothing to prove"),
    "AlreadyFaulty": ("this was proven faulty before, at {faultyAt}", "take the refund"),
    "NotFaulty": (
        "round {round} of listing {listing} was not proven faulty before this order's money for it matured",
        "look at the order again",
    ),
    "NotInTree": ("the chunk is not one that the seller published", "fetch the artifact again"),
    "NoSuchLeaf": ("an artifact of {count} chunks has no chunk {index}", "fetch the artifact again"),
    "WrongPathLength": ("a path of {length} hashes fits no chunk there", "fetch the artifact again"),
    # keys
    "SmallOrderKey": ("this public key is not safe: everybody could read what is sealed to it", "make a new key"),
    "TooManyKeys": ("{owner} has registered 255 keys, which is the most", "use another account"),
    "NoKey": ("{owner} has no registered key (epoch {epoch})", "register a key first"),
    "SignatureExpired": ("the signature could be used until {deadline}", "sign again with a later deadline"),
    "InvalidSignature": ("the signature is not {signer}'s", "sign with that account, for this chain and marketplace"),
    # libraries and tokens
    "ReentrancyGuardReentrantCall": ("a token or receiver called back into the marketplace", "do not use this token"),
    "SafeERC20FailedOperation": ("the token {token} refused the transfer", "check balance and allowance"),
    "SafeCastOverflowedUintDowncast": ("the value {value} does not fit into {bits} bits", "use a smaller number"),
    "AddressEmptyCode": ("there is no code at {target}", "check the marketplace's address"),
    "FailedCall": ("the contract refused, and said nothing more", "run it again, with more gas"),
    "InvalidShortString": ("a name is not valid", ""),
    "StringTooLong": ("a name is too long", ""),
    "ERC20InsufficientBalance": (
        "{sender} holds {balance} units of the token, but {needed} are needed",
        "get more of the token, or buy fewer rounds",
    ),
    "ERC20InsufficientAllowance": (
        "the marketplace may take {allowance} units of the token, but {needed} are needed",
        "approve the price first",
    ),
    "ERC20InvalidSender": ("the token refuses {sender} as a sender", "check the account"),
    "ERC20InvalidReceiver": ("the token refuses {receiver} as a receiver", "check the address"),
    "ERC20InvalidApprover": ("the token refuses {approver} as an approver", "check the account"),
    "ERC20InvalidSpender": ("the token refuses {spender} as a spender", "check the address"),
}


def sentence(name: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
    """What happened, and what to do next ("" if there is nothing to say), for a custom error of the contract."""
    words = SENTENCES.get(name)
    shown = {key: _shown(key, value) for key, value in arguments.items()}
    if words is None:
        listed = ", ".join(f"{key} {value}" for key, value in shown.items())
        return f"the contract refused: {name}({listed})", ""
    return words[0].format_map(shown), words[1].format_map(shown)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if name == "order" and isinstance(value, int):
        return format_order_id(value)
    if name in _TIMES and isinstance(value, int) and value < _LATER:
        return format_time(value)
    return one_line(str(value), 200)
