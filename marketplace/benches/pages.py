"""`manage.py bench pages`: how long a page takes at size, beside one that renders nothing.

One durable server, one gunicorn as the product starts it, one reader over a socket that keeps
alive; the pages in turns, so that a machine that slows down slows all of them.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

from marketplace.benches import oracle_reads
from marketplace.benches.crowd import BenchFailed
from marketplace.benches.figures import Figure
from marketplace.benches.fleet import fleet, surroundings
from marketplace.benches.ground import ground, machine

Say = Callable[[str], None]
OURS, MODULE = "marketplace.settings", "marketplace.benches.pages_past"
WITH_EMPTY = "marketplace.benches.pages_settings"
EMPTY = "empty"

WHAT = """\
The whole of an answer is timed, from the first byte sent to the last one received, by a buyer who
is signed in and holds hundreds of evaluations. `empty` passes the same middleware, with the same
session, and renders nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: listings, trials, and how often each page is read."""

    listings: int = 100_000
    trials: int = 1_000_000
    reads: int = 60


QUICK = {"listings": 1_500, "trials": 5_000, "reads": 8}


def smaller(plan: Plan) -> str:
    """What a quick run leaves out, as a sentence."""
    return (
        f"--quick: {plan.listings:,} listings and {plan.trials:,} trials, {plan.reads} reads of "
        "each page. Smaller than the bars are meant for; the full run decides.\n"
    )


def run(plan: Plan, say: Say) -> list[Figure]:
    """Measure and explain; the figures. Raises BenchFailed."""
    say(WHAT)
    with ground() as server:
        say(f"\nPostgreSQL of its own, fsync and synchronous_commit on; {machine()}")
        url = server.create("pages")
        server.migrate(url, "", settings=OURS)
        with fleet(MODULE, settings=OURS, url=url, data=server.data) as market:
            made = market.call("write_market", listings=plan.listings, trials=plan.trials)
            say(f"{made['listings']:,} listings, {made['trials']:,} trials written; {machine()}")
            _tell_look(market.call("look_at_changes"), say)
            _tell_moves(market.call("follow_moves"), say)
        settings = surroundings(settings=WITH_EMPTY, url=url, data=server.data)
        with oracle_reads.server(settings) as port:
            taken = _read(port, made["paths"], made["cookie"], plan.reads)
        figures = _tell(taken, say)
        say(f"\nat the end: {machine()}")
    return figures


def _tell_look(look: Mapping[str, float], say: Say) -> None:
    say(
        f"{look['changed']:,} changes of prices, up and back down, were held against "
        f"{look['searches']:,} kept searches in {look['seconds']:.2f} s, and {look['found']:,} "
        "alerts came of it\n"
    )


def _tell_moves(moves: Mapping[str, float], say: Say) -> None:
    say(
        f"{moves['moved']:,} scores that moved were followed in {moves['seconds']:.2f} s; to "
        f"compare every score took {moves['compared_seconds']:.2f} s\n"
    )


def _read(
    port: int, paths: Mapping[str, list[str]], cookie: str, reads: int
) -> dict[str, list[float]]:
    """Milliseconds of every read by page, after one round that is not counted."""
    taken: dict[str, list[float]] = defaultdict(list)
    with oracle_reads.connected(port) as line:
        for turn in range(-1, reads):
            for page, addresses in paths.items():
                path = addresses[turn % len(addresses)]
                began = time.perf_counter()
                status, _ = oracle_reads.ask(line, path, Cookie=cookie, Accept_Encoding="gzip")
                if status != 200:
                    raise BenchFailed(f"{path} answered {status}")
                if turn >= 0:
                    taken[page].append(1_000 * (time.perf_counter() - began))
    return taken


def _tell(taken: Mapping[str, list[float]], say: Say) -> list[Figure]:
    slow = {page: quantiles(found, n=20, method="inclusive")[-1] for page, found in taken.items()}
    say(f"milliseconds{'p50':>26}{'p95':>10}{'p95 / empty':>14}")
    for page, found in taken.items():
        say(f"  {page:<26}{median(found):10.1f}{slow[page]:10.1f}{slow[page] / slow[EMPTY]:14.1f}")
    worst = max(slow.values())
    return [
        Figure("p95_ms", worst, 150, at_most=True),
        Figure("vs_empty", worst / slow[EMPTY], 40, at_most=True),
    ]
