"""What is known of each mutant, one line as soon as it is known: a campaign that is broken off goes on where it was."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.contracts.mutation.campaign import Verdict
from tests.contracts.mutation.mutants import Mutant
from tools.solidity import ROOT


class Results:
    """Verdicts by mutant, in a file of JSON lines; those of a source that has changed since count for nothing."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: dict[tuple[str, str], Verdict] = {}
        if file.exists():
            for line in file.read_text().splitlines():
                entry: dict[str, Any] = json.loads(line)
                self._known[entry["key"], entry["source"]] = Verdict(**entry["verdict"])

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        source = source_hash(mutant.file)
        self._known[mutant.key, source] = verdict
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as file:
            file.write(json.dumps({"key": mutant.key, "source": source, "verdict": asdict(verdict)}) + "\n")

    def of(self, mutant: Mutant) -> Verdict | None:
        return self._known.get((mutant.key, source_hash(mutant.file)))

    def unknown(self, mutants: dict[int, Mutant], again: Iterable[str] = ()) -> dict[int, Mutant]:
        """Those without a verdict, or with one of these outcomes."""
        verdicts = {number: self.of(mutant) for number, mutant in mutants.items()}
        return {
            number: mutant
            for number, mutant in mutants.items()
            if (verdict := verdicts[number]) is None or verdict.outcome in again
        }


def source_hash(file: str) -> str:
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()[:16]
