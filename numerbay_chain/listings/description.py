"""A listing's public description: JSON, pinned as one raw block whose sha2-256 stands on chain (docs/protocol.md
§2, "details")."""

import json
import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final, Self

from numerbay_chain.core.errors import ContentError, NetworkError, RefusedError, UsageError
from numerbay_chain.core.files import jsontext
from numerbay_chain.core.text import visible
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.stores.base import ContentStore

MAX_DESCRIPTION_SIZE: Final = 65_536
_VERSION: Final = 1
_LIMITS: Final = {"name": 200, "description": 60_000, "media_type": 200}
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;.*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Description:
    """`media_type` is of what will be delivered ("text/csv"). All of it is the seller's word. At most 64 KiB as
    JSON."""

    name: str = ""
    description: str = ""
    media_type: str = ""

    def __post_init__(self) -> None:
        for name, limit in _LIMITS.items():
            if len(getattr(self, name)) > limit:
                raise UsageError(
                    f"the listing's {name.replace('_', ' ')} has more than {limit} characters",
                    "shorten it",
                    code="too-large",
                )
        if self.media_type and not _MEDIA_TYPE.fullmatch(self.media_type):
            raise UsageError(
                f"{self.media_type!r} is not a media type", 'write one such as "text/csv"', code="bad-description"
            )

    def encode(self) -> bytes:
        """The block. Raises `UsageError` above 64 KiB."""
        document = {"version": _VERSION, **asdict(self)}
        text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(errors="replace")
        if len(text) > MAX_DESCRIPTION_SIZE:
            raise UsageError(
                f"the listing's description is longer than {MAX_DESCRIPTION_SIZE} bytes", "shorten it", code="too-large"
            )
        return text

    @property
    def digest(self) -> bytes:
        """What goes on chain."""
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, block: bytes) -> Self:
        """Raises `ContentError` for what is no description. Fields of later versions are ignored; what could steer
        a terminal goes."""
        if len(block) > MAX_DESCRIPTION_SIZE:
            raise ContentError(
                f"the listing's description is longer than {MAX_DESCRIPTION_SIZE} bytes", code="too-large"
            )
        try:
            document = jsontext.parse(block)
            if not isinstance(document, dict) or type(document.get("version")) is not int:
                raise ValueError("not an object with a version")
            return cls(**{name: _text(document.get(name, "")) for name in _LIMITS})
        except (ValueError, UsageError) as error:
            raise ContentError("the listing's description is not what the format asks for") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return visible(value)


def read_description(store: ContentStore | None, digest: bytes) -> tuple[Description | None, str | None]:
    """The description with that digest, or why there is none: a listing can be bought without."""
    if digest == bytes(32):
        return None, None
    if store is None:
        return None, "no store is set to read the description from"
    try:
        block = store.read_block(Cid.raw(digest))
        if sha256(block).digest() != digest:
            return None, "the store gave another block than the description"
        return Description.decode(block), None
    except (NetworkError, RefusedError) as error:  # also a store on a disk that fails
        return None, str(error)
