"""Tumbling windows and sampled censuses: how risk is spread, and what a part says of the whole.

Sources: STATISTICS §1 and §4; Waudby-Smith and Ramdas, "Estimating means of bounded random
variables by betting" (2024), section 5, for betting without replacement.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from pacts.statistics import CENSUS, ClauseVerdict, judge_clause
from pacts.terms import WHOLE, Clause
from reputation.confidence import (
    Grid,
    ValueOutOfRange,
    breach_grid,
    met_grid,
    reaches,
)

SAMPLED = "census-sampled-1"
SPENT = 6 / math.pi**2  # the shares 1, 1/4, 1/9, … of it add up to the whole
FIRST = 1


class PopulationTooSmall(ValueError):
    """More units were seen than the whole is said to have."""


def risk_of_window(risk: float, *, window: int, spent_over_lifetime: bool) -> float:
    """The risk window number `window` (from 1) may take: all of it, or risk · 6 / (π² · window²),
    which adds up to `risk` over all windows there will ever be. Raises ValueOutOfRange."""
    if window < FIRST:
        raise ValueOutOfRange(f"windows are numbered from 1, not {window}")
    return risk * SPENT / window**2 if spent_over_lifetime else risk


def judge_window(*, clause: Clause, window: int, values: Sequence[float]) -> ClauseVerdict:
    """The verdict of one closed window on fresh evidence, with the risk this window may take.

    Where risk is spread over the lifetime, both lines move: a breach and a met of a later window
    need more evidence.
    """
    return judge_clause(clause=clause_in_window(clause, window), values=values)


def clause_in_window(clause: Clause, window: int) -> Clause:
    """The clause with the risks that window number `window` may take. Raises ValueOutOfRange."""
    if clause.estimand == "realized" or clause.risk_over != "lifetime":
        return clause
    return _Spread.of(clause, window)


class _Spread(Clause):
    """A clause whose risks are finer than basis points can say."""

    __slots__ = ("_share",)
    _share: float

    @classmethod
    def of(cls, clause: Clause, window: int) -> "_Spread":
        share = risk_of_window(1.0, window=window, spent_over_lifetime=True)
        fields = {name: getattr(clause, name) for name in Clause.__slots__}
        spread = cls(**fields)
        object.__setattr__(spread, "_share", share)
        return spread

    @property
    def alpha(self) -> float:
        return self.alpha_bps / WHOLE * self._share

    @property
    def beta(self) -> float:
        return self.beta_bps / WHOLE * self._share


class SampledCensus:
    """Both e-processes for the mean of a finite whole of `population` units, of which some are
    checked, drawn without replacement in random order, one value in [0, 1] at a time.

    Against "the mean of the whole is m" the conditional mean of the next unit is
    m_t = (N · m − S_{t−1}) / (N − t + 1), and each bet of the grid is made against m_t. Once the
    rest cannot make the hypothesis true any more, the evidence against it is infinite.
    """

    def __init__(self, *, promise: float, floor: float, population: int) -> None:
        """Raises RateOutOfRange, PopulationTooSmall."""
        if population < 1:
            raise PopulationTooSmall("a whole has at least one unit")
        self.population = population
        self.seen = 0
        self.total = 0.0
        self._met = _Side(met_grid(promise=promise, floor=floor), mean=floor, up=True)
        self._breach = _Side(breach_grid(promise=promise, floor=floor), mean=promise, up=False)

    def add(self, value: float) -> None:
        """One more unit. Raises ValueOutOfRange, PopulationTooSmall."""
        if not 0 <= value <= 1:
            raise ValueOutOfRange(f"{value!r} is not within [0, 1]")
        if self.seen == self.population:
            raise PopulationTooSmall(f"all {self.population} units were seen already")
        left = self.population - self.seen
        for side in (self._met, self._breach):
            side.bet(value, (self.population * side.mean - self.total) / left)
        self.seen += 1
        self.total += value

    @property
    def ln_e_met(self) -> float:
        """Log evidence that the mean of the whole is above the floor."""
        return math.inf if self._certain(self._met) else self._met.ln_mean

    @property
    def ln_e_breach(self) -> float:
        """Log evidence that the mean of the whole is below the promise."""
        return math.inf if self._certain(self._breach) else self._breach.ln_mean

    def _certain(self, side: "_Side") -> bool:
        """Whether no rest could make the side's hypothesis true."""
        slack = 1e-9 * self.population
        if side.up:
            return self.total > self.population * side.mean + slack
        left = self.population - self.seen
        return self.total + left < self.population * side.mean - slack


class _Side:
    """One grid's log wealths against a mean that moves as units are used up."""

    def __init__(self, grid: Grid, *, mean: float, up: bool) -> None:
        self.mean, self.up = mean, up
        self._grid = grid
        self._ln = [math.log(weight) for _, weight in grid]

    def bet(self, value: float, mean: float) -> None:
        """Bet on one value against its conditional mean. Where the hypothesis says nothing of the
        value any more (a mean beyond [0, 1] on its own side), nothing can be won."""
        low, high = (mean, 1.0) if self.up else (0.0, 1 - mean)
        if (self.up and mean <= 0) or (not self.up and mean >= 1):
            return  # only certainty decides from here on
        if (self.up and mean >= 1) or (not self.up and mean <= 0):
            return
        edge = (value - mean) / low if self.up else (mean - value) / high
        for j, (fraction, _) in enumerate(self._grid):
            wealth = 1 + fraction * edge
            self._ln[j] += math.log(wealth) if wealth > 0 else -math.inf

    @property
    def ln_mean(self) -> float:
        top = max(self._ln)
        if math.isinf(top):
            return top
        return top + math.log(math.fsum(math.exp(each - top) for each in self._ln))


def judge_sample(
    *, clause: Clause, values: Sequence[float], population: int, closed: bool = True
) -> ClauseVerdict:
    """A realized clause over a whole of `population` units of which only `values` were checked.

    A breach latches; a met counts once the window is closed and `min_count` units were seen. With
    every unit seen this is the exact census. Raises PopulationTooSmall, ValueOutOfRange, and
    RateOutOfRange for a promise of 0 or 100 %, which no part of a whole can show.
    """
    if len(values) > population:
        raise PopulationTooSmall(f"{len(values)} of {population} units were seen")
    exact = judge_clause(
        clause=replace(clause, estimand="realized"),
        values=values,
        closed=closed and len(values) == population,
        most_units=population,
    )
    if exact.live != "undetermined" or len(values) == population:
        return exact
    return _judged_by_bets(clause, values, population, closed, exact)


def _judged_by_bets(
    clause: Clause, values: Sequence[float], population: int, closed: bool, exact: ClauseVerdict
) -> ClauseVerdict:
    bets = SampledCensus(promise=clause.promise, floor=clause.floor, population=population)
    breached_at = met_at = None
    for value in values:
        bets.add(value)
        if breached_at is None and reaches(bets.ln_e_breach, risk=clause.alpha):
            breached_at = bets.seen
        if met_at is None and reaches(bets.ln_e_met, risk=clause.beta):
            met_at = bets.seen
    enough = closed and len(values) >= clause.min_count
    first = min((at for at in (breached_at, met_at) if at is not None), default=None)
    status = exact.status
    if first is not None and first == breached_at:
        status = "breached"
    elif first is not None and enough and reaches(bets.ln_e_met, risk=clause.beta):
        status = "met"
    return replace(
        exact,
        status=status,
        live=status,
        marginal=breached_at is not None and met_at is not None,
        reason=f"{len(values)} of {population} units were checked: {_why(status)}.",
        ln_e_met=bets.ln_e_met,
        ln_e_breach=bets.ln_e_breach,
        first_crossing=first,
        low=None,
        high=None,
        method=CENSUS if len(values) == population else SAMPLED,
    )


def _why(status: str) -> str:
    if status == "breached":
        return "the whole cannot be expected to keep the promise"
    if status == "met":
        return "the whole is shown to be above the floor"
    return "they show neither that it was kept nor that it was broken"
