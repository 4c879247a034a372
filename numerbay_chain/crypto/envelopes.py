"""Envelopes: the content key, sealed to each buyer, as one object that is read by byte range (docs/protocol.md §3)."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from numerbay_chain.core.errors import AccountError, ContentError, DecryptionError, UsageError
from numerbay_chain.core.units import format_order_id
from numerbay_chain.crypto.content_key import ContentKey, Context, word

ENVELOPE_SIZE: Final = 88
"""8 bytes of order id, big endian, then a NaCl sealed box of 32 bytes."""

_LABEL: Final = b"numerbay-chain/v1/envelope"
_WINDOW: Final = 1024  # records that are fetched at once rather than searched any further


def _masked(key: bytes, context: Context, order: int) -> bytes:
    # Binds an envelope to one order and round: without the mask one could be copied into another seller's delivery, and
    # its honest buyer would come to publish the first seller's key in a dispute.
    mask = sha256(_LABEL + context.encode_place() + word(order) + word(context.round)).digest()
    return (int.from_bytes(key, "big") ^ int.from_bytes(mask, "big")).to_bytes(32, "big")


def seal_envelopes(key: ContentKey, context: Context, recipients: Iterable[tuple[int, bytes]]) -> bytes:
    """Records for (order id, X25519 public key of 32 bytes), sorted by order id.

    Raises `UsageError` for an order that comes twice and `AccountError` for a public key that nothing can be sealed to.
    """
    records: list[bytes] = []
    previous, scalar = -1, key.reveal()
    for order, public_key in sorted(recipients):
        if order == previous or not 0 <= order < 2**64:
            raise UsageError(f"order id {order} can't have an envelope: it comes twice, or is out of range")
        previous = order
        try:
            box = bindings.crypto_box_seal(_masked(scalar, context, order), public_key)
        except (CryptoError, RuntimeError, ValueError, TypeError) as error:
            raise AccountError(f"nothing can be sealed to the public key of order {format_order_id(order)}") from error
        records.append(order.to_bytes(8, "big") + box)
    return b"".join(records)


def open_envelope(record: bytes, private_key: bytes, context: Context, order: int, commitment: bytes) -> ContentKey:
    """The content key in one record. Raises `ContentError` for a record of another order or size, and `DecryptionError`
    for one that was sealed to somebody else, was altered, or holds another key than the committed one."""
    if len(record) != ENVELOPE_SIZE:
        raise ContentError(f"an envelope has {ENVELOPE_SIZE} bytes, this one has {len(record)}")
    if record[:8] != order.to_bytes(8, "big"):
        raise ContentError(f"the envelope is not that of order {format_order_id(order)}")
    public_key = bindings.crypto_scalarmult_base(private_key)
    try:
        masked = bindings.crypto_box_seal_open(record[8:], public_key, private_key)
    except (CryptoError, RuntimeError) as error:
        raise DecryptionError(
            f"the envelope of order {format_order_id(order)} does not open with this key",
            "use the key file that was registered when the order was bought",
        ) from error
    return ContentKey.from_bytes(_masked(masked, context, order), commitment)


def find_envelope(read: Callable[[int, int], bytes], count: int, order: int) -> bytes | None:
    """The record of `order` among `count`, or None. `read(offset, length)` fetches a byte range of at most 88 KiB.

    Raises `ContentError` for a range that comes back short.
    """
    start, end = 0, count
    while end - start > _WINDOW:
        middle = (start + end) // 2
        found = int.from_bytes(_read(read, middle, 1)[:8], "big")
        start, end = (middle, end) if found <= order else (start, middle)
    records, wanted = _read(read, start, end - start), order.to_bytes(8, "big")
    for offset in range(0, len(records), ENVELOPE_SIZE):
        if records[offset : offset + 8] == wanted:
            return records[offset : offset + ENVELOPE_SIZE]
    return None


def _read(read: Callable[[int, int], bytes], first: int, count: int) -> bytes:
    records = read(first * ENVELOPE_SIZE, count * ENVELOPE_SIZE) if count else b""
    if len(records) != count * ENVELOPE_SIZE:
        raise ContentError("the envelopes end early")
    return records
