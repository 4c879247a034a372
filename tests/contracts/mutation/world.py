"""The fast EVM with one mutant switched on: what tests find in the place of the contracts, in this process alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrevm

from tests.contracts.mutation.build import CACHE, Build
from tests.support.evm import chain as chains
from tests.support.evm import contracts


class Switch:
    """`choose(number)`: from now on the contracts are this mutant, 0 is none of them. Changes the EVM for good."""

    def __init__(self, build: Build) -> None:
        self.name = build.name
        self._chosen = 0
        self._called: set[str] = set()
        folder = _artifacts(build, CACHE / "artifacts")
        contracts.SHIPPED_FOLDER = contracts.TEST_FOLDER = folder  # type: ignore[misc]  # ours for this process
        contracts.artifact.cache_clear()
        self._functions = {
            function.selector: function.name
            for name in ("Marketplace", "JudgeHarness")
            if name in build.artifacts
            for function in contracts.artifact(name).functions.values()
        }
        chains.GAS_LIMIT = 10**9  # type: ignore[misc]  # many mutants at once are too large to be created with less
        switch = self

        def block(chain: chains.Chain) -> pyrevm.BlockEnv:
            word = switch._chosen.to_bytes(32, "big")
            return pyrevm.BlockEnv(number=chain.block, timestamp=chain.now, gas_limit=10**9, prevrandao=word)

        def machine(chain: chains.Chain) -> pyrevm.EVM:
            unlimited = pyrevm.CfgEnv(chain_id=chains.CHAIN_ID, limit_contract_code_size=10**7)
            return pyrevm.EVM(env=pyrevm.Env(cfg=unlimited, block=block(chain)), gas_limit=10**9, spec_id="CANCUN")

        chains.Chain._block_env, chains.Chain._machine = block, machine  # type: ignore[method-assign]  # likewise
        for name, place in (("transact", 2), ("call", 1), ("rehearse", 2)):
            setattr(chains.Chain, name, self._listened(getattr(chains.Chain, name), place))

    def _listened(self, method: Callable[..., Any], place: int) -> Callable[..., Any]:
        def listened(chain: chains.Chain, *arguments: Any, **named: Any) -> Any:
            self._hear(named["data"] if "data" in named else arguments[place])
            return method(chain, *arguments, **named)

        return listened

    def _hear(self, data: bytes) -> None:
        """Calls by way of another contract have theirs inside."""
        self._called |= {name for selector, name in self._functions.items() if selector in data}

    def choose(self, number: int) -> None:
        self._chosen = number

    def called(self) -> set[str]:
        """The contracts' functions that were called, with success or not, since the last look."""
        found, self._called = self._called, set()
        return found


def _artifacts(build: Build, folder: Path) -> Path:
    """What was built, and beside it the other test contracts as they are."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in contracts.TEST_FOLDER.glob("*.json"):
        shutil.copy(file, folder)
    for name, artifact in build.artifacts.items():
        (folder / f"{name}.json").write_text(json.dumps(artifact))
    return folder
