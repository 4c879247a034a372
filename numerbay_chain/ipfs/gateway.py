"""A read-only HTTP gateway that nobody has to trust: every byte is checked against the CID before it is given.

Blocks are asked for as the Trustless Gateway specification says. A gateway that serves whole files only is read through
a temporary file, and nothing of it is given before the import of that file has led to the CID that was asked for.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import requests

from numerbay_chain.errors import ContentError, NetworkError, NotFoundError, UsageError
from numerbay_chain.files import storage_error, write_all
from numerbay_chain.hosts import is_loopback
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.dagpb import MAX_BLOCK_SIZE
from numerbay_chain.ipfs.store import BlockStore
from numerbay_chain.ipfs.transport import (
    CONNECT_TIMEOUT,
    IDLE_TIMEOUT,
    Session,
    network_errors,
    read_body,
    read_pieces,
)
from numerbay_chain.ipfs.unixfs import Importer, Root

_RAW_BLOCK = "application/vnd.ipld.raw"
_REDIRECTS = 5
_TRIES = 3
_PAUSE = 0.5  # seconds before the second try, and twice that before the third
_LONGEST_PAUSE = 10.0
_PIECE_SIZE = 1 << 20

_MISSING = {404, 408, 410, 504}
_NO_SUCH_FORMAT = {400, 406, 415, 501}
_BUSY = {429, 500, 502, 503}


class _NoBlocksError(Exception):
    """The gateway serves files, not their inner blocks."""


class GatewayStore(BlockStore):
    """The gateway at `url`, such as `https://ipfs.io` (files under `/ipfs/CID`)."""

    _ahead = 4
    _remembered = 8

    def __init__(self, url: str) -> None:
        super().__init__()
        self._base = _parse_url(url)
        self._loopback = is_loopback(self._base.hostname or "")
        self.name = f"gateway {urlunsplit(self._base._replace(netloc=self._base.netloc.rpartition('@')[2]))}"
        self._hint = "check the address, or try another gateway"
        self._session = Session()
        self._session.trust_env = not self._loopback  # a proxy has no business with loopback
        self._serves_blocks = True
        self._file: tuple[Root, IO[bytes]] | None = None

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        done = 0
        if self._serves_blocks or cid.codec == "raw":
            try:
                for piece in super().read(cid, size, offset, length):
                    yield piece
                    done += len(piece)
                return
            except _NoBlocksError:
                self._serves_blocks = False
        end = size if length is None else offset + length
        yield from self._read_whole(cid, size, offset + done, end)

    def _fetch(self, cid: Cid) -> bytes:
        what = f"block {cid}"
        for last_try in _tries():
            try:
                with self._errors(), self._get(cid, {"Accept": _RAW_BLOCK}, "?format=raw") as response:
                    if response.status_code not in _NO_SUCH_FORMAT:
                        self._require_success(response, cid)
                        return self._block_in(response, cid, what)
                if cid.codec == "dag-pb":
                    raise _NoBlocksError
                # The bytes of a file of one raw block are that block.
                with self._errors(), self._get(cid, {}) as response:
                    self._require_success(response, cid)
                    return read_body(response, MAX_BLOCK_SIZE, what)
            except NotFoundError:
                raise
            except NetworkError:
                if last_try:
                    raise
        raise AssertionError("the last try returns or raises")

    def _block_in(self, response: requests.Response, cid: Cid, what: str) -> bytes:
        said_raw = response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _RAW_BLOCK
        ignored_format = cid.codec == "dag-pb" and not said_raw
        try:
            block = read_body(response, MAX_BLOCK_SIZE, what)
        except ContentError:
            if ignored_format:
                raise _NoBlocksError from None
            raise
        if ignored_format and not cid.matches(block):
            raise _NoBlocksError
        return block

    def _read_whole(self, cid: Cid, size: int, start: int, end: int) -> Iterator[bytes]:
        if start < 0 or start > end or end > size:
            raise ValueError(f"bytes {start} to {end} do not lie in a file of {size} bytes")
        wanted = Root(cid, size)
        if self._file is None or self._file[0] != wanted:
            if self._file is not None:
                self._file[1].close()
                self._file = None
            self._file = (wanted, self._download(wanted))
        descriptor = os.dup(self._file[1].fileno())  # another read may replace the file meanwhile
        try:
            while start < end:
                piece = os.pread(descriptor, min(_PIECE_SIZE, end - start), start)
                if not piece:
                    raise ContentError(f"{self.name}: the copy of {cid} was altered on this machine", "fetch it again")
                start += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    def _download(self, wanted: Root) -> IO[bytes]:
        """A nameless temporary file of all the content, checked. A broken transfer is taken up where it broke off."""
        try:
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # outlives this call: later ranges are read from it
        except OSError as error:
            raise storage_error(tempfile.gettempdir(), error) from error
        try:
            cid, size = wanted.cid, wanted.size
            importer, done, failures = Importer(), 0, 0
            while True:
                try:
                    with self._errors(), self._get(cid, {"Range": f"bytes={done}-"} if done else {}) as response:
                        self._require_success(response, cid)
                        if done and not _continues(response, done):
                            importer, done = Importer(), 0
                            file.seek(0)
                            file.truncate()
                        for piece in read_pieces(response):
                            done += len(piece)
                            if done > size:
                                raise ContentError(f"{self.name}: {cid} is longer than {size} bytes", self._hint)
                            importer.update(piece)
                            _keep(file, piece)
                    break
                except NotFoundError:
                    raise
                except NetworkError:
                    failures += 1
                    if failures == _TRIES:
                        raise
                    time.sleep(failures * _PAUSE)
            root = importer.finish()
            if root.size != size:
                raise ContentError(f"{self.name}: {cid} has {root.size} bytes instead of {size}", self._hint)
            if root.cid != cid:
                raise ContentError(f"{self.name}: {cid} has other bytes than its CID promises", self._hint)
        except BaseException:
            file.close()
            raise
        return file

    def _errors(self) -> Any:
        return network_errors(self.name, self._hint)

    @contextmanager
    def _get(self, cid: Cid, headers: dict[str, str], query: str = "") -> Iterator[requests.Response]:
        url = f"{urlunsplit(self._base)}/ipfs/{cid}{query}"
        for _ in range(_REDIRECTS + 1):
            response = self._session.get(
                url,
                headers={"Accept": "*/*", "Accept-Encoding": "identity", **headers},
                stream=True,
                timeout=(CONNECT_TIMEOUT, IDLE_TIMEOUT),
                allow_redirects=False,
            )
            with response:
                if not response.is_redirect:
                    yield response
                    return
                url = self._redirect(url, response.headers["Location"])
        raise NetworkError(f"{self.name} redirects more than {_REDIRECTS} times", self._hint)

    def _redirect(self, source: str, location: str) -> str:
        try:
            target = urljoin(source, location)
            parts = urlsplit(target)
            to_loopback = is_loopback(parts.hostname or "")
        except ValueError as error:
            raise NetworkError(f"{self.name} redirects to something that is no address", self._hint) from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NetworkError(f"{self.name} redirects to something that is no web address", self._hint)
        if to_loopback and not self._loopback:
            raise NetworkError(f"{self.name} redirects into this machine, which is refused", self._hint)
        if parts.scheme == "http" and urlsplit(source).scheme == "https" and not to_loopback:
            raise NetworkError(f"{self.name} redirects from https to http, which is refused", self._hint)
        return target

    def _require_success(self, response: requests.Response, cid: Cid) -> None:
        status = response.status_code
        if status in {200, 206}:
            return
        if status in _MISSING:
            raise NotFoundError(f"{self.name} does not have {cid} (status {status})", "try another gateway")
        if status in _BUSY:
            time.sleep(_pause(response.headers.get("Retry-After", "")))
            raise NetworkError(
                f"{self.name} is busy or broken (status {status})", "try again later, or try another gateway"
            )
        raise NetworkError(f"{self.name} refuses to serve {cid} (status {status})", self._hint)


def _tries() -> Iterator[bool]:
    """Whether it is the last try, after a pause for all but the first."""
    for number in range(1, _TRIES + 1):
        time.sleep((number - 1) * _PAUSE)
        yield number == _TRIES


def _pause(retry_after: str) -> float:
    return min(float(retry_after), _LONGEST_PAUSE) if retry_after.isdecimal() else 0.0


def _continues(response: requests.Response, done: int) -> bool:
    return response.status_code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {done}-")


def _keep(file: IO[bytes], piece: bytes) -> None:
    try:
        write_all(file, piece)
    except OSError as error:
        raise storage_error(tempfile.gettempdir(), error) from error


def _parse_url(text: str) -> SplitResult:
    wrong = UsageError("the address of the gateway can't be used", "give it as https://HOST")
    try:
        url = urlsplit(text.strip())
        if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.port == 0:
            raise wrong
    except ValueError as error:
        raise wrong from error
    netloc = url.netloc
    if url.hostname == "localhost":
        # Kubo answers on "localhost" with a redirect to CID.ipfs.localhost, a name that few systems resolve.
        netloc = netloc.replace("localhost", "127.0.0.1")
    return url._replace(netloc=netloc, path=url.path.rstrip("/").removesuffix("/ipfs"))
