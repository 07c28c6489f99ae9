"""How many units a verdict needs: exact by dynamic programming where that is quick.

Used by the linter, which refuses a window too short for its clause, and by whoever plans a run.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pacts.scales import PLAIN, Scale, wealth
from reputation.confidence import breach_grid, ln_e_breach, ln_e_met, met_grid, reaches

EXACT_UP_TO = (
    1_500  # expected units; beyond it the exact programme takes longer than an editor waits
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsToVerdict:
    """`perfect`: units a faultless agent needs, exact. `on_promise`: units an agent exactly on its
    promise needs on average; None for a strict clause (floor = promise), which such an agent may
    never see decided. `method` says how `on_promise` was found: `exact` (dynamic programming) or
    `approximation` (1.03 · ln(1/beta) / KL(promise ‖ floor), within 4 % of the exact figures; on a
    scale of its own what the best single bet takes, within 15 %)."""

    perfect: int
    on_promise: int | None
    method: Literal["exact", "approximation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """After `units`: breached from this many failures, met up to this many; None for never."""

    units: int
    breached_from: int | None
    met_up_to: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What happens to an agent of one true rate: expected units to a verdict (an undecided run
    counts as the horizon), the chances of either verdict within it, and the units by which nine
    runs in ten are decided (None: not within the horizon)."""

    expected_units: float
    met: float
    breached: float
    nine_in_ten: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Risks:
    """Promise and floor as rates, and the risks of a false breach and a false met.

    On a scale of its own a unit is worth `scale.inward(1)` or `scale.inward(0)`, as a clean success
    or failure is there; promise and floor are the figures people read.
    """

    promise: float
    floor: float
    alpha: float = 0.05
    beta: float = 0.05
    scale: Scale = PLAIN

    @property
    def carried(self) -> dict[str, float]:
        """Promise and floor in [0, 1]."""
        return {"promise": self.scale.inward(self.promise), "floor": self.scale.inward(self.floor)}

    def breaches(self, units: int, failures: int) -> bool:
        passes = units - failures
        if self.scale == PLAIN:
            ln_e = ln_e_breach(passes=passes, failures=failures, **self.carried)
        else:
            mean, grid = self.carried["promise"], breach_grid(**self.carried)
            ln_e = wealth(self._values(units, failures), grid, lambda x: (mean - x) / (1 - mean))
        return reaches(ln_e, risk=self.alpha)

    def meets(self, units: int, failures: int) -> bool:
        passes = units - failures
        if self.scale == PLAIN:
            ln_e = ln_e_met(passes=passes, failures=failures, **self.carried)
        else:
            mean, grid = self.carried["floor"], met_grid(**self.carried)
            ln_e = wealth(self._values(units, failures), grid, lambda x: (x - mean) / mean)
        return reaches(ln_e, risk=self.beta)

    def _values(self, units: int, failures: int) -> dict[float, int]:
        counted = {self.scale.inward(1): units - failures, self.scale.inward(0): failures}
        return {value: count for value, count in counted.items() if count}

    @property
    def rough(self) -> float:
        """About how many units an agent exactly on its promise needs."""
        if self.scale == PLAIN:
            return 1.03 * math.log(1 / self.beta) / _divergence(self.promise, self.floor)
        mean, grid = self.carried["floor"], met_grid(**self.carried)
        won, lost = (self.scale.inward(each) / mean - 1 for each in (1, 0))
        paces = [
            (weight, self.promise * math.log(1 + bet * won) + self._missed(1 + bet * lost))
            for bet, weight in grid
        ]
        return min(math.log(1 / (self.beta * weight)) / pace for weight, pace in paces if pace > 0)

    def _missed(self, kept: float) -> float:
        return (1 - self.promise) * math.log(kept) if kept > 0 else -math.inf


def boundary(units: int, risks: Risks) -> Boundary:
    """The two lines after this many units, found by bisection (both statuses are monotone)."""
    breached = _first(units, lambda failures: risks.breaches(units, failures))
    unmet = _first(units, lambda failures: not risks.meets(units, failures))
    met = units if unmet is None else unmet - 1
    return Boundary(units=units, breached_from=breached, met_up_to=met if met >= 0 else None)


def calls_to_verdict(
    *,
    promise: float,
    floor: float,
    alpha: float = 0.05,
    beta: float = 0.05,
    scale: Scale = PLAIN,
) -> CallsToVerdict:
    """Units to a verdict for a perfect agent and for one exactly on its promise.

    `scale` is where a clause's values live (`pacts.scales`). Raises RateOutOfRange unless
    0 < floor <= promise < 1.
    """
    risks = Risks(promise=promise, floor=floor, alpha=alpha, beta=beta, scale=scale)
    return _calls_to_verdict(risks)


def run_at(rate: float, risks: Risks, horizon: int) -> Run:
    """The exact fate of independent units passing at `rate`, by the chance of each failure count.

    The first line crossed decides. Costs about horizon × (undecided failure counts) steps.
    """
    alive = {0: 1.0}
    met = breached = expected = 0.0
    nine_in_ten: int | None = None
    lines = _Lines(risks)
    for units in range(1, horizon + 1):
        expected += math.fsum(alive.values())
        alive = _step(alive, rate)
        lines.advance(units)
        breached += math.fsum(alive.pop(f) for f in [f for f in alive if f >= lines.breached_from])
        met += math.fsum(alive.pop(f) for f in [f for f in alive if f <= lines.met_up_to])
        undecided = math.fsum(alive.values())
        if nine_in_ten is None and undecided <= 0.1 + 1e-12:
            nine_in_ten = units
        if undecided < 1e-9:
            break
    return Run(expected_units=expected, met=met, breached=breached, nine_in_ten=nine_in_ten)


class _Lines:
    """Both lines as units go by. Neither ever falls, so each look moves them at most a little."""

    def __init__(self, risks: Risks) -> None:
        self._risks = risks
        self.breached_from = 1
        self.met_up_to = -1

    def advance(self, units: int) -> None:
        while self.breached_from <= units and not self._risks.breaches(units, self.breached_from):
            self.breached_from += 1
        while self.met_up_to < units and self._risks.meets(units, self.met_up_to + 1):
            self.met_up_to += 1


def _step(alive: dict[int, float], rate: float) -> dict[int, float]:
    after: dict[int, float] = {}
    for failures, chance in alive.items():
        after[failures] = after.get(failures, 0.0) + chance * rate
        after[failures + 1] = after.get(failures + 1, 0.0) + chance * (1 - rate)
    return {failures: chance for failures, chance in after.items() if chance > 1e-15}


@lru_cache(maxsize=512)
def _calls_to_verdict(risks: Risks) -> CallsToVerdict:
    perfect = _perfect(risks)
    if risks.floor == risks.promise:
        return CallsToVerdict(perfect=perfect, on_promise=None, method="exact")
    rough = risks.rough
    if rough > EXACT_UP_TO:
        return CallsToVerdict(perfect=perfect, on_promise=math.ceil(rough), method="approximation")
    run = run_at(risks.promise, risks, horizon=int(20 * rough) + 50)
    return CallsToVerdict(perfect=perfect, on_promise=round(run.expected_units), method="exact")


def _perfect(risks: Risks) -> int:
    most = 1
    while not risks.meets(most, 0):
        most *= 2
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if risks.meets(middle, 0) else (middle, most)
    return most


def _divergence(p: float, q: float) -> float:
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))


def _first(most: int, holds: Callable[[int], bool]) -> int | None:
    """The smallest whole number up to `most` where an increasing predicate holds."""
    low, high = 0, most + 1
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low if low <= most else None
