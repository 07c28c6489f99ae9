"""The task sets of every kind: what a leaderboard would test, and one buyer's own."""

from collections.abc import Callable

from marketplace.sample import date_tasks, document_tasks, language_tasks
from marketplace.sample.draw import Draw
from marketplace.sample.task import SampleTask

_Maker = Callable[[], list[SampleTask]]

# Kind -> (benchmark, buyer).
_SETS: dict[str, tuple[_Maker, _Maker]] = {
    "language": (language_tasks.make_benchmark, language_tasks.make_buyer),
    "dates": (date_tasks.make_benchmark, date_tasks.make_buyer),
    "documents": (document_tasks.make_benchmark, document_tasks.make_buyer),
}


def benchmark_tasks(kind: str) -> list[SampleTask]:
    """The kind's public-benchmark-like set, always the same tasks in the same order."""
    return _SETS[kind][0]()


def buyer_tasks(kind: str) -> list[SampleTask]:
    """The buyer's own set, always the same tasks in the same order.

    The strata are shuffled into each other: a verdict is looked at while the work goes on, and
    must not see all the easy tasks first.
    """
    return list(Draw(f"{kind}/buyer/order").shuffled(_SETS[kind][1]()))
