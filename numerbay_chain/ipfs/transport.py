"""HTTP for the stores: answers are read in bounded pieces, and every failure becomes one of our errors."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3.exceptions

from numerbay_chain.errors import ContentError, NetworkError, NotFoundError
from numerbay_chain.text import one_line

CONNECT_TIMEOUT = 10.0
IDLE_TIMEOUT = 60.0
"""Seconds without a byte."""
BLOCK_DEADLINE = 300.0
"""Seconds for a whole block: a host that drips bytes is as good as none."""

_PIECE_SIZE = 1 << 17


class Session(requests.Session):
    """A session that leaves redirects alone.

    A plain one reads the whole body of a redirect, however long, even when told not to follow it.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class IdleError(NotFoundError):
    """No answer in time: from an IPFS node it means that nobody has the content."""


@contextmanager
def network_errors(name: str, hint: str) -> Iterator[None]:
    """Turns what `requests` and `urllib3` raise into `NetworkError`, or `IdleError` where no byte came in time."""
    try:
        yield
    except (requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError) as error:
        raise NetworkError(f"{name} can't be reached: no answer within {CONNECT_TIMEOUT:.0f} s", hint) from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise IdleError(f"{name} sent nothing for a while: it does not seem to have the content", hint) from error
    except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError) as error:
        raise NetworkError(f"{name} broke off its answer", hint) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise NetworkError(f"{name} can't be reached: {reason_of(error)}", hint) from error


def read_pieces(response: requests.Response, deadline: float | None = None) -> Iterator[bytes]:
    """The body as it was sent, never decompressed, in bounded pieces. Raises `IdleError`, or as urllib3 does."""
    ends = None if deadline is None else time.monotonic() + deadline
    for piece in response.raw.stream(_PIECE_SIZE, decode_content=False):
        yield piece
        if ends is not None and time.monotonic() > ends:
            raise IdleError(f"the answer did not end within {deadline:.0f} s", "try another --store")


def read_body(response: requests.Response, limit: int, what: str) -> bytes:
    """A body of at most `limit` bytes. Raises `ContentError` for a longer one, as soon as that is clear."""
    body = bytearray()
    for piece in read_pieces(response, BLOCK_DEADLINE):
        body += piece
        if len(body) > limit:
            raise ContentError(f"{what} is longer than {limit} bytes", "try another --store")
    return bytes(body)


def reason_of(error: Exception) -> str:
    """The innermost reason of a failed request, in a few words."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return one_line(getattr(cause, "strerror", None) or str(cause) or type(cause).__name__).lower()
