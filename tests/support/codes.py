"""What a step fails with: errors are told apart by type, code and values, never by the words of their sentence.

The sentences themselves are in tests/snapshots.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from numerbay_chain.core.errors import NumerbayChainError

Failing = TypeVar("Failing", bound=Exception)


def says(error: BaseException, *values: object) -> bool:
    """Return whether the sentence names each value (an amount, a number, an address, a file) as a word of its own."""
    return all(re.search(rf"(?<![\w-])(?<!\w\.){re.escape(str(value))}(?!\w|-\w|\.\w)", str(error)) for value in values)


@contextmanager
def fails_with(
    kind: type[Failing], code: str | None = None, *values: object
) -> Iterator[pytest.ExceptionInfo[Failing]]:
    """Expect an error of this type and code, with these values in its sentence. Misuse of a function (`ValueError`,
    `TypeError`) has no code."""
    with pytest.raises(kind) as raised:
        yield raised
    error = raised.value
    assert getattr(error, "code", None) == code, f"{getattr(error, 'code', None)}: {error}"
    assert says(error, *values), f"{values} in: {error}"


def failure(step: Callable[[], object], code: str) -> NumerbayChainError:
    """Return the error of that code with which `step` ends."""
    with fails_with(NumerbayChainError, code) as raised:
        step()
    return raised.value
