"""Many clients at once: each a forked process with a connection of its own, started together."""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from typing import Any

_FORK = multiprocessing.get_context("fork")
PATIENCE_SECONDS = 120.0


class BenchFailed(RuntimeError):
    """A client could not do its work, so there is no figure."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One client's place among `clients`, counted from 0."""

    number: int
    clients: int

    def share(self, things: list[Any]) -> list[Any]:
        """The part of a list that is this client's alone."""
        return things[self.number :: self.clients]


Act = Callable[[], int]  # does some work, and says how many cycles that was
Prepare = Callable[[Seat], Act]


def rate(prepare: Prepare, *, clients: int, seconds: float) -> float:
    """Cycles per second of all clients together, each over the time it worked itself.

    Raises BenchFailed.
    """
    told: SimpleQueue[Any] = _FORK.SimpleQueue()
    ready = _FORK.Barrier(clients)
    seats = [Seat(number, clients) for number in range(clients)]
    children = [
        _FORK.Process(target=_work, args=(prepare, seat, seconds, ready, told), daemon=True)
        for seat in seats
    ]
    for child in children:
        child.start()
    answers = [told.get() for _ in children]
    for child in children:
        child.join(PATIENCE_SECONDS)
    if failed := [answer for answer in answers if isinstance(answer, str)]:
        raise BenchFailed(failed[0])
    return float(sum(answers))


def _work(
    prepare: Prepare, seat: Seat, seconds: float, ready: Barrier, told: "SimpleQueue[Any]"
) -> None:
    try:
        act = prepare(seat)
        act()  # connected, planned and warm before the clock starts
        ready.wait(PATIENCE_SECONDS)
        told.put(_count(act, seconds))
    except Exception as error:
        ready.abort()
        told.put(f"{type(error).__name__}: {error}")


def _count(act: Act, seconds: float) -> float:
    began = time.monotonic()
    cycles = 0
    while time.monotonic() - began < seconds:
        cycles += act()
    return cycles / (time.monotonic() - began)
