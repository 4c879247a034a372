"""One source that holds all its mutants, each behind a question: `Mutant.on(17) ? a <= b : a < b`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.contracts.mutation.mutants import Mutant

LIBRARY = "contracts/Mutant.sol"
GUARD = "node_modules/@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol"
LIBRARY_SOURCE = """
// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

library Mutant {
    function on(uint256 number) internal pure returns (bool) {
        function(uint256) view returns (bool) asks = _on;
        function(uint256) pure returns (bool) silently;
        assembly ("memory-safe") { silently := asks }
        return silently(number);
    }

    function _on(uint256 number) private view returns (bool) {
        return block.prevrandao == number;
    }
}
"""

_GUARD_MODIFIER = """
    modifier nonReentrantUnless(uint256 number) {
        if (!Mutant.on(number)) _nonReentrantBefore();
        _;
        if (!Mutant.on(number)) _nonReentrantAfter();
    }

    modifier nonReentrant() {"""


def guarded(source: str) -> str:
    """OpenZeppelin's guard, with one more modifier that a mutant switches off."""
    begin = "abstract contract ReentrancyGuardTransient"
    changed = source.replace(begin, f'import {{Mutant}} from "contracts/Mutant.sol";\n\n{begin}', 1)
    changed = changed.replace("\n    modifier nonReentrant() {", _GUARD_MODIFIER, 1)
    if changed.count("Mutant") < 3:
        raise ValueError("OpenZeppelin's reentrancy guard reads otherwise than this runner knows")
    return changed


@dataclass(frozen=True, slots=True)
class Place:
    start: int
    end: int
    mutants: tuple[tuple[int, Mutant], ...]


def places(numbered: Mapping[int, Mutant]) -> list[Place]:
    """The mutants of one file by what they replace, outermost first."""
    found: dict[tuple[int, int], list[tuple[int, Mutant]]] = {}
    for number, mutant in sorted(numbered.items()):
        found.setdefault((mutant.start, mutant.end), []).append((number, mutant))
    return [
        Place(start, end, tuple(mutants))
        for (start, end), mutants in sorted(found.items(), key=lambda item: (item[0][0], -item[0][1]))
    ]


def render(file: str, source: bytes, numbered: Mapping[int, Mutant]) -> str:
    """The source with all these mutants in it, none of them on."""
    text = _render(source, 0, len(source), places(numbered)).decode()
    up = "/".join([".."] * (file.count("/") - 1)) or "."
    before, pragma, after = text.partition("pragma solidity 0.8.30;")
    return f'{before}{pragma}\n\nimport {{Mutant}} from "{up}/Mutant.sol";{after}'


def _render(source: bytes, start: int, end: int, inside: Sequence[Place]) -> bytes:
    parts, at, index = [], start, 0
    while index < len(inside):
        place = inside[index]
        nested = [other for other in inside[index + 1 :] if other.end <= place.end]
        index += 1 + len(nested)
        inner = _render(source, place.start, place.end, nested)
        parts += [source[at : place.start], _wrap(place, inner.decode()).encode()]
        at = place.end
    return b"".join([*parts, source[at:end]])


def _wrap(place: Place, inner: str) -> str:
    if place.mutants[0][1].kind == "modifier":
        return f"nonReentrantUnless({place.mutants[0][0]})"
    if place.mutants[0][1].kind == "statement":
        for number, mutant in place.mutants:
            inner = f"{{ if (Mutant.on({number})) {{ {mutant.after} }} else {{ {inner} }} }}"
        return inner
    for number, mutant in place.mutants:
        inner = f"(Mutant.on({number}) ? {_typed(mutant.after, mutant.type)} : {_typed(inner, mutant.type)})"
    return inner


def _typed(text: str, kind: str) -> str:
    """A constant as a value of its type: a conditional of two literals has the smallest type that holds both."""
    if kind.startswith("bytes"):
        return f"{kind}(uint{8 * int(kind.removeprefix('bytes'))}({text}))"
    return f"{kind}({text})"


def alone(source: bytes, mutant: Mutant) -> str:
    """The source with this mutant in the place of what it replaces."""
    after = f"{{ {mutant.after} }}" if mutant.kind == "statement" else f"({mutant.after})" if mutant.after else ""
    return (source[: mutant.start] + after.encode() + source[mutant.end :]).decode()
