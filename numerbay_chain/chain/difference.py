"""What two nodes answered, compared, and told in words: the function and its arguments, or the event."""

from collections.abc import Iterable, Mapping
from typing import Any

from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.reading import Question
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.core.text import one_line
from numerbay_chain.protocol.events import Event

_LONGEST = 90  # characters of a value
_Item = dict[str, Any]


def value_of(answer: Any) -> Any:
    """What is compared of an answer: of a revert its error and its arguments, of events all that the chain says."""
    if isinstance(answer, RevertedError):
        return ("reverted", answer.name, sorted(answer.arguments.items()))
    if isinstance(answer, list):
        return [value_of(one) for one in answer]
    return answer


def words_of(question: Question, here: Any, there: Any) -> tuple[str, str, str]:
    """What differs, and both answers, of which at most one is missing."""
    if question.name == "read_many":
        return _one_of_many(question, here, there)
    if isinstance(here, list) and isinstance(there, list):
        return _events(here, there)
    item = _function(question)
    what, told, other = _plain(question), _shown(here), _shown(there)
    if item is None:
        return what, told, other
    data = bytes.fromhex(str(question.arguments["transaction"]["data"])[2:])
    arguments = _decoded(item["inputs"], data[4:])
    what = f"{item['name']}({', '.join(_short(one) for one in arguments or ['…'])})"
    if isinstance(here, bytes) and isinstance(there, bytes):
        told, other = _outputs(item, here, there)
    return f"{what} in block {question.block}", told, other


def _one_of_many(question: Question, here: list[Any], there: list[Any]) -> tuple[str, str, str]:
    """The first of many calls that was answered differently."""
    for read, one, other in zip(question.arguments["reads"], here, there, strict=True):
        if value_of(one) != value_of(other):
            call = {"to": read.address, "data": "0x" + read.data.hex()}
            return words_of(Question("call", {"transaction": call}, question.block, question.asked), one, other)
    raise AssertionError  # one of them differs


def _outputs(item: _Item, here: bytes, there: bytes) -> tuple[str, str]:
    """The values that differ of what a function answered."""
    mine, others = _named(item, here), _named(item, there)
    if mine is None or others is None:
        return _shown(here), _shown(there)
    names = [name for name in mine if mine[name] != others.get(name)]
    return _listed(mine, names), _listed(others, names)


def _listed(values: Mapping[str, Any], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {_short(values.get(name))}".strip() for name in names)


def _named(item: _Item, data: bytes) -> dict[str, Any] | None:
    """The outputs by name, and the fields of a struct by theirs."""
    values = _decoded(item["outputs"], data)
    if values is None:
        return None
    if len(values) == 1 and hasattr(values[0], "__dataclass_fields__"):
        return {name: getattr(values[0], name) for name in values[0].__dataclass_fields__}
    if len(values) == 1 and isinstance(values[0], tuple):
        names = [part["name"] for part in item["outputs"][0]["components"]]
        return dict(zip(names, values[0], strict=True))
    return {
        part["name"] or str(place or ""): one
        for place, (part, one) in enumerate(zip(item["outputs"], values, strict=True))
    }


def _events(here: list[Event], there: list[Event]) -> tuple[str, str, str]:
    """The first event, in the chain's order, that one has and the other has not, or has differently."""
    mine, others = ({(one.block, one.log_index): one for one in told} for told in (here, there))
    place = next(place for place in sorted({*mine, *others}) if mine.get(place) != others.get(place))
    one, other = mine.get(place), others.get(place)
    known = one or other
    assert known is not None  # noqa: S101 — one of the two has it
    what = f"the event {known.name} in block {known.block}"
    if one is not None and other is not None and one.name == other.name:
        names = [name for name in one.arguments if one.arguments[name] != other.arguments.get(name)]
        if names:
            return what, _listed(one.arguments, names), _listed(other.arguments, names)
        return what, f"transaction {one.transaction}", f"transaction {other.transaction}"
    return what, _event(one), _event(other)


def _event(event: Event | None) -> str:
    if event is None:
        return "there is none"
    told = [f"{name} {_short(value)}" for name, value in event.arguments.items() if isinstance(value, int | str)]
    return f"{event.name} with {', '.join(told[:4])}"


def _function(question: Question) -> _Item | None:
    """The function that was called, where the marketplace or a token has it."""
    data = str((question.arguments.get("transaction") or {}).get("data", ""))
    known = [*abi.functions("marketplace").values(), *abi.functions("erc20").values()]
    return next((item for item in known if data.startswith("0x" + abi.selector(item).hex())), None)


def _plain(question: Question) -> str:
    arguments = question.arguments
    match question.name:
        case "balance":
            return f"the balance of {arguments['address']} in block {question.block}"
        case "code":
            return f"the code of {arguments['address']} in block {question.block}"
        case "storage":
            return f"slot {arguments['slot']} of {arguments['address']} in block {question.block}"
        case "timestamp":
            return f"the time of block {question.block}"
        case _:
            return f"a call of {arguments.get('transaction', {}).get('to', 'a contract')} in block {question.block}"


def _decoded(parameters: list[_Item], data: bytes) -> list[Any] | None:
    try:
        return abi.decode(parameters, data, "an answer")
    except NetworkError:
        return None


def _shown(answer: Any) -> str:
    if isinstance(answer, RevertedError):
        return f"that it is refused with {answer.name or 'no reason'}"
    return _short(answer)


def _short(value: Any) -> str:
    text = "0x" + value.hex() if isinstance(value, bytes) else str(value)
    return one_line(text, _LONGEST)
