"""`make bench`: measures what the project promises: a table, and bench.json (a figure has value, unit, ratio, to).

Every ratio is to something measured in the same run, so the figures mean the same on a slow machine and on a fast one.
What else the machine does moves a single ratio by several percent: at the first size, sealing alternates with what it
is compared to three times, and the median ratio counts. Opening, and the second size, which is there for memory, are
measured once.
Needs 8.4 GiB of disk for some minutes; `--quick` does the same with small files, and proves only that it works.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from nacl.public import PrivateKey, PublicKey, SealedBox
from rich.console import Console
from rich.table import Table

from numerbay_chain.crypto.content_key import Context, derive_content_key
from numerbay_chain.crypto.envelopes import seal_envelopes
from numerbay_chain.ipfs import Importer

ROOT = Path(__file__).parent.parent
MIB = 1 << 20
Figures = dict[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """`files` in MiB: the first is timed `repeats` times, and the peak memory of the others is compared with the first
    one's."""

    files: tuple[int, ...]
    repeats: int
    parts: int
    envelopes: int
    starts: int

    @property
    def disk(self) -> int:
        """Bytes that are written at most: two copies of the largest file, and what beside it is small."""
        return 2 * max(self.files) * MIB * 21 // 20


FULL = Sizes(files=(1024, 4096), repeats=3, parts=1024, envelopes=10_000, starts=15)
QUICK = Sizes(files=(4, 16), repeats=3, parts=8, envelopes=100, starts=2)


def figure(value: float, unit: str, ratio: float, to: str, bar: str = "") -> dict[str, object]:
    return {"value": round(value, 3), "unit": unit, "ratio": round(ratio, 3), "to": to, "bar": bar}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def parts_seconds(mebibytes: int) -> float:
    """ChaCha20 and three SHA-256 passes over so much data in memory, by one thread."""
    cipher = Cipher(algorithms.ChaCha20(bytes(32), bytes(16)), mode=None).encryptor()
    plaintext, ciphertext = bytes(MIB), bytearray(MIB)
    digests = [hashlib.sha256() for _ in range(3)]

    def work() -> None:
        for _ in range(mebibytes):
            cipher.update_into(plaintext, ciphertext)
            for digest in digests:
                digest.update(ciphertext)

    return seconds(work)


def write_input(path: Path, mebibytes: int) -> None:
    """Pseudo-random bytes, and on disk: writing them back must not be part of what is measured."""
    stream = Cipher(algorithms.ChaCha20(bytes(32), bytes(16)), mode=None).encryptor()
    with path.open("wb") as file:
        for _ in range(mebibytes):
            file.write(stream.update(bytes(MIB)))
        file.flush()
        os.fsync(file.fileno())


def run_worker(*arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "worker.py"), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    result: dict[str, object] = json.loads(done.stdout)
    return result


def number(result: dict[str, object], name: str) -> float:
    value = result[name]
    assert isinstance(value, int | float)
    return float(value)


@dataclass(frozen=True, slots=True)
class Timed:
    """One job of the worker, in bytes a second, and the parts alone just before and after it."""

    result: dict[str, object]
    speed: float
    parts: float

    @property
    def ratio(self) -> float:
        return self.speed / self.parts


def beside_parts(sizes: Sizes, mebibytes: int, *job: str) -> Timed:
    before = parts_seconds(sizes.parts)
    result = run_worker(*job)
    after = parts_seconds(sizes.parts)
    speed, parts = mebibytes * MIB / number(result, "seconds"), sizes.parts * MIB / ((before + after) / 2)
    return Timed(result, speed, parts)


def artifact_figures(sizes: Sizes, folder: Path, say: Callable[[str], None]) -> Figures:
    figures: Figures = {}
    idle = number(run_worker("idle"), "rss")
    first_rss: dict[str, float] = {}
    for mebibytes in sizes.files:
        label = f"{mebibytes // 1024}gib" if mebibytes >= 1024 else f"{mebibytes}mib"
        source, store, target = (folder / name for name in ("source", "store", "target"))
        say(f"{label}: writing the input")
        write_input(source, mebibytes)
        runs: list[Timed] = []
        for repeat in range(1 if first_rss else sizes.repeats):
            say(f"{label}: sealing" + (f" again, {repeat}" if repeat else ""))
            subprocess.run(["rm", "-rf", str(store)], check=True)
            runs.append(beside_parts(sizes, mebibytes, "seal", str(source), str(store)))
        with source.open("rb") as file:
            original = hashlib.file_digest(file, "sha256").hexdigest()
        source.unlink()  # so that no more than two copies are ever on disk
        say(f"{label}: opening")
        opened = beside_parts(sizes, mebibytes, "open", str(runs[-1].result["manifest"]), str(store), str(target))
        assert opened.result["sha256"] == original, "the file did not come back"
        subprocess.run(["rm", "-rf", str(store), str(target)], check=True)

        sealed = sorted(runs, key=lambda run: run.ratio)[len(runs) // 2]
        counted = f", median of {len(runs)}" if len(runs) > 1 else ""
        for name, run, how, bar in (("seal", sealed, counted, "≥ 0.6"), ("open", opened, "", "")):
            to = f"ChaCha20 + three SHA-256 passes{how}"
            figures[f"{name}_speed_{label}"] = figure(run.speed / 1e6, "MB/s", run.ratio, to, bar)
            rss = number(run.result, "rss")
            if name in first_rss:
                ratio, to = rss / first_rss[name], f"{name}_rss of the smaller file"
            else:
                ratio, to = rss / idle, "the same process doing nothing"
                first_rss[name] = rss
            figures[f"{name}_rss_{label}"] = figure(rss / 1e6, "MB", ratio, to, "≤ 200 MB")
    return figures


def envelope_figures(sizes: Sizes) -> Figures:
    key = derive_content_key(bytes(32), bytes(32), Context.offline())
    publics = [bytes(PrivateKey.generate().public_key) for _ in range(sizes.envelopes)]

    def bare() -> None:
        for public in publics:
            SealedBox(PublicKey(public)).encrypt(key.reveal())

    # Alternated, and the better of two each, so that a busy moment of the machine does not decide.
    times = [(seconds(lambda: seal_envelopes(key, Context.offline(), enumerate(publics))), seconds(bare)) for _ in "12"]
    ours, theirs = (min(column) for column in zip(*times, strict=True))
    return {
        f"envelopes_{sizes.envelopes}": figure(ours, "s", ours / theirs, f"{sizes.envelopes} bare SealedBoxes", "≤ 1.5")
    }


def cid_figures(sizes: Sizes) -> Figures:
    block, importer, digest = bytes(MIB), Importer(), hashlib.sha256()

    def import_all() -> None:
        for _ in range(sizes.parts):
            importer.update(block)
        importer.finish()

    def hash_all() -> None:
        for _ in range(sizes.parts):
            digest.update(block)

    ours, theirs = seconds(import_all), seconds(hash_all)
    speed = sizes.parts * MIB / ours
    return {"cid_speed": figure(speed / 1e6, "MB/s", theirs / ours, "SHA-256 of the same bytes")}


def start_figures(sizes: Sizes) -> Figures:
    program = Path(sys.executable).with_name("numerbay-chain")
    commands = {"help": [str(program), "--help"], "pass": [sys.executable, "-c", "pass"]}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(sizes.starts + 1):
        for name, command in commands.items():
            run = seconds(lambda command=command: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))  # type: ignore[misc]  # the default binds the loop's value
            times[name].append(run)
    ours, theirs = (statistics.median(times[name][1:]) for name in ("help", "pass"))  # the first one fills the caches
    return {"help_start": figure((ours - theirs) * 1e3, "ms", ours / theirs, "python -c pass", "≤ 130 ms more")}


def show(figures: Figures, console: Console) -> None:
    table = Table("figure", "value", "unit", "ratio", "to", "bar")
    for name, one in figures.items():
        table.add_row(name, f"{one['value']:,}", str(one["unit"]), f"{one['ratio']}", str(one["to"]), str(one["bar"]))
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small files: proves that it works, measures little")
    parser.add_argument("--output", type=Path, default=ROOT / "bench.json", help="where the figures go")
    options = parser.parse_args()
    sizes, console = (QUICK if options.quick else FULL), Console(stderr=True)
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    free, needed = shutil.disk_usage(cache).free, sizes.disk
    if free < needed:
        sys.exit(f"bench: error: {cache} has room for {free >> 20:,} MiB, but {needed >> 20:,} MiB are needed")
    with console.status("measuring") as status, tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as folder:
        figures = envelope_figures(sizes) | cid_figures(sizes) | start_figures(sizes)
        figures |= artifact_figures(sizes, Path(folder), status.update)
    show(figures, Console())
    options.output.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
