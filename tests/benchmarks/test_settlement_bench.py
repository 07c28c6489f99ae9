"""The bench runs and answers in its own format; how fast it is, is not a test's business."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BARS = {
    "cycle_vs_raw": 0.6,
    "cycle_vs_hordak": 2.5,
    "hot_vs_uniform": 0.8,
    "batch_vs_single": 1.5,
    "growth_10m": 1.3,
}


@pytest.mark.skipif(find_spec("hordak") is None, reason="django-hordak is a development tool")
def test_a_tiny_run_says_what_it_measured_and_ends_with_one_line_of_json() -> None:
    sizes = ["--clients", "1,2", "--rounds", "1", "--seconds", "0.05", "--entries", "5000"]
    sizes += ["--audited", "1000"]
    done = subprocess.run(
        [sys.executable, "-m", "django", "bench", "settlement", "--quick", "--json", *sizes],
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
    assert "smaller than the 10 million of the full run" in done.stdout
    assert done.stdout.count("escrows with receipt and evidence: ") == 2
