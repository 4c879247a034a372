"""One real Kubo daemon for all tests of this folder, and the store over it."""

import pytest

from numerbay_chain.ipfs import KuboStore
from tests.support.plugins import toolchain


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/system/kubo/" in item.path.as_posix():
            item.add_marker(pytest.mark.kubo)


@pytest.fixture(scope="session")
def daemon():
    with toolchain.kubo() as running:
        yield running


@pytest.fixture
def store(daemon):
    return KuboStore(daemon.rpc_url)
