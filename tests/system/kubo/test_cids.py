"""Our CIDs are those that Kubo computes."""

import random
import subprocess

import pytest

from numerbay_chain.ipfs import LEAF_SIZE, Importer, KuboStore

IMPORT = ["--cid-version=1", "--raw-leaves", f"--chunker=size-{LEAF_SIZE}", "--max-file-links=1024"]
SIZES = [0, 1, 4095, 4096, 4097, LEAF_SIZE - 1, LEAF_SIZE, LEAF_SIZE + 1, 5 * LEAF_SIZE]


@pytest.mark.parametrize("size", SIZES)
def test_the_cid_of_a_file_is_kubos(daemon, size):
    content = random.Random(size).randbytes(size)
    importer = Importer()
    importer.update(content)
    kubos = daemon.run("add", "--quieter", "--only-hash", *IMPORT, given=content).decode().strip()
    assert str(importer.finish().cid) == kubos


@pytest.mark.slow
def test_the_cid_of_a_file_with_more_than_1024_leaves_is_kubos(daemon):
    base = random.Random(1025).randbytes(LEAF_SIZE)
    command = [str(daemon.binary), "add", "--quieter", "--only-hash", *IMPORT]
    importer = Importer()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"IPFS_PATH": str(daemon.repository)}
    ) as kubo:
        for index in range(1025):
            piece = index.to_bytes(8, "big") + base[8:]
            importer.update(piece)
            kubo.stdin.write(piece)
        kubos = kubo.communicate(timeout=120)[0].decode().strip()
    root = importer.finish()
    assert root.size == 1025 * LEAF_SIZE
    assert str(root.cid) == kubos


def test_a_tree_of_two_levels_that_kubo_made_is_read_across_its_middle(daemon, store):
    """All leaves are the same block, so that it is cheap: the shape is the same."""
    size = 1026 * LEAF_SIZE + 5

    def zeros():
        for _ in range(1026):
            yield bytes(LEAF_SIZE)
        yield bytes(5)

    importer = Importer()
    for piece in zeros():
        importer.update(piece)
    root = importer.finish()
    command = [str(daemon.binary), "add", "--quieter", *IMPORT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"IPFS_PATH": str(daemon.repository)}
    ) as kubo:
        for piece in zeros():
            kubo.stdin.write(piece)
        assert kubo.communicate(timeout=120)[0].decode().strip() == str(root.cid)
    assert isinstance(store, KuboStore)
    assert store.read_bytes(root.cid, size, 1024 * LEAF_SIZE - 3, 6) == bytes(6)
    assert store.read_bytes(root.cid, size, size - 7, 7) == bytes(7)
