"""Details: file name, media type, size and the seller's note, for holders of the content key (docs/protocol.md §3)."""

import json
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from nacl import bindings
from nacl.exceptions import CryptoError

from numerbay_chain.core.errors import ContentError, DecryptionError, UsageError
from numerbay_chain.core.files import jsontext
from numerbay_chain.core.text import visible
from numerbay_chain.crypto.content_key import ContentKey

MAX_DETAILS_SIZE: Final = 65_536
_NONCE: Final = bytes(bindings.crypto_secretbox_NONCEBYTES)  # the details key seals one message, ever


@dataclass(frozen=True, slots=True)
class Details:
    """`size` is the artifact's, in bytes. Name and note are the seller's words: show `safe_name` and `safe_note`."""

    name: str
    media_type: str
    size: int
    note: str = ""

    @property
    def safe_name(self) -> str:
        """The name as a file name: no folders, no control characters, not hidden, at most 200 bytes."""
        name = PurePosixPath(visible(self.name).replace("\\", "/").replace("\n", " ")).name.lstrip(". ")
        return name.encode()[:200].decode(errors="ignore") or "artifact"

    @property
    def safe_note(self) -> str:
        """The note without what could steer a terminal."""
        return visible(self.note)


def seal_details(key: ContentKey, details: Details) -> bytes:
    """JSON in a NaCl secretbox, at most 64 KiB. Raises `UsageError` for a note that is too long."""
    text = json.dumps(asdict(details), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    blob: bytes = bindings.crypto_secretbox(text.encode(errors="replace"), _NONCE, key.details_key)
    if len(blob) > MAX_DETAILS_SIZE:
        raise UsageError(
            f"name and note are longer than {MAX_DETAILS_SIZE} bytes together", "shorten the note", code="too-large"
        )
    return blob


def open_details(key: ContentKey, blob: bytes) -> Details:
    """Raises `DecryptionError` for altered bytes or the wrong key, `ContentError` for what is no details."""
    if len(blob) > MAX_DETAILS_SIZE:
        raise ContentError(f"details are longer than {MAX_DETAILS_SIZE} bytes", code="too-large")
    try:
        text = bindings.crypto_secretbox_open(blob, _NONCE, key.details_key)
    except (CryptoError, ValueError) as error:
        raise DecryptionError("the details were altered, or are another artifact's") from error
    try:
        return _parse(jsontext.parse(text))
    except ValueError as error:
        raise ContentError("the details are not the JSON that the format asks for") from error


def _parse(fields: Any) -> Details:
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    name, media_type, size, note = (fields.get(field) for field in ("name", "media_type", "size", "note"))
    if not (isinstance(name, str) and isinstance(media_type, str) and isinstance(note, str)):
        raise ValueError("name, media_type and note must be text")
    if type(size) is not int or size < 0:
        raise ValueError("size must be a number of bytes")
    return Details(name, media_type, size, note)
