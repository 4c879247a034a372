"""Put the Solidity compiler into the project's folder: py-solc-x's native build, else npm's of the same version."""

import os
import subprocess
import sys
from pathlib import Path

import requests
import solcx.install

from tools.solidity import ROOT, SOLC, SOLC_FOLDER, SOLC_VERSION

BUILD = f"{SOLC_VERSION}+commit.73712a01"
WRAPPER = ROOT / "tools" / "solc.js"
ANSWER_SECONDS = 3
DOWNLOAD_SECONDS = 120


def download() -> bool:
    """Ask py-solc-x for the native build; False where it can't be reached."""
    try:
        requests.head(solcx.install.BINARY_DOWNLOAD_BASE.format("linux", "list.json"), timeout=ANSWER_SECONDS)
    except requests.RequestException:
        return False
    # py-solc-x knows no time limit of its own, a process of its own can have one.
    program = f"import solcx; solcx.install_solc({SOLC_VERSION!r})"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and SOLC.exists()


def version_of(executable: Path) -> str:
    return subprocess.run([executable, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout


def main() -> int:
    SOLC_FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ["SOLCX_BINARY_PATH"] = str(SOLC_FOLDER)
    SOLC.unlink(missing_ok=True)
    origin = "native build, through py-solc-x"
    if not download() or BUILD not in version_of(SOLC):
        origin = "npm build, through tools/solc.js"
        SOLC.unlink(missing_ok=True)
        SOLC.symlink_to(os.path.relpath(WRAPPER, SOLC_FOLDER))
    if BUILD not in version_of(SOLC):
        print(
            f"error: {SOLC.relative_to(ROOT)} does not answer as solc {SOLC_VERSION}; is Node.js installed?",
            file=sys.stderr,
        )
        return 1
    print(f"   solc {SOLC_VERSION}: {origin}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
