"""Objects that nobody has: how many are waited for, and for how long."""

import time
from collections.abc import Iterator

import pytest

from numerbay_chain.core.errors import NotFoundError, SlowSourceError
from numerbay_chain.ipfs import Cid, EmbeddedStore, PatientStore
from numerbay_chain.ipfs.http import IdleError
from numerbay_chain.ipfs.stores.base import Store

MISSING = Cid.raw(bytes(32))


class Stalling(Store):
    """A store that says after `pause` seconds that nothing came, and counts who asked."""

    name = "stalling store"

    def __init__(self, pause: float = 0.0, error: type[NotFoundError] = IdleError) -> None:
        self.pause, self.error, self.asked = pause, error, 0

    def read_block(self, cid: Cid) -> bytes:
        self.asked += 1
        time.sleep(self.pause)
        raise self.error("nothing came")

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield b"first"
        yield self.read_block(cid)


def asks(store: Store, times: int) -> list[str]:
    codes = []
    for _ in range(times):
        with pytest.raises((NotFoundError, SlowSourceError)) as caught:
            store.read_block(MISSING)
        codes.append(caught.value.code)
    return codes


def test_after_some_waits_nothing_more_is_asked() -> None:
    slow = Stalling()
    patient = PatientStore(slow, waits=3, each=5)
    assert asks(patient, 10)[3:] == 7 * ["slow-source"]
    assert slow.asked == 3
    assert patient.exhausted


def test_what_is_known_not_to_be_there_is_no_wait() -> None:
    quick = Stalling(error=NotFoundError)
    assert asks(PatientStore(quick, waits=3, each=5), 10) == 10 * ["not-found"]
    assert quick.asked == 10


def test_the_time_of_all_objects_together_is_bounded() -> None:
    slow = Stalling(pause=0.05, error=NotFoundError)
    codes = asks(PatientStore(slow, waits=99, each=5, total=0.12), 10)
    assert slow.asked == 3
    assert codes[3:] == 7 * ["slow-source"]


def test_a_file_that_stops_halfway_is_a_wait() -> None:
    slow = Stalling()
    patient = PatientStore(slow, waits=1, each=5)
    pieces = patient.read(MISSING, 100)
    assert next(pieces) == b"first"
    with pytest.raises(IdleError):
        next(pieces)
    assert patient.exhausted


def test_one_inside_another_counts_in_both() -> None:
    slow = Stalling()
    whole = PatientStore(slow, waits=5, each=5)
    for _ in range(4):
        asks(PatientStore(whole, waits=2, each=5), 3)
    assert slow.asked == 5
    assert whole.exhausted


def test_each_object_has_its_time(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = EmbeddedStore(tmp_path_factory.mktemp("store"))
    root = store.add(b"content")
    assert PatientStore(store, waits=1, each=5).read_block(root.cid) == b"content"
    assert PatientStore(store, waits=1, each=5).read_bytes(root.cid, root.size) == b"content"
    hasty = PatientStore(store, waits=1, each=0)
    with pytest.raises(SlowSourceError):
        hasty.read_block(root.cid)
    assert hasty.exhausted
