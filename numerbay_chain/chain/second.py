"""A second node: before a secret leaves, all that the decision rests on is asked of it too.

A decision is made on one block, by its hash. What is read of the first node meanwhile is kept, question by question,
and `Decision.confirm` asks the second node the very same about the very same block: by hash (EIP-1898) where it can do
that, else by number with the block's hash compared before and after. A difference stops the step, and so does a node
that is behind. docs/protocol.md §5 says what two nodes can't tell.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from numerbay_chain.chain.connection import Connection, NodeTimeoutError, connect
from numerbay_chain.chain.difference import value_of, words_of
from numerbay_chain.chain.node.blocks import Block
from numerbay_chain.chain.reading import Question
from numerbay_chain.core.errors import NetworkError, RevertedError, UsageError
from numerbay_chain.core.policy import Policy

PATIENCE: Final = 60.0
"""Seconds in which a node may come to the block that the other one has; a development chain has no such distances."""
DEVELOPMENT_PATIENCE: Final = 3.0
ONE_NODE: Final = (
    "what is decided now is believed of one node, {}: with --second-rpc URL, a second one is asked the same before a "
    "key, an answer or money leaves"
)
_FAR: Final = 256
"""Blocks that a node is ahead of the other one before it is asked whether it has them: reading the logs of more takes
longer than asking."""
_FORK: Final = 3
"""Blocks on top of one that two nodes have differently, from which on that is no race between them any more."""


class SecondNode:
    """The node to compare with. It is connected to when it is first needed, by the first node's policy: what reads
    alone does without it."""

    def __init__(self, opened: Callable[[Policy], Connection]) -> None:
        self._opened = opened
        self._connection: Connection | None = None

    @classmethod
    def at(cls, rpc: str, folder: Path | None = None) -> "SecondNode":
        """The node at this address, `http://…`, `https://…` or an IPC socket. `folder`: as for `Node.remember`."""

        def opened(policy: Policy) -> Connection:
            connection = connect(rpc, policy=policy)
            if folder is not None:
                connection.remember(folder)
            return connection

        return cls(opened)

    def connection(self, first: Connection) -> Connection:
        """The connection to it. Raises `NetworkError` where it can't be reached, `UsageError` where it is on another
        chain than `first`."""
        if self._connection is None:
            opened = self._opened(first.policy)
            if opened.chain_id != first.chain_id:
                raise UsageError(
                    f"the second node {opened.name} is on chain {opened.chain_id}, but {first.name} is on chain "
                    f"{first.chain_id}",
                    "give --second-rpc a node of the same chain",
                    code="wrong-chain",
                )
            self._connection = opened
        return self._connection


def shared_host(first: Connection) -> str | None:
    """Connect to the second node, if there is one, and return the host that both are on; None where they are not.
    Raise as `SecondNode.connection`."""
    if first.second is None:
        return None
    here, there = (urlsplit(one.name).hostname or one.name for one in (first, first.second.connection(first)))
    return here if here == there else None


def confirmed(first: Connection, *, wanted: bool = True) -> bool:
    """Confirm the decision that is being made, and return True; False: there is no second node to ask. `wanted`: one
    must be going on where there is a second node."""
    if first.decision is not None:
        first.decision.confirm()
        return True
    if wanted and first.second is not None:
        raise RuntimeError("what is about to leave rests on no decision")  # never: each is made within `deciding`
    return False


@contextmanager
def deciding(first: Connection) -> Iterator[None]:
    """In the block, reads of `first` are of one block and are kept, until `confirm`. Without a second node, or within
    another decision, it does nothing. Raises `NetworkError` (`node-behind`) where `first` lacks blocks of the other."""
    if first.second is None or first.decision is not None:
        yield
        return
    first.decision = Decision(first, first.second.connection(first))
    try:
        yield
    finally:
        first.decision = None


class Decision:
    """What was read of `first` to decide something, all about `block` or earlier blocks of the same chain."""

    def __init__(self, first: Connection, second: Connection) -> None:
        self.first, self.second = first, second
        self._answers: list[tuple[Question, Any]] = []
        self.block = self._newest()

    def ask(self, question: Question) -> Any:
        """Ask the first node, and keep the answer. A revert is an answer too: it is kept, and raised."""
        try:
            answer = question.asked(self.first, question.block)
        except RevertedError as error:
            self._answers.append((question, error))
            raise
        self._answers.append((question, answer))
        return answer

    def confirm(self) -> None:
        """Ask the second node all of it, and end the decision: what is read from here on is of the newest block.

        Raise `NetworkError`: `nodes-disagree` names the first value that differs and both nodes, `node-behind` the node
        that lacks the block.
        """
        self.first.decision = None
        self._require_same_block(self.block)
        by_hash = {"blockHash": "0x" + self.block.hash.hex(), "requireCanonical": True}
        for question, answer in self._answers:
            other, by_hash = self._answer_of_second(question, by_hash)
            if value_of(answer) != value_of(other):
                what, here, there = words_of(question, answer, other)
                raise self._disagree(what, here, there)
        self._require_same_block(self.block)

    def _answer_of_second(self, question: Question, by_hash: Any) -> tuple[Any, Any]:
        """Its answer, and how to name the block from here on: None once it takes no hash."""
        if by_hash is not None and question.of_state and question.block == self.block.number:
            try:
                return _asked(question, self.second, by_hash), by_hash
            except NodeTimeoutError:
                raise
            except NetworkError:
                pass  # that, or it lacks the block: compared before and after
        return _asked(question, self.second, question.block), None

    # ------------------------------------------------------------------------------------------------------ the block

    def _newest(self) -> Block:
        """The first node's newest block, once it is no older than the second node's."""
        wanted = _head(self.second)
        for _ in _looks(self.first):
            block = _head(self.first)
            if block.number >= wanted.number:
                if block.number > wanted.number + _FAR:
                    self._require_same_block(block)
                return block
        raise NetworkError(
            f"{self.first.name} is behind: its newest block is {block.number}, and {self.second.name} has block "
            f"{wanted.number}",
            "use a node that is in step with the chain as --rpc",
            code="node-behind",
        )

    def _require_same_block(self, block: Block) -> None:
        """Raises `NetworkError` unless the second node has the block, or comes to it in time."""
        for _ in _looks(self.first):
            other = self.second.block(block.number)
            if other is not None and (other.hash, other.timestamp) == (block.hash, block.timestamp):
                return
            if other is not None and _head(self.second).number >= block.number + _FORK:
                break
        if other is None:
            raise NetworkError(
                f"{self.second.name} is behind: it lacks block {block.number}, which {self.first.name} has",
                "nothing was sent: run this again, or use a node that is in step with the chain as --second-rpc",
                code="node-behind",
            )
        if other.hash == block.hash:
            times = (str(block.timestamp), str(other.timestamp))
            raise self._disagree(f"the time of block {block.number}", *times)
        raise self._disagree(f"the hash of block {block.number}", "0x" + block.hash.hex(), "0x" + other.hash.hex())

    def _disagree(self, what: str, here: str, there: str) -> NetworkError:
        return disagreement(self.first, self.second, what, here, there)


def disagreement(first: Connection, second: Connection, what: str, here: str, there: str) -> NetworkError:
    """The error for two nodes that tell two things."""
    return NetworkError(
        f"{first.name} and the second node {second.name} do not agree on {what}: the first one says {here}, the second "
        f"one {there}",
        "nothing was sent: find out which of the two is right, and use another node in place of the other",
        code="nodes-disagree",
    )


# ----------------------------------------------------------------------------------------- that nothing was done


def require_no_effect(first: Connection, transaction: str, block: int) -> None:
    """Before a transaction that was mined in `block` is believed to have had no effect, so that it is sent anew: raise
    `NetworkError` unless the second node, if there is one, has the same receipt of it."""
    if first.second is None:
        return
    second = first.second.connection(first)
    for _ in _looks(first):
        found = second.receipt(transaction)
        if found is not None:
            break
    else:
        raise _lacks(first, second, transaction)
    here, there = (0, block), (found.status, found.block)
    if here != there:
        raise disagreement(first, second, f"what became of transaction {transaction}", _fate(*here), _fate(*there))


def agreed_nonce(first: Connection, account: str) -> int:
    """Return the nonce of the account's next transaction. Raise `NetworkError` (nodes-disagree) where the second node,
    if there is one, knows of fewer transactions: what is signed with too high a nonce waits for others without end."""
    nonce = first.transaction_count(account, pending=True)
    if first.second is None:
        return nonce
    second = first.second.connection(first)
    for _ in _looks(first):
        known = second.transaction_count(account, pending=True)
        if known >= nonce:
            return nonce
    raise disagreement(first, second, f"how many transactions {account} has sent", str(nonce), str(known))


def require_replaced(first: Connection, account: str, transaction: str, nonce: int) -> None:
    """Likewise before a transaction is believed never to be mined, because its nonce was used by another one."""
    if first.second is None:
        return
    second = first.second.connection(first)
    for _ in _looks(first):
        used = second.transaction_count(account)
        found = second.receipt(transaction)
        if found is not None:
            what, fate = f"what became of transaction {transaction}", _fate(found.status, found.block)
            raise disagreement(first, second, what, "that another one was mined in its place", fate)
        if used > nonce:
            return
    raise disagreement(
        first, second, f"how many transactions of {account} were mined", f"{nonce + 1} or more", str(used)
    )


def _fate(status: int, block: int) -> str:
    return f"that it was {'mined' if status else 'refused by the contract'} in block {block}"


def _lacks(first: Connection, second: Connection, transaction: str) -> NetworkError:
    return NetworkError(
        f"{second.name} is behind: it has no receipt of transaction {transaction}, which {first.name} has",
        "run this again: it looks this transaction up first",
        code="node-behind",
    )


def _looks(first: Connection) -> Iterator[None]:
    """At once, and again while one node may still come to what the other one has."""
    policy, patience = first.policy, DEVELOPMENT_PATIENCE if first.is_development else PATIENCE
    if policy.patience is not None:
        patience = policy.patience
    end, pause = time.monotonic() + patience, 0.1
    yield
    while time.monotonic() < end:
        policy.sleep(pause)
        pause = min(pause * 1.5, 2.0)
        yield


def _asked(question: Question, node: Connection, block: Any) -> Any:
    try:
        return question.asked(node, block)
    except RevertedError as error:
        return error


def _head(node: Connection) -> Block:
    block = node.block("latest")
    if block is None:
        raise NetworkError(
            f"{node.name} has no newest block", "use a node that is in step with the chain", code="bad-answer"
        )
    return block
