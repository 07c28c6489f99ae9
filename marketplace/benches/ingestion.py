"""`manage.py bench ingestion`: production calls from the guard's own batches to observations.

Two processes do everything at once on two processors: each takes packed batches as the endpoint
does (unpacked, read strictly, stored) and checks what waits (claimed, examined by three checks,
observed, counted into windows, drift watched), until nothing waits. PostgreSQL is durable.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from marketplace.benches.figures import Figure
from marketplace.benches.fleet import fleet
from marketplace.benches.ground import ground, machine

Say = Callable[[str], None]
OURS, MODULE = "marketplace.settings", "marketplace.benches.ingestion_calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many calls, in batches of how many, by how many processes, how often."""

    samples: int = 20_000
    batch: int = 500
    workers: int = 2
    rounds: int = 3


QUICK = {"samples": 6_000, "rounds": 1}


def smaller(plan: Plan) -> str:
    """What a quick run leaves out, as a sentence."""
    return f"--quick: {plan.samples:,} calls once; the full run takes 20,000 three times.\n"


def run(plan: Plan, say: Say) -> list[Figure]:
    """Measure and explain; the figures. Raises BenchFailed."""
    say((__doc__ or "").partition("\n\n")[2])
    say(f"PostgreSQL of its own, fsync and synchronous_commit on; {machine()}")
    with ground() as server:
        url = server.create("ingestion")
        for app in ("pacts", "reputation"):
            server.migrate(url, app, settings=OURS)
        with fleet(MODULE, settings=OURS, url=url, data=server.data) as team:
            team.call("prepare")
            runs = [_pass(team, plan, number) for number in range(plan.rounds)]
    for one in runs:
        say(
            f"{plan.samples:,} calls in {one['seconds']:.1f} s: {one['observations']:,} "
            f"observations, {plan.samples / one['seconds']:,.0f} calls per second"
        )
    say(f"\nat the end: {machine()}")
    return [Figure("calls_per_s", plan.samples / median(one["seconds"] for one in runs), 1_500)]


def _pass(team: Any, plan: Plan, number: int) -> dict[str, Any]:
    found: dict[str, Any] = team.call(
        "run", samples=plan.samples, batch=plan.batch, workers=plan.workers, number=number
    )
    return found
