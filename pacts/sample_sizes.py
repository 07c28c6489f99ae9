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
NEVER = 1e-15  # a chance that no sum would notice


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
    counts as the horizon), the chances of either verdict within it, the units by which nine runs in
    ten are decided (None: not within the horizon), and the chances of met and breached within the
    units that were asked about."""

    expected_units: float
    met: float
    breached: float
    nine_in_ten: int | None = None
    within: tuple[float, float] | None = None


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


class TooManySteps(Exception):
    """A run takes more arithmetic than was allowed."""


@dataclass(slots=True)
class Allowance:
    """How much arithmetic may still be done. A step carries the chance of one failure count one
    unit further; looking where a line runs after one more unit is `LINE_STEPS` of them."""

    left: int

    def take(self, steps: int) -> None:
        """Raises TooManySteps."""
        self.left -= steps
        if self.left < 0:
            raise TooManySteps


LINE_STEPS = 250  # as long as it takes, about


class Lines:
    """Both lines as units go by: breached from so many failures, met up to so many. Neither ever
    falls, so each look moves them at most a little; every run of the same risks shares them."""

    def __init__(self, risks: Risks, allowance: Allowance | None = None) -> None:
        self.risks = risks
        self._allowance = allowance
        self._drawn = [(1, -1)]

    def after(self, units: int) -> tuple[int, int]:
        """Raises TooManySteps."""
        while len(self._drawn) <= units:
            if self._allowance:
                self._allowance.take(LINE_STEPS)
            self._drawn.append(self._next(len(self._drawn), *self._drawn[-1]))
        return self._drawn[units]

    def _next(self, units: int, breached_from: int, met_up_to: int) -> tuple[int, int]:
        while breached_from <= units and not self.risks.breaches(units, breached_from):
            breached_from += 1
        while met_up_to < units and self.risks.meets(units, met_up_to + 1):
            met_up_to += 1
        return breached_from, met_up_to


def run_at(
    rate: float,
    risks: Risks,
    horizon: int,
    *,
    asked: int | None = None,
    lines: Lines | None = None,
    allowance: Allowance | None = None,
) -> Run:
    """The exact fate of independent units passing at `rate`, by the chance of each failure count.

    The first line crossed decides. `asked` units, at most the horizon, are looked at on the way.
    Costs about horizon × (undecided failure counts) steps. Raises TooManySteps beyond `allowance`.
    """
    lines = lines or Lines(risks, allowance)
    least, alive = 0, [1.0]  # the chances of `least` failures, of one more, and so on
    met = breached = expected = 0.0
    undecided, nine_in_ten, within = 1.0, None, None
    for units in range(1, horizon + 1):
        if allowance:
            allowance.take(len(alive))
        expected += undecided
        breached_from, met_up_to = lines.after(units)
        alive = _step(alive, rate)
        most = max(0, breached_from - least)
        breached, alive = breached + math.fsum(alive[most:]), alive[:most]
        few = max(0, met_up_to + 1 - least)
        met, alive, least = met + math.fsum(alive[:few]), alive[few:], least + few
        least, alive = _trimmed(least, alive)
        undecided = math.fsum(alive)
        if nine_in_ten is None and undecided <= 0.1 + 1e-12:
            nine_in_ten = units
        if units == asked:
            within = met, breached
        if undecided < 1e-9:
            break
    if asked is not None and within is None:
        within = met, breached
    return Run(
        expected_units=expected, met=met, breached=breached, nine_in_ten=nine_in_ten, within=within
    )


def _step(alive: list[float], rate: float) -> list[float]:
    missed = 1 - rate
    return [
        passed * rate + failed * missed
        for passed, failed in zip([*alive, 0.0], [0.0, *alive], strict=True)
    ]


def _trimmed(least: int, alive: list[float]) -> tuple[int, list[float]]:
    """Without the ends that no sum would notice."""
    first, last = 0, len(alive)
    while first < last and alive[first] <= NEVER:
        first += 1
    while last > first and alive[last - 1] <= NEVER:
        last -= 1
    return least + first, alive[first:last]


@lru_cache(maxsize=512)
def _calls_to_verdict(risks: Risks) -> CallsToVerdict:
    perfect = faultless_units(risks)
    if risks.floor == risks.promise:
        return CallsToVerdict(perfect=perfect, on_promise=None, method="exact")
    rough = risks.rough
    if rough > EXACT_UP_TO:
        return CallsToVerdict(perfect=perfect, on_promise=math.ceil(rough), method="approximation")
    run = run_at(risks.promise, risks, horizon=int(20 * rough) + 50)
    return CallsToVerdict(perfect=perfect, on_promise=round(run.expected_units), method="exact")


def faultless_units(risks: Risks) -> int:
    """Units a faultless agent needs until met, exact. Raises RateOutOfRange."""
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
