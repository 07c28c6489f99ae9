"""Figures that do not live in [0, 1] of themselves, carried there and back."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reputation.confidence import Grid, breach_grid, met_grid

STEPS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A range [low, high]. Verdicts are reached in [0, 1]; people read the figure itself.

    A bound on the mean is a bound on the mean of the carried figures: carrying is linear.
    """

    low: float = 0.0
    high: float = 1.0

    def inward(self, figure: float) -> float:
        """Into [0, 1]; what rounding pushed out of the range is put back at its edge."""
        return min(1.0, max(0.0, (figure - self.low) / (self.high - self.low)))

    def outward(self, carried: float) -> float:
        """Back to the figure people read."""
        return self.low + carried * (self.high - self.low)


PLAIN = Scale()


def interval(
    values: Mapping[float, int], scale: Scale, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Where the mean of carried figures lies, at every look, as figures cut to [0, 1].

    `values` counts how often each carried figure was seen. The bets are on the figures themselves:
    an interval from their sum alone would be as wide as the range, most of which none comes near.
    """
    if not values:
        return 0.0, 1.0
    needed = math.log(2 / (1 - confidence))

    def low(rate: float) -> bool:
        mean = scale.inward(rate)
        grid = met_grid(promise=mean, floor=mean)
        return wealth(values, grid, lambda x: (x - mean) / mean) >= needed

    def high(rate: float) -> bool:
        mean = scale.inward(1 - rate)
        grid = breach_grid(promise=mean, floor=mean)
        return wealth(values, grid, lambda x: (mean - x) / (1 - mean)) >= needed

    return _last(low), 1 - _last(high)


def wealth(values: Mapping[float, int], grid: Grid, payoff: Callable[[float], float]) -> float:
    """The log of what a mixture of bets `(fraction, weight)` on the counted values has won."""
    terms = [
        math.log(weight) + sum(count * _ln(1 + fraction * payoff(x)) for x, count in values.items())
        for fraction, weight in grid
    ]
    top = max(terms)
    if math.isinf(top):
        return top
    return top + math.log(math.fsum(math.exp(term - top) for term in terms))


def _ln(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _last(holds: Callable[[float], bool]) -> float:
    """The largest rate in (0, 1) where a decreasing predicate holds; 0 if nowhere."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
