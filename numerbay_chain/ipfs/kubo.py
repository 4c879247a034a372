"""A Kubo daemon over its RPC API.

Files go in through ipfshttpclient's streaming `add`: one request, under the daemon's own lock against garbage
collection. Blocks come out over plain HTTP, because ipfshttpclient reads an answer of any length into memory.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from numerbay_chain import jsontext
from numerbay_chain.errors import NetworkError, NotFoundError, UsageError
from numerbay_chain.ipfs.cid import LEAF_SIZE, Cid
from numerbay_chain.ipfs.dagpb import MAX_BLOCK_SIZE
from numerbay_chain.ipfs.pipe import Pipe
from numerbay_chain.ipfs.store import BlockStore, ContentWriter, Writer
from numerbay_chain.ipfs.transport import (
    CONNECT_TIMEOUT,
    IDLE_TIMEOUT,
    Session,
    network_errors,
    read_body,
    reason_of,
)
from numerbay_chain.ipfs.unixfs import MAX_LINKS, Importer, Root
from numerbay_chain.text import one_line

# While a body is sent the first of the two counts: a busy daemon may stop reading for a while. See `_check`.
_UPLOAD_TIMEOUTS = (120.0, 300.0)

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


@dataclass(frozen=True, slots=True)
class _Address:
    scheme: str
    host: str
    port: int
    path: str
    auth: tuple[str, str] | None

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

    def __init__(self, rpc_url: str, *, offline: bool = False) -> None:
        super().__init__()
        self._address = _parse_address(rpc_url)
        self._offline = offline
        self.name = f"kubo at {self._address.url}"
        self._hint = "is the daemon running (`ipfs daemon`), and is this the address of its RPC API?"
        self._session = Session()
        self._session.auth = self._address.auth

    def writer(self, label: str = "") -> ContentWriter:
        """Begins a file. Raises `NetworkError` at once where no daemon answers."""
        self._check()
        return _KuboWriter(self, label)

    def _fetch(self, cid: Cid) -> bytes:
        with self._errors(), self._call("block/get", str(cid)) as response:
            return read_body(response, MAX_BLOCK_SIZE, f"block {cid}")

    def _check(self) -> None:
        """A daemon that is not there is noticed before anything is sent to it."""
        with self._errors(), self._call("version") as response:
            read_body(response, 1 << 16, f"{self.name}: its version")

    def _call(self, command: str, argument: str | None = None) -> requests.Response:
        parameters = {"arg": argument} if argument else {}
        if self._offline:
            parameters["offline"] = "true"
        response = self._session.post(
            f"{self._address.url}/api/v0/{command}",
            params=parameters,
            stream=True,
            timeout=(CONNECT_TIMEOUT, IDLE_TIMEOUT),
            allow_redirects=False,
            headers={"Accept-Encoding": "identity"},
        )
        if response.status_code == 200:
            return response
        with response:
            raise self._refusal(response)

    def _refusal(self, response: requests.Response) -> NetworkError:
        text = read_body(response, 1 << 16, f"{self.name}: its answer").decode(errors="replace")
        if response.status_code != 500:
            return NetworkError(
                f"{self.name} answers with status {response.status_code}: {one_line(text) or 'no reason given'}",
                self._hint,
            )
        with suppress(ValueError, LookupError, TypeError):
            text = str(jsontext.parse(text)["Message"])
        return self._failure(text)

    def _failure(self, message: str) -> NetworkError:
        if "not found" in message or "could not find" in message:
            return NotFoundError(f"{self.name} does not have the content: {one_line(message)}", "try another --store")
        return NetworkError(f"{self.name} answers: {one_line(message)}", self._hint)

    def _errors(self) -> Any:
        return network_errors(self.name, self._hint)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """An ipfshttpclient `Client`, never `connect()`: that one refuses every daemon newer than 0.8."""
        # Its patched `requests` (for Unix sockets, not used here) calls urllib3 in a way that is on its way out.
        os.environ.setdefault("PY_IPFS_HTTP_CLIENT_PATCH_REQUESTS", "no")
        import ipfshttpclient
        from ipfshttpclient import exceptions

        client = ipfshttpclient.Client(
            self._address.multiaddr,
            base=f"{self._address.path}/api/v0",
            chunk_size=LEAF_SIZE,
            auth=self._address.auth,
            timeout=_UPLOAD_TIMEOUTS,
        )
        try:
            with self._errors():
                yield client
        except exceptions.ErrorResponse as error:
            raise self._failure(str(error)) from error
        except exceptions.Error as error:
            raise NetworkError(f"{self.name} broke off: {reason_of(error)}", self._hint) from error
        # The client asserts what an answer looks like, and looks into it without asking.
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            raise NetworkError(f"{self.name} answers with nonsense", self._hint) from error


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
                f"{self._store.name} imported the file as {one_line(answer)} instead of {root.cid}",
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
    except ValueError as error:
        raise wrong from error
