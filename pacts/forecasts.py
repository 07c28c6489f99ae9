"""What a pact will take to prove, before anybody signs it: units and calls until met or breached,
and the chance of each within a number of tasks. Pure.

A forecast is the same arithmetic as a verdict: the lines that `statistics` holds evidence against
(two betting e-processes, `reputation.confidence`), and the exact chance that an agent of one true
rate crosses either, by dynamic programming over its failure counts (`sample_sizes.run_at`). Beyond
`sample_sizes.EXACT_UP_TO` expected units only a faultless agent and one on its promise are told,
the latter by Wald's approximation ln(1/beta) / KL(promise ‖ floor) (Wald, 1945), times 1.03. So is
a clause for which nothing is left of the arithmetic that a pact may take: the quickest come first.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pacts.plans import plan_for
from pacts.sample_sizes import (
    EXACT_UP_TO,
    Allowance,
    Lines,
    Risks,
    TooManySteps,
    faultless_units,
    run_at,
)
from pacts.statistics import scale_of
from pacts.terms import Clause, PactTerms
from reputation.confidence import RateOutOfRange

Scenario = Literal["faultless", "better", "promise", "between", "floor", "poor"]
SCENARIOS: tuple[Scenario, ...] = ("faultless", "better", "promise", "between", "floor", "poor")
Method = Literal["exact", "approximation", "census", "not by counting"]
HORIZONS = 20  # of the expected units of an agent on its promise
MOST_UNITS = 40_000  # beyond it nobody waits, and neither does this
MOST_TASKS = 10_000
MOST_STEPS = 15_000_000  # for a pact; a second or two


class ForecastRefused(ValueError):
    """Nothing can be forecast from these numbers; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """An agent of one true rate: units to a verdict on average and for nine runs in ten (None: not
    within the horizon, or not known), and the chance of each verdict within the tasks asked about
    (None where nobody asked, or it is not known)."""

    scenario: Scenario
    rate: float
    expected: float | None
    nine_in_ten: int | None
    met: float | None = None
    breached: float | None = None

    @property
    def open(self) -> float | None:
        """The chance that those tasks decide nothing."""
        if self.met is None or self.breached is None:
            return None
        return max(0.0, 1 - self.met - self.breached)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseForecast:
    """One clause. A `census` counts every unit, and its verdict falls with the last one."""

    key: str
    title: str
    unit: str
    method: Method
    fates: tuple[Fate, ...]

    def fate(self, scenario: Scenario) -> Fate | None:
        """What happens in one scenario; None where the clause is not estimated."""
        return next((one for one in self.fates if one.scenario == scenario), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The pact in one scenario: decided when its slowest clause is. Calls are whole and at least
    what that clause takes; None where a clause is not decided within the horizon."""

    scenario: Scenario
    clause: str
    expected_calls: int | None
    nine_in_ten_calls: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A pact's. `calls_per_task`: repeats and variants of every task together, at most."""

    calls_per_task: int
    tasks: int | None
    clauses: tuple[ClauseForecast, ...]
    totals: tuple[Total, ...]

    @property
    def calls(self) -> int | None:
        """The most calls that the tasks asked about take."""
        return None if self.tasks is None else self.tasks * self.calls_per_task


def forecast(parsed: PactTerms, *, tasks: int | None = None) -> Forecast:
    """What the pact's verdict takes; with `tasks`, also what so many would show.

    Raises ForecastRefused for a number of tasks nobody brings.
    """
    if tasks is not None and not 1 <= tasks <= MOST_TASKS:
        raise ForecastRefused(f"a set has 1 to {MOST_TASKS:,} tasks, not {tasks:,}")
    plan = plan_for(parsed.clauses)
    per_task = max((c.repeats for c in parsed.clauses), default=1) + plan.most()
    estimated = _estimated([c for c in parsed.clauses if c.estimand == "propensity"], tasks)
    clauses = tuple(_clause(clause, estimated) for clause in parsed.clauses)
    return Forecast(
        calls_per_task=per_task,
        tasks=tasks,
        clauses=clauses,
        totals=tuple(_totals(clauses, per_task)),
    )


Estimate = tuple[Method, tuple[Fate, ...]]


def _clause(clause: Clause, estimated: Mapping[str, Estimate]) -> ClauseForecast:
    method, fates = estimated.get(clause.key, ("census", ()))
    return ClauseForecast(
        key=clause.key, title=clause.title, unit=clause.unit, method=method, fates=fates
    )


def _estimated(clauses: Iterable[Clause], tasks: int | None) -> dict[str, Estimate]:
    """By key. The quickest first, so that no clause takes the arithmetic of all the others."""
    risks = {clause.key: _risks(clause) for clause in clauses}
    paces = {one: _pace(one) for one in risks.values()}
    found: dict[Risks, Estimate] = {}
    left = MOST_STEPS
    for one, pace in sorted(paces.items(), key=lambda item: item[1] or math.inf):
        if pace is None:
            found[one] = "not by counting", ()
        elif pace > EXACT_UP_TO and not _is_strict(one):
            found[one] = _roughly(one)
        else:
            exact, left = _exactly(one, pace, tasks, left)
            found[one] = exact or _roughly(one)
    return {key: found[one] for key, one in risks.items()}


def _risks(clause: Clause) -> Risks:
    return Risks(
        promise=clause.promise,
        floor=clause.floor,
        alpha=clause.alpha,
        beta=clause.beta,
        scale=scale_of(clause),
    )


def _is_strict(risks: Risks) -> bool:
    return risks.floor == risks.promise


def _pace(risks: Risks) -> float | None:
    """About how many units a verdict takes; None for a rate that counting never proves."""
    try:
        perfect = faultless_units(risks)
    except RateOutOfRange:
        return None
    return 10 * perfect if _is_strict(risks) else risks.rough


def rate_of(scenario: Scenario, *, promise: float, floor: float) -> float:
    """The true rate a scenario speaks of: no failures, half of those the promise allows, all of
    them, halfway to the floor, the floor itself, twice the failures of the floor."""
    return {
        "faultless": 1.0,
        "better": 1 - (1 - promise) / 2,
        "promise": promise,
        "between": (promise + floor) / 2,
        "floor": floor,
        "poor": max(0.0, 1 - 2 * (1 - floor)),
    }[scenario]


def _scenarios(risks: Risks) -> list[Scenario]:
    return [s for s in SCENARIOS if not (_is_strict(risks) and s in ("between", "floor"))]


def _roughly(risks: Risks) -> Estimate:
    perfect = faultless_units(risks)
    known: dict[Scenario, int] = {"faultless": perfect}
    if not _is_strict(risks):
        known["promise"] = math.ceil(risks.rough)
    fates = [
        Fate(
            scenario=one,
            rate=rate_of(one, promise=risks.promise, floor=risks.floor),
            expected=known.get(one),
            nine_in_ten=perfect if one == "faultless" else None,
        )
        for one in _scenarios(risks)
    ]
    return "approximation", tuple(fates)


@lru_cache(maxsize=256)
def _exactly(
    risks: Risks, pace: float, tasks: int | None, left: int
) -> tuple[Estimate | None, int]:
    """Every scenario by the exact programme, and the steps that are left after it; None and none
    where they do not suffice."""
    horizon = min(MOST_UNITS, int(HORIZONS * min(pace, EXACT_UP_TO)) + 50)
    allowance = Allowance(left)
    lines = Lines(risks, allowance)
    try:
        fates = [
            _fate(one, lines, max(horizon, tasks or 0), tasks, allowance)
            for one in _scenarios(risks)
        ]
    except TooManySteps:
        return None, 0
    return ("exact", tuple(fates)), allowance.left


def _fate(
    scenario: Scenario, lines: Lines, horizon: int, tasks: int | None, allowance: Allowance
) -> Fate:
    risks = lines.risks
    rate = rate_of(scenario, promise=risks.promise, floor=risks.floor)
    run = run_at(rate, risks, horizon, asked=tasks, lines=lines, allowance=allowance)
    decided = run.met + run.breached > 1 - 1e-3
    met, breached = run.within or (None, None)
    return Fate(
        scenario=scenario,
        rate=rate,
        expected=run.expected_units if decided else None,
        nine_in_ten=run.nine_in_ten,
        met=met,
        breached=breached,
    )


def _totals(clauses: Iterable[ClauseForecast], per_task: int) -> Iterable[Total]:
    estimated = [one for one in clauses if one.fates]
    for scenario in SCENARIOS:
        found = [(one, fate) for one in estimated if (fate := one.fate(scenario))]
        if not found:
            continue
        slowest, fate = max(found, key=lambda pair: _slowness(pair[1]))
        late = [other.nine_in_ten for _, other in found]
        yield Total(
            scenario=scenario,
            clause=slowest.key,
            expected_calls=_calls(fate.expected, per_task),
            nine_in_ten_calls=_calls(None if None in late else max(n or 0 for n in late), per_task),
        )


def _slowness(fate: Fate) -> float:
    return float("inf") if fate.expected is None else fate.expected


def _calls(units: float | None, per_task: int) -> int | None:
    return None if units is None else -int(-units // 1) * per_task
