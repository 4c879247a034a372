"""The body of an answer, in bounded pieces: as it was sent, and decompressed within the same bound."""

import zlib
from collections.abc import Iterator
from typing import Protocol

import requests

from numerbay_chain.core.network.failures import OversizedError, TransportError

PIECE_SIZE = 1 << 17
_MOST_ENCODINGS = 2
_HEAD_SIZE = 64


class _Decoder(Protocol):
    def decode(self, data: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


def body_pieces(response: requests.Response, limit: int) -> Iterator[bytes]:
    """Yield what the body stands for, in pieces of at most `PIECE_SIZE` bytes and at most `limit` bytes in all.

    Raises `OversizedError` for more, as sent or decompressed, `TransportError` for what can't be decompressed, and what
    urllib3 does.
    """
    decoders = _decoders(response.headers.get("Content-Encoding", ""), limit)
    given = received = 0
    for sent in response.raw.stream(PIECE_SIZE, decode_content=False):
        received += len(sent)
        if received > limit + limit // 8 + PIECE_SIZE:  # what can't be compressed grows a little
            raise _too_large(limit)
        for piece in _through(decoders, sent):
            given += len(piece)
            if given > limit:
                raise _too_large(limit)
            yield piece
    if received:  # an empty body is nothing in any encoding
        for decoder in decoders:
            decoder.finish()


def read_whole(response: requests.Response, limit: int) -> bytes:
    """Return all of the body, at most `limit` bytes. Raises as `body_pieces`."""
    body = bytearray()
    for piece in body_pieces(response, limit):
        body += piece
    return bytes(body)


def _too_large(limit: int) -> OversizedError:
    return OversizedError("gives too long an answer", f"more than {limit:,} bytes", "use another one")


def _through(decoders: list[_Decoder], data: bytes) -> Iterator[bytes]:
    if not decoders:
        yield data
        return
    for piece in decoders[0].decode(data):
        yield from _through(decoders[1:], piece)


def _decoders(header: str, limit: int) -> list[_Decoder]:
    names = [name.strip().lower() for name in header.split(",")]
    names = [name for name in names if name not in {"", "identity"}]
    unknown = [name for name in names if name not in {"gzip", "x-gzip", "deflate"}]
    if unknown or len(names) > _MOST_ENCODINGS:
        raise TransportError("compresses its answer in a way that was not asked for", hint="use another one")
    return [_Inflater(name, limit) for name in reversed(names)]


class _Inflater:
    """gzip (RFC 1952, of one or several members) or deflate (with zlib's header, or without as some send it)."""

    def __init__(self, name: str, limit: int) -> None:
        self._is_gzip = name != "deflate"
        self._left = limit
        self._zlib = zlib.decompressobj(31 if self._is_gzip else 15)
        self._start: bytes | None = b""  # what came before the first output of a deflate, whose kind is not known yet

    def decode(self, data: bytes) -> Iterator[bytes]:
        more = bool(data)
        while more:
            if self._zlib.eof:
                if not self._is_gzip or not data.strip(b"\0"):
                    return  # padding
                self._zlib = zlib.decompressobj(31)
            piece = self._inflate(data)
            self._left -= len(piece)
            if self._left < 0:
                raise _too_large_inside()
            if piece:
                yield piece
            data = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            # a full piece may leave output behind though all input was taken
            more = bool(data) or (len(piece) == PIECE_SIZE and not self._zlib.eof)

    def _inflate(self, data: bytes) -> bytes:
        try:
            piece = self._zlib.decompress(data, PIECE_SIZE)
        except zlib.error:
            if self._is_gzip or self._start is None:
                raise _damaged() from None
            piece = self._inflate_bare(self._start + data)
        if not self._is_gzip and self._start is not None:
            self._start = None if piece or len(self._start) > _HEAD_SIZE else self._start + data
        return piece

    def _inflate_bare(self, data: bytes) -> bytes:
        self._zlib, self._start = zlib.decompressobj(-15), None
        try:
            return self._zlib.decompress(data, PIECE_SIZE)
        except zlib.error:
            raise _damaged() from None

    def finish(self) -> None:
        if not self._zlib.eof:
            raise _damaged()


def _too_large_inside() -> OversizedError:
    return OversizedError(
        "gives too long an answer", "it is compressed, and unpacks to more than it may", "use another one"
    )


def _damaged() -> TransportError:
    return TransportError("compresses its answer wrongly", hint="use another one", tries=10)
