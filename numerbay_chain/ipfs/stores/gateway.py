"""A read-only HTTP gateway that nobody has to trust: every byte is checked against the CID before it is given.

Blocks are asked for as the Trustless Gateway specification says. A gateway that serves whole files only is read through
a temporary file, and nothing of it is given before the import of that file has led to the CID that was asked for.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from numerbay_chain.core.errors import ContentError, NetworkError, NotFoundError, SlowSourceError, UsageError
from numerbay_chain.core.network.hosts import is_inside, plain
from numerbay_chain.core.network.retry import Retry, pause_words, wanted_pause
from numerbay_chain.core.network.session import Answer, HttpSession, unsafe
from numerbay_chain.core.network.shown import shown
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.dag_pb import MAX_BLOCK_SIZE
from numerbay_chain.ipfs.http import WAITS, Patience, Waits, network_errors
from numerbay_chain.ipfs.stores.base import BlockStore
from numerbay_chain.ipfs.stores.whole_file import WholeFile
from numerbay_chain.ipfs.unixfs import Root

_Result = TypeVar("_Result")
_RAW_BLOCK = "application/vnd.ipld.raw"
_REDIRECTS = 5

_NO_SUCH_FORMAT = {400, 405, 406, 415, 501}
_BLOCKS_REFUSED = {403, 404}  # which some gateways answer where they would give the file
_REDIRECTED = {301, 302, 303, 307, 308}
# The gateway as a whole, not one object: it wants a login or money, is busy, or is broken behind its front.
_BUSY = {429, 503, 520, 521, 522, 523, 525, 526, 527, 530}
_CLOSED = {401, 402, 407}
_WORTH_ANOTHER_TRY = {500, 502, 524}  # a single block may meet these in passing


class _NoBlocksError(Exception):
    """The gateway serves files, not their inner blocks."""


class _AgainError(Exception):
    """An answer that may be another one next time, perhaps after `pause` seconds: `error` is what to raise where it is
    not."""

    def __init__(self, error: NetworkError, pause: float | None) -> None:
        super().__init__(str(error))
        self.error, self.pause = error, pause


class GatewayStore(BlockStore):
    """The gateway at `url`, such as `https://ipfs.io` (files under `/ipfs/CID`)."""

    _ahead = 4
    _remembered = 8

    def __init__(self, url: str, waits: Waits = WAITS) -> None:
        super().__init__()
        self._base = _parse_url(url)
        base = urlunsplit(self._base)
        self.name = f"gateway {shown(base)}"
        self._hint = "check the address, or try another gateway"
        self._session = HttpSession(base, limit=MAX_BLOCK_SIZE, seconds=waits.block)
        self._session.headers["Accept-Encoding"] = "identity"
        self._waits, self._patience = waits, Patience(waits)
        self._serves_blocks = True
        self._gave_blocks = False
        self._file: WholeFile | None = None

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        done = 0
        if self._serves_blocks or cid.codec == "raw":
            try:
                for piece in super().read(cid, size, offset, length):
                    yield piece
                    done += len(piece)
                return
            except _NoBlocksError:
                pass
        end = size if length is None else offset + length
        for piece in self._read_whole(cid, size, offset + done, end):
            self._require_time()
            yield piece

    def _fetch(self, cid: Cid) -> bytes:
        self._patience.require(self.name, cid)

        def once() -> bytes:
            with self._patience.watching(cid):
                return self._fetch_once(cid)

        return self._retried(once)

    def _fetch_once(self, cid: Cid) -> bytes:
        refusal: NotFoundError | None = None
        with self._get(cid, {"Accept": _RAW_BLOCK}, "?format=raw") as answer:
            refuses = answer.status in _BLOCKS_REFUSED and not self._gave_blocks
            if not refuses and answer.status not in _NO_SUCH_FORMAT:
                self._require_success(answer, cid)
                block = self._block_in(answer, cid)
                self._gave_blocks |= cid.matches(block)
                return block
            if refuses:
                with suppress(_AgainError):
                    refusal = self._missing(answer, cid)
        if cid.codec == "dag-pb":
            raise _NoBlocksError
        # The bytes of a file of one raw block are that block.
        try:
            with self._get(cid, {}) as answer:
                self._require_success(answer, cid)
                return answer.read()
        except NotFoundError as error:
            raise refusal or error from None

    def _block_in(self, answer: Answer, cid: Cid) -> bytes:
        said_raw = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _RAW_BLOCK
        ignored_format = cid.codec == "dag-pb" and not said_raw
        try:
            with self._errors():
                block = answer.read()
        except ContentError:
            if ignored_format:
                raise _NoBlocksError from None
            raise
        if ignored_format and not cid.matches(block):
            raise _NoBlocksError
        return block

    # ------------------------------------------------------------------------------------------------- files as a whole

    def _read_whole(self, cid: Cid, size: int, start: int, end: int) -> Iterator[bytes]:
        if start < 0 or start > end or end > size:
            raise ValueError(f"bytes {start} to {end} do not lie in a file of {size} bytes")
        wanted = Root(cid, size)
        if self._file is None or self._file.wanted != wanted:
            self._patience.require(self.name, cid)
            if self._file is not None:
                self._file.close()
                self._file = None
            with self._patience.watching(cid):
                self._file = self._download(wanted)
            self._serves_blocks = self._gave_blocks
        yield from self._file.read(start, end)

    def _download(self, wanted: Root) -> WholeFile:
        """All the content, checked. A broken transfer is taken up where it broke off."""
        file = WholeFile(wanted, self.name, self._hint)
        ends = time.monotonic() + self._waits.block + wanted.size / self._waits.slowest
        try:
            self._retried(lambda: self._take_up(file, max(ends - time.monotonic(), 0.001)))
            file.finish()
        except BaseException:
            file.close()
            raise
        return file

    def _take_up(self, file: WholeFile, seconds: float) -> None:
        cid, size, done = file.wanted.cid, file.wanted.size, file.done
        headers = {"Range": f"bytes={done}-"} if done else {}
        with self._get(cid, headers, limit=size, seconds=seconds) as answer:
            self._require_success(answer, cid)
            encoded = answer.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}
            if encoded or not _continues(answer, done):
                if answer.status == 206 and done:
                    # part of something, but not the part that was asked for
                    raise NetworkError(f"{self.name} gives another part of {cid} than it was asked for", self._hint)
                file.restart()
                said = answer.headers.get("Content-Length", "")
                if not encoded and said.isdecimal() and int(said[:20]) > size:
                    raise ContentError(f"{self.name}: {cid} is longer than {size} bytes", self._hint, code="too-large")
            pieces = answer.pieces()
            while True:
                with self._errors():
                    piece = next(pieces, None)
                if piece is None:
                    return
                self._require_time()
                file.add(piece)

    # -------------------------------------------------------------------------------------------------------- exchanges

    def _errors(self) -> Any:
        return network_errors(self.name, self._hint)

    @contextmanager
    def _get(
        self,
        cid: Cid,
        headers: dict[str, str],
        query: str = "",
        limit: int | None = None,
        seconds: float | None = None,
    ) -> Iterator[Answer]:
        url = f"{urlunsplit(self._base)}/ipfs/{cid}{query}"
        ends = time.monotonic() + (self._patience.deadline() if seconds is None else seconds)
        for _ in range(_REDIRECTS + 1):
            left = self._time_left(max(ends - time.monotonic(), 0.001))
            idle = self._patience.idle()
            opened = self._session.opened(
                "GET",
                url,
                {"Accept": "*/*", **headers},
                limit=MAX_BLOCK_SIZE if limit is None else limit,
                seconds=left,
                idle=idle,
            )
            with self._in_time(), self._errors(), opened as answer:
                if answer.status not in _REDIRECTED or "Location" not in answer.headers:
                    yield answer
                    return
                url = self._redirect(url, answer.headers["Location"])
        raise NetworkError(f"{self.name} redirects more than {_REDIRECTS} times", self._hint, code="bad-redirect")

    def _redirect(self, source: str, location: str) -> str:
        """The address that is redirected to, if it is one to follow."""
        try:
            target = urlsplit(urljoin(source, location))
            host, here = target.hostname or "", _origin(target) == _origin(self._base)
        except ValueError:
            raise NetworkError(
                f"{self.name} redirects to something that is no address", self._hint, code="bad-redirect"
            ) from None
        if target.scheme not in {"http", "https"} or not host:
            raise NetworkError(
                f"{self.name} redirects to something that is no web address", self._hint, code="bad-redirect"
            )
        if here:
            return urlunsplit(target._replace(netloc=self._base.netloc))  # with the user that was given for it
        if is_inside(host) or is_inside(self._base.hostname or ""):
            error = unsafe(host)
            raise NetworkError(
                f"{self.name} redirects into this machine or a private network, or out of it, which is refused",
                error.hint,
                code=error.code,
            )
        if target.scheme == "http" and urlsplit(source).scheme == "https":
            raise NetworkError(
                f"{self.name} redirects from https to http, which is refused", self._hint, code="unsafe-address"
            )
        return urlunsplit(target._replace(netloc=target.netloc.rpartition("@")[2]))

    def _require_success(self, answer: Answer, cid: Cid) -> None:
        status = answer.status
        if status in {200, 206}:
            return
        if status in _BUSY:
            error = NetworkError(
                f"{self.name} is busy or broken (status {status}{pause_words(answer.response)})",
                "try again later, or try another gateway",
                code="store-busy",
            )
            raise _AgainError(error, wanted_pause(answer.response))
        if status in _CLOSED:
            raise NetworkError(
                f"{self.name} refuses to serve anything (status {status})", self._hint, code="store-refused"
            )
        if status == 400 and answer.response.url.startswith("http://") and b"HTTPS server" in answer.read()[:500]:
            raise NetworkError(f"{self.name} speaks TLS on this port", "give its address with https://")
        raise self._missing(answer, cid)

    def _missing(self, answer: Answer, cid: Cid) -> NotFoundError:
        """Whatever the reason, it is about this object: the next one may be there. Raises `_AgainError`."""
        status = answer.status
        verb = "does not have" if status in {404, 408, 410, 504} else "refuses to serve"
        error = NotFoundError(f"{self.name} {verb} {cid} (status {status})", "try another gateway")
        if status in _WORTH_ANOTHER_TRY:
            raise _AgainError(error, wanted_pause(answer.response))
        return error

    def _retried(self, once: Callable[[], _Result]) -> _Result:
        """What `once` returns, tried again after a pause where the next try may fare better."""
        retry = Retry(self._waits.pauses, sleep=self._wait)
        while True:
            try:
                return once()
            except _AgainError as again:
                if not retry.again(again.pause):
                    raise again.error from None
            except (NotFoundError, SlowSourceError):
                raise
            except NetworkError as error:
                if error.code == "unsafe-address" or not retry.again():
                    raise

    def _wait(self, seconds: float) -> None:
        self._require_time()
        time.sleep(self._time_left(seconds))


def _continues(answer: Answer, done: int) -> bool:
    return done > 0 and answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {done}-")


def _origin(url: SplitResult) -> tuple[str, str, int]:
    return url.scheme, plain(url.hostname or ""), url.port or (443 if url.scheme == "https" else 80)


def _parse_url(text: str) -> SplitResult:
    wrong = UsageError("the address of the gateway can't be used", "give it as https://HOST", code="bad-store")
    try:
        url = urlsplit(text.strip())
        if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.port == 0:
            raise wrong
    except ValueError:
        raise wrong from None
    netloc = url.netloc
    if plain(url.hostname) == "localhost":
        # Kubo answers on "localhost" with a redirect to CID.ipfs.localhost, a name that few systems resolve.
        user, at, _ = netloc.rpartition("@")
        netloc = f"{user}{at}127.0.0.1" + (f":{url.port}" if url.port else "")
    return url._replace(netloc=netloc, path=url.path.rstrip("/").removesuffix("/ipfs"))
