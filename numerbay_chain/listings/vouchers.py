"""Vouchers: signed by a seller, handed over as one JSON text, looked up by whoever holds one."""

import json
import re
import secrets
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Self

from numerbay_chain.chain.encoding import accounts, calls, codec, typed_data
from numerbay_chain.chain.sending.steps import Prepared
from numerbay_chain.chain.snapshot import Snapshot
from numerbay_chain.core.addresses import checksummed
from numerbay_chain.core.errors import RefusedError, RevertedError, UsageError
from numerbay_chain.core.files import jsontext
from numerbay_chain.core.hashing import keccak
from numerbay_chain.core.progress import Note
from numerbay_chain.core.units import format_duration, parse_duration
from numerbay_chain.listings.results import VoucherStatus
from numerbay_chain.protocol.events import Done
from numerbay_chain.protocol.rules import REVOKED, require_seller
from numerbay_chain.protocol.types import ZERO_ADDRESS, Voucher
from numerbay_chain.session import Session

_VERSION: Final = 1
_SIGNATURE_LENGTH: Final = 65  # of an account with a key; a contract signs with any length, or with nothing
_VALID: Final = keccak(b"isValidSignature(bytes32,bytes)")[:4]  # ERC-1271: the function, and its yes
_BITS: Final = {"listing": 32, "price": 88, "max_rounds": 16, "uses": 32, "deadline": 40, "nonce": 256}


@dataclass(frozen=True, slots=True)
class SignedVoucher:
    """`chain_id` and `marketplace` say where it counts; the signature binds both. Hand it to its buyer alone.

    The signature of a contract (ERC-1271) is what that contract takes: `b""` where it approved the voucher on chain.
    """

    chain_id: int
    marketplace: str
    voucher: Voucher
    signature: bytes = field(repr=False)

    def to_json(self) -> str:
        """Amounts and the nonce as decimal strings, the signature in hex."""
        voucher = {
            name: str(value) if name in {"price", "nonce"} else value for name, value in asdict(self.voucher).items()
        }
        document = {
            "version": _VERSION,
            "chain_id": self.chain_id,
            "marketplace": self.marketplace,
            "voucher": voucher,
            "signature": "0x" + self.signature.hex(),
        }
        return json.dumps(document, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises `RefusedError` for what is no voucher, `UsageError` for an address with a wrong checksum."""
        try:
            document = jsontext.parse(text)
            if jsontext.whole(document["version"]) != _VERSION:
                raise ValueError("another version")
            return cls(
                jsontext.whole(document["chain_id"]),
                _address(document["marketplace"]),
                _parse(document["voucher"]),
                _signature(document["signature"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RefusedError(
                "this is not a voucher", "give the whole text that the seller signed", code="not-a-voucher"
            ) from error


def _address(value: Any) -> str:
    try:
        return checksummed(value)
    except UsageError as error:
        if error.code == "bad-checksum":
            raise  # it is a voucher, with a digit that was mistyped
        raise ValueError("not an address") from None


def _signature(value: Any) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(r"(?:0x)?(?:[0-9a-fA-F]{2}){0,65536}", value):
        raise ValueError("not a signature")
    return bytes.fromhex(value.removeprefix("0x"))


def _parse(values: dict[str, Any]) -> Voucher:
    numbers = {name: jsontext.whole(values[name], bits) for name, bits in _BITS.items()}
    if set(values) != {field.name for field in fields(Voucher)}:
        raise ValueError("other fields than a voucher's")
    return Voucher(buyer=_address(values["buyer"]), **numbers)


def issue(
    session: Session,
    listing_id: int,
    *,
    price: int | str,
    buyer: str | None = None,
    max_rounds: int = 1,
    uses: int = 1,
    valid_for: int | str = "7d",
    nonce: int | None = None,
) -> SignedVoucher:
    """Sign a permission to buy at `price` per round (0 allowed), also from a closed listing. Sends nothing.

    `buyer` None: anyone. `valid_for`, in seconds or as text, counts from the chain's time. Raises `RefusedError` for
    a listing of somebody else, `UsageError` for what is out of its bounds.
    """
    listing = session.contract.listing(listing_id)
    require_seller(listing, session.account)
    seconds = parse_duration(valid_for) if isinstance(valid_for, str) else valid_for
    voucher = Voucher(
        listing=listing_id,
        buyer=checksummed(buyer) if buyer else ZERO_ADDRESS,
        price=session.contract.token(listing.terms.token).amount(price),
        max_rounds=_within("rounds of a voucher", max_rounds, 1, listing.terms.max_rounds),
        uses=_within("uses of a voucher", uses, 1, 2**32 - 1),
        deadline=_within("deadline of a voucher", session.connection.now() + seconds, 1, 2**40 - 1),
        nonce=_within("nonce of a voucher", secrets.randbits(256) if nonce is None else nonce, 0, 2**256 - 1),
    )
    return sign_voucher(session, voucher)


def revoke(session: Session, voucher: SignedVoucher | Voucher) -> Done | None:
    """Make a voucher unusable. Return None where it was so already."""
    plain = voucher.voucher if isinstance(voucher, SignedVoucher) else voucher
    digest = session.contract.voucher_digest(plain)

    def prepare() -> Prepared | None:
        revoked = session.contract.voucher_uses(digest) == REVOKED
        return None if revoked else Prepared(calls.revoke_voucher(voucher=plain))

    sent = session.sending.resume_or_send(f"revoke-{digest.hex()}", prepare)
    return Done(sent.receipt, resumed=sent.resumed) if sent else None


def _within(what: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise UsageError(f"the {what} must be {least} to {most}, not {value}", code="out-of-range")
    return value


def sign_voucher(session: Session, voucher: Voucher) -> SignedVoucher:
    """Signs for the session's chain and contract. Raises `AccountError`."""
    account, chain_id, marketplace = session.account, session.connection.chain_id, session.contract.address
    message = typed_data.voucher(chain_id, marketplace, voucher)
    signature = accounts.canonical(session.sending.sender.signer.sign_typed_data(message))
    signed = SignedVoucher(chain_id, marketplace, voucher, signature)
    if _signer_of(signed) != account:
        raise RefusedError(
            f"the signature is not one of {account}", "use the account itself, not a contract's", code="bad-signature"
        )
    return signed


def digest_of(signed: SignedVoucher) -> bytes:
    """Return what was signed, 32 bytes: no two vouchers share it."""
    return typed_data.digest(typed_data.voucher(signed.chain_id, signed.marketplace, signed.voucher))


def _signer_of(signed: SignedVoucher) -> str | None:
    """The account with a key whose signature this is; None for a contract's, or none at all."""
    return accounts.signer_of(digest_of(signed), signed.signature)


def _is_signed_by(session: Session, signed: SignedVoucher, seller: str, digest: bytes) -> bool:
    """Whether the marketplace would take the signature for the seller's: where there is code, the code decides."""
    if not session.connection.code(seller):
        return _signer_of(signed) == seller
    question = _VALID + codec.encode([{"type": "bytes32"}, {"type": "bytes"}], [digest, signed.signature])
    try:
        answer = session.connection.read(seller, question)
    except RevertedError:
        return False
    return answer[:32] == _VALID.ljust(32, b"\0")


def voucher_status(session: Session, voucher: SignedVoucher) -> VoucherStatus:
    """Return how often a voucher was used, and whether it can be used now."""
    return status_of(session, session.contract.look(), voucher)


def status_of(
    session: Session, look: Snapshot, signed: SignedVoucher, rounds: int = 1, buyer: str | None = None
) -> VoucherStatus:
    """What the contract would say to it as of one look. `buyer`: who wants to use it (None: whoever it is for)."""
    voucher = signed.voucher
    if (signed.chain_id, signed.marketplace) != (session.connection.chain_id, session.contract.address):
        # this contract's listings and uses say nothing about it
        said = f"the voucher is for the marketplace {signed.marketplace} on chain {signed.chain_id}"
        elsewhere = Note(said, "other-marketplace")
        return VoucherStatus(digest_of(signed), voucher, _signer_of(signed) or ZERO_ADDRESS, 0, False, elsewhere)
    digest = digest_of(signed)
    look.load(("listing", voucher.listing), ("voucher_uses", digest))
    listing, uses = look.listing(voucher.listing), look.voucher_uses(digest)
    revoked, by_seller = uses == REVOKED, _is_signed_by(session, signed, listing.seller, digest)
    signer = listing.seller if by_seller else _signer_of(signed) or ZERO_ADDRESS
    late = look.time - voucher.deadline
    problem = None
    if revoked:
        problem = Note("the seller revoked the voucher", "revoked")
    elif uses >= voucher.uses:
        problem = Note(f"the voucher was used {uses} times, as often as it allows", "used-up")
    elif late > 0:
        problem = Note(f"the voucher ran out {format_duration(late)} ago", "ran-out")
    elif rounds > voucher.max_rounds:
        problem = Note(f"the voucher allows orders of at most {voucher.max_rounds} rounds", "too-many-rounds")
    elif buyer is not None and voucher.buyer not in (ZERO_ADDRESS, buyer):
        problem = Note(f"the voucher is for {voucher.buyer} alone", "for-another-buyer")
    elif not by_seller:
        problem = Note("the voucher was not signed by the listing's seller", "wrong-signer")
    return VoucherStatus(digest, voucher, signer, 0 if revoked else uses, revoked, problem)
