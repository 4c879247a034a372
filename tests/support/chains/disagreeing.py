"""What a node does of two that do not tell the same: each is a mischief of a proxy in front of a real one."""

from collections.abc import Callable
from typing import Any

from numerbay_chain.chain.encoding import abi
from tests.support.chains.proxy import Answer, HangUpError, Mischief, Request

Node = Callable[[Request], Answer]


def selector_of(function: str) -> str:
    return "0x" + abi.selector(abi.functions()[function]).hex()


def asks(asked: Request, selector: str) -> bool:
    """Whether that function of the contract is asked."""
    return asked["method"] == "eth_call" and str(asked["params"][0].get("data", "")).startswith(selector)


def word_altered(function: str, word: int = 0, by: int = 1) -> Mischief:
    """One word of what the contract answers to `function` is another one."""
    selector = selector_of(function)

    def mischief(asked: Request, node: Node) -> Answer:
        answer = node(asked)
        if asks(asked, selector):
            held = bytes.fromhex(answer["result"][2:])
            start = 32 * word
            told = int.from_bytes(held[start : start + 32]) ^ by
            answer["result"] = "0x" + (held[:start] + told.to_bytes(32) + held[start + 32 :]).hex()
        return answer

    return mischief


def answering(function: str, value: bytes) -> Mischief:
    """The contract's answer to `function` is this one."""
    selector = selector_of(function)

    def mischief(asked: Request, node: Node) -> Answer:
        answer = node(asked)
        if asks(asked, selector):
            return {"jsonrpc": "2.0", "id": asked["id"], "result": "0x" + value.hex()}
        return answer

    return mischief


def knowing_no_final_block(asked: Request, node: Node) -> Answer:
    """The node has no word for a block that stays."""
    if asked["method"] == "eth_getBlockByNumber" and asked["params"][0] in ("safe", "finalized"):
        return {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32602, "message": "unknown block tag"}}
    return node(asked)


def logs_changed(name: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Mischief:
    """The logs of that name, changed; all others are true."""
    topic = "0x" + abi.topic_of(name).hex()

    def mischief(asked: Request, node: Node) -> Answer:
        answer = node(asked)
        if asked["method"] == "eth_getLogs":
            logs = answer["result"]
            meant = [log for log in logs if log["topics"][0] == topic]
            if meant:
                answer["result"] = [log for log in logs if log not in meant] + change(meant)
        return answer

    return mischief


def topics_of(asked: Request) -> list[str]:
    """The names of the events that are asked for."""
    wanted = (asked["params"][0]["topics"] or [None])[0] or []
    return [name for name in abi.events() if "0x" + abi.topic_of(name).hex() in wanted]


def left_out(name: str) -> Mischief:
    """The newest log of that name is missing."""
    return logs_changed(name, lambda logs: logs[:-1])


def added(name: str) -> Mischief:
    """There is one more log of that name, one place later than the newest."""
    return logs_changed(name, lambda logs: [*logs, {**logs[-1], "logIndex": hex(int(logs[-1]["logIndex"], 16) + 1)}])


def data_altered(name: str, place: int, value: bytes) -> Mischief:
    """In the data of logs of that name, these bytes stand at this place."""

    def change(log: dict[str, Any]) -> dict[str, Any]:
        held = bytes.fromhex(log["data"][2:])
        return {**log, "data": "0x" + (held[:place] + value + held[place + len(value) :]).hex()}

    return logs_changed(name, lambda logs: [change(log) for log in logs])


def together(*mischiefs: Mischief) -> Mischief:
    """All of them, one after the other."""

    def mischief(asked: Request, node: Node) -> Answer:
        ask = node
        for one in mischiefs:
            ask = _over(one, ask)
        return ask(asked)

    return mischief


def _over(mischief: Mischief, node: Node) -> Node:
    return lambda asked: mischief(asked, node)


def ending_at(last: int) -> Mischief:
    """A node that stands still at a block, or was rolled back to it."""

    def mischief(asked: Request, node: Node) -> Answer:
        method, parameters = asked["method"], list(asked["params"])
        if method == "eth_blockNumber":
            return {"jsonrpc": "2.0", "id": asked["id"], "result": hex(last)}
        if method == "eth_getBlockByNumber":
            if parameters[0] == "pending":
                return node(asked)  # its clock goes on
            if parameters[0] in ("latest", "safe", "finalized"):
                return node({**asked, "params": [hex(last), False]})
            if int(parameters[0], 16) > last:
                return {"jsonrpc": "2.0", "id": asked["id"], "result": None}
        if method == "eth_call" and _is_newer(parameters[1], last):
            return {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32000, "message": "header not found"}}
        return node(asked)

    return mischief


def _is_newer(block: Any, last: int) -> bool:
    return isinstance(block, dict) or (isinstance(block, str) and block.startswith("0x") and int(block, 16) > last)


def taking_no_hash(asked: Request, node: Node) -> Answer:
    """A node from before EIP-1898: it knows blocks by number alone."""
    if any(isinstance(one, dict) and "blockHash" in one for one in asked["params"]):
        error = {"code": -32602, "message": "invalid argument 1: json: cannot unmarshal object into hex string"}
        return {"jsonrpc": "2.0", "id": asked["id"], "error": error}
    return node(asked)


def on_chain(chain_id: int) -> Mischief:
    """A node of another chain."""

    def mischief(asked: Request, node: Node) -> Answer:
        if asked["method"] == "eth_chainId":
            return {"jsonrpc": "2.0", "id": asked["id"], "result": hex(chain_id)}
        return node(asked)

    return mischief


def on_a_fork(asked: Request, node: Node) -> Answer:
    """A node whose blocks have other hashes."""
    answer = node(asked)
    if asked["method"] == "eth_getBlockByNumber" and answer["result"]:
        answer["result"]["hash"] = "0x" + bytes(byte ^ 1 for byte in bytes.fromhex(answer["result"]["hash"][2:])).hex()
    return answer


def gone(asked: Request, node: Node) -> Answer:
    """A node that is not there."""
    raise HangUpError


def denying_receipts(function: str) -> Mischief:
    """Transactions that call `function` are said to have been refused by the contract, without a log."""
    selector = selector_of(function)

    def mischief(asked: Request, node: Node) -> Answer:
        answer = node(asked)
        if asked["method"] == "eth_getTransactionReceipt" and answer["result"]:
            sent = node({**asked, "method": "eth_getTransactionByHash"})["result"]
            if sent["input"].startswith(selector):
                answer["result"] = {**answer["result"], "status": "0x0", "logs": []}
        return answer

    return mischief


def knowing_nothing_of(function: str, others: int) -> Mischief:
    """Transactions that call `function` have no receipt and are not known, and `others` nonces were used since."""
    selector = selector_of(function)

    def mischief(asked: Request, node: Node) -> Answer:
        answer = node(asked)
        method = asked["method"]
        if method in ("eth_getTransactionReceipt", "eth_getTransactionByHash") and answer["result"]:
            sent = node({**asked, "method": "eth_getTransactionByHash"})["result"]
            if sent["input"].startswith(selector):
                answer["result"] = None
        if method == "eth_getTransactionCount":
            answer["result"] = hex(int(answer["result"], 16) + others)
        return answer

    return mischief


def created_otherwise(asked: Request, node: Node) -> Answer:
    """Contracts were created by other init code, as it tells of transactions, alone and in their blocks."""
    answer = node(asked)
    told = answer.get("result")
    if asked["method"].startswith(("eth_getTransactionBy", "eth_getBlockBy")) and isinstance(told, dict):
        for one in [told, *told.get("transactions", [])]:
            if isinstance(one, dict) and "input" in one and one.get("to") is None:
                one["input"] += "00"
    return answer
