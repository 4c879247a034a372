"""Addresses, fit to be shown: user, password, path and query may be secrets, the host is not."""

from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import urlsplit

HIDDEN = "(an address that can't be read)"
SHORTEST_SECRET = 8
"""Characters. Shorter parts of a path are names such as "v3" or "mainnet"."""


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the secrets, as a host's words that repeat what it was sent."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def headers_of(user: str, password: str) -> set[str]:
    """Return what stands for a user and a password in a request's headers: a host may repeat those."""
    together = f"{user}:{password}"
    kinds = {together.encode(), together.encode("latin-1", "replace")}
    return {b64encode(kind).decode().rstrip("=") for kind in kinds} if password else set()


def shown(url: str) -> str:
    """Return the scheme, host and port of an address, and a mark where there is more. The whole where it has no host,
    such as the path of a socket; `HIDDEN` for text that can't be taken apart."""
    text = url.strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return HIDDEN
    if parts.scheme and host and "://" in text:
        rest = parts.path.strip("/") or parts.query or parts.fragment
        if "@" in rest:  # a password that was not escaped ends the host too early
            return HIDDEN
        host = f"[{host}]" if ":" in host else host
        return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "") + ("/…" if rest else "")
    if text.startswith(("/", ".", "~")) or text.endswith(".ipc"):
        return text if "://" not in text and "@" not in text else HIDDEN
    return HIDDEN


def shown_store(spec: str) -> str:
    """Return a store's setting ("embedded:PATH", "kubo:URL", "gateway:URL", or several with commas) without what may be
    a secret in it."""
    if spec.startswith("embedded:") and "://" not in spec:
        return spec
    return ",".join(_shown_one(part.strip()) for part in spec.split(","))


def _shown_one(spec: str) -> str:
    kind, _, place = spec.partition(":")
    if kind == "embedded" and "://" not in place:
        return spec
    if kind not in {"kubo", "gateway"}:
        return HIDDEN
    if place.startswith("/") and "@" not in place:
        return spec  # a multiaddr: host and port alone
    return f"{kind}:{shown(place)}"
