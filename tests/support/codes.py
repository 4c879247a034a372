"""What a step fails with: errors are told apart by their codes, not by their sentences."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from numerbay_chain.core.errors import NumerbayChainError


@contextmanager
def fails_with(code: str) -> Iterator[None]:
    """The block ends with that error."""
    with pytest.raises(NumerbayChainError) as raised:
        yield
    assert raised.value.code == code, str(raised.value)


def failure(step: Callable[[], object], code: str) -> NumerbayChainError:
    """The error of that code with which `step` ends."""
    with pytest.raises(NumerbayChainError) as raised:
        step()
    assert raised.value.code == code, str(raised.value)
    return raised.value
