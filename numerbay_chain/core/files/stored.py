"""Values in JSON files that this program wrote and reads again.

Each kind of file is a dataclass: its fields are the document's names, and msgspec checks every one when a file is read.
msgspec takes time to load, so only what reads a file loads it.
"""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from numerbay_chain.core.files import jsontext, textfile

MOST_BYTES: Final = 64 << 20
"""An envelopes object of a million orders takes 12 MiB in a journal."""

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Hex = bytes
    Value = TypeVar("Value", bound=DataclassInstance)
else:
    Value = TypeVar("Value")

    class Hex(bytes):
        """Bytes that stand in a file as hexadecimal digits; a field of this type takes any bytes."""


def encode(value: "DataclassInstance", version: int | None = None) -> str:
    """Return the text of a dataclass's fields, with the format's version beside them where there is one."""
    document = asdict(value) if version is None else {"version": version, **asdict(value)}
    return json.dumps(document, indent=1, default=bytes.hex) + "\n"


def load(path: Path, kind: type[Value], version: int | None = None) -> Value:
    """Return what was written to a file, of at most `MOST_BYTES`. Raise `OSError` where it can't be read, also for what
    is no file, and as `decode`."""
    data = textfile.read_bytes(path, MOST_BYTES)
    if len(data) > MOST_BYTES:
        raise ValueError("it is larger than any that is written here")
    return decode(data, kind, version)


def decode(data: bytes, kind: type[Value], version: int | None = None) -> Value:
    """Return what `encode` wrote. Fields without a default must be there, and no names that are no fields.

    Raise `ValueError` for text that is not of this kind and version. It is read by the rules of `jsontext`, but may
    have any length.
    """
    import msgspec

    document = jsontext.parse(data, limit=None)
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    if version is not None and document.pop("version", None) != version:
        raise ValueError(f"it has another version than {version}")
    if unknown := document.keys() - {field.name for field in fields(kind)}:
        raise ValueError(f"it has unknown names: {len(unknown)}")
    return msgspec.convert(document, kind, str_keys=True, dec_hook=_from_digits)


def _from_digits(kind: type, value: Any) -> Any:
    if kind is not Hex or not isinstance(value, str):
        raise ValueError("hexadecimal digits are wanted")
    return Hex.fromhex(value)
