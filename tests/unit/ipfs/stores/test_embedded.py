"""The embedded store: what it holds is complete, durable and checked, whatever happens to the process or the disk."""

import errno
import os
import stat
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerbay_chain.core.errors import ContentError, NotFoundError, RefusedError
from numerbay_chain.ipfs import LEAF_SIZE, Cid, EmbeddedStore, Importer, Root
from tests.support.codes import fails_with
from tests.support.noise import noise


@pytest.fixture
def store(tmp_path):
    return EmbeddedStore(tmp_path / "store")


def files_in(store):
    return sorted(
        path.relative_to(store.folder).parts[0]
        for path in store.folder.rglob("*")
        if path.is_file() and path.name != "lock"
    )


def cid_of(content):
    importer = Importer()
    importer.update(content)
    return importer.finish()


def run_python(code, *arguments, **options):
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], **options)


@settings(max_examples=20)
@given(st.sampled_from([0, 1, 4096, LEAF_SIZE - 1, LEAF_SIZE, LEAF_SIZE + 1, 3 * LEAF_SIZE + 5]), st.data())
def test_what_is_pinned_can_be_read_back_whole_and_in_part(tmp_path_factory, size, data):
    store = EmbeddedStore(tmp_path_factory.mktemp("store"))
    content = noise(size)
    root = store.add(content, "a file")
    assert root == cid_of(content)
    assert store.read_bytes(root.cid, size) == content
    offset = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - offset))
    assert store.read_bytes(root.cid, size, offset, length) == content[offset : offset + length]


def test_a_stream_in_small_and_large_pieces_gives_the_same_file(store):
    content = noise(5 * LEAF_SIZE + 7)
    with store.writer("a stream") as writer:
        buffer = bytearray(content[:100])
        writer.write(buffer)
        buffer[:] = bytes(100)  # the caller may reuse it
        writer.write(memoryview(content)[100 : 4 * LEAF_SIZE])
        writer.write(content[4 * LEAF_SIZE :])
        root = writer.finish()
    assert root == cid_of(content)
    assert store.read_bytes(root.cid, root.size) == content


def test_the_pin_is_recorded(store):
    first, second = store.add(b"one", "manifest"), store.add(bytes(2 * LEAF_SIZE), "ciphertext")
    assert set(store.pins()) == {first, second}


def test_a_store_that_was_never_written_to_is_empty_and_not_made(store):
    assert list(store.pins()) == []
    with fails_with(NotFoundError, "not-found"):
        store.read_bytes(cid_of(b"absent").cid, 6)
    assert not store.folder.exists()


def test_only_its_owner_can_look_into_it(store):
    root = store.add(b"mine")
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(store.block_path(root.cid).stat().st_mode) == 0o600


def test_an_aborted_file_leaves_nothing(store):
    with store.writer("given up") as writer:
        writer.write(noise(9 * LEAF_SIZE))
    assert files_in(store) == []


def test_a_file_is_not_to_be_had_before_it_is_finished(store):
    content = bytes(range(256)) * 8192
    with store.writer("in the making") as writer:
        writer.write(content)
        with pytest.raises(NotFoundError):
            store.read_bytes(cid_of(content).cid, len(content))
        writer.finish()
    assert store.read_bytes(cid_of(content).cid, len(content)) == content


def test_aborting_after_the_end_does_nothing(store):
    writer = store.writer("kept")
    writer.write(b"kept")
    root = writer.finish()
    writer.abort()
    writer.abort()
    assert store.read_bytes(root.cid, root.size) == b"kept"


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b"\x00" + b[1:], lambda b: b + b"\x00", lambda b: b""])
def test_a_block_that_was_altered_on_disk_is_noticed(store, change):
    root = store.add(b"as it was")
    store.block_path(root.cid).write_bytes(change(b"as it was"))
    with fails_with(ContentError, "bad-content"):
        store.read_bytes(root.cid, root.size)


def test_a_huge_file_in_place_of_a_block_is_not_read_to_its_end(store):
    root = store.add(b"small")
    with store.block_path(root.cid).open("wb") as file:
        file.truncate(1 << 40)
    with fails_with(ContentError, "bad-content"):
        store.read_bytes(root.cid, root.size)


def test_pinning_again_mends_a_block_that_was_altered(store):
    root = store.add(b"as it was")
    store.block_path(root.cid).write_bytes(b"as it isn")
    assert store.add(b"as it was") == root
    assert store.read_bytes(root.cid, root.size) == b"as it was"


def test_the_same_block_many_times_in_one_file_is_kept_once(store):
    root = store.add(bytes(12 * LEAF_SIZE))
    assert files_in(store) == ["blocks", "blocks", "pins"]
    assert store.read_bytes(root.cid, root.size) == bytes(12 * LEAF_SIZE)


def test_a_raw_block_can_be_read_without_knowing_its_size(store):
    root = store.add(b"details")
    assert store.read_block(root.cid) == b"details"
    store.block_path(root.cid).write_bytes(b"detailz")
    with pytest.raises(ContentError):
        store.read_block(root.cid)
    with fails_with(ValueError):
        store.read_block(Cid("dag-pb", root.cid.digest))


def test_a_disk_that_is_full_leaves_nothing_half(store):
    """The limit on file size stands for the full disk: the same refusal by the system, in the middle of a block."""
    code = """
        import resource, sys
        from numerbay_chain.core.errors import RefusedError
        from numerbay_chain.ipfs import EmbeddedStore
        store = EmbeddedStore(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        try:
            with store.writer("too much") as writer:
                for _ in range(30):
                    writer.write(bytes(1 << 20))
                writer.finish()
        except RefusedError as error:
            sys.exit(f"{error} / {error.hint}")
    """
    process = run_python(code, store.folder, stderr=subprocess.PIPE, text=True)
    _, message = process.communicate(timeout=60)
    assert message.startswith("no space left to write")
    assert "free some space" in message
    assert files_in(store) == []


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_that_syncs_nothing_takes_a_file(store, monkeypatch, number):
    def refused(*_):
        raise OSError(number, os.strerror(number))

    for call in ("fsync", "posix_fadvise"):
        monkeypatch.setattr(os, call, refused, raising=False)
    root = store.add(b"data")
    assert store.read_bytes(root.cid, 4) == b"data"


def test_a_folder_that_can_not_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with fails_with(RefusedError, "unwritable"):
        EmbeddedStore(tmp_path / "file" / "store").add(b"x")


def test_what_a_killed_process_left_is_cleared_away_by_the_next_writer(store):
    code = """
        import sys
        from numerbay_chain.ipfs import EmbeddedStore
        writer = EmbeddedStore(sys.argv[1]).writer("never finished")
        for n in range(12):
            writer.write(bytes([n]) * (1 << 20))
        print("ready", flush=True)
        sys.stdin.read()
    """
    process = run_python(code, store.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate(timeout=60)
    assert "incoming" in files_in(store)
    store.add(b"next")
    assert files_in(store) == ["blocks", "pins"]


def test_two_writers_at_the_same_time_do_not_disturb_each_other(store):
    content = noise(4 * LEAF_SIZE)
    first = store.writer("first")
    first.write(content)
    second = store.add(content, "second")
    assert first.finish() == second
    assert store.read_bytes(second.cid, second.size) == content


def test_two_processes_can_pin_the_same_and_other_files_at_the_same_time(store):
    code = """
        import sys
        from numerbay_chain.ipfs import EmbeddedStore
        store = EmbeddedStore(sys.argv[1])
        for n in range(8):
            store.add(bytes([n]) * (2 << 20), "the same")
            store.add(sys.argv[2].encode() * (n + 1), "its own")
    """
    processes = [run_python(code, store.folder, name) for name in ("left", "right")]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    contents = [bytes([n]) * (2 << 20) for n in range(8)]
    contents += [name * (n + 1) for name in (b"left", b"right") for n in range(8)]
    assert set(store.pins()) == {cid_of(content) for content in contents}
    for content in contents:
        root = cid_of(content)
        assert store.read_bytes(root.cid, root.size) == content
    assert "incoming" not in files_in(store)


def test_a_damaged_pin_file_name_is_passed_over(store):
    root = store.add(b"good")
    (store.folder / "pins" / ".half.part").write_text("{")
    assert list(store.pins()) == [Root(root.cid, 4)]
