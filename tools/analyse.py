"""Run Slither's detectors over every contract. A finding fails, and so does a suppression that suppresses nothing.

A finding that is accepted is argued where it stands: `// slither-disable-next-line DETECTOR, -- the reason`.
Detectors that don't fit this code base as a whole are named below, each with its reason. The contracts in
contracts/mocks are read too, but not judged: they are hostile on purpose.
"""

import inspect
import logging
import re
import sys
from pathlib import Path
from typing import Any

import solcx
from crytic_compile import CryticCompile
from crytic_compile.compilation_unit import CompilationUnit
from crytic_compile.compiler.compiler import CompilerVersion
from crytic_compile.platform.solc_standard_json import SolcStandardJson, parse_standard_json_output
from eth_utils.abi import abi_to_signature
from slither import Slither
from slither.detectors import all_detectors
from slither.detectors.abstract_detector import AbstractDetector

from tools.solidity import (
    CONTRACTS,
    ROOT,
    SOLC_VERSION,
    contract_files,
    source_closure,
    standard_input,
    use_project_compiler,
)

NOT_RUN = {
    "timestamp": "windows are minutes to months long, a block producer moves time by seconds",
    "pragma": "libraries state ranges, the compiler's version is pinned in ape-config.yaml",
    "solc-version": "the compiler's version is pinned in ape-config.yaml and chosen by people",
    "naming-convention": "solhint checks names",
    "assembly": "solhint's no-inline-assembly asks for the reason at each place",
    "low-level-calls": "solhint's avoid-low-level-calls asks for the reason at each place",
    "too-many-digits": "curve constants and keys are written in full, as their standards do",
    "uninitialized-local": "a local starts at zero, and the code counts on it",
}
TEST_CONTRACTS = CONTRACTS / "mocks"
OUTPUTS = ["abi", "devdoc", "userdoc"]
NOT_OURS = {"eip712Domain()"}  # ERC-5267: OpenZeppelin declares it, without a notice


def detectors() -> list[type[AbstractDetector]]:
    found = [value for _, value in inspect.getmembers(all_detectors, inspect.isclass)]
    return [d for d in found if issubclass(d, AbstractDetector) and d is not AbstractDetector]


class SourcesOnly(SolcStandardJson):
    """Compiles to syntax trees alone: detectors look at no bytecode, and making it takes most of solc's time."""

    def compile(self, crytic_compile: CryticCompile, **_: Any) -> None:
        use_project_compiler()
        settings = self.to_dict()["settings"]
        unit = CompilationUnit(crytic_compile, "standard_json")
        unit.compiler_version = CompilerVersion(
            "solc", SOLC_VERSION, optimized=True, optimize_runs=settings["optimizer"]["runs"], via_ir=settings["viaIR"]
        )
        output = solcx.compile_standard(self.to_dict(), solc_version=SOLC_VERSION)
        no_code = {"object": "", "sourceMap": ""}
        for contracts in output["contracts"].values():
            for contract in contracts.values():
                contract["evm"] = {"bytecode": no_code, "deployedBytecode": no_code}
        parse_standard_json_output(output, unit, solc_working_dir=str(ROOT))


class Unread(logging.Handler):
    """Collects the functions that Slither gave up on: it logs them and goes on as if they weren't there."""

    def __init__(self) -> None:
        super().__init__()
        self.functions: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        found = re.search(r"Impossible to generate IR for .*? \((contracts/[^)]*)\)", record.getMessage())
        if found:
            self.functions.add(found.group(1))


def analyse(files: list[Path]) -> tuple[Slither, list[dict[str, Any]], int]:
    """The analysis, its findings and the number of detectors that ran."""
    compiled = CryticCompile(SourcesOnly(standard_input(source_closure(files), OUTPUTS, ast=True)))
    slither = Slither(compiled, filter_paths=["node_modules/"])
    chosen = [d for d in detectors() if d.ARGUMENT not in NOT_RUN]
    for detector in chosen:
        slither.register_detector(detector)
    findings = [finding for results in slither.run_detectors() for finding in results if is_judged_finding(finding)]
    return slither, findings, len(chosen)


def is_judged(file: Path) -> bool:
    return file.is_relative_to(CONTRACTS) and not file.is_relative_to(TEST_CONTRACTS)


def is_judged_finding(finding: dict[str, Any]) -> bool:
    places = [element["source_mapping"]["filename_absolute"] for element in finding["elements"]]
    return not places or any(is_judged(Path(place)) for place in places)


def undocumented(slither: Slither) -> list[str]:
    """External functions of our contracts that have no NatSpec notice, inherited ones included."""
    missing = []
    for unit in slither.crytic_compile.compilation_units.values():
        for filename, source in unit.source_units.items():
            if not is_judged(Path(filename.absolute)):
                continue
            for name, abi in source.abis.items():
                notices = source.natspec[name].userdoc.methods
                signatures = [abi_to_signature(item) for item in abi if item["type"] == "function"]
                missing += [
                    f"{name}.{s}"
                    for s in signatures
                    if s not in NOT_OURS and (s not in notices or not notices[s].notice)
                ]
    return sorted(missing)


def analysed_files(slither: Slither) -> set[Path]:
    return {Path(contract.source_mapping.filename.absolute) for contract in slither.contracts}


def main() -> int:
    unread = Unread()
    logging.basicConfig(handlers=[unread], force=True)
    logging.getLogger("ContractSolcParsing").propagate = True
    files = contract_files(CONTRACTS)
    slither, findings, ran = analyse(files)
    analysed = analysed_files(slither)
    declares = re.compile(r"^\s*(abstract contract|contract|interface|library) ", re.MULTILINE)
    missed = [str(f.relative_to(ROOT)) for f in files if f not in analysed and declares.search(f.read_text())]
    unknown = set(NOT_RUN) - {d.ARGUMENT for d in detectors()}
    if not files or not ran or missed or unknown:
        print(
            f"slither did too little: {len(files)} files, {ran} detectors, missed {missed}, unknown {sorted(unknown)}"
        )
        return 1
    for function in sorted(unread.functions):
        print(f"{function}: slither can't read this function; in `(a + b).method()` name the wider operand first")
    for finding in findings:
        print(f"{finding['impact']} {finding['check']}: {finding['description'].strip()}")
    unused = [c for c in slither.get_unused_ignore_comments() if Path(c["file"]) in set(files)]
    for comment in unused:
        print(f"{comment['file']}:{comment['line']}: suppresses nothing: {', '.join(comment['unused_detectors'])}")
    silent = undocumented(slither)
    for function in silent:
        print(f"{function}: has no NatSpec notice")
    contracts = {c.name for c in slither.contracts if Path(c.source_mapping.filename.absolute) in set(files)}
    print(f"{len(contracts)} contracts in {len(files)} files, {ran} detectors, {len(findings)} findings")
    return 1 if findings or unused or unread.functions or silent else 0


if __name__ == "__main__":
    sys.exit(main())
