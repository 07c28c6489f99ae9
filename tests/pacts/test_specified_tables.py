"""The tables of the specification, recomputed exactly: (units, failures) by dynamic programming.

The quick ones run always; whole rows up to 20,000 calls are slow. Ways of judging that are not ours
are here to show what the specification says of them: they breach the honest.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from pacts.sample_sizes import Risks, run_at
from reputation.confidence import confidence_sequence

STRICT = Risks(promise=0.95, floor=0.95)
ZONE = Risks(promise=0.95, floor=0.90)

# After `units`: breached from this many failures, met up to this many; None: no look at all.
Lines = Callable[[int], tuple[int, int] | None]


@dataclass(frozen=True)
class Fate:
    """What became of an agent by some number of units."""

    expected: float
    met: float
    breached: float


def fates(
    rate: float | Callable[[int], float], lines: Lines, marks: tuple[int, ...]
) -> Iterator[Fate]:
    """The exact fate by each of the marks; the first line crossed decides.

    The rate may follow the unit, counted from 1.
    """
    rate_of = rate if callable(rate) else lambda unit: rate
    alive, first = [1.0], 0  # chances of `first`, `first` + 1, … failures
    met = breached = expected = 0.0
    for units in range(1, marks[-1] + 1):
        expected += math.fsum(alive)
        right = rate_of(units)
        stepped = [chance * right for chance in alive] + [0.0]
        for i, chance in enumerate(alive):
            stepped[i + 1] += chance * (1 - right)
        alive = stepped
        found = lines(units)
        if found:
            upper, lower = found
            cut = max(0, min(len(alive), upper - first))
            breached += math.fsum(alive[cut:])
            del alive[cut:]
            gone = max(0, min(len(alive), lower - first + 1))
            met += math.fsum(alive[:gone])
            del alive[:gone]
            first += gone
        while alive and alive[-1] < 1e-16:
            alive.pop()
        while alive and alive[0] < 1e-16:
            alive.pop(0)
            first += 1
        if units in marks:
            yield Fate(expected, met, breached)


def moving(breaks: Callable[[int, int], bool], clears: Callable[[int, int], bool]) -> Lines:
    """Lines from two monotone questions of (units, failures); neither line ever falls."""
    upper, lower = 1, -1

    def look(units: int) -> tuple[int, int]:
        nonlocal upper, lower
        while upper <= units and not breaks(units, upper):
            upper += 1
        while lower < units and clears(units, lower + 1):
            lower += 1
        return upper, lower

    return look


# --- ways of judging that look again and again at fixed-sample intervals -----------------------


def wilson(units: int, failures: int, z: float) -> tuple[float, float]:
    rate, spread = 1 - failures / units, z * z / units
    centre = (rate + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(rate * (1 - rate) / units + spread / (4 * units))
    return centre - half, centre + half


def wilson_lines(z: float) -> Lines:
    return moving(lambda n, f: wilson(n, f, z)[1] < 0.95, lambda n, f: wilson(n, f, z)[0] > 0.95)


def tail_lines(breach_tail: float, met_tail: float, extra: int) -> Lines:
    """Clopper–Pearson (extra 0) or a posterior from a flat prior (extra 1), as binomial tails:
    P(Beta(S+1, F+1) < p) = P(Bin(n+1, p) > S)."""

    def passes_up_to(n: int, s: int) -> float:
        return math.fsum(_pmf(n, f) for f in range(n - s, min(n, n - s + 400) + 1))

    def breaks(n: int, f: int) -> bool:
        if extra:  # P(rate < .95) = P(fewer than f + 1 failures in n + 1)
            return _few(n + 1, f) >= breach_tail
        return passes_up_to(n, n - f) <= breach_tail

    def clears(n: int, f: int) -> bool:
        if extra:
            return 1 - _few(n + 1, f) >= met_tail
        return _few(n, f) <= met_tail

    return moving(breaks, clears)


def _pmf(n: int, failures: int) -> float:
    if not 0 <= failures <= n:
        return 0.0
    choose = math.lgamma(n + 1) - math.lgamma(failures + 1) - math.lgamma(n - failures + 1)
    return math.exp(choose + failures * math.log(0.05) + (n - failures) * math.log(0.95))


def _few(n: int, failures: int) -> float:
    """P(at most this many failures in n calls at 95 %)."""
    return math.fsum(_pmf(n, f) for f in range(max(0, failures - 400), failures + 1))


def only(lines: Lines, *, least: int = 1, every: int = 1) -> Lines:
    """Lines that are looked at from `least` units on, and only every so often."""

    def look(units: int) -> tuple[int, int] | None:
        return lines(units) if units >= least and units % every == 0 else None

    return look


def ours(risks: Risks) -> Lines:
    return moving(risks.breaches, risks.meets)


Z95, Z90 = 1.959963984540054, 1.6448536269514722
# By 100, 300 and 1,000 calls: % false breached / % false met, at exactly 95 %.
GROWTH: dict[str, tuple[Callable[[], Lines], list[tuple[float, float]]]] = {
    "ours": (lambda: ours(STRICT), [(1.42, 1.28), (1.85, 1.99), (2.35, 2.75)]),
    "wilson": (lambda: wilson_lines(Z95), [(27.4, 2.4), (31.4, 7.3), (35.5, 11.8)]),
    "wilson from 30": (
        lambda: only(wilson_lines(Z95), least=30),
        [(13.5, 2.4), (18.6, 7.7), (23.6, 13.0)],
    ),
    "wilson one-sided from 30": (
        lambda: only(wilson_lines(Z90), least=30),
        [(18.9, 10.1), (26.4, 18.1), (32.8, 25.5)],
    ),
    "clopper-pearson": (
        lambda: tail_lines(0.025, 0.025, 0),
        [(8.9, 2.5), (12.7, 7.7), (17.1, 13.0)],
    ),
    "bayes": (lambda: tail_lines(0.95, 0.95, 1), [(41.9, 7.6), (47.1, 13.4), (51.6, 18.7)]),
    "wilson every 100": (
        lambda: only(wilson_lines(Z95), every=100),
        [(2.8, 0.6), (5.7, 2.5), (10.4, 6.7)],
    ),
}
LONG: dict[str, list[tuple[float, float]]] = {
    "ours": [(2.80, 3.33), (3.27, 3.97), (3.53, 4.34)],
    "wilson": [(38.8, 15.4), (42.1, 18.8), (43.7, 20.5)],
    "wilson from 30": [(27.7, 17.3), (31.6, 21.3), (33.6, 23.4)],
    "wilson one-sided from 30": [(37.5, 30.6), (41.5, 34.7), (43.3, 36.6)],
    "clopper-pearson": [(21.2, 17.4), (25.3, 21.7), (27.5, 24.0)],
    "bayes": [(54.9, 22.3), (57.8, 25.3), (59.1, 26.7)],
    "wilson every 100": [(14.9, 11.0), (19.7, 15.9), (22.3, 18.5)],
}


def held(name: str, marks: tuple[int, ...], expected: list[tuple[float, float]]) -> None:
    places = 0.006 if name == "ours" else 0.06
    for fate, (breached, met) in zip(fates(0.95, GROWTH[name][0](), marks), expected, strict=True):
        assert 100 * fate.breached == pytest.approx(breached, abs=places)
        assert 100 * fate.met == pytest.approx(met, abs=places)


@pytest.mark.parametrize("name", GROWTH)
def test_false_verdicts_grow_as_specified_however_one_looks(name: str) -> None:
    held(name, (100, 300, 1_000), GROWTH[name][1])


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_false_verdicts_grow_as_specified_up_to_twenty_thousand_calls(name: str) -> None:
    held(name, (3_000, 10_000, 20_000), LONG[name])


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.80, 31.8), (0.90, 204.3), (0.99, 157.6), (1.0, 85.0)]
)
def test_a_strict_clause_takes_as_long_as_specified(rate: float, expected: float) -> None:
    assert run_at(rate, STRICT, horizon=20_000).expected_units == pytest.approx(expected, abs=0.06)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "expected", "met", "breached"),
    [(0.93, 1094.9, None, None), (0.95, 18_610, 4.34, 3.53), (0.97, 789.3, 99.77, 0.23)],
)
def test_a_strict_clause_near_its_promise_takes_as_long_as_specified(
    rate: float, expected: float, met: float | None, breached: float | None
) -> None:
    [fate] = fates(rate, ours(STRICT), (20_000,))
    assert fate.expected == pytest.approx(expected, abs=0.6 if expected > 10_000 else 0.06)
    if met is not None:
        assert 100 * fate.met == pytest.approx(met, abs=0.006)
        assert 100 * fate.breached == pytest.approx(breached, abs=0.006)


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.80, 33.8), (0.90, 140.1), (0.95, 163.4), (0.97, 93.8), (1.0, 55.0)]
)
def test_walds_test_needs_what_the_specification_says_it_needs(
    rate: float, expected: float
) -> None:
    up, down = math.log(0.95 / 0.90), math.log(0.10 / 0.05)

    def for_met(n: int, f: int) -> float:
        return (n - f) * up - f * down

    lines = moving(
        lambda n, f: -for_met(n, f) >= math.log(19), lambda n, f: for_met(n, f) >= math.log(19)
    )
    [fate] = fates(rate, lines, (20_000,))
    assert fate.expected == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(
    ("floor", "at_80", "at_promise", "perfect"), [(0.92, 35, 439, 60), (0.93, 36, 898, 70)]
)
def test_a_narrower_zone_takes_as_long_as_specified(
    floor: float, at_80: int, at_promise: int, perfect: int
) -> None:
    risks = Risks(promise=0.95, floor=floor)
    found = [round(run_at(rate, risks, horizon=20_000).expected_units) for rate in (0.8, 0.95, 1.0)]
    assert found == [at_80, at_promise, perfect]


@pytest.mark.slow
def test_the_narrowest_zone_takes_as_long_as_specified() -> None:
    risks = Risks(promise=0.95, floor=0.94)
    found = [round(run_at(rate, risks, horizon=60_000).expected_units) for rate in (0.8, 0.95, 1.0)]
    assert found == [37, 3224, 82]


# promise, floor, then expected calls at 1−4(1−p0), p1, 1−1.5(1−p0), p0, 1−.5(1−p0), 1−.25(1−p0), 1
DURATION = [
    (0.80, 0.60, [6.8, 32.4, 58.8, 35.4, 17.1, 12.9, 10]),
    (0.90, 0.80, [15.1, 74.7, 139.0, 85.6, 39.9, 29.5, 22]),
    (0.95, 0.90, [32.3, 160.3, 300.3, 185.3, 85.7, 62.8, 46]),
    (0.99, 0.98, [173.2, 851.4, 1604.4, 985.3, 450.4, 327.7, 237]),
    (0.995, 0.99, [353.2, 1725.4, 3252.8, 1988.1, 907.1, 659.9, 477]),
]
LONGEST = (0.999, 0.998, [1803.9, 8742.2, 16501.8, 10001.5, 4554.2, 3312.4, 2393])


def durations(promise: float, floor: float, expected: list[float], horizon: int) -> None:
    miss = 1 - promise
    rates = [1 - 4 * miss, floor, 1 - 1.5 * miss, promise, 1 - miss / 2, 1 - miss / 4, 1.0]
    risks = Risks(promise=promise, floor=floor)
    for rate, calls in zip(rates, expected, strict=True):
        [fate] = fates(round(rate, 6), ours(risks), (horizon,))
        assert fate.expected == pytest.approx(calls, abs=0.06), rate


@pytest.mark.parametrize(("promise", "floor", "expected"), DURATION[:3])
def test_a_clause_takes_as_long_as_specified(
    promise: float, floor: float, expected: list[float]
) -> None:
    durations(promise, floor, expected, 6_000)


@pytest.mark.slow
@pytest.mark.parametrize(("promise", "floor", "expected"), DURATION[3:])
def test_a_high_promise_takes_as_long_as_specified(
    promise: float, floor: float, expected: list[float]
) -> None:
    durations(promise, floor, expected, 60_000)


@pytest.mark.slow
def test_three_nines_take_as_long_as_specified() -> None:
    durations(*LONGEST, 60_000)


@pytest.mark.parametrize(
    ("passes", "failures", "ours_wide", "wilson_wide"),
    [(95, 5, 0.142, 0.090), (950, 50, 0.047, 0.027), (9500, 500, 0.0146, 0.0085)],
)
def test_looking_whenever_one_likes_costs_the_specified_width(
    passes: int, failures: int, ours_wide: float, wilson_wide: float
) -> None:
    low, high = confidence_sequence(passes=passes, failures=failures)
    places = 0.0006 if ours_wide > 0.02 else 0.00006
    assert high - low == pytest.approx(ours_wide, abs=places)
    narrow_low, narrow_high = wilson(passes + failures, failures, Z95)
    assert narrow_high - narrow_low == pytest.approx(wilson_wide, abs=places)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "missed"), [(0.80, 3.40), (0.90, 3.28), (0.95, 3.12), (0.99, 2.66)]
)
def test_the_interval_ever_misses_the_truth_as_seldom_as_specified(
    rate: float, missed: float
) -> None:
    def above(n: int, f: int) -> bool:  # the whole interval lies above the truth
        return confidence_sequence(passes=n - f, failures=f)[0] > rate

    def below(n: int, f: int) -> bool:
        return confidence_sequence(passes=n - f, failures=f)[1] < rate

    [fate] = fates(rate, moving(below, above), (20_000,))
    assert 100 * (fate.met + fate.breached) == pytest.approx(missed, abs=0.006)
