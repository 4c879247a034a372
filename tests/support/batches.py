"""Calls in init code, as a node sees them: a node that lies about a call does so in a batch too."""

from collections.abc import Callable
from typing import Any

from numerbay_chain.chain.batches import init_code

_START = init_code([])

Call = dict[str, Any]


def one_by_one(ask: Callable[[Call], tuple[bool, bytes]], call: Call) -> str | None:
    """The result of a call that asks for others, each of them as `ask` answers it alone: whether it was not refused,
    and what came back. None for a plain call."""
    data = bytes.fromhex(str(call.get("data", "0x"))[2:])
    if "to" in call or not data.startswith(_START):
        return None
    answers, place = b"", len(_START)
    while place < len(data):
        size = int.from_bytes(data[place + 20 : place + 23])
        to, asked = data[place : place + 20], data[place + 23 : place + 23 + size]
        success, told = ask({"to": "0x" + to.hex(), "data": "0x" + asked.hex()})
        answers += bytes([success]) + len(told).to_bytes(4) + told
        place += 23 + size
    return "0x" + answers.hex()
