"""That `make bench` works; what it measures is looked at by people, on a machine that does nothing else."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_quick_bench_writes_every_figure_with_what_it_is_compared_to(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    command = [sys.executable, str(ROOT / "bench" / "run.py"), "--quick", "--output", str(output)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    figures = json.loads(output.read_text())
    kinds = {"seal_speed", "seal_rss", "open_speed", "open_rss", "envelopes", "cid_speed", "help_start"}
    for kind in kinds:
        assert any(name.startswith(kind) for name in figures), kind
    for name, figure in figures.items():
        assert {"value", "unit", "ratio", "to"} <= figure.keys(), name
        assert figure["value"] > 0
        assert figure["ratio"] > 0
        assert figure["to"]
    repeated = [name for name, figure in figures.items() if figure["to"].endswith("median of 3")]
    assert repeated == ["seal_speed_4mib"], "the first size alone is sealed more than once"
    assert "figure" in done.stdout
    assert not list((ROOT / ".cache").glob("bench-*")), "the big files were left behind"
