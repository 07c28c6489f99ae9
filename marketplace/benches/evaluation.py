"""`manage.py bench evaluation`: our engine against inspect_ai, checks alone, calls to a verdict.

Both engines run the same samples with the same three checks against an agent that answers at once
in the same process, on both processors of the same machine, passes in turns; a figure is a quotient
of medians. Ours runs on a durable PostgreSQL of its own; inspect_ai writes its log file.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

from marketplace.benches.crowd import BenchFailed
from marketplace.benches.evaluation_calls import FIXED, WALD, calls_to_a_verdict, fixed_power
from marketplace.benches.evaluation_inspect import AT_ONCE, LOG_BUFFER
from marketplace.benches.figures import Figure
from marketplace.benches.fleet import Fleet, fleet
from marketplace.benches.ground import ground, machine
from marketplace.local.folder import ROOT

Say = Callable[[str], None]
OURS, MODULE = "marketplace.settings", "marketplace.benches.evaluation_ours"

WHAT = """\
A sample is one question, one instant answer and three checks: equal to the target, contains it,
matches a pattern. The path of ours: trial rows claimed under leases by two worker processes, raw
inputs and answers kept by their digest, observations written, statistics, a verdict.
"""

SETTINGS = """\
ours:        {workers} worker processes, 32 calls in flight each, all checks and raw answers kept
inspect_ai:  one process (its engine is one event loop), {at_once} samples at once, no display,
             no real-time log, a log buffer of {buffer:,} samples, log level error"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: samples for each engine, the small run that shows growth, rounds."""

    samples: int = 10_000
    theirs: int = 10_000
    small: int = 2_000
    rounds: int = 3
    their_rounds: int = 1
    workers: int = 2
    seconds: float = 3.0


QUICK = {"samples": 4_000, "theirs": 300, "small": 1_000, "rounds": 1, "seconds": 1.0}


def smaller(plan: Plan) -> str:
    """What a quick run leaves out, as a sentence."""
    return (
        f"--quick: {plan.samples:,} samples by ours and {plan.theirs:,} by inspect_ai. Smaller "
        "than the bars are meant for; the full run gives both the same 10,000 and decides.\n"
    )


def run(plan: Plan, say: Say) -> list[Figure]:
    """Measure and explain; the figures. Raises BenchFailed."""
    if find_spec("inspect_ai") is None:
        raise BenchFailed("inspect-ai is not installed: `python3 manage.py environment` does it")
    say(WHAT)
    say(SETTINGS.format(workers=plan.workers, at_once=AT_ONCE, buffer=LOG_BUFFER))
    say(f"\nPostgreSQL of its own, fsync and synchronous_commit on; {machine()}")
    ours, small, per_core, theirs = _engines(plan)
    rate = plan.samples / _typical(ours)
    their_rate = plan.theirs / _typical(theirs)
    _tell(plan, say, ours, small, theirs)
    say(f"\nchecks alone, one core: {per_core:,.0f} verified observations per second")
    worst_calls, wald = _calls(say)
    say(f"\nat the end: {machine()}")
    return [
        Figure("vs_inspect", rate / their_rate, 10),
        Figure("observations_per_core_s", per_core, 2_000),
        Figure("calls_vs_wald", wald, 1.25, at_most=True),
        Figure("calls_vs_fixed", worst_calls / FIXED, 0.65, at_most=True),
    ]


Runs = list[dict[str, Any]]


def _engines(plan: Plan) -> tuple[Runs, Runs, float, Runs]:
    """All passes, in turns: ours, ours on the small set, checks alone, theirs."""
    sizes = sorted({plan.samples, plan.small})
    ours: Runs = []
    theirs: Runs = []
    with ground() as server:
        url = server.create("evaluation")
        for app in ("pacts", "reputation"):
            server.migrate(url, app, settings=OURS)
        with fleet(MODULE, settings=OURS, url=url, data=server.data) as first:
            first.call("prepare", sizes=sizes)
        small = [_pass(url, server.data, plan, plan.small)]
        for number in range(max(plan.rounds, plan.their_rounds)):
            if number < plan.rounds:
                ours.append(_pass(url, server.data, plan, plan.samples))
            if number < plan.their_rounds:
                theirs.append(_theirs(plan.theirs))
        with fleet(MODULE, settings=OURS, url=url, data=server.data) as team:
            per_core = float(team.call("check", seconds=plan.seconds)["per_second"])
    return ours, small, per_core, theirs


def _pass(url: str, data: str, plan: Plan, samples: int) -> dict[str, Any]:
    """One evaluation by fresh processes, so that each pass's memory is its own."""
    with fleet(MODULE, settings=OURS, url=url, data=data) as team:
        return _run(team, samples, plan.workers)


def _run(team: Fleet, samples: int, workers: int) -> dict[str, Any]:
    found: dict[str, Any] = team.call("run", samples=samples, workers=workers)
    return found


def _theirs(samples: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="earnest-bench-") as folder:
        module = "marketplace.benches.evaluation_inspect"
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", module, str(samples), folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise BenchFailed(f"inspect_ai did not finish:\n{done.stderr[-1500:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _typical(runs: Runs) -> float:
    return float(median(run["seconds"] for run in runs))


def _tell(plan: Plan, say: Say, ours: Runs, small: Runs, theirs: Runs) -> None:
    say("\n                     samples  samples/s    seconds   peak memory   right")
    for name, samples, runs in (
        ("ours", plan.samples, ours),
        ("ours, small", plan.small, small),
        ("inspect_ai", plan.theirs, theirs),
    ):
        peak = max(run["peak_kb"] for run in runs) / 1024
        say(
            f"  {name:<18}{samples:8,}{samples / _typical(runs):11,.0f}"
            f"{_typical(runs):11,.1f}{peak:11,.0f} MB{runs[0]['right']:9.3f}"
        )
    grown = (max(run["peak_kb"] for run in ours) - max(run["peak_kb"] for run in small)) / 1024
    say(
        f"memory of a worker of ours: {grown:+.1f} MB from {plan.small:,} to {plan.samples:,} "
        "samples"
    )


def _calls(say: Say) -> tuple[float, float]:
    """The average calls at the worse design point, and the worst quotient to Wald's bound."""
    say("\ncalls to a verdict, promise 95 %, floor 90 %, exactly computed")
    found = {rate: calls_to_a_verdict(rate) for rate in WALD}
    for rate, calls in found.items():
        say(
            f"  true rate {rate:.0%}: {calls.average:6.1f} on average ({calls.met:.2%} met, "
            f"{calls.breached:.2%} breached); Wald's bound {WALD[rate]}, fixed test {FIXED}"
        )
    false_breach, false_met = fixed_power()
    say(f"  the fixed test's own errors: {false_breach:.2%} and {false_met:.2%}")
    worst = max(calls.average for calls in found.values())
    return worst, max(found[rate].average / bound for rate, bound in WALD.items())
