"""Libraries that are installed only where somebody asks for what needs them."""

from collections.abc import Iterator
from contextlib import contextmanager

from numerbay_chain.core.errors import UsageError


@contextmanager
def needs(library: str, extra: str, what: str) -> Iterator[None]:
    """Import `library` inside the block. Raise `UsageError` (missing-extra) where it is not installed.

    `extra` is the extra of this package that brings it; `what` needs it ("an in-process chain").
    """
    try:
        yield
    except ModuleNotFoundError:
        raise UsageError(
            f"{what} needs {library}, which is not installed",
            f"run: pip install 'numerbay_chain[{extra}]'",
            code="missing-extra",
        ) from None
