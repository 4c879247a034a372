"""Lists that are cut off, because strangers can make them long."""

from collections.abc import Iterable
from typing import Final, TypeVar

MOST: Final = 100
"""Listings or orders of a list, and rounds of an order in it, where nothing else is said."""

_View = TypeVar("_View")


class Page(list[_View]):
    """A list that was cut off: `more` counts what there is besides."""

    def __init__(self, views: Iterable[_View] = (), more: int = 0) -> None:
        super().__init__(views)
        self.more = more
