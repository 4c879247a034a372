"""A purchase that was mined is told as one, wherever the standard streams lead."""

import errno
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from numerbay_chain.buyer import Buyer
from numerbay_chain.cli.main import main
from numerbay_chain.core.errors import ExitCode
from numerbay_chain.session import Session
from tests.support.places import PRICE, Place
from tests.support.told import Told


class Failing(io.RawIOBase):
    """A stream whose every write fails with this error."""

    def __init__(self, number: int) -> None:
        self._number = number

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(self._number, os.strerror(self._number))


def failing(number: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(Failing(number), encoding="utf-8", write_through=True)  # type: ignore[type-var]  # as a buffer


def kept(encoding: str = "utf-8", errors: str = "strict") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors, write_through=True)


def said(stream: io.TextIOWrapper | None) -> str:
    return stream.buffer.getvalue().decode() if isinstance(getattr(stream, "buffer", None), io.BytesIO) else ""  # type: ignore[union-attr]  # BytesIO


STREAMS: dict[str, Callable[[], tuple[io.TextIOWrapper | None, io.TextIOWrapper | None]]] = {
    "both open": lambda: (kept(), kept()),
    "stdout closed": lambda: (None, kept()),
    "stderr closed": lambda: (kept(), None),
    "both closed": lambda: (None, None),
    "stdout full": lambda: (failing(errno.ENOSPC), kept()),
    "stdout without a reader": lambda: (failing(errno.EPIPE), kept()),
    "stdout failing": lambda: (failing(errno.EIO), kept()),
    "stderr full": lambda: (kept(), failing(errno.ENOSPC)),
    "stderr without a reader": lambda: (kept(), failing(errno.EPIPE)),
    "both full": lambda: (failing(errno.ENOSPC), failing(errno.ENOSPC)),
    "both without a reader": lambda: (failing(errno.EPIPE), failing(errno.EPIPE)),
    "both ascii": lambda: (kept("ascii"), kept("ascii")),
}


@pytest.fixture
def sold(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Place:
    place.seller.create_listing(PRICE)
    place.buyer()
    monkeypatch.setenv("NUMERBAY_CHAIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NUMERBAY_CHAIN_YES", "1")
    return place


def run(place: Place, monkeypatch: pytest.MonkeyPatch, streams: tuple[object, object], *arguments: str) -> int:
    def opened(*_: object, dry_run: bool, **__: object) -> Session:
        return place.session("buyer-1", 1, dry_run=dry_run)

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        return main([*arguments], opened)


@pytest.mark.parametrize(
    ("how", "as_json"), [*((how, False) for how in STREAMS), ("both open", True), ("stdout full", True)]
)
def test_a_purchase_is_done_and_told_where_it_can_be(
    sold: Place, monkeypatch: pytest.MonkeyPatch, how: str, as_json: bool
) -> None:
    streams = STREAMS[how]()
    code = run(sold, monkeypatch, streams, "buy", "1", *(["--json"] if as_json else []))
    assert [order.id for order in Told(sold.contract).orders_of(1)] == [1 << 32], "it was bought, once"
    assert code == ExitCode.DONE
    told = [said(stream) for stream in streams]  # type: ignore[arg-type]  # of Failing ones nothing
    assert "bug" not in "".join(told)
    if any(isinstance(getattr(stream, "buffer", None), io.BytesIO) for stream in streams):
        assert any('"name": "1-0"' in text if as_json else "order 1-0" in text for text in told), told
    if as_json and how == "both open":
        assert json.loads(told[0])["name"] == "1-0"


@pytest.mark.parametrize("how", ["stdout full", "stdout without a reader", "stdout failing"])
def test_a_purchase_of_an_earlier_call_is_told_where_it_can_be(
    sold: Place, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    earlier = replace(sold.buyer().buy(1), resumed=True)
    monkeypatch.setattr(Buyer, "resume_purchase", lambda *_, **__: earlier)
    streams = STREAMS[how]()
    assert run(sold, monkeypatch, streams, "buy", "1") == ExitCode.DONE
    assert "order 1-0" in said(streams[1])


@pytest.mark.parametrize("how", ["stdout closed", "stderr closed", "both closed", "both full"])
def test_a_purchase_that_is_refused_ends_with_its_own_code(
    sold: Place, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    streams = STREAMS[how]()
    assert run(sold, monkeypatch, streams, "buy", "7") == ExitCode.REFUSED
    told = "".join(said(stream) for stream in streams)  # type: ignore[arg-type]  # as above
    assert "bug" not in told
    if any(isinstance(getattr(stream, "buffer", None), io.BytesIO) for stream in streams):
        assert "no listing 7" in told
