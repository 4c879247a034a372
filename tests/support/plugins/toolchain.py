"""The real programs that tests talk to: where they are found, how they are started and stopped, and one visible line in
the summary for each that is missing."""

import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent.parent.parent
READY_SECONDS = 60
STOP_SECONDS = 15

HINTS = {
    "anvil": "run `make setup` on Linux x86-64, or put an anvil on PATH",
    "kubo": "install Go and run `make setup`, or put ipfs on PATH",
    "halmos": "run `make setup` on Linux x86-64, which ships forge",
    "solc": "run `make setup`, which needs Node.js with npm",
    "node_modules": "run `make setup`, which needs Node.js with npm",
}
PREFIX = "missing component "


def anvil_binary() -> Path | None:
    """anvil as npm ships it, else the one on PATH; None where there is neither."""
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        shipped = ROOT / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
        if os.access(shipped, os.X_OK):
            return shipped
    found = shutil.which("anvil")
    return Path(found) if found else None


def kubo_binary() -> Path | None:
    """The `ipfs` on PATH, else the one that set-up built; None where there is neither."""
    if found := shutil.which("ipfs"):
        return Path(found)
    built = ROOT / ".cache" / "bin" / "ipfs"
    return built if os.access(built, os.X_OK) else None


def solc_binary() -> Path | None:
    """The project's Solidity compiler, native or over npm's build; None where set-up has not run."""
    compilers = sorted((ROOT / ".cache" / "solcx").glob("solc-v*"))
    return compilers[-1] if compilers else None


def require(component: str, found: Path | None) -> Path:
    """`found`, or a skip that the summary counts under the component's name."""
    if found is None:
        pytest.skip(f"{PREFIX}{component}")
    return found


def free_port() -> int:
    """A loopback TCP port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, make it end if it does not listen."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], answers: Sequence[str], log: Path) -> None:
    """Wait until the JSON-RPC or HTTP address of a process answers. `answers` is (method, address, body…)."""
    method, address, *body = answers
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(requests.RequestException):
            if requests.request(method, address, data=body[0] if body else None, timeout=2).ok:
                return
        time.sleep(0.05)
    stop(process)
    raise RuntimeError(f"{process.args!r} did not get ready; its output ends with:\n{log.read_text()[-2000:]}")


@contextlib.contextmanager
def running(command: Sequence[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in `log`, stopped at the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,  # Ctrl-C in a terminal reaches pytest alone, which then stops it in order
        )
    try:
        yield process
    finally:
        stop(process)


@dataclass(frozen=True, slots=True)
class Anvil:
    """A running anvil."""

    url: str
    port: int
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def anvil(*arguments: str) -> Iterator[Anvil]:
    """A fresh anvil with its ten funded accounts on a free loopback port; `arguments` are anvil's own."""
    binary = require("anvil", anvil_binary())
    with tempfile.TemporaryDirectory(prefix="anvil-") as folder:
        port, log = free_port(), Path(folder) / "log"
        command = [str(binary), "--host", "127.0.0.1", "--port", str(port), "--hardfork", "cancun", *arguments]
        command += ["--cache-path", f"{folder}/states"]  # else they stay below the home folder for ever
        with running(command, log) as process:
            url = f"http://127.0.0.1:{port}"
            question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
            wait_until_ready(process, ("POST", url, question), log)
            yield Anvil(url, port, process)


@dataclass(frozen=True, slots=True)
class Kubo:
    """A running Kubo daemon, offline, with an empty repository of its own."""

    rpc_url: str
    gateway_url: str
    repository: Path
    binary: Path
    process: subprocess.Popen[bytes]

    def run(self, *arguments: str, given: bytes | None = None) -> bytes:
        """Output of `ipfs ARGUMENTS` against this daemon. Raises CalledProcessError."""
        environment = {**os.environ, "IPFS_PATH": str(self.repository)}
        command = [str(self.binary), *arguments]
        return subprocess.run(
            command, input=given, capture_output=True, check=True, timeout=300, env=environment
        ).stdout


@contextlib.contextmanager
def kubo() -> Iterator[Kubo]:
    """A fresh Kubo daemon on free loopback ports that talks to nobody."""
    binary = require("kubo", kubo_binary())
    with tempfile.TemporaryDirectory(prefix="kubo-") as folder:
        repository, log = Path(folder) / "repository", Path(folder) / "log"
        environment = {"IPFS_PATH": str(repository), "IPFS_TELEMETRY": "off"}

        def ipfs(*arguments: str) -> None:
            command = [str(binary), *arguments]
            subprocess.run(command, check=True, capture_output=True, timeout=60, env={**os.environ, **environment})

        ipfs("init", "-p", "test", "--empty-repo")
        rpc, gateway = free_port(), free_port()
        ipfs("config", "Addresses.API", f"/ip4/127.0.0.1/tcp/{rpc}")
        ipfs("config", "Addresses.Gateway", f"/ip4/127.0.0.1/tcp/{gateway}")
        ipfs("config", "--json", "Addresses.Swarm", "[]")
        with running([str(binary), "daemon", "--offline"], log, **environment) as process:
            wait_until_ready(process, ("POST", f"http://127.0.0.1:{rpc}/api/v0/id"), log)
            yield Kubo(f"http://127.0.0.1:{rpc}", f"http://127.0.0.1:{gateway}", repository, binary, process)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each component that tests did without."""
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _, found, component = reason.partition(PREFIX)
        if found:
            missing[component.strip()] += 1
    for component, tests in sorted(missing.items()):
        hint = HINTS.get(component, "run `make setup`")
        terminalreporter.write_line(
            f"{component}: not found, {tests} tests of it did not run: {hint}", yellow=True, bold=True
        )
