"""The bench runs and answers in its own format; how fast it is, is not a test's business."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BARS = {
    "sequence_1000_per_s": 10_000,
    "sequence_vs_insert": 0.5,
    "proof_p95_ms": 50,
    "tile_overhead": 0.12,
    "standing_growth": 1.5,
    "oracle_vs_constant": 0.7,
}


def test_a_tiny_run_says_what_it_measured_and_ends_with_one_line_of_json() -> None:
    sizes = ["--rounds", "1", "--seconds", "0.05", "--entries", "3000", "--samples", "20"]
    done = subprocess.run(
        [sys.executable, "-m", "django", "bench", "evidence", "--quick", "--json", *sizes],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert {name: figure["bar"] for name, figure in figures.items()} == BARS
    assert all(figure["value"] > 0 for figure in figures.values())
    assert "fsync and synchronous_commit on" in done.stdout
    assert "Smaller than the bars are meant for" in done.stdout
    assert "less than the 10,000,000 of the full run" in done.stdout
