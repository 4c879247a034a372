"""The marketplace's logs: strict decoding, and `eth_getLogs` in pages that halve when a node refuses.

A node's answer is checked before it is used: the address, the range and the filter must be what was asked for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from numerbay_chain.chain.connection import Connection, NodeRefusedError, NodeTimeoutError
from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.node import values
from numerbay_chain.core.errors import NetworkError, UsageError
from numerbay_chain.protocol.events import BITS, Event

__all__ = ["Event", "decode_log", "read_events"]

MOST_LOGS = 10_000  # where nodes cut an answer off without saying so
MOST_TOPICS = 500  # in one place of a filter: geth refuses more than 1,000
ABOUT = "about"  # in a filter: the listing or the order of an event, whose ids are never the same
Topics = list[list[bytes]]


def decode_log(log: Mapping[str, Any], address: str) -> Event:
    """A log of the marketplace at `address`. Raises `NetworkError` for anything that it can't have written."""
    try:
        found = values.log(log)
    except values.NoAnswer as error:
        raise NetworkError("the node answered with a log that is incomplete", code="bad-answer") from error
    if found.address != address:
        raise NetworkError(f"the node answered with a log of {found.address} instead of {address}", code="bad-answer")
    topics, block = found.topics, found.block
    if found.removed or block is None or found.index is None:
        raise NetworkError("the node answered with a log that is not part of the chain", code="bad-answer")
    item = abi.event_topics().get(topics[0] if topics else b"")
    if item is None:
        raise NetworkError(
            f"the node answered with a log that the marketplace can't have written, in block {block}",
            "check the address, and that this version of the program belongs to it",
            code="bad-answer",
        )
    name = item["name"]
    indexed = [parameter for parameter in item["inputs"] if parameter["indexed"]]
    if len(topics) != len(indexed) + 1:
        raise NetworkError(
            f"the node answered with a log {name} of {len(topics)} topics instead of {len(indexed) + 1}",
            code="bad-answer",
        )
    what = f"the log {name} in block {block}"
    told = dict(zip(_names(indexed), abi.decode(indexed, b"".join(topics[1:]), what), strict=True))
    plain = [parameter for parameter in item["inputs"] if not parameter["indexed"]]
    told |= zip(_names(plain), abi.decode(plain, found.data, what), strict=True)
    arguments = {key: told[key] for key in _names(item["inputs"])}
    if any(arguments[key] >> bits for key, bits in BITS.items() if key in arguments):
        raise NetworkError(f"{what} has a number that the contract can't hold", code="bad-answer")
    return Event(name, arguments, block, found.index, "0x" + found.transaction.hex(), address)


def read_events(
    connection: Connection,
    address: str,
    names: Sequence[str] | None,
    first: int,
    last: int,
    indexed: Mapping[str, Any] | None = None,
) -> Iterator[Event]:
    """The marketplace's events in blocks `first` to `last`, both included, in the chain's order.

    `indexed`: value, or values to choose from, of indexed arguments, or of `ABOUT`, each at one place in the events
    that have it; the others must have another of these arguments there.
    Raises `UsageError` for a filter that can't be made, `NetworkError`.
    """
    places = _places(names, dict(indexed or {}))
    before = (-1, -1)
    for page in _pages(connection, address, first, last, places):
        for event in sorted(page, key=lambda event: (event.block, event.log_index)):
            if (event.block, event.log_index) == before:
                raise NetworkError(
                    f"{connection.name} answered with one log twice, in block {event.block}", code="bad-answer"
                )
            before = (event.block, event.log_index)
            yield event


def _pages(connection: Connection, address: str, first: int, last: int, places: Topics) -> Iterator[list[Event]]:
    try:
        yield from _in_pages(connection, address, first, last, places)
    finally:
        connection.pages.save()


def _in_pages(connection: Connection, address: str, first: int, last: int, places: Topics) -> Iterator[list[Event]]:
    pages = connection.pages
    while first <= last:
        end = min(first + pages.size - 1, last)
        blocks = end - first + 1
        try:
            logs = connection.logs(address, first, end, _wire(places))
        except NodeTimeoutError:
            if blocks == 1:
                raise
            pages.silent(blocks)
        except NetworkError as error:
            if blocks == 1 or not (isinstance(error, NodeRefusedError) or error.code == "too-large"):
                raise
            pages.refused(blocks)
        else:
            page = (_checked(connection, decode_log(log, address), log, first, end, places) for log in logs)
            if len(logs) >= MOST_LOGS and blocks > 1:
                next(page)  # raises for an answer that is long and wrong: it is as long for fewer blocks
                pages.refused(blocks)
                continue
            yield [*page]
            first = end + 1
            pages.answered()


def _checked(
    connection: Connection, event: Event, log: Mapping[str, Any], first: int, last: int, places: Topics
) -> Event:
    if not first <= event.block <= last:
        raise NetworkError(
            f"{connection.name} answered with a log of block {event.block}, outside of {first} to {last}",
            code="bad-answer",
        )
    topics = values.log(log).topics
    for position, wanted in enumerate(places):
        if wanted and (position >= len(topics) or topics[position] not in wanted):
            raise NetworkError(
                f"{connection.name} answered with a log {event.name} that was not asked for", code="bad-answer"
            )
    return event


def _places(names: Sequence[str] | None, indexed: Mapping[str, Any]) -> Topics:
    """For each place of a topic, the values to choose from; none = any."""
    chosen = list(abi.events()) if names is None else list(names)
    places: Topics = [[] if names is None else [abi.topic_of(name) for name in chosen]]
    left: dict[int, tuple[str, list[str]]] = {}  # at a place: an argument, and the events that have none there so far
    for argument, value in indexed.items():
        found = {name: place for name in chosen if (place := _place(name, argument))}
        if len(set(found.values())) > 1:
            raise UsageError(f"the argument {argument} has no one place in the events {', '.join(chosen)}")
        if not found:
            raise _lacks(chosen[0], argument)
        position, parameter = next(iter(found.values()))
        lacking = left.get(position, ("", chosen))[1]
        if not found.keys() <= set(lacking):
            raise UsageError(f"the argument {argument} stands where another one does that was given")
        left[position] = argument, [name for name in lacking if name not in found]
        values = value if isinstance(value, (list, tuple, range, set, frozenset)) else [value]
        places += [[] for _ in range(position + 1 - len(places))]
        places[position] += [abi.encode([{"type": parameter, "name": argument}], [entry]) for entry in values]
        if not values or len(places[position]) > MOST_TOPICS:
            raise UsageError(f"a filter takes 1 to {MOST_TOPICS} values of {argument}, not {len(places[position])}")
    for argument, lacking in left.values():
        if lacking:
            raise _lacks(lacking[0], argument)
    return places


def _place(name: str, argument: str) -> tuple[int, str] | None:
    """Where an indexed argument of an event stands, and its type; None where the event has none of that name."""
    wanted = ("listing", "order") if argument == ABOUT else (argument,)
    abi.topic_of(name)
    parameters = [parameter for parameter in abi.events()[name]["inputs"] if parameter["indexed"]]
    for position, parameter in enumerate(parameters, 1):
        if parameter["name"] in wanted:
            return position, parameter["type"]
    return None


def _lacks(name: str, argument: str) -> UsageError:
    return UsageError(f"the event {name} has no indexed argument {argument}")


def _wire(places: Topics) -> list[Any]:
    return [["0x" + value.hex() for value in place] if place else None for place in places]


def _names(parameters: Iterable[Mapping[str, Any]]) -> list[str]:
    return [parameter["name"] for parameter in parameters]
