"""The bench runs and answers in its own format; how fast it is, is not a test's business."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from marketplace.benches.evaluation_calls import FIXED, WALD, calls_to_a_verdict, fixed_power

ROOT = Path(__file__).resolve().parents[2]
BARS = {
    "vs_inspect": 10,
    "observations_per_core_s": 2_000,
    "calls_vs_wald": 1.25,
    "calls_vs_fixed": 0.65,
}


def test_calls_to_a_verdict_are_those_of_the_specification() -> None:
    found = {rate: calls_to_a_verdict(rate) for rate in WALD}
    assert round(found[0.95].average, 1) == 185.3
    assert round(found[0.90].average, 1) == 160.3
    assert (round(found[0.95].met, 4), round(found[0.90].breached, 4)) == (0.9705, 0.9621)
    assert all(found[rate].average <= 1.25 * bound for rate, bound in WALD.items())
    assert all(calls.average <= 0.65 * FIXED for calls in found.values())


def test_the_fixed_test_has_the_errors_it_is_compared_at() -> None:
    assert all(0.045 < error <= 0.05 for error in fixed_power())


@pytest.mark.skipif(find_spec("inspect_ai") is None, reason="inspect-ai is a development tool")
def test_a_tiny_run_says_what_it_measured_and_ends_with_one_line_of_json() -> None:
    sizes = ["--samples", "60", "--theirs", "5", "--small", "30", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "django", "bench", "evaluation", "--quick", "--json", *sizes],
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
