"""A development chain in a process of its own: anvil on loopback, with the test accounts that everybody knows."""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from numerbay_chain.chain.connection import Connection, connect
from numerbay_chain.chain.node.blocks import require_advance
from numerbay_chain.chain.signers.signer import DevelopmentSigner
from numerbay_chain.core.errors import NetworkError, RefusedError, UsageError
from numerbay_chain.core.text import one_line

CHAIN_ID = 31337
ACCOUNTS = 20
VARIABLE = "NUMERBAY_CHAIN_ANVIL"
_HOST = "127.0.0.1"
_ANOTHER_PORT = "choose another one with --port, or 0 for any that is free"
_SECONDS_TO_START = 30.0
_SECONDS_TO_STOP = 15.0
_SAVE_EVERY = 10  # seconds
_GUARD = """
read -r _; kill "$0"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do kill -0 "$0" 2>/dev/null && sleep 1 || break; done
rm -rf -- "$1"
"""


def find_anvil(binary: str | None = None) -> str:
    """The program's path: `binary`, else what NUMERBAY_CHAIN_ANVIL in the environment names, else the one on PATH.

    Raises `UsageError`.
    """
    wanted = binary or os.environ.get(VARIABLE) or "anvil"
    found = shutil.which(wanted)
    if found is None:
        raise UsageError(
            f"the program {wanted} was not found",
            "in a checkout, `make setup` brings it, and the README puts it on PATH; elsewhere, install Foundry; "
            f"{VARIABLE} can name one that is not on PATH",
            code="missing-program",
        )
    return found


def advance(connection: Connection, seconds: int) -> None:
    """Move a development chain's clock forward by `seconds`, and make a block.

    Raise `UsageError` for another chain (no-clock), and as `require_advance`.
    """
    if not connection.is_development:
        raise UsageError(
            f"the clock of chain {connection.chain_id} at {connection.name} can't be moved",
            "use a devnet",
            code="no-clock",
        )
    require_advance(seconds, connection.now())
    request(connection, "evm_increaseTime", seconds)
    request(connection, "evm_mine")


def request(connection: Connection, method: str, *parameters: object) -> object:
    """One of anvil's own requests. Raises `NetworkError`."""
    return connection.ask(f"calling {method}", lambda found: found, method, *parameters)


class Devnet:
    """A running anvil. Use it in a `with` block, or call `stop`; it is stopped when this process exits, however it
    does (where there is no `sh`, not when it is killed).

    `rpc` is its address, `connection` one to it, `signer(i)` its test account i, funded with 10,000 ETH.
    """

    def __init__(
        self, *, binary: str | None = None, port: int = 0, state: Path | None = None, block_time: int | None = None
    ) -> None:
        """Starts it and waits until it answers. `port` 0 takes a free one; `state` is a file that keeps the chain;
        `block_time` makes a block every so many seconds instead of one for each transaction.

        Raises `UsageError` where there is no anvil, `RefusedError` where it does not start.
        """
        program = find_anvil(binary)
        self.port = _free_port(port)
        self.rpc = f"http://{_HOST}:{self.port}"
        options = ["--host", _HOST, "--port", str(self.port), "--chain-id", str(CHAIN_ID), "--accounts", str(ACCOUNTS)]
        if state is not None:
            state.parent.mkdir(parents=True, exist_ok=True)
            options += ["--state", str(state), "--state-interval", str(_SAVE_EVERY)]
        if block_time is not None:
            options += ["--block-time", str(block_time)]
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # stop() closes it
        self._cache = tempfile.mkdtemp(prefix="numerbay-chain-devnet-")  # past states, else below the home folder
        options += ["--cache-path", self._cache]
        self._process = subprocess.Popen(
            [program, *options, "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then stops anvil in good order
        )
        self._guard: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        try:
            self._guard = self._watch()
            self.connection = self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _watch(self) -> subprocess.Popen[bytes] | None:
        """A shell that waits for the end of a pipe, which the system closes when this process is gone, and then ends
        anvil and removes what it kept. Unlike Linux's death signal, it works on every Unix, and from any thread."""
        shell = shutil.which("sh")
        if shell is None:
            return None
        return subprocess.Popen(
            [shell, "-c", _GUARD, str(self.pid), self._cache],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait_until_ready(self) -> Connection:
        end = time.monotonic() + _SECONDS_TO_START
        while self._process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex((_HOST, self.port)) == 0:
                    try:
                        return self._own(connect(self.rpc, CHAIN_ID))
                    except NetworkError:
                        pass  # it listens, but does not answer yet
            time.sleep(0.02)
        self._log.seek(0)
        said = one_line(self._log.read(4096).decode(errors="replace")) or "it said nothing"
        raise RefusedError(f"anvil did not start on port {self.port}: {said}", _ANOTHER_PORT, code="anvil-failed")

    def _own(self, connection: Connection) -> Connection:
        """Not some other program's chain on the same port."""
        if self._process.poll() is not None:
            raise RefusedError(f"the port {self.port} is taken by another program", _ANOTHER_PORT, code="port-taken")
        return connection

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def signer(self, index: int) -> DevelopmentSigner:
        """Test account `index`. Raises `UsageError`."""
        if not 0 <= index < ACCOUNTS:
            raise UsageError(f"the devnet has the accounts 0 to {ACCOUNTS - 1}, not {index}")
        return DevelopmentSigner(index)

    def advance(self, seconds: int) -> None:
        """Moves the clock forward by `seconds`, and makes a block."""
        advance(self.connection, seconds)

    def wait(self) -> int:
        """Until anvil ends; its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """Ends anvil; it writes its state first. Does nothing where it has ended."""
        atexit.unregister(self.stop)
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
        self._log.close()
        shutil.rmtree(self._cache, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_port(port: int) -> int:
    """`port`, or any free one for 0."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((_HOST, port))
            return int(probe.getsockname()[1])
    except (OSError, OverflowError):
        raise RefusedError(
            f"the port {port} can't be taken on this machine", _ANOTHER_PORT, code="port-taken"
        ) from None
