"""`python -m tests.contracts.gas`: print what each case costs; `--write`: put it into docs/gas.json."""

import json
import sys
from pathlib import Path

from tests.contracts.gas.cases import measure

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "gas.json"


def written() -> dict[str, int]:
    figures: dict[str, int] = json.loads(DOCUMENT.read_text())
    return figures


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--write"]):
        print("usage: python -m tests.contracts.gas [--write]", file=sys.stderr)
        return 2
    before = written() if DOCUMENT.exists() else {}
    figures = measure()
    for name, gas in figures.items():
        change = f"{gas - before[name]:+,}" if before.get(name, gas) != gas else ""
        print(f"{name:24}{gas:>9,}  {change}")
    if arguments:
        DOCUMENT.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
