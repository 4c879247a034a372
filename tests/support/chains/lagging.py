"""Two nodes behind one address, asked by turns, of which one is some time behind: a mischief for `Proxy`."""

import time
from collections.abc import Callable
from typing import Any

from tests.support.chains.proxy import Answer, Request

# where the block stands among a question's parameters
_PLACES = {
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getBalance": 1,
    "eth_getTransactionCount": 1,
    "eth_getCode": 1,
    "eth_getStorageAt": 2,
    "eth_getBlockByNumber": 0,
}


class Lagging:
    """`strict`: the node behind refuses a range of logs that ends in a block it lacks; else it answers for the blocks
    that it has, and does not say so. `lag` in seconds; None: it does not catch up. `behind` counts its answers."""

    def __init__(self, lag: float | None = 1.0, *, strict: bool = False) -> None:
        self.lag, self.strict, self.behind = lag, strict, 0
        self._heads: list[tuple[float, int]] = []
        self._turn = 0

    def __call__(self, request: Request, node: Callable[[Request], Answer]) -> Answer:
        def ask(method: str, *parameters: Any) -> Any:
            return node({"jsonrpc": "2.0", "id": 0, "method": method, "params": list(parameters)})["result"]

        self._note(int(ask("eth_blockNumber"), 16))
        self._turn += 1
        if self._turn % 2:
            self.behind += 1
            answer = self._late(request, node, self._head())
        else:
            answer = node(request)
        self._note(int(ask("eth_blockNumber"), 16))
        return answer

    def _note(self, head: int) -> None:
        if not self._heads or self._heads[-1][1] != head:
            self._heads.append((time.monotonic(), head))

    def _head(self) -> int:
        until = time.monotonic() - (self.lag if self.lag is not None else 10**9)
        return max([self._heads[0][1], *(head for at, head in self._heads if at <= until)])

    def _late(self, request: Request, node: Callable[[Request], Answer], head: int) -> Answer:
        method, parameters = request["method"], list(request["params"])

        def answer(result: Any) -> Answer:
            return {"jsonrpc": "2.0", "id": request["id"], "result": result}

        def refusal(words: str) -> Answer:
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32000, "message": words}}

        if method == "eth_blockNumber":
            return answer(hex(head))
        if method in _PLACES:
            place = _PLACES[method]
            tag = parameters[place] if len(parameters) > place else "latest"
            if tag in ("latest", "pending"):
                parameters[place : place + 1] = [hex(head)]
            elif isinstance(tag, str) and tag.startswith("0x") and int(tag, 16) > head:
                return answer(None) if method == "eth_getBlockByNumber" else refusal("header not found")
            return node({**request, "params": parameters})
        if method == "eth_getLogs":
            return self._logs(request, node, head, refusal)
        found = node(request)
        result = found.get("result")
        if method == "eth_getTransactionReceipt" and result and int(result["blockNumber"], 16) > head:
            return answer(None)
        if method == "eth_getTransactionByHash" and result and int(result["blockNumber"] or hex(2**60), 16) > head:
            return answer(None)
        return found

    def _logs(
        self, request: Request, node: Callable[[Request], Answer], head: int, refusal: Callable[[str], Answer]
    ) -> Answer:
        query = dict(request["params"][0])
        if "blockHash" in query:
            block = node({**request, "method": "eth_getBlockByHash", "params": [query["blockHash"], False]})["result"]
            return refusal("unknown block") if int(block["number"], 16) > head else node(request)
        if int(query["toBlock"], 16) > head:
            if self.strict:
                return refusal("block range extends beyond current head block")
            query["toBlock"] = hex(head)
            if int(query["fromBlock"], 16) > head:
                return {"jsonrpc": "2.0", "id": request["id"], "result": []}
        return node({**request, "params": [query]})
