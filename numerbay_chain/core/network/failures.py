"""What went wrong between this machine and a host, in words for people and without a secret.

TransportError          code "network": nothing listens, no such name, TLS, a proxy, an answer that breaks off
├── SlowError           code "slow-source": no answer in time; also a `requests.Timeout`
├── OversizedError      code "too-large": an answer that is longer than it may be
└── UnsafeAddressError  code "unsafe-address": a host that leads into this machine or a private network
"""

import errno
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from numerbay_chain.core.network.bounds import DeadlineError, OversizeError, UnreachableError, UnresolvedError
from numerbay_chain.core.text import one_line

CA_VARIABLE = "NUMERBAY_CHAIN_CA_FILE"
_UNREACHED, _UNTRUSTED, _UNNAMED = "can't be reached", "can't be trusted", "its name can't be looked up"
_MANY = 10


class TransportError(requests.RequestException):
    """An exchange that failed: `what` goes behind the host's name ("can't be reached"), `why` behind a colon; `hint`
    says what to do. It may work when it is tried again at once, `tries` times in all."""

    code = "network"

    def __init__(self, what: str, why: str = "", hint: str | None = None, *, tries: int = 1) -> None:
        super().__init__(f"{what}: {why}" if why else what)
        self.what, self.why, self.hint, self.tries = what, why, hint, tries

    def sentence(self, name: str, doing: str = "") -> str:
        """Return what happened to the host `name`, and when ("when asking for a balance")."""
        return f"{name} {self.what}{doing and ' '}{doing}" + (f": {self.why}" if self.why else "")


class SlowError(TransportError, requests.Timeout):
    """No answer in time."""

    code = "slow-source"


class OversizedError(TransportError):
    """An answer that is longer than it may be."""

    code = "too-large"


class UnsafeAddressError(TransportError):
    """A host that leads into this machine or a private network."""

    code = "unsafe-address"


# OpenSSL's numbers of why a certificate is not believed (X509_V_ERR_…).
_EXPIRED, _NOT_YET, _WRONG_NAMES = 10, 9, {62, 63, 64}

_OS_REASONS = {
    errno.ECONNREFUSED: "nothing listens there (connection refused)",
    errno.ECONNRESET: "the connection was reset",
    errno.EHOSTUNREACH: "there is no way to that host",
    errno.ENETUNREACH: "there is no way to that network",
    errno.EADDRNOTAVAIL: "there is no way to that network",
}

_UNUSABLE = (requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError)
_PROXIES = "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY in the environment"


def diagnose(error: BaseException, seconds: float, idle: float, proxy: str | None = None) -> TransportError:
    """Return what `requests`, urllib3 or a socket raised as one of our errors: `seconds` was the total time of the
    exchange, `idle` the time without a byte, `proxy` an address fit to be shown."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, TransportError):
            return one
    if found := _bounded(chain, seconds, idle):
        return found
    if proxy is not None and _any(chain, urllib3.exceptions.ProxyError, requests.exceptions.ProxyError):
        return TransportError(_UNREACHED, f"the proxy {proxy} fails: {_reason(chain)}", _PROXIES)
    if found := _unreachable(chain, proxy) or _tls(chain):
        return found
    if proxy is not None and _any(chain, *_UNUSABLE):  # the host's own address was read before
        return TransportError(_UNREACHED, f"the proxy {proxy} can't be used", _PROXIES)
    return _broken(chain)


def _bounded(chain: list[BaseException], seconds: float, idle: float) -> TransportError | None:
    hint = "try again later"
    if _any(chain, DeadlineError):
        return SlowError("gave no whole answer", f"it did not end within {seconds:.0f} s", hint)
    if _any(chain, OversizeError):
        return OversizedError("gives too long an answer", hint="use another one")
    if _any(chain, UnreachableError, requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
        return None
    if _any(chain, requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
        return SlowError(f"sent nothing for a while ({min(idle, seconds):.0f} s)", hint=hint)
    return None


def _unreachable(chain: list[BaseException], proxy: str | None) -> TransportError | None:
    who = f" (the proxy {proxy})" if proxy else ""
    for one in chain:
        if isinstance(one, UnresolvedError | socket.gaierror):
            return TransportError(_UNREACHED, f"{_UNNAMED}{who}", tries=3)
        if isinstance(one, UnreachableError):
            if isinstance(one.error, TimeoutError):
                return TransportError(_UNREACHED, f"no answer when connecting{who}", tries=3)
            return TransportError(_UNREACHED, f"{_os_reason(one.error)}{who}", tries=3)
    return None


def _tls(chain: list[BaseException]) -> TransportError | None:
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _certificate(one)
    for one in chain:
        if not isinstance(one, ssl.SSLError):
            continue
        reason = (one.reason or "").upper()
        if isinstance(one, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            break  # the connection ended
        if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}:
            return TransportError(
                _UNREACHED, "it does not speak TLS on this port", "give the address with http://, or another port"
            )
        return TransportError(
            _UNREACHED,
            f"TLS fails: {one_line(one.reason or 'no reason given').replace('_', ' ').lower()}",
            "check the address and the port",
        )
    for one in chain:
        # a TLS alert instead of a status line
        if "\x15\x03" in str(one):
            return TransportError(_UNREACHED, "it speaks TLS on this port", "give the address with https://")
    return None


def _certificate(error: ssl.SSLCertVerificationError) -> TransportError:
    number = error.verify_code
    if number == _EXPIRED:
        return TransportError(_UNTRUSTED, "its certificate has expired", "tell its operator, or check the clock")
    if number == _NOT_YET:
        return TransportError(_UNTRUSTED, "its certificate is not valid yet", "check this machine's clock")
    if number in _WRONG_NAMES:
        return TransportError(_UNTRUSTED, "its certificate is for another host", "check the address")
    return TransportError(
        _UNTRUSTED,
        "its certificate is signed by an authority that is unknown here "
        f"({one_line(error.verify_message or 'unknown', 80)})",
        f"if the authority is your own, name its certificate's file in {CA_VARIABLE}",
    )


def _broken(chain: list[BaseException]) -> TransportError:
    if _any(chain, requests.exceptions.InvalidSchema):
        return TransportError(_UNREACHED, "the proxy of the environment can't be used", _PROXIES)
    if _any(chain, *_UNUSABLE):
        return TransportError(_UNREACHED, "its address can't be used", "check the address")
    names = {type(one).__name__ for one in chain}
    if "RemoteDisconnected" in names:
        hint = "check the address, and whether it is http:// or https://"
        return TransportError(_UNREACHED, "the connection was closed without an answer", hint, tries=_MANY)
    if names & {"SSLEOFError", "SSLZeroReturnError", "ConnectionResetError", "BrokenPipeError", "IncompleteRead"}:
        return TransportError("broke off its answer", "the connection was closed", tries=_MANY)
    if _any(chain, urllib3.exceptions.HTTPError, requests.exceptions.ChunkedEncodingError):
        return TransportError("broke off its answer, or it is not HTTP", hint="check the address", tries=_MANY)
    return TransportError(_UNREACHED, _reason(chain), tries=_MANY)


def _reason(chain: list[BaseException]) -> str:
    """Never what an exception says: it may name the whole address."""
    for one in reversed(chain):
        if isinstance(one, UnreachableError):
            return _os_reason(one.error)
        if isinstance(one, UnresolvedError):
            return _UNNAMED
        if isinstance(one, OSError) and str(one).startswith("Tunnel connection failed"):
            return one_line(str(one), 80).lower()
        if isinstance(one, OSError) and one.errno:
            return _os_reason(one)
    return "unknown reason"


def _os_reason(error: OSError) -> str:
    return _OS_REASONS.get(error.errno or 0) or one_line(error.strerror or "unknown reason").lower()


def _any(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(one, kinds) for one in chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it holds, and what led to it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
