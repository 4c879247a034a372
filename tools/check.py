"""Everything that can be judged without running the program. Each step must show that it looked at something: most of
these tools end with status 0 when they find nothing to do."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tools import error_codes
from tools.solidity import CONTRACTS, ROOT, contract_files

FORGE = ROOT / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
SOLHINT = ROOT / "node_modules" / ".bin" / "solhint"
PYTHON_FOLDERS = ("numerbay_chain", "scripts", "tests", "tools", "bench")
BIN = Path(sys.executable).parent


class Failed(Exception):
    """A step found something, or did nothing; the message is its whole report."""


def run(*command: str | Path, given: str | None = None, status: int = 0) -> str:
    """Output of `command`, both streams. Raises Failed unless it ends with `status`."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        input=given or "",
        check=False,
        timeout=900,
    )
    if done.returncode != status:
        raise Failed(f"{done.stdout}{done.stderr}".strip() or f"{command[0]} ended with status {done.returncode}")
    return f"{done.stdout}{done.stderr}"


def count(pattern: str, output: str, what: str) -> int:
    """The number that `pattern` finds in `output`. Raises Failed where there is none, or it is 0."""
    found = re.search(pattern, output)
    if not found or int(found.group(1)) == 0:
        raise Failed(f"looked at no {what}:\n{output.strip()}")
    return int(found.group(1))


def python_files() -> list[Path]:
    files = [file for folder in PYTHON_FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    if not any(file.is_relative_to(ROOT / "numerbay_chain") for file in files):
        raise Failed("found no Python files")
    return files


def solidity_files() -> list[Path]:
    files = contract_files(CONTRACTS)
    if not files:
        raise Failed("found no Solidity files")
    return files


def ruff() -> str:
    files = python_files()
    run(BIN / "ruff", "check", "--quiet", "--output-format", "concise", *files)
    run(BIN / "ruff", "check", "--quiet", "--isolated", "-", given="import os\n", status=1)
    return f"{len(files)} files"


def python_format() -> str:
    output = run(BIN / "ruff", "format", "--check", "--output-format", "concise", *python_files())
    formatted = count(r"(\d+) files? already formatted", output, "files")
    return f"{formatted} files"


def mypy() -> str:
    checked = count(r"no issues found in (\d+) source file", run(BIN / "mypy"), "files")
    return f"{checked} files"


def import_rules() -> str:
    try:
        output = run(BIN / "lint-imports", "--no-cache")
    except Failed as report:
        raise Failed(str(report).rpartition("Broken contracts\n")[2]) from None  # without the banner above
    kept = count(r"Contracts: (\d+) kept, 0 broken", output, "rules")
    files = count(r"Analyzed (\d+) files", output, "files")
    return f"{kept} rules over {files} files"


def solidity_format() -> str:
    if not FORGE.exists():
        raise Failed("forge is not installed: npm ships it for Linux on x86-64 only")
    files = solidity_files() + contract_files(ROOT / "tests" / "contracts" / "symbolic")
    try:
        run(FORGE, "fmt", "--check", *files)
    except Failed as report:
        unformatted = re.findall(r"^Diff in (\S+):$", str(report), re.MULTILINE)
        raise Failed(
            f"to be formatted by `forge fmt`: {' '.join(unformatted)}" if unformatted else str(report)
        ) from None
    run(FORGE, "fmt", "--check", "-", given="contract   X {  }\n", status=1)
    return f"{len(files)} files"


def solidity_lint() -> str:
    files = solidity_files()
    run(SOLHINT, "--disc", "--noPoster", "--max-warnings", "0", *files)
    run(SOLHINT, "stdin", "--disc", "--noPoster", given="contract X {}\n", status=1)
    return f"{len(files)} files"


def slither() -> str:
    output = run(sys.executable, "-m", "tools.analyse")
    count(r"(\d+) contracts in", output, "contracts")
    return output.strip().splitlines()[-1]


# What switches a rule off, and what must follow on the same line: the reason, in words.
SUPPRESSIONS = (
    (re.compile(r"(?:slither|solhint)-disable(?!-end)"), re.compile(r"-disable\S* [\w,-]+,? -- (?:\S+ ?){3,}")),
    (re.compile(r"#\s*noqa"), re.compile(r"#\s*noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)* +(?:#|--|:|—) (?:\S+ ?){3,}")),
    (re.compile(r"#\s*type:\s*ignore"), re.compile(r"#\s*type: ignore\[[\w, -]+\] +# (?:\S+ ?){3,}")),
)


def suppressions() -> str:
    argued, silent = 0, []
    for file in python_files() + solidity_files():
        if file == Path(__file__):
            continue
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            for switch, reason in SUPPRESSIONS:
                if switch.search(line) and reason.search(line):
                    argued += 1
                elif switch.search(line):
                    silent.append(
                        f"{file.relative_to(ROOT)}:{number}: switches a rule off without a reason: {line.strip()}"
                    )
    if silent:
        raise Failed("\n".join(silent))
    return f"{argued}, each with its reason"


def codes() -> str:
    if wrong := error_codes.problems():
        raise Failed("\n".join(wrong))
    if error_codes.DOCUMENT.read_text("utf-8") != error_codes.document():
        raise Failed("docs/errors.md is not what the code says: python -m tools.error_codes > docs/errors.md")
    return f"{len(error_codes.found())} codes, each with its meaning"


STEPS: dict[str, Callable[[], str]] = {
    "ruff": ruff,
    "ruff format": python_format,
    "mypy": mypy,
    "import rules": import_rules,
    "solidity format": solidity_format,
    "solidity lint": solidity_lint,
    "slither": slither,
    "suppressions": suppressions,
    "error codes": codes,
}


def main(chosen: list[str]) -> int:
    if unknown := [name for name in chosen if name not in STEPS]:
        print(
            f"usage: python -m tools.check [STEP ...], with STEP one of {', '.join(STEPS)}; not {unknown[0]!r}",
            file=sys.stderr,
        )
        return 2
    failed = []
    for name in chosen or STEPS:
        started = time.monotonic()
        try:
            print(f"check: {name:16} {STEPS[name]()} ({time.monotonic() - started:.1f} s)", flush=True)
        except Failed as reason:
            print(f"check: {name:16} FAILED\n{reason}\n", flush=True)
            failed.append(name)
    if failed:
        print(f"check: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
