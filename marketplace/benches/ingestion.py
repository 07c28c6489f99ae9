"""`manage.py bench ingestion`: production calls from the guard's own batches to observations.

The whole way on two processors: packed batches over HTTP into the web server as the product starts
it (an API key checked, unpacked, read strictly, stored), while a worker checks what waits (claimed,
examined by three checks, observed, counted into live windows, drift watched), until every call has
its observations. Sending takes the same processors. PostgreSQL is durable.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from marketplace.benches.figures import Figure
from marketplace.benches.fleet import fleet, surroundings
from marketplace.benches.ground import ground, machine
from marketplace.benches.oracle_reads import server as web

Say = Callable[[str], None]
OURS, MODULE = "marketplace.settings", "marketplace.benches.ingestion_calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many calls, in batches of how many, by how many senders and checkers, how often."""

    samples: int = 20_000
    batch: int = 500
    senders: int = 2
    workers: int = 1
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
        for app in ("marketplace", "pacts", "reputation"):
            server.migrate(url, app, settings=OURS)
        with (
            fleet(MODULE, settings=OURS, url=url, data=server.data) as team,
            web(surroundings(settings=OURS, url=url, data=server.data)) as port,
        ):
            secret = team.call("prepare")
            runs = [_pass(team, plan, number, port, secret) for number in range(plan.rounds)]
    for one in runs:
        say(
            f"{plan.samples:,} calls in {one['seconds']:.1f} s: {one['observations']:,} "
            f"observations, {plan.samples / one['seconds']:,.0f} calls per second"
        )
    say(f"\nat the end: {machine()}")
    return [Figure("calls_per_s", plan.samples / median(one["seconds"] for one in runs), 1_500)]


def _pass(team: Any, plan: Plan, number: int, port: int, secret: str) -> dict[str, Any]:
    found: dict[str, Any] = team.call(
        "run",
        samples=plan.samples,
        batch=plan.batch,
        senders=plan.senders,
        workers=plan.workers,
        number=number,
        port=port,
        secret=secret,
    )
    return found
