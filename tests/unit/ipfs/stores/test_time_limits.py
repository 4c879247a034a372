"""The time in which a store has to give what is asked for: in all, whatever it is, and shared by several stores."""

import threading
import time

import pytest

from numerbay_chain.core.errors import NetworkError, NotFoundError, SlowSourceError
from numerbay_chain.ipfs import LEAF_SIZE, EmbeddedStore, FallbackStore

CONTENT = bytes(range(256)) * 4096 * 3 + b"end"


class SlowStore(EmbeddedStore):
    """Every block takes a while, as on a disk that wakes up."""

    seconds = 0.1
    asked = 0

    def _fetch(self, cid):
        self.asked += 1
        time.sleep(self.seconds)
        return super()._fetch(cid)


class AheadStore(SlowStore):
    _ahead = 2


@pytest.fixture
def full(tmp_path):
    store = SlowStore(tmp_path / "full")
    return store, store.add(CONTENT)


def test_all_reads_together_have_one_time(full):
    store, root = full
    started = time.monotonic()
    with pytest.raises(SlowSourceError) as caught, store.within(0.35):
        [store.read_bytes(root.cid, root.size, number % 3 * LEAF_SIZE, 1) for number in range(100)]
    assert caught.value.code == "slow-source"
    assert isinstance(caught.value, NetworkError)
    assert not isinstance(caught.value, NotFoundError)
    assert store.name in str(caught.value)
    assert caught.value.hint
    assert time.monotonic() - started < 2
    assert 2 <= store.asked <= 5
    assert store.read_bytes(root.cid, root.size) == CONTENT  # after the block there is no bound


def test_of_two_bounds_the_earlier_ends(full):
    store, root = full
    for outer, inner in ((0.15, 60), (60, 0.15)):
        with store.within(outer):
            with pytest.raises(SlowSourceError), store.within(inner):
                store.read_bytes(root.cid, root.size)
            if outer == 60:
                assert store.read_bytes(root.cid, root.size) == CONTENT


def test_a_read_that_began_outside_of_the_bound_counts_too(full):
    store, root = full
    pieces = store.read(root.cid, root.size)
    next(pieces)
    with store.within(0), pytest.raises(SlowSourceError):
        next(pieces)


def test_a_block_has_the_same_time_as_a_file(tmp_path):
    store = EmbeddedStore(tmp_path)
    root = store.add(b"block")
    with store.within(0), pytest.raises(SlowSourceError):
        store.read_block(root.cid)
    with store.within(60):
        assert store.read_block(root.cid) == b"block"


def test_blocks_that_are_fetched_ahead_have_the_same_time(tmp_path):
    store = AheadStore(tmp_path / "full")
    root = store.add(CONTENT)
    with store.within(60):
        assert store.read_bytes(root.cid, root.size) == CONTENT
    with store.within(0.15), pytest.raises(SlowSourceError):
        store.read_bytes(root.cid, root.size)


def test_the_bound_of_one_store_or_thread_is_not_anothers(full, tmp_path):
    store, root = full
    other = EmbeddedStore(tmp_path / "other")
    small = other.add(b"block")
    given = []
    with store.within(0):
        assert other.read_block(small.cid) == b"block"
        thread = threading.Thread(target=lambda: given.append(store.read_bytes(root.cid, root.size)))
        thread.start()
        thread.join()
    assert given == [CONTENT]


def test_of_several_stores_each_gets_its_share_and_then_the_next_is_asked(full, tmp_path):
    good, root = full
    good.seconds = 0
    slow = SlowStore(good.folder)
    slow.seconds = 0.6
    store = FallbackStore([slow, SlowStore(tmp_path / "empty"), good])
    with store.within(1.5):
        assert store.read_bytes(root.cid, root.size) == CONTENT
    assert slow.asked == 1
    with store.within(1.5):
        assert store.read_block(good.add(b"block").cid) == b"block"
    with pytest.raises(SlowSourceError), store.within(0):
        store.read_bytes(root.cid, root.size)


def test_what_a_slow_store_gave_in_its_time_is_not_asked_for_again(full):
    good, root = full
    good.seconds = 0
    slow = SlowStore(good.folder)
    store = FallbackStore([slow, good])
    with store.within(0.7):
        pieces = [len(piece) for piece in store.read(root.cid, root.size)]
    assert sum(pieces) == root.size
    assert slow.asked >= 3  # the root and a leaf at least, then its half of the time is over
    assert good.asked <= 4


def test_the_last_of_several_slow_stores_says_so(full):
    good, root = full
    store = FallbackStore([SlowStore(good.folder), SlowStore(good.folder)])
    started = time.monotonic()
    with pytest.raises(SlowSourceError), store.within(0.3):
        store.read_bytes(root.cid, root.size)
    assert time.monotonic() - started < 2


def take_slowly(pieces, given):
    for piece in pieces:
        given += piece
        time.sleep(0.2)


def test_a_reader_that_is_slow_itself_uses_up_the_time(full):
    good, root = full
    good.seconds = 0
    given = bytearray()
    with pytest.raises(SlowSourceError), good.within(0.3):
        take_slowly(good.read(root.cid, root.size), given)
    assert CONTENT.startswith(given)
    assert 0 < len(given) < len(CONTENT)
