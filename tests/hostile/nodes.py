"""Nodes that lie: about logs, state, receipts or the time. Each person has one of them beside an honest one."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numerbay_chain.chain.encoding import abi
from tests.support.batches import one_by_one
from tests.support.evm.node import Node, RefusedRequest

Lie = Callable[[str, list[Any], Callable[[str, list[Any]], Any]], Any]
EVENTS = (
    "Bought", "Released", "Delivered", "Declined", "Cancelled", "Challenged", "Responded", "ChallengeEnded",
    "KeyRegistered", "ListingCreated", "Skipped", "RoundRefunded",
)  # fmt: skip
READS = (
    "settled",
    "getOrder",
    "getListing",
    "keyAt",
    "hashOf",
    "challengeOf",
    "pot",
    "isMissed",
    "copyFaultyAt",
    "faultyAt",
)


@dataclass
class LyingNode:
    """Answers as the honest node does, but for one kind of lie."""

    node: Node
    name: str
    lie: Lie

    def request(self, method: str, parameters: list[Any]) -> Any:
        def ask(call: dict[str, Any]) -> tuple[bool, bytes]:
            try:
                return True, bytes.fromhex(self.request(method, [call, *parameters[1:]])[2:])
            except RefusedRequest as error:
                if "data" not in error.body:
                    raise
                return False, bytes.fromhex(error.body["data"][2:])

        if method == "eth_call" and (told := one_by_one(ask, parameters[0])) is not None:
            return told
        return self.lie(method, parameters, self.node.request)


def drawn(node: Node, rng: random.Random, account: str, theirs: bytes, mine: bytes) -> LyingNode:
    """Any lie, to the person with this account; `theirs` is a buyer's public key, `mine` the liar's own."""
    match rng.choice(("logs", "logs", "still", "denies", "past", "past", "key", "time")):
        case "logs":
            names = tuple(rng.sample(EVENTS, rng.choice((1, 1, 2, 4))))
            return LyingNode(node, f"leaves out {', '.join(names)}", leaving_out(names))
        case "still":
            after = node.now + rng.randrange(5 * 3_600)
            return LyingNode(node, "stands still", standing_still(node, after))
        case "denies":
            return LyingNode(node, "denies what was sent", denying(account))
        case "past":
            function, age = rng.choice(READS), rng.choice((5, 60, 600))
            return LyingNode(node, f"tells the past of {function}", telling_the_past(node, function, age))
        case "key":
            return LyingNode(node, "tells another key", another_key(theirs, mine))
    seconds = rng.choice((-7_200, 600, 7_200))
    return LyingNode(node, f"tells a time {seconds} s away", another_time(seconds))


def leaving_out(names: tuple[str, ...]) -> Lie:
    """Logs of these events are not there."""
    topics = {"0x" + abi.topic_of(name).hex() for name in names}

    def lie(method: str, parameters: list[Any], truth: Callable[[str, list[Any]], Any]) -> Any:
        answer = truth(method, parameters)
        if method == "eth_getLogs":
            return [log for log in answer if log["topics"][0] not in topics]
        return answer

    return lie


def standing_still(node: Node, after: int) -> Lie:
    """From that time on no block comes any more."""
    frozen = (after - node.start) // 12 + 1

    def lie(method: str, parameters: list[Any], truth: Callable[[str, list[Any]], Any]) -> Any:
        if node.now < after:
            return truth(method, parameters)
        head = hex(frozen)
        now = [head if one in ("latest", "pending") else one for one in parameters]
        match method:
            case "eth_blockNumber":
                return head
            case "eth_getLogs":
                query = dict(parameters[0])
                if int(query["fromBlock"], 16) > frozen:
                    return []
                return truth(method, [query | {"toBlock": hex(min(int(query["toBlock"], 16), frozen))}])
            case "eth_getTransactionReceipt":
                found = truth(method, parameters)
                return found if found and int(found["blockNumber"], 16) <= frozen else None
            case "eth_getBlockByNumber" if parameters[0] in ("safe", "finalized"):
                return truth(method, [hex(max(frozen - 64, 0)), *parameters[1:]])
            case "eth_getBlockByNumber" | "eth_call" | "eth_estimateGas" | "eth_getBalance" | "eth_getCode":
                for one in now:
                    if isinstance(one, str) and len(one) < 12 and one.startswith("0x") and int(one, 16) > frozen:
                        if method == "eth_getBlockByNumber":
                            return None
                        raise RefusedRequest("header not found")
        return truth(method, now)

    return lie


def denying(sender: str) -> Lie:
    """What this account sent had no effect: its receipts say so, and its logs are left out."""

    def lie(method: str, parameters: list[Any], truth: Callable[[str, list[Any]], Any]) -> Any:
        answer = truth(method, parameters)
        if method == "eth_getTransactionReceipt" and answer and answer["from"].lower() == sender.lower():
            return answer | {"status": "0x0", "logs": []}
        if method == "eth_getLogs":
            return [
                log
                for log in answer
                if truth("eth_getTransactionByHash", [log["transactionHash"]])["from"].lower() != sender.lower()
            ]
        return answer

    return lie


def telling_the_past(node: Node, function: str, age: int) -> Lie:
    """One question about state is answered as it was some blocks ago."""
    selector = "0x" + abi.selector(abi.functions()[function]).hex()

    def lie(method: str, parameters: list[Any], truth: Callable[[str, list[Any]], Any]) -> Any:
        if method == "eth_call" and str(parameters[0].get("data", "")).startswith(selector):
            try:
                return truth(method, [parameters[0], hex(max(node.head - age, 1))])
            except RefusedRequest:
                pass  # what was asked about was not there then
        return truth(method, parameters)

    return lie


def another_key(theirs: bytes, mine: bytes) -> Lie:
    """Somebody's public key is another one, in state and logs alike."""
    old, new = theirs.hex(), mine.hex()

    def lie(method: str, parameters: list[Any], truth: Callable[[str, list[Any]], Any]) -> Any:
        answer = truth(method, parameters)
        if method == "eth_call":
            return answer.replace(old, new)
        if method == "eth_getLogs":
            return [log | {"data": log["data"].replace(old, new)} for log in answer]
        return answer

    return lie


def another_time(seconds: int) -> Lie:
    """Blocks are of another time than they are."""

    def lie(method: str, parameters: list[Any], truth: Callable[[str, list[Any]], Any]) -> Any:
        answer = truth(method, parameters)
        if method.startswith("eth_getBlockBy") and answer:
            return answer | {"timestamp": hex(int(answer["timestamp"], 16) + seconds)}
        return answer

    return lie
