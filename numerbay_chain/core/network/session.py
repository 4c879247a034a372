"""The HTTP session for nodes, gateways and Kubo daemons.

- An exchange has a total time and a size, whatever the host does (`bounds`).
- No cookies, no .netrc, no redirects of its own. Proxies of the environment are used, but not for this machine.
- A host that the user named may be anywhere; any other one must be on the public internet.
- The libraries below log whole addresses, keys and all: they say nothing while an exchange of ours goes on.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy

from numerbay_chain.core.errors import NumerbayChainError, UsageError
from numerbay_chain.core.network import tls
from numerbay_chain.core.network.bodies import body_pieces, read_whole
from numerbay_chain.core.network.bounds import CONNECT_SECONDS, CURRENT, OVERHEAD, POOLS, Exchange, Places, resolve
from numerbay_chain.core.network.failures import SlowError, TransportError, UnsafeAddressError, diagnose
from numerbay_chain.core.network.hosts import is_inside, is_loopback, is_public, number, plain
from numerbay_chain.core.network.retry import Retry, doubling, wanted_pause
from numerbay_chain.core.network.shown import shown
from numerbay_chain.core.text import one_line

_PORTS = {"http": 80, "https": 443}
_LOGGERS = ("connection", "connectionpool", "poolmanager", "response", "util.retry", "util.ssl_match_hostname")


class _Quiet(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return CURRENT.get() is None


for _logger in (*(f"urllib3.{part}" for part in _LOGGERS), "requests", "requests.sessions"):
    logging.getLogger(_logger).addFilter(_Quiet())


class _Adapter(HTTPAdapter):
    """Connections that keep to their exchange, and certificates that are checked as `tls.context` says."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        if not proxy.lower().startswith(("http://", "https://")):
            raise TransportError(
                "can't be reached",
                "only HTTP proxies can be used",
                "check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY in the environment",
            )
        if proxy.lower().startswith("https://"):
            named["proxy_ssl_context"] = tls.context()
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, True, None)
        if host["scheme"] == "https":
            pool = {"ssl_context": tls.context(), "cert_reqs": "CERT_REQUIRED"}
        return host, pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: it would load other authorities than the context has."""


class HttpSession(requests.Session):
    """A session with the host of `base`, an address that the user gave.

    An answer has at most `limit` bytes, also when decompressed, and comes within `seconds`, all tries together; a while
    of `idle` seconds without a byte ends it too. `tries` above 1: a host that is busy (`busy`, HTTP statuses) or breaks
    off is asked again, after `pause` seconds, which `sleep` waits, then twice as many. As a `requests.Session` it
    gives whole answers; `opened` gives one piece by piece.
    Raises `TransportError`, and `UsageError` for a file of certificates that can't be used.
    """

    def __init__(
        self,
        base: str,
        *,
        limit: int,
        seconds: float,
        idle: float | None = None,
        tries: int = 1,
        busy: frozenset[int] = frozenset(),
        upload: bool = False,
        pause: float = 0.2,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self.pause, self._sleep = pause, sleep
        self.limit, self.seconds, self.idle, self.tries, self.busy = limit, seconds, idle or seconds, tries, busy
        self._upload = upload
        self._base = _origin(base)
        self._base_is_public: bool | None = None
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["Accept-Encoding"] = "gzip, deflate"
        for scheme in _PORTS:
            self.mount(f"{scheme}://", _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: a plain session reads the whole body of a redirect, also when told not to follow it."""
        return

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """The whole answer. A `timeout`, one number, is the total time where it is shorter than the session's."""
        timeout = kwargs.get("timeout")
        seconds = min(self.seconds, timeout) if isinstance(timeout, int | float) else self.seconds
        ends = time.monotonic() + seconds
        retry = Retry(doubling(self.pause, self.tries), ends, self._sleep)
        while True:
            try:
                response = self._send_whole(request, None if self._upload else ends, seconds)
            except TransportError as error:
                if not retry.again(most=error.tries):
                    raise
            else:
                if response.status_code not in self.busy or not retry.again(wanted_pause(response)):
                    return response

    def _send_whole(self, request: requests.PreparedRequest, ends: float | None, seconds: float) -> requests.Response:
        exchange = self._exchange(ends, seconds, self.idle, self.limit)
        with self._within(exchange, request.url or ""):
            response = self._send_once(request, exchange)
            with response:
                body = read_whole(response, self.limit)
        vars(response).update(_content=body, _content_consumed=True)
        return response

    @contextmanager
    def opened(
        self, method: str, url: str, headers: dict[str, str], *, limit: int, seconds: float, idle: float
    ) -> "Iterator[Answer]":
        """An answer that is read piece by piece: at most `limit` bytes within `seconds`, one try."""
        exchange = self._exchange(time.monotonic() + seconds, seconds, idle, limit)
        request = self.prepare_request(requests.Request(method, url, headers=headers))
        with self._within(exchange, url):
            response = self._send_once(request, exchange)
        with response:
            yield Answer(response, limit, lambda: self._within(exchange, url))

    # ------------------------------------------------------------------------------------------------------------ parts

    def _exchange(self, ends: float | None, seconds: float, idle: float, limit: int) -> Exchange:
        return Exchange(seconds, idle, limit + limit // 4 + OVERHEAD, ends, self._check)

    def _send_once(self, request: requests.PreparedRequest, exchange: Exchange) -> requests.Response:
        url = request.url or ""
        proxies = self._proxies(url)
        if select_proxy(url, proxies):
            self._check_behind_proxy(url)
        token = CURRENT.set(exchange)
        try:
            return super().send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECT_SECONDS, exchange.idle),
                verify=True,
                cert=None,
                proxies=proxies,
            )
        finally:
            CURRENT.reset(token)

    @contextmanager
    def _within(self, exchange: Exchange, url: str) -> Iterator[None]:
        try:
            yield
        except (NumerbayChainError, TransportError):
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, UnicodeError) as error:
            proxy = select_proxy(url, self._proxies(url))
            # the cause names the whole address
            raise diagnose(error, exchange.seconds, exchange.idle, shown(proxy) if proxy else None) from None

    def _proxies(self, url: str) -> dict[str, str]:
        host = urlsplit(url).hostname or ""
        return {} if is_loopback(host) else dict(get_environ_proxies(url, no_proxy=None))

    # -------------------------------------------------------------------------------------------------------- addresses

    def _check(self, host: str, port: int, places: Places) -> None:
        """Before a connection. Raises `UnsafeAddressError`."""
        public = all(is_public(ip_address(str(place[4][0]).partition("%")[0])) for place in places)
        if (plain(host), port) == self._base:
            # the user's own choice, unless it is another place than before (a name that was bound anew)
            if public or not self._base_is_public:
                self._base_is_public = public
                return
        elif public:
            return
        raise unsafe(host)

    def _check_behind_proxy(self, url: str) -> None:
        """What can be known of a host that a proxy connects to. Raises `UnsafeAddressError`."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        if (plain(host), port) == self._base:
            return
        if is_inside(host):
            raise unsafe(host)
        if number(host) is None:
            try:
                places = resolve(host, port, CONNECT_SECONDS)
            except OSError:
                return  # only the proxy knows it
            self._check(host, port, places)


class Answer:
    """The answer that `HttpSession.opened` gives: `status`, `headers`, and the body's pieces, once."""

    def __init__(
        self, response: requests.Response, limit: int, errors: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self.response, self.status, self.headers = response, response.status_code, response.headers
        self._limit, self._errors = limit, errors

    def pieces(self) -> Iterator[bytes]:
        """The body, decompressed. Raises `TransportError`."""
        found = body_pieces(self.response, self._limit)
        while True:
            with self._errors():
                piece = next(found, None)
            if piece is None:
                return
            yield piece

    def read(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces())


def unsafe(host: str) -> UnsafeAddressError:
    """Return the refusal to connect to a host that somebody else named."""
    return UnsafeAddressError(
        "leads into this machine or a private network",
        f"{one_line(host, 80)} is refused",
        "name that address itself if you trust it",
    )


def _origin(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        return plain(parts.hostname or ""), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        # not repeated: it may hold a key
        raise UsageError("the address of a host can't be read", "give it as https://HOST") from None


__all__ = ["Answer", "HttpSession", "SlowError", "TransportError", "unsafe"]
