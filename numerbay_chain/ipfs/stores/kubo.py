"""A Kubo daemon over its RPC API.

Files go in through ipfshttpclient's streaming `add`: one request, under the daemon's own lock against garbage
collection. It is given a session of ours, because its own one waits for and takes in whatever a daemon sends. Blocks
come out over plain HTTP.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from numerbay_chain.core.errors import NetworkError, NotFoundError, UsageError
from numerbay_chain.core.extras import needs
from numerbay_chain.core.files import jsontext
from numerbay_chain.core.network.failures import diagnose
from numerbay_chain.core.network.session import HttpSession
from numerbay_chain.core.network.shown import SHORTEST_SECRET, headers_of, redacted, shown
from numerbay_chain.core.text import one_line
from numerbay_chain.ipfs.cid import LEAF_SIZE, Cid
from numerbay_chain.ipfs.dag_pb import MAX_BLOCK_SIZE
from numerbay_chain.ipfs.http import WAITS, Patience, Waits, network_errors
from numerbay_chain.ipfs.pipe import Pipe
from numerbay_chain.ipfs.stores.base import BlockStore, ContentWriter, Writer
from numerbay_chain.ipfs.unixfs import MAX_LINKS, Importer, Root

_ANSWER_SECONDS = 300.0  # from the end of an upload: the daemon writes and pins it meanwhile
_ANSWER_LIMIT = 1 << 16

# All of it is said, because a node's `Import` settings change every default.
_ADD_OPTIONS = {
    "cid-version": "1",
    "hash": "sha2-256",
    "raw-leaves": "true",
    "chunker": f"size-{LEAF_SIZE}",
    "max-file-links": str(MAX_LINKS),
    "trickle": "false",
    "inline": "false",
    "preserve-mode": "false",
    "preserve-mtime": "false",
    "only-hash": "false",
    "wrap-with-directory": "false",
    "pin": "true",
}


_ABOUT_A_BLOCK = {400, 403, 404, 408, 410, 451, 502, 504, 524}
"""HTTP statuses, besides Kubo's own 500, of a daemon or a front that does not give one block."""


@dataclass(frozen=True, slots=True)
class _Address:
    scheme: str
    host: str
    port: int
    path: str
    auth: tuple[str, str] | None

    @property
    def secrets(self) -> set[str]:
        """What of the address the daemon's words must not show."""
        user, password = self.auth or ("", "")
        words = {word for word in (password, *self.path.split("/")) if len(word) >= SHORTEST_SECRET}
        return words | headers_of(user, password)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def multiaddr(self) -> str:
        kind = "ip6" if ":" in self.host else "ip4" if self.host.replace(".", "").isdigit() else "dns"
        return f"/{kind}/{self.host}/tcp/{self.port}/{self.scheme}"


class KuboStore(BlockStore):
    """A daemon's RPC API at an http(s) URL or a multiaddr (`/ip4/127.0.0.1/tcp/5001`).

    `offline` asks the daemon for what it has itself, and for nothing from the network.
    """

    writable = True
    _ahead = 3
    _remembered = 8

    def __init__(self, rpc_url: str, *, offline: bool = False, waits: Waits = WAITS) -> None:
        super().__init__()
        self._address = _parse_address(rpc_url)
        self._offline = offline
        self.name = f"kubo at {shown(self._address.url)}"
        self._hint = "is the daemon running (`ipfs daemon`), and is this the address of its RPC API?"
        self._waits, self._patience = waits, Patience(waits)
        self._session = self._new_session(limit=MAX_BLOCK_SIZE, seconds=waits.block)

    def _new_session(self, **limits: Any) -> HttpSession:
        session = HttpSession(self._address.url, **limits)
        session.auth = self._address.auth
        session.headers["Accept-Encoding"] = "identity"
        return session

    def writer(self, label: str = "") -> ContentWriter:
        """Begin a file. Raise `UsageError` (missing-extra) where ipfshttpclient is not installed, and `NetworkError` at
        once where no daemon answers."""
        _client_library()
        self._check()
        return _KuboWriter(self, label)

    def _fetch(self, cid: Cid) -> bytes:
        self._patience.require(self.name, cid)
        with self._patience.watching(cid), self._in_time():
            seconds = self._time_left(self._patience.deadline())
            status, body = self._call("block/get", seconds, self._patience.idle(), str(cid))
        if status == 200:
            return body
        raise self._refusal(status, body, f"block {cid}")

    def _check(self) -> None:
        """A daemon that is not there is noticed before anything is sent to it."""
        status, body = self._call("version", self._waits.idle, self._waits.idle)
        if status != 200:
            raise self._refusal(status, body)

    def _call(self, command: str, seconds: float, idle: float, argument: str | None = None) -> tuple[int, bytes]:
        parameters = {"arg": argument} if argument else {}
        if self._offline:
            parameters["offline"] = "true"
        url = f"{self._address.url}/api/v0/{command}?{urlencode(parameters)}"
        opened = self._session.opened("POST", url, {}, limit=MAX_BLOCK_SIZE, seconds=seconds, idle=idle)
        with self._errors(), opened as answer:
            return answer.status, answer.read()

    def _refusal(self, status: int, body: bytes, block: str | None = None) -> NetworkError:
        """What the daemon answered instead. About one `block` it is that one which can't be had, whatever the
        reason."""
        text = body[:_ANSWER_LIMIT].decode(errors="replace")
        if status == 500:
            with suppress(ValueError, LookupError, TypeError):
                text = str(jsontext.parse(text)["Message"])
            return self._failure(text, block)
        words = f"{self.name} answers with status {status}: {self._shown(text) or 'no reason given'}"
        if block is not None and status in _ABOUT_A_BLOCK:
            return NotFoundError(words, "try another --store")
        return NetworkError(words, self._hint)

    def _failure(self, text: str, block: str | None = None) -> NetworkError:
        message = self._shown(text)
        if "not found" in message or "could not find" in message:
            return NotFoundError(f"{self.name} does not have the content: {message}", "try another --store")
        if block is not None:
            return NotFoundError(f"{self.name} does not give {block}: {message}", "try another --store")
        return NetworkError(f"{self.name} answers: {message}", self._hint)

    def _shown(self, text: str) -> str:
        """The daemon's words, without the user and the password that they may repeat."""
        return one_line(redacted(text, self._address.secrets))

    def _errors(self) -> Any:
        return network_errors(self.name, self._hint)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """An ipfshttpclient `Client`, never `connect()`: that one refuses every daemon newer than 0.8."""
        library = _client_library()
        client = library.Client(
            self._address.multiaddr,
            base=f"{self._address.path}/api/v0",
            chunk_size=LEAF_SIZE,
            timeout=_ANSWER_SECONDS,
        )
        client._client._session = self._new_session(limit=_ANSWER_LIMIT, seconds=_ANSWER_SECONDS, upload=True)
        try:
            with self._errors():
                yield client
        except library.exceptions.ErrorResponse as error:
            raise self._failure(str(error)) from error
        except library.exceptions.Error as error:
            with self._errors():
                raise diagnose(error, _ANSWER_SECONDS, _ANSWER_SECONDS) from None
        # The client asserts what an answer looks like, and looks into it without asking.
        except (AssertionError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise NetworkError(f"{self.name} answers with nonsense", self._hint, code="bad-answer") from error
        finally:
            client._client.close_session()


def _client_library() -> Any:
    # Its patched `requests` (for Unix sockets, not used here) calls urllib3 in a way that is on its way out.
    os.environ.setdefault("PY_IPFS_HTTP_CLIENT_PATCH_REQUESTS", "no")
    with needs("ipfshttpclient", "kubo", "pinning to a Kubo daemon"):
        import ipfshttpclient
    return ipfshttpclient


class _KuboWriter(Writer):
    """Computes the CID on the way, and compares it with the daemon's."""

    def __init__(self, store: KuboStore, label: str) -> None:
        self._store = store
        self._label = label
        self._importer = Importer()
        self._pipe = Pipe(self._upload, "kubo-add")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._pipe.write(data)
        self._importer.update(data)

    def finish(self) -> Root:
        answer = self._pipe.finish()
        root = self._importer.finish()
        if answer != str(root.cid):
            raise NetworkError(
                f"{self._store.name} imported the file as {self._store._shown(answer)} instead of {root.cid}",
                "use a daemon that can import as Kubo 0.36 and later do",
            )
        self._require_pin(root.cid)
        return root

    def abort(self) -> None:
        # A request that hangs in the network is left to its daemon thread: without its end the daemon pins nothing.
        self._pipe.abort(timeout=10.0)

    def _upload(self, pieces: Iterator[bytes]) -> str:
        options = _ADD_OPTIONS | ({"pin-name": self._label[:255]} if self._label else {})
        with self._store._client() as client:
            return str(client.add_bytes(pieces, opts=options))

    def _require_pin(self, cid: Cid) -> None:
        with self._store._client() as client:
            pins = client.pin.ls(str(cid), type="recursive")["Keys"]
        if str(cid) not in pins:
            raise NetworkError(f"{self._store.name} did not pin {cid}", "look into the daemon's log")


def _parse_address(text: str) -> _Address:
    wrong = UsageError(
        "the address of the Kubo daemon can't be used",
        "give its RPC API as http://127.0.0.1:5001 or /ip4/127.0.0.1/tcp/5001",
        code="bad-store",
    )
    try:
        if text.startswith("/"):
            kind, host, transport, port, *rest = text.strip("/").split("/")
            if (
                kind not in {"ip4", "ip6", "dns", "dns4", "dns6"}
                or transport != "tcp"
                or rest not in ([], ["http"], ["https"])
            ):
                raise wrong
            return _Address(rest[0] if rest else "http", host, int(port), "", None)
        url = urlsplit(text)
        if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
            raise wrong
        auth = (unquote(url.username), unquote(url.password or "")) if url.username else None
        path = url.path.rstrip("/").removesuffix("/api/v0")
        return _Address(url.scheme, url.hostname, url.port or (443 if url.scheme == "https" else 80), path, auth)
    except ValueError:
        raise wrong from None  # its words name the address
