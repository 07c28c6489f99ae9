"""Many clients at once: each a forked process with a connection of its own, started together."""

import multiprocessing
import time
from collections.abc import Callable, Mapping
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
    (found,) = rates_in_turns({"": prepare}, clients=clients, seconds=seconds, turns=1)
    return found[""]


def rates_in_turns(
    contenders: Mapping[str, Prepare], *, clients: int, seconds: float, turns: int
) -> list[dict[str, float]]:
    """As `rate`, for several contenders one after the other, and that `turns` times.

    All clients work for the same contender at any time. In short turns, whatever else the machine
    does falls on each of them alike, so the ratios within a turn can be believed. Raises
    BenchFailed.
    """
    told: SimpleQueue[Any] = _FORK.SimpleQueue()
    ready = _FORK.Barrier(clients)
    children = [
        _FORK.Process(
            target=_work,
            args=(contenders, Seat(number, clients), seconds, turns, ready, told),
            daemon=True,
        )
        for number in range(clients)
    ]
    for child in children:
        child.start()
    answers = [told.get() for _ in children]
    for child in children:
        child.join(PATIENCE_SECONDS)
    if failed := [answer for answer in answers if isinstance(answer, str)]:
        raise BenchFailed(failed[0])
    return [
        {name: sum(answer[turn][name] for answer in answers) for name in contenders}
        for turn in range(turns)
    ]


def _work(
    contenders: Mapping[str, Prepare],
    seat: Seat,
    seconds: float,
    turns: int,
    ready: Barrier,
    told: "SimpleQueue[Any]",
) -> None:
    try:
        acts = {name: prepare(seat) for name, prepare in contenders.items()}
        for act in acts.values():
            act()  # connected, planned and warm before the clock starts
        told.put([_turn(acts, seconds, ready) for _ in range(turns)])
    except Exception as error:
        ready.abort()
        told.put(f"{type(error).__name__}: {error}")


def _turn(acts: Mapping[str, Act], seconds: float, ready: Barrier) -> dict[str, float]:
    counted = {}
    for name, act in acts.items():
        ready.wait(PATIENCE_SECONDS)
        counted[name] = _count(act, seconds)
    return counted


def _count(act: Act, seconds: float) -> float:
    began = time.monotonic()
    cycles = 0
    while time.monotonic() - began < seconds:
        cycles += act()
    return cycles / (time.monotonic() - began)
