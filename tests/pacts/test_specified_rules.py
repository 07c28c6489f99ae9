"""What STATISTICS.md says beside its big tables, recomputed: shares of verdicts, medians, bounds,
the fixed test, what a bad judge does, what clustering and plug-in estimates do. Exact by dynamic
programming unless a name says that it is drawn."""

import math
import random
from collections.abc import Callable

import pytest

from pacts.sample_sizes import Risks
from pacts.statistics import Tally
from pacts.terms import clause_from_json
from reputation.confidence import pass_hat_k
from tests import cast
from tests.pacts.test_specified_tables import ZONE, Fate, fates, moving, ours

HORIZON = 20_000


def shares(rate: float, risks: Risks = ZONE, horizon: int = 6_000) -> tuple[float, float]:
    """Per cent met and breached in the end."""
    [fate] = fates(rate, ours(risks), (horizon,))
    return 100 * fate.met, 100 * fate.breached


@pytest.mark.parametrize(
    ("rate", "calls", "met", "breached"),
    [
        (0.80, 32.3, None, None),
        (0.90, 160.3, 3.79, 96.21),
        (0.93, 304.7, 59.55, 40.45),
        (0.95, 185.3, 97.05, 2.95),
        (0.97, 97.9, 99.88, 0.12),
        (0.99, 59.1, None, None),
        (1.0, 46.0, None, None),
    ],
)
def test_the_usual_zone_decides_as_often_and_as_soon_as_specified(
    rate: float, calls: float, met: float | None, breached: float | None
) -> None:
    [fate] = fates(rate, ours(ZONE), (6_000,))
    assert fate.expected == pytest.approx(calls, abs=0.06)
    if met is not None:
        assert (100 * fate.met, 100 * fate.breached) == pytest.approx((met, breached), abs=0.006)


@pytest.mark.parametrize(
    ("promise", "floor", "at_floor", "at_promise"),
    [
        (0.80, 0.60, (3.26, 96.74), (97.32, 2.68)),
        (0.90, 0.80, (3.62, 96.38), (97.14, 2.86)),
        (0.95, 0.90, (3.79, 96.21), (97.05, 2.95)),
        pytest.param(0.99, 0.98, (3.91, 96.09), (97.04, 2.96), marks=pytest.mark.slow),
        pytest.param(0.995, 0.99, (3.92, 96.08), (97.12, 2.88), marks=pytest.mark.slow),
    ],
)
def test_an_agent_on_the_line_is_judged_as_often_as_specified(
    promise: float, floor: float, at_floor: tuple[float, ...], at_promise: tuple[float, ...]
) -> None:
    risks = Risks(promise=promise, floor=floor)
    horizon = 6_000 if promise < 0.99 else 60_000
    assert shares(floor, risks, horizon) == pytest.approx(at_floor, abs=0.006)
    assert shares(promise, risks, horizon) == pytest.approx(at_promise, abs=0.006)


@pytest.mark.parametrize(
    ("floor", "breached", "met"),
    [
        (0.92, 3.27, 4.01),
        pytest.param(0.93, 3.50, 4.18, marks=pytest.mark.slow),
        pytest.param(0.94, 3.87, 4.51, marks=pytest.mark.slow),
    ],
)
def test_a_narrower_zone_errs_as_seldom_as_specified(
    floor: float, breached: float, met: float
) -> None:
    risks = Risks(promise=0.95, floor=floor)
    assert shares(0.95, risks, HORIZON)[1] == pytest.approx(breached, abs=0.012)
    assert shares(floor, risks, HORIZON)[0] == pytest.approx(met, abs=0.012)


@pytest.mark.parametrize(
    ("rate", "median", "most"),
    [(0.80, 27, 61), (0.90, 128, 326), (0.95, 160, 354), (0.97, 88, 160), (0.99, 46, 88)],
)
def test_half_and_nine_tenths_of_the_agents_are_decided_by_then(
    rate: float, median: int, most: int
) -> None:
    marks = (median - 1, median, most - 1, most)
    found = [fate.met + fate.breached for fate in fates(rate, ours(ZONE), marks)]
    assert found[0] < 0.5 <= found[1]
    assert found[2] < 0.9 <= found[3]


# --- several clauses, and rates that change ------------------------------------------------------


def test_ten_clauses_breach_falsely_and_slowly_as_specified_by_what_each_is_given() -> None:
    def alone(rate: float, alpha: float) -> Fate:
        risks = Risks(promise=0.95, floor=0.90, alpha=alpha)
        [fate] = fates(rate, moving(risks.breaches, lambda units, failures: False), (3_000,))
        return fate

    for alpha, any_of_ten, calls in ((0.05, 0.284, 172), (0.005, 0.031, 287)):
        assert 1 - (1 - alone(0.95, alpha).breached) ** 10 == pytest.approx(any_of_ten, abs=6e-4)
        assert alone(0.90, alpha).expected == pytest.approx(calls, abs=0.5)


@pytest.mark.parametrize(
    ("half_period", "low_first", "high_first"),
    [(50, 9.2, 5.1), (200, 25.0, 40.4), (500, 59.0, 85.6), (1_500, 97.5, 99.8)],
)
def test_a_rate_that_alternates_around_the_promise_latches_as_often_as_was_drawn(
    half_period: int, low_first: float, high_first: float
) -> None:
    """Exact; the specification's figures are drawn, so they may be off by their own chance."""

    def alternating(first: float, second: float) -> Fate:
        strict = ours(Risks(promise=0.95, floor=0.95))
        rates = (first, second)
        [fate] = fates(lambda unit: rates[(unit - 1) // half_period % 2], strict, (3_000,))
        return fate

    assert 100 * alternating(0.92, 0.98).breached == pytest.approx(low_first, abs=1.5)
    assert 100 * alternating(0.98, 0.92).met == pytest.approx(high_first, abs=1.5)


# --- what no test can beat, and the fixed one ---------------------------------------------------


def apart(p: float, q: float) -> float:
    """Kullback and Leibler's divergence of two rates, in nats per call."""
    return sum(x * math.log(x / y) for x, y in ((p, q), (1 - p, 1 - q)) if x)


def wald(p: float, q: float, right: float = 0.95) -> float:
    """The fewest calls on average that tell p from q when both risks are 5 %."""
    return ((1 - right) * math.log((1 - right) / right) + right * math.log(right / (1 - right))) / (
        apart(p, q)
    )


def test_the_lower_bounds_are_the_specified_ones() -> None:
    assert wald(0.95, 0.90) == pytest.approx(158.6, abs=0.06)
    assert wald(0.90, 0.95) == pytest.approx(128.3, abs=0.06)
    one_sided = [math.log(20) / apart(p, 0.95) for p in (0.80, 0.90, 0.93, 0.97, 0.99, 1.0)]
    assert one_sided == pytest.approx([21.4, 145.0, 795.7, 613.3, 121.1, 58.4], abs=0.06)
    assert math.log(20) / apart(1.0, 0.90) == pytest.approx(28.4, abs=0.06)


def tail(calls: int, failures: int, rate: float) -> float:
    """P(at least so many failures)."""
    return math.fsum(
        math.comb(calls, f) * (1 - rate) ** f * rate ** (calls - f)
        for f in range(failures, calls + 1)
    )


def test_the_fixed_test_of_equal_power_takes_298_calls_and_breaches_from_22_failures() -> None:
    def fits(calls: int, cut: int) -> bool:
        return tail(calls, cut, 0.95) <= 0.05 and 1 - tail(calls, cut, 0.90) <= 0.05

    assert fits(298, 22)
    assert not any(fits(calls, cut) for calls in range(288, 298) for cut in range(18, 26))


# --- judges, repeats, clusters ------------------------------------------------------------------


def seen_by(rate: float, *, right: float, lenient: float) -> float:
    """What a judge makes of a true rate: it passes `right` of the good and `lenient` of the bad."""
    return rate * right + (1 - rate) * lenient


def test_a_lenient_judge_meets_what_is_broken_as_often_as_specified() -> None:
    met, breached = shares(seen_by(0.90, right=0.99, lenient=0.60))
    assert (met, breached) == pytest.approx((98.3, 1.7), abs=1.0)
    assert shares(seen_by(0.85, right=0.99, lenient=0.60))[0] == pytest.approx(65, abs=1.5)


def test_a_harsh_judge_breaches_what_is_kept_as_often_as_specified() -> None:
    assert shares(seen_by(0.99, right=0.93, lenient=0.30))[1] == pytest.approx(61, abs=1.5)
    assert shares(seen_by(0.97, right=0.93, lenient=0.30))[1] == pytest.approx(89, abs=1.5)


@pytest.mark.parametrize(
    ("p", "n", "k", "plugged_in"),
    [(0.9, 5, 5, 0.704), (0.8, 5, 5, 0.478), (0.8, 4, 4, 0.549), (0.9, 8, 4, 0.707)],
)
def test_the_plug_in_estimate_of_repeats_is_biased_up_and_ours_is_not(
    p: float, n: int, k: int, plugged_in: float
) -> None:
    def mean(of: Callable[[int], float]) -> float:
        return math.fsum(math.comb(n, c) * p**c * (1 - p) ** (n - c) * of(c) for c in range(n + 1))

    assert mean(lambda c: (c / n) ** k) == pytest.approx(plugged_in, abs=0.0006)
    assert mean(lambda c: pass_hat_k(trials=n, passes=c, k=k) or 0.0) == pytest.approx(p**k)


def broken(correlation: float, *, by_task: bool, runs: int, chance: random.Random) -> float:
    """The share of drawn agents, each right 95 % of the time, that are breached within 1,000 tasks
    of five tries that go together."""
    clause = clause_from_json(cast.clause(promise_bps=9500, floor_bps=9500))
    weight = 1 / correlation - 1
    found = 0
    for _ in range(runs):
        tally = Tally(clause)
        for _ in range(1_000):
            rate = chance.betavariate(0.95 * weight, 0.05 * weight)
            tries = [float(chance.random() < rate) for _ in range(5)]
            for value in [sum(tries) / 5] if by_task else tries:
                tally.add(value)
            if tally.decided == "breached":
                found += 1
                break
    return found / runs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("correlation", "each_try", "each_task"),
    [(0.05, 0.077, 0.026), (0.2, 0.178, 0.021), (0.5, 0.338, 0.023)],
)
def test_tries_of_one_task_count_once_or_they_breach_the_honest_drawn(
    correlation: float, each_try: float, each_task: float
) -> None:
    chance = random.Random(correlation)
    apart = broken(correlation, by_task=False, runs=400, chance=chance)
    together = broken(correlation, by_task=True, runs=400, chance=chance)
    assert apart == pytest.approx(each_try, abs=0.06)
    assert together == pytest.approx(each_task, abs=0.025)
