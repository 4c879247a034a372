"""A real HTTP server on loopback whose answers a test decides: honest, broken or lying."""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from numerbay_chain.ipfs.http import Waits
from numerbay_chain.ipfs.unixfs import LEAF_SIZE, Importer

HASTY = Waits(pauses=(0.01, 0.02), shortest_idle=0.1, shortest_block=0.1)
"""For tests of sources that fail."""
RAW_BLOCK = {"Content_Type": "application/vnd.ipld.raw"}
BINARY = {"Content_Type": "application/octet-stream"}


class Request(BaseHTTPRequestHandler):
    """One request, with the ways to answer it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for its head to be acknowledged
    server: "_Server"

    @property
    def cid(self) -> str:
        return urlsplit(self.path).path.removeprefix("/ipfs/")

    @property
    def wants_block(self) -> bool:
        return parse_qs(urlsplit(self.path).query).get("format") == ["raw"]

    def answer(self, body: bytes = b"", status: int = 200, length: int | None = None, **headers: str) -> None:
        """`length` is what Content-Length says, the body's by default."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        if length is not None and length > len(body):
            self.close_connection = True

    def answer_endlessly(self, status: int = 200, **headers: str) -> None:
        """A chunked body that goes on until the other side hangs up; what was sent is counted."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(ConnectionError):
            while True:
                self.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                self.server.log.sent += 0x10000

    def redirect(self, target: str, status: int = 301) -> None:
        self.answer(status=status, Location=target)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self.server.log.paths.append(self.path)
        with contextlib.suppress(ConnectionError):
            self.server.behaviour(self)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log is `Server.paths`."""


Behaviour = Callable[[Request], None]


@dataclass
class Log:
    paths: list[str] = field(default_factory=list)
    sent: int = 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    behaviour: Behaviour
    log: Log


@dataclass(frozen=True)
class Server:
    url: str
    log: Log


@contextlib.contextmanager
def serving(behaviour: Behaviour) -> Iterator[Server]:
    """The server, until the end of the block."""
    server = _Server(("127.0.0.1", 0), Request)
    server.behaviour, server.log = behaviour, Log()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}", server.log)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class File:
    """A file with its blocks by CID, for a server to give away or to falsify."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.blocks: dict[str, bytes] = {}
        importer = Importer(lambda cid, block: self.blocks.__setitem__(str(cid), block))
        importer.update(content)
        root = importer.finish()
        self.cid, self.size = root.cid, root.size


SMALL = File(random.Random(1).randbytes(5000))
LARGE = File(random.Random(2).randbytes(3 * LEAF_SIZE + 77))


def trustless(file: File, request: Request) -> None:
    """What the Trustless Gateway specification asks for."""
    block = file.blocks.get(request.cid)
    if block is None:
        request.answer(b"no such block", 404)
    else:
        request.answer(block, **RAW_BLOCK)
