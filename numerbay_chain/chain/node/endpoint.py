"""The address of a node, as people type it. It may hold an access key, so nothing here repeats more than its host."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.files.atomic import expanded
from numerbay_chain.core.network.hosts import is_loopback
from numerbay_chain.core.network.shown import SHORTEST_SECRET, headers_of, redacted
from numerbay_chain.core.text import one_line

_FORMS: Final = "give one with http:// or https://, or the path of an .ipc socket"
_LABEL: Final = re.compile(r"[^\s%/\\?#@:\[\]\"'<>^`{|}]{1,63}")
_QUOTES: Final = frozenset("\"'`\u201c\u201d\u2018\u2019\u00ab")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a node is.

    `address` is what was typed, and secret. `name` is for messages. `local`: it is on this machine. `is_socket`: the
    address is the path of an IPC socket.
    """

    address: str = field(repr=False)
    name: str
    local: bool
    is_socket: bool = False

    def redacted(self, text: str) -> str:
        """Return the text without the parts of the address that may be secret: some nodes repeat them."""
        return redacted(text, _secrets(urlsplit(self.address)))


def parse_endpoint(rpc: str, *, running: bool = True) -> Endpoint:
    """Return where the node is. `running`: a socket must be there already.

    Raises `UsageError` (`bad-address`) for an address that can't be used, without repeating it.
    """
    text = rpc.strip()
    if text[:1] in _QUOTES:
        raise _unusable("it begins with a quotation mark", "leave the quotation marks out")
    if re.search(r"\s", text) or not text.isprintable():
        raise _unusable("it has white space or invisible characters", "write it without them")
    if text.endswith(".ipc") and "://" not in text:
        return _socket(text, running)
    if "://" not in text:
        raise _unusable("it does not begin with http:// or https://", _FORMS)
    scheme = text.partition("://")[0].lower()
    if scheme not in {"http", "https"}:
        shown = one_line(scheme, 20) if re.fullmatch(r"[a-z][a-z0-9+.-]{0,15}", scheme) else "that"
        raise _unusable(f"{shown}:// is not supported", _FORMS)
    if "#" in text:
        raise _unusable("it has a '#'", "write a '#' in a password as %23")
    parts, host = _checked(text)
    shown_host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port is not None else ""
    return Endpoint(text, f"{scheme}://{shown_host}{port}", is_loopback(host))


def _socket(text: str, running: bool) -> Endpoint:
    path = expanded(text)
    try:
        found = path.is_socket()
    except OSError:
        found = False
    if running and not found:
        raise UsageError(
            f"there is no node's socket at {one_line(str(path), 200)}",
            "check the path, and that the node runs",
            code="bad-address",
        )
    return Endpoint(str(path), str(path), local=True, is_socket=True)


def _checked(text: str) -> tuple[SplitResult, str]:
    """The parts of an http(s) address, and its host."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        raise _unusable(
            "its host can't be read", "write an IPv6 address in brackets, such as http://[::1]:8545"
        ) from None
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise _unusable(
            "its port is not a number from 1 to 65535", "write ':', '/' or '@' in a password as %3A, %2F or %40"
        )
    labels = host.removesuffix(".").split(".")
    if ":" not in host and not all(_LABEL.fullmatch(label) for label in labels):
        raise _unusable("its host is not a name or a number", _FORMS)
    return parts, host


def _unusable(reason: str, hint: str) -> UsageError:
    return UsageError(f"the address of the node can't be used: {reason}", hint, code="bad-address")


def _secrets(parts: SplitResult) -> set[str]:
    words = [word for word in parts.path.split("/") if len(word) >= SHORTEST_SECRET]
    words += [value for _, value in parse_qsl(parts.query) if len(value) >= SHORTEST_SECRET]
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    words += [word for word in (user, password) if len(word) > 2]
    return {form for word in words for form in (word, unquote(word))} | headers_of(unquote(user), unquote(password))
