from collections.abc import Callable

import pytest

from numerbay_chain.crypto.content_key import ContentKey, Context, derive_content_key

SELLER_SECRET = bytes(range(32))


@pytest.fixture
def context() -> Context:
    return Context(chain_id=1, marketplace=bytes(range(20)), listing=3, round=2)


@pytest.fixture
def new_key(context: Context) -> Callable[[int], ContentKey]:
    """A content key per number."""
    return lambda number: derive_content_key(SELLER_SECRET, number.to_bytes(32, "big"), context)


@pytest.fixture
def key(new_key: Callable[[int], ContentKey]) -> ContentKey:
    return new_key(0)
