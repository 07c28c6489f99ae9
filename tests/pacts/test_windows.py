"""Windows that tumble, and a part that speaks for a whole: by exact enumeration, not simulation."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from pacts.sample_sizes import Risks, run_at
from pacts.statistics import judge_clause
from pacts.terms import Clause, clause_from_json
from pacts.windows import (
    SAMPLED,
    PopulationTooSmall,
    SampledCensus,
    judge_sample,
    judge_window,
    risk_of_window,
)
from reputation.confidence import ValueOutOfRange, reaches
from tests.pacts.pacts_of_bob import clause as clause_data


def clause(**changes: Any) -> Clause:
    return clause_from_json(clause_data(**changes))


def census(**changes: Any) -> Clause:
    return clause(estimand="realized", window={"kind": "milestone"}, **changes)


# --- windows -------------------------------------------------------------------------------------


def test_spent_risk_adds_up_to_the_whole_and_never_beyond() -> None:
    spent = [risk_of_window(0.05, window=j, spent_over_lifetime=True) for j in range(1, 20_001)]
    assert sum(spent) < 0.05
    assert sum(spent) == pytest.approx(0.05, abs=2e-6)
    assert spent[0] == pytest.approx(0.05 * 6 / math.pi**2)


def test_risk_per_window_is_the_same_in_each() -> None:
    assert {risk_of_window(0.05, window=j, spent_over_lifetime=False) for j in (1, 9)} == {0.05}
    with pytest.raises(ValueOutOfRange):
        risk_of_window(0.05, window=0, spent_over_lifetime=True)


def false_breaches(windows: int, *, spent: bool, per_window: int = 3_000) -> float:
    """The chance of any breach in a year, for an agent exactly on a strict promise of 95 %."""
    kept = 1.0
    for j in range(1, windows + 1):
        alpha = risk_of_window(0.05, window=j, spent_over_lifetime=spent)
        kept *= 1 - _breach(alpha, per_window)
    return 1 - kept


def _breach(alpha: float, calls: int) -> float:
    # No met line: a window's breach is asked for alone.
    risks = Risks(promise=0.95, floor=0.95, alpha=alpha, beta=1e-300)
    return run_at(0.95, risks, horizon=calls).breached


@pytest.mark.slow
def test_twelve_months_of_windows_breach_an_agent_on_its_promise_as_seldom_as_specified() -> None:
    per_window = false_breaches(1, spent=False)
    assert 1 - (1 - per_window) ** 12 == pytest.approx(0.275, abs=0.025)  # simulated there
    assert false_breaches(12, spent=True) == pytest.approx(0.019, abs=0.008)


def test_a_lifetime_of_windows_takes_no_more_risk_than_one() -> None:
    assert false_breaches(4, spent=True, per_window=200) < 0.05


def test_later_windows_of_a_lifetime_need_more_evidence() -> None:
    lifetime = clause(risk_over="lifetime")
    values = [0.0] * 3
    assert judge_window(clause=clause(), window=1, values=values).status == "breached"
    assert judge_window(clause=clause(), window=9, values=values).status == "breached"
    assert judge_window(clause=lifetime, window=1, values=[0.0] * 4).status == "breached"
    assert judge_window(clause=lifetime, window=9, values=values).status == "undetermined"
    assert judge_window(clause=lifetime, window=9, values=[0.0] * 6).status == "breached"


def test_a_window_starts_afresh() -> None:
    first = judge_window(clause=clause(), window=1, values=[0.0] * 2 + [1.0] * 10)
    second = judge_window(clause=clause(), window=2, values=[0.0] * 2 + [1.0] * 10)
    assert (first.status, first.ln_e_breach) == (second.status, second.ln_e_breach)


# --- a sampled census ----------------------------------------------------------------------------


def walk(
    population: int, failing: int, look: Callable[[SampledCensus], bool], *, most: int
) -> float:
    """The exact chance that `look` is ever true while drawing up to `most` of a whole that holds
    `failing` failures. Evidence depends on the order, so paths are followed one by one."""

    def go(path: tuple[int, ...], failures: int) -> float:
        bets = SampledCensus(promise=0.8, floor=0.6, population=population)
        for value in path:
            bets.add(value)
        if path and look(bets):
            return 1.0
        if len(path) == most:
            return 0.0
        left = population - len(path)
        fails = (failing - failures) / left
        found = 0.0
        if fails > 0:
            found += fails * go((*path, 0), failures + 1)
        if fails < 1:
            found += (1 - fails) * go((*path, 1), failures)
        return found

    return go((), 0)


def test_a_part_seldom_breaks_a_whole_that_keeps_its_promise() -> None:
    chance = walk(20, 4, lambda bets: reaches(bets.ln_e_breach, risk=0.05), most=11)
    assert chance <= 0.05


def test_a_part_seldom_clears_a_whole_at_its_floor() -> None:
    chance = walk(20, 8, lambda bets: reaches(bets.ln_e_met, risk=0.05), most=11)
    assert chance <= 0.05


def test_evidence_from_a_whole_on_the_line_is_worth_one_on_average() -> None:
    def mean(of: Callable[[SampledCensus], float], failing: int) -> float:
        def go(path: tuple[int, ...], failures: int) -> float:
            if len(path) == 7:
                bets = SampledCensus(promise=0.8, floor=0.6, population=20)
                for value in path:
                    bets.add(value)
                return math.exp(of(bets))
            fails = (failing - failures) / (20 - len(path))
            return (fails * go((*path, 0), failures + 1) if fails else 0) + (
                (1 - fails) * go((*path, 1), failures) if fails < 1 else 0
            )

        return go((), 0)

    assert mean(lambda bets: bets.ln_e_breach, 4) == pytest.approx(1, abs=1e-9)
    assert mean(lambda bets: bets.ln_e_met, 8) == pytest.approx(1, abs=1e-9)


def test_what_the_rest_cannot_change_is_certain() -> None:
    bets = SampledCensus(promise=0.95, floor=0.9, population=100)
    for _ in range(6):
        bets.add(0.0)
    assert bets.ln_e_breach == math.inf
    good = SampledCensus(promise=0.95, floor=0.9, population=100)
    for _ in range(91):
        good.add(1.0)
    assert good.ln_e_met == math.inf


def test_a_part_of_a_small_whole_says_more_than_the_same_number_of_calls() -> None:
    values = [1.0] * 45
    small = SampledCensus(promise=0.95, floor=0.9, population=60)
    large = SampledCensus(promise=0.95, floor=0.9, population=1_000_000)
    for value in values:
        small.add(value)
        large.add(value)
    assert small.ln_e_met > large.ln_e_met
    alone = judge_clause(clause=clause(), values=values).ln_e_met
    assert large.ln_e_met == pytest.approx(alone, abs=1e-3)


def test_scores_between_nothing_and_all_are_bet_on_too() -> None:
    bets = SampledCensus(promise=0.85, floor=0.8, population=200)
    for _ in range(60):
        bets.add(0.95)
    assert reaches(bets.ln_e_met, risk=0.05)
    with pytest.raises(ValueOutOfRange):
        bets.add(1.01)


def test_a_sample_is_judged_and_says_of_how_many() -> None:
    good = judge_sample(clause=census(min_count=40), values=[1.0] * 45, population=60)
    assert (good.status, good.method) == ("met", SAMPLED)
    assert "45 of 60" in good.reason
    few = judge_sample(clause=census(min_count=46), values=[1.0] * 45, population=60)
    assert few.status == "undetermined"
    bad = judge_sample(clause=census(), values=[0.0] * 4, population=60)
    assert bad.status == "breached"


def test_a_sample_of_everything_is_the_census() -> None:
    values = [1.0] * 95 + [0.0] * 5
    whole = judge_sample(clause=census(), values=values, population=100)
    assert (whole.status, whole.method) == ("met", "census-1")
    assert judge_sample(clause=census(), values=[*values[1:], 0.0], population=100).status == (
        "breached"
    )


def test_an_open_sample_is_never_met() -> None:
    open_window = judge_sample(clause=census(), values=[1.0] * 45, population=60, closed=False)
    assert open_window.status == "undetermined"


def test_more_units_than_there_are_is_refused() -> None:
    with pytest.raises(PopulationTooSmall):
        judge_sample(clause=census(), values=[1.0] * 3, population=2)
    with pytest.raises(PopulationTooSmall):
        SampledCensus(promise=0.9, floor=0.8, population=0)
