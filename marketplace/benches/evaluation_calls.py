"""Calls to a verdict, exactly: the real statistics' boundaries, and every path between them.

For each number of calls n the statistics say from how many failures on a clause is breached and up
to how many it is met. Dynamic programming over (calls, failures) then gives the average number of
calls until either line is crossed, without a random number in it.
"""

import math
from dataclasses import dataclass

from reputation.confidence import ln_e_breach, ln_e_met, reaches

PROMISE, FLOOR, RISK = 0.95, 0.90, 0.05
FIXED = 298  # calls of the one-look test of equal power: breached from 22 failures on
WALD = {0.95: 158.6, 0.90: 128.3}  # least average calls of any sequential test of these risks
HORIZON = 20_000
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Calls:
    """At one true rate: average calls to a verdict, and how often it is each."""

    average: float
    met: float
    breached: float


class Boundaries:
    """From how many failures breached and up to how many met, call after call."""

    def __init__(self, *, promise: float = PROMISE, floor: float = FLOOR) -> None:
        self._rates = {"promise": promise, "floor": floor}
        self._breach, self._met = 0, -1

    def at(self, n: int) -> tuple[int, int]:
        """(breached from, met up to) after n calls; n must not decrease from call to call."""
        while not self._breached(n, self._breach):
            self._breach += 1
        while self._met + 1 <= n and self._kept(n, self._met + 1):
            self._met += 1
        return self._breach, self._met

    def _breached(self, n: int, failures: int) -> bool:
        if failures > n:
            return True
        found = ln_e_breach(passes=n - failures, failures=failures, **self._rates)
        return reaches(found, risk=RISK)

    def _kept(self, n: int, failures: int) -> bool:
        found = ln_e_met(passes=n - failures, failures=failures, **self._rates)
        return reaches(found, risk=RISK)


def calls_to_a_verdict(rate: float) -> Calls:
    """Average calls when each passes with probability `rate`; the undecided count as HORIZON."""
    boundaries = Boundaries()
    alive = {0: 1.0}  # probability by failures so far
    average = met = breached = 0.0
    for n in range(1, HORIZON + 1):
        average += math.fsum(alive.values())
        breach_from, met_to = boundaries.at(n)
        after: dict[int, float] = {}
        for failures, chance in alive.items():
            for now, share in ((failures, rate), (failures + 1, 1 - rate)):
                if now >= breach_from:
                    breached += chance * share
                elif now <= met_to:
                    met += chance * share
                else:
                    after[now] = after.get(now, 0.0) + chance * share
        alive = after
        if math.fsum(alive.values()) * (HORIZON - n) < NEGLIGIBLE:
            break
    return Calls(average, met, breached)


def fixed_power() -> tuple[float, float]:
    """The errors of the one-look test: a false breach at the promise, a false met at the floor."""
    return 1 - _at_most(21, PROMISE), _at_most(21, FLOOR)


def _at_most(failures: int, rate: float) -> float:
    return math.fsum(
        math.comb(FIXED, f) * rate ** (FIXED - f) * (1 - rate) ** f for f in range(failures + 1)
    )
