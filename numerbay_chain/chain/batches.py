"""Many questions to contracts in one request, whatever a node can do: each answer is the one that it gives alone.

Ways, in order: a call without a recipient, whose data is code that asks all of them and returns what they answered
(nothing is deployed, and nobody is trusted with it); Multicall3, where it lies at its address with its own code; a
batch of JSON-RPC; one by one. What a node refuses is asked for in smaller parts, and what it can't do is remembered.

A contract that is asked may burn its gas or answer without end. In the first way it gets its own gas, and of a long
answer its length alone comes back; in the others it can spoil what is asked together with it. Whatever is missing after
all is asked for alone. Sources: EIP-170, EIP-3541, EIP-3860, github.com/mds1/multicall3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from numerbay_chain.chain.encoding import codec
from numerbay_chain.chain.encoding.reverts import decode_revert, reverted
from numerbay_chain.chain.node.errors import NodeRefusedError, NodeTimeoutError, UnknownBlockError
from numerbay_chain.chain.node.node import Node
from numerbay_chain.chain.node.pages import PageSizes
from numerbay_chain.chain.node.rpc import RpcError
from numerbay_chain.chain.node.values import At, NoAnswer, data, plain
from numerbay_chain.core.errors import NetworkError, RevertedError
from numerbay_chain.core.hashing import keccak

MOST_READS: Final = 256
"""Questions in one request at first."""
SMALL: Final = 8
"""A node that refuses as few as these at once knows no such request."""
LONGEST_ANSWER: Final = 4096
"""Bytes of one answer. Longer ones are asked for alone."""
SECONDS_PER_BATCH: Final = 10.0
"""Where a node takes longer, fewer questions are asked at once."""
GAS_EACH: Final = 1_000_000
"""What the code below gives each contract that it asks."""
_MOST_CODE: Final = 49_152
_MOST_RESULT: Final = 24_576
_USUAL_ANSWER: Final = 64

MULTICALL3: Final = "0xcA11bde05977b3631167028862bE2a173976CA11"
MULTICALL3_CODE: Final = bytes.fromhex("d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891")
"""The Keccak-256 of its code."""
_AGGREGATE3: Final = keccak(b"aggregate3((address,bool,bytes)[])")[:4]
_ASKED: Final = [{"type": "tuple[]", "components": [{"type": "address"}, {"type": "bool"}, {"type": "bytes"}]}]
_TOLD: Final = [{"type": "tuple[]", "components": [{"type": "bool"}, {"type": "bytes"}]}]

# Behind the code lie the questions: address (20 bytes), length (3), call data. The answers in memory: 1 where it did
# not revert (1 byte), length (4), the bytes, unless they are too many. On the stack: `out`, where the answers end, and
# `in`.
_HEAD: Final = 23
_ANSWER_HEAD: Final = 5
_CODE: Final = bytes.fromhex(
    "60626000"  # in = the end of this code, out = 0
    "5b813814605e57"  # until in = CODESIZE:
    "6017828239"  # CODECOPY(out, in, 23)
    "80518060481c62ffffff169060601c"  # length and address out of MLOAD(out)
    "92601701818184398101"  # in += 23; CODECOPY(out, in, length); in += length
    "6000600083858763000f4240fa"  # STATICCALL(GAS_EACH, address, out, length, 0, 0)
    "3d8080611000101502"  # what is copied of the answer: all of it, or nothing above LONGEST_ANSWER
    "9160201b1760d81b8452"  # MSTORE(out, success and RETURNDATASIZE)
    "806000856005013e"  # RETURNDATACOPY(out + 5, 0, size)
    "600501830192509250506004565b6000f3"  # out += 5 + size; at the end RETURN(0, out)
)


@dataclass(frozen=True, slots=True)
class Read:
    """One question: the contract's address, the call's data, and about how many bytes the answer has."""

    address: str
    data: bytes
    size: int = _USUAL_ANSWER


Answer = bytes | RevertedError
_Found = dict[int, Answer]


class Batches:
    """The batches of one node. `alone` asks one question, whatever it takes."""

    def __init__(self, node: Node, alone: Callable[[Read, At], bytes]) -> None:
        self._node, self._alone = node, alone
        self._ways: dict[str, tuple[Callable[[Sequence[Read], At], list[Answer | None]], PageSizes]] = {
            name: (way, PageSizes(MOST_READS))
            for name, way in (
                ("calls in init code", self._in_init_code),
                ("calls through Multicall3", self._through_multicall3),
                ("batches of JSON-RPC", self._in_json),
            )
        }

    def ask(self, reads: Sequence[Read], block: At) -> list[Answer]:
        """Return what each contract answers at the block, or its revert. Raises `NetworkError`."""
        found: _Found = {}
        if isinstance(block, Mapping) and "hashes" not in self._node.has:
            # a node that takes no hash of a block would seem to take no batch
            found[0] = self._of_one(reads[0], block)
            self._node.has.add("hashes")
        before = {sizes: sizes.size for _, sizes in self._ways.values()}
        try:
            return self._all(reads, block, found)
        except NetworkError:
            for sizes, size in before.items():
                sizes.size = size  # it was no matter of size
            raise

    def _all(self, reads: Sequence[Read], block: At, found: _Found) -> list[Answer]:
        refused: set[str] = set()
        for name in self._ways:
            places = [place for place in range(len(reads)) if place not in found]
            if len(places) < 2:
                break
            if name in self._node.lacks or (name == "calls through Multicall3" and not self._has_multicall3()):
                continue
            if self._asked(name, reads, places, block, found):
                break
            refused.add(name)
        for place, read in enumerate(reads):
            if place not in found:
                found[place] = self._of_one(read, block)
        self._node.lacks.update(refused)
        return [found[place] for place in range(len(reads))]

    def _asked(self, name: str, reads: Sequence[Read], places: list[int], block: At, found: _Found) -> bool:
        """Whether the node takes questions in the way of that name; what it answered is in `found`."""
        way, sizes = self._ways[name]
        while places:
            part = places[: _fitting([reads[place] for place in places[: sizes.size]])]
            try:
                with self._node.transport.within(SECONDS_PER_BATCH):
                    answers = way([reads[place] for place in part], block)
            except RevertedError:
                if name not in self._node.has and self._refuses_all(name, reads, part[:SMALL], block, found):
                    return False
                # one of them spoils the others: it is found by halves, and asked alone
                left = [place for place in part if place not in found]
                half = len(left) // 2
                for some in (left[:half], left[half:]) if half > 1 else ():
                    self._asked(name, reads, some, block, found)
            except UnknownBlockError:
                raise
            except NetworkError as error:
                if not _is_refusal(error):
                    raise
                if len(part) <= SMALL:
                    if isinstance(error, NodeTimeoutError):
                        raise  # it hangs whatever it is asked
                    return False
                sizes.refused(max(len(part) // 2, 2 * SMALL))
                continue
            else:
                found.update({place: answer for place, answer in zip(part, answers, strict=True) if answer is not None})
                sizes.answered()
                self._node.has.add(name)
            places = places[len(part) :]
        return True

    def _refuses_all(self, name: str, reads: Sequence[Read], places: list[int], block: At, found: _Found) -> bool:
        """Whether the node refuses in this way what it answers alone: then it is no single question's fault. Of some
        `places`, the first question that is answered alone tells."""
        for place in places:
            found[place] = self._of_one(reads[place], block)
            if not isinstance(found[place], RevertedError):
                break
        else:
            return False
        try:
            self._ways[name][0]([reads[place]] * 2, block)
        except RevertedError:
            return True
        self._node.has.add(name)
        return False

    def _of_one(self, read: Read, block: At) -> Answer:
        try:
            return self._alone(read, block)
        except RevertedError as error:
            return error

    # ----------------------------------------------------------------------------------------------------- the ways

    def _in_init_code(self, reads: Sequence[Read], block: At) -> list[Answer | None]:
        return self._called({"data": init_code(reads)}, block, lambda told: answers_of(told, len(reads)))

    def _through_multicall3(self, reads: Sequence[Read], block: At) -> list[Answer | None]:
        asked = codec.encode(_ASKED, [[(read.address, True, read.data) for read in reads]])

        def decode(told: bytes) -> list[Answer | None]:
            try:
                (answers,) = codec.decode(_TOLD, told)
            except codec.CodecError:
                raise NoAnswer from None
            if len(answers) != len(reads):
                raise NoAnswer
            return [_judged(*answer) for answer in answers]

        return self._called({"to": MULTICALL3, "data": _AGGREGATE3 + asked}, block, decode)

    def _called(
        self, transaction: dict[str, Any], block: At, decode: Callable[[bytes], list[Answer | None]]
    ) -> list[Answer | None]:
        return self._node.state_of("making calls", lambda told: decode(data(told)), block, "eth_call", transaction)

    def _in_json(self, reads: Sequence[Read], block: At) -> list[Answer | None]:
        asked = [("eth_call", plain([{"to": read.address, "data": read.data}, block])) for read in reads]
        with self._node.guard("making calls"):
            return [_of_json(answer) for answer in self._node.transport.batch(asked)]

    def _has_multicall3(self) -> bool:
        """Whether it lies at its address, asked for once: a contract with other code could answer as it likes."""
        if "Multicall3" not in self._node.lacks | self._node.has:
            code = self._node.state_of("asking for a contract's code", data, None, "eth_getCode", MULTICALL3)
            (self._node.has if keccak(code) == MULTICALL3_CODE else self._node.lacks).add("Multicall3")
        return "Multicall3" in self._node.has


def init_code(reads: Sequence[Read]) -> bytes:
    """Return code that makes these calls and returns the answers, as `answers_of` reads them."""
    return _CODE + b"".join(bytes.fromhex(read.address[2:]) + len(read.data).to_bytes(3) + read.data for read in reads)


def answers_of(told: bytes, count: int) -> list[Answer | None]:
    """Return what the calls of `init_code` answered; None for one that has to be asked for alone. Raises `NoAnswer`."""
    answers: list[Answer | None] = []
    place = 0
    for _ in range(count):
        head = told[place : place + _ANSWER_HEAD]
        if len(head) < _ANSWER_HEAD or head[0] > 1:
            raise NoAnswer
        size = int.from_bytes(head[1:])
        place += _ANSWER_HEAD
        if size > LONGEST_ANSWER:
            answers.append(None)
            continue
        answers.append(_judged(bool(head[0]), told[place : place + size]))
        place += size
    if place != len(told):
        raise NoAnswer
    return answers


def _judged(success: bool, told: bytes) -> Answer | None:
    # nothing: a contract that is not there yet, as some nodes see it, or one that ran out of the gas it was given
    if not told:
        return None
    return told if success else decode_revert(told)


def _of_json(answer: Any) -> Answer | None:
    if isinstance(answer, RpcError):
        return reverted(answer.words, answer.data) if answer.data else None
    return data(answer) or None


def _fitting(reads: Sequence[Read]) -> int:
    """How many of the first ones fit into one piece of init code and its result, at least one."""
    code, result = len(_CODE), 0
    for count, read in enumerate(reads):
        code += _HEAD + len(read.data)
        result += _ANSWER_HEAD + read.size
        if count and (code > _MOST_CODE or result > _MOST_RESULT):
            return count
    return len(reads)


def _is_refusal(error: NetworkError) -> bool:
    """Whether a node that refuses so may answer when it is asked in another way, or for less."""
    return isinstance(error, NodeRefusedError) or error.code in ("bad-answer", "too-large")
