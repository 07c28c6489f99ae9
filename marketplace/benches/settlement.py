"""`manage.py bench settlement`: the escrow cycle against its limit, its yardstick and its past.

One durable server, passes in turns, so that a machine that slows down slows all contenders; the
median of each over the rounds. A figure is the worst ratio of medians of all numbers of clients.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from statistics import median

from marketplace.benches.audits import audit_past
from marketplace.benches.crowd import BenchFailed
from marketplace.benches.figures import Figure
from marketplace.benches.fleet import Fleet, fleet
from marketplace.benches.ground import Ground, ground, machine

Say = Callable[[str], None]
OURS, HORDAK = "marketplace.settings", "marketplace.benches.hordak_settings"

WHAT = """\
An escrow cycle is a hold and a release with a fee: 2 commits, 5 entries, 2 idempotency keys; every
trigger, constraint and index of the product is in place. Accounts are open beforehand.
  raw      settlement_post by prepared statements on a plain psycopg connection: the limit
  ours     ledger.post, as escrow and sweep call it, by Django's connection
  uniform  the same, fees spread over 1,000 plain accounts instead of one queued account
  batched  holds by ledger.post, releases by ledger.post_batch, 100 in a statement
  hordak   django-hordak: transfer_to, and a transaction of three legs; no balance, no key"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: passes of `seconds` for each contender, number of clients and round."""

    clients: Sequence[int] = (1, 4, 16)
    rounds: int = 5
    seconds: float = 3.0
    entries: int = 10_000_000
    growth_clients: int = 4
    audited: int = 1_000_000  # entries, 0 for none; a tenth is audited too, to tell the growth


AUDITED = ("audited_a_tenth", "audited")
QUICK = {"rounds": 3, "seconds": 0.35, "entries": 200_000, "audited": 0}


def smaller(plan: Plan) -> str:
    """What a quick run leaves out, as a sentence."""
    return (
        f"--quick: {plan.rounds} passes of {plan.seconds} s, growth at {plan.entries:,} entries. "
        "Smaller than the bars are meant for; the full run decides.\n"
    )


@dataclass(slots=True)
class Rates:
    """Cycles per second by contender and number of clients, one for each round."""

    seen: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, contender: str, clients: int, rate: float) -> None:
        self.seen[contender, clients].append(rate)

    def typical(self, contender: str, clients: int) -> float:
        return median(self.seen[contender, clients])

    def ratio(self, contender: str, other: str, clients: int) -> float:
        """How many times `other` the contender is: the quotient of the medians that are printed."""
        return self.typical(contender, clients) / self.typical(other, clients)

    def worst(self, contender: str, other: str, clients: Sequence[int]) -> float:
        return min(self.ratio(contender, other, number) for number in clients)


def run(plan: Plan, say: Say) -> list[Figure]:
    """Measure and explain; the figures. Raises BenchFailed."""
    if find_spec("hordak") is None:
        raise BenchFailed("django-hordak is not installed: `python3 manage.py environment` does it")
    say(WHAT)
    with ground() as server:
        say(f"\nPostgreSQL of its own, fsync and synchronous_commit on; {machine()}")
        rates = Rates()
        with _teams(server) as (young, old, hordak):
            count = old.call("write_past", entries=plan.entries)
            say(f"market open, a past of {count:,} entries written; {machine()}")
            _cycles(plan, rates, young, hordak)
            _growth(plan, rates, young, old)
        _tell(plan, rates, count, say)
        _audit(plan, server, say)
        say(f"\nat the end: {machine()}")
    return _figures(plan, rates)


@contextmanager
def _teams(server: Ground) -> Iterator[tuple[Fleet, Fleet, Fleet]]:
    """Clients of a young ledger, of one that will have a past, and of django-hordak's."""
    module = "marketplace.benches.ledger_cycles"
    young = server.create("young")
    server.migrate(young, "settlement", settings=OURS)
    with fleet(module, settings=OURS, url=young, data=server.data) as first:
        first.call("open_market")
    old = server.create("old", template="young")
    for name in AUDITED:
        server.create(name, template="young")
    theirs = server.create("hordak")
    server.migrate(theirs, "hordak", settings=HORDAK)
    with ExitStack() as stack:
        yield (
            stack.enter_context(fleet(module, settings=OURS, url=young, data=server.data)),
            stack.enter_context(fleet(module, settings=OURS, url=old, data=server.data)),
            stack.enter_context(_hordak(theirs, server)),
        )


@contextmanager
def _hordak(url: str, server: Ground) -> Iterator[Fleet]:
    module = "marketplace.benches.hordak_cycles"
    with fleet(module, settings=HORDAK, url=url, data=server.data) as clients:
        clients.call("open_market")
        yield clients


def _cycles(plan: Plan, rates: Rates, ours: Fleet, hordak: Fleet) -> None:
    turns = [(name, ours) for name in ("raw", "ours", "uniform", "batched")] + [("hordak", hordak)]
    for _ in range(plan.rounds):
        for clients in plan.clients:
            for name, team in turns:
                rate = team.rate(name, clients=clients, seconds=plan.seconds)
                rates.add(name, clients, rate)


def _growth(plan: Plan, rates: Rates, young: Fleet, old: Fleet) -> None:
    for _ in range(plan.rounds):
        for name, team in (("young", young), ("old", old)):
            rate = team.rate("ours", clients=plan.growth_clients, seconds=plan.seconds)
            rates.add(name, plan.growth_clients, rate)


def _audit(plan: Plan, server: Ground, say: Say) -> None:
    if not plan.audited:
        return
    say("\n`manage.py audit` of a past with its papers, ledger and log, as a process of its own")
    for name, part in zip(AUDITED, (10, 1), strict=True):
        say(str(audit_past(server, database=name, entries=plan.audited // part)))


def _tell(plan: Plan, rates: Rates, count: int, say: Say) -> None:
    names = ("raw", "ours", "uniform", "batched", "hordak")
    say("\ncycles per second, medians" + "".join(f"{n:>8} cl." for n in plan.clients))
    for name in names:
        row = "".join(f"{rates.typical(name, number):12.0f}" for number in plan.clients)
        say(f"  {name:<24}{row}")
    say("ratios of these medians")
    for one, two in (("ours", "raw"), ("ours", "hordak"), ("ours", "uniform"), ("batched", "ours")):
        row = "".join(f"{rates.ratio(one, two, number):12.2f}" for number in plan.clients)
        say(f"  {one + ' / ' + two:<24}{row}")
    young, old = (rates.typical(name, plan.growth_clients) for name in ("young", "old"))
    full = "" if count >= 10_000_000 else " (smaller than the 10 million of the full run)"
    say(
        f"growth, {plan.growth_clients} clients: {young:.0f} cycles per second on a young ledger, "
        f"{old:.0f} with a past of {count:,} entries{full}"
    )


def _figures(plan: Plan, rates: Rates) -> list[Figure]:
    growth = rates.ratio("young", "old", plan.growth_clients)
    return [
        Figure("cycle_vs_raw", rates.worst("ours", "raw", plan.clients), 0.6),
        Figure("cycle_vs_hordak", rates.worst("ours", "hordak", plan.clients), 2.5),
        Figure("hot_vs_uniform", rates.worst("ours", "uniform", plan.clients), 0.8),
        Figure("batch_vs_single", rates.worst("batched", "ours", plan.clients), 1.5),
        Figure("growth_10m", growth, 1.3, at_most=True),
    ]
