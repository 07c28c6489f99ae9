"""Forecasts: the same lines as verdicts, exact where they say so."""

import math
import random
from typing import Any

import pytest

from pacts import forecasts, sample_sizes, terms
from pacts.forecasts import ForecastRefused, forecast
from pacts.sample_sizes import Allowance, Risks, TooManySteps, calls_to_verdict, run_at
from pacts.statistics import judge_clause
from tests import cast


def pact(*clauses: dict[str, Any]) -> terms.PactTerms:
    return terms.parse(cast.pact_terms(*clauses))


def test_a_forecast_says_of_the_two_usual_agents_what_the_linter_says() -> None:
    found = forecast(pact()).clauses[0]
    needed = calls_to_verdict(promise=0.9, floor=0.8)
    faultless, on_promise = found.fate("faultless"), found.fate("promise")
    assert faultless
    assert on_promise
    assert faultless.expected == faultless.nine_in_ten == needed.perfect == 22
    assert round(on_promise.expected or 0) == needed.on_promise == 86


@pytest.mark.parametrize("rate_name", ["better", "promise", "floor"])
def test_runs_judged_by_the_verdicts_own_engine_end_as_forecast(rate_name: Any) -> None:
    parsed = pact()
    tasks, runs, draws = 60, 300, random.Random(8)
    fate = forecast(parsed, tasks=tasks).clauses[0].fate(rate_name)
    assert fate
    assert fate.met is not None
    assert fate.breached is not None
    latched = {"met": 0, "breached": 0}
    for _ in range(runs):
        values = [float(draws.random() < fate.rate) for _ in range(tasks)]
        first = judge_clause(clause=parsed.clauses[0], values=values).first_crossing
        if first is not None:
            status = judge_clause(clause=parsed.clauses[0], values=values[:first]).live
            latched[status] += 1
    for status, told in (("met", fate.met), ("breached", fate.breached)):
        four_errors = 4 * (told * (1 - told) / runs) ** 0.5
        assert latched[status] / runs == pytest.approx(told, abs=min(0.09, four_errors)), status


def test_the_chances_of_a_number_of_tasks_add_up_and_grow_with_it() -> None:
    few, many = (forecast(pact(), tasks=n).clauses[0] for n in (30, 120))
    for one, other in zip(few.fates, many.fates, strict=True):
        assert one.met is not None
        assert other.met is not None
        assert one.met <= other.met + 1e-12
        assert one.open is not None
        assert other.open is not None
        assert 0 <= other.open <= one.open + 1e-12


def test_nine_runs_in_ten_need_at_least_the_median_and_a_worse_agent_is_caught_sooner() -> None:
    found = forecast(pact()).clauses[0]
    poor, floor = found.fate("poor"), found.fate("floor")
    assert poor
    assert floor
    assert poor.nine_in_ten
    assert floor.nine_in_ten
    assert poor.nine_in_ten < floor.nine_in_ten
    assert floor.nine_in_ten > (floor.expected or 0)


def test_the_pact_takes_what_its_slowest_clause_takes_times_the_tries_of_a_task() -> None:
    slow = cast.clause("slow", promise_bps=9500, floor_bps=9000, weight_bps=4000, unit="task")
    found = forecast(pact(cast.clause(weight_bps=6000), slow | {"repeats": 3}), tasks=10)
    assert found.calls_per_task == 3
    assert found.calls == 30
    faultless = found.totals[0]
    assert (faultless.clause, faultless.expected_calls) == ("slow", 46 * 3)


def test_a_strict_clause_says_that_an_agent_on_its_promise_may_never_be_decided() -> None:
    found = forecast(pact(cast.clause(floor_bps=9000))).clauses[0]
    on_promise = found.fate("promise")
    assert on_promise
    assert on_promise.expected is None
    assert found.fate("between") is None


def test_a_census_is_not_estimated_and_a_rate_beyond_counting_says_so() -> None:
    census = cast.clause(estimand="realized", promise_bps=10_000, floor_bps=10_000)
    assert [c.method for c in forecast(pact(census)).clauses] == ["census"]
    perfection = cast.clause(promise_bps=10_000)
    assert [c.method for c in forecast(pact(perfection)).clauses] == ["not by counting"]


def test_a_promise_that_takes_too_long_to_compute_is_told_approximately() -> None:
    found = forecast(pact(cast.clause(promise_bps=9950, floor_bps=9900)), tasks=100).clauses[0]
    on_promise, better = found.fate("promise"), found.fate("better")
    assert found.method == "approximation"
    assert on_promise
    assert on_promise.expected
    assert better
    assert better.expected is None
    assert better.met is None
    assert Risks(promise=0.995, floor=0.99).rough == pytest.approx(on_promise.expected, abs=1)


@pytest.mark.parametrize("tasks", [0, -1, 10_001])
def test_a_number_of_tasks_nobody_brings_is_refused(tasks: int) -> None:
    with pytest.raises(ForecastRefused, match="1 to 10,000"):
        forecast(pact(), tasks=tasks)


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for every piece of arithmetic that was really done, in steps."""
    done: list[int] = []
    step, look = sample_sizes._step, sample_sizes.Lines._next

    def counted_step(alive: list[float], rate: float) -> list[float]:
        done.append(len(alive))
        return step(alive, rate)

    def counted_look(lines: Any, *at: int) -> tuple[int, int]:
        done.append(sample_sizes.LINE_STEPS)
        return look(lines, *at)

    monkeypatch.setattr(sample_sizes, "_step", counted_step)
    monkeypatch.setattr(sample_sizes.Lines, "_next", counted_look)
    forecasts._exactly.cache_clear()
    return done


def hard_pact() -> terms.PactTerms:
    """Forty clauses, each of which takes long to compute; the last is quick."""
    hard = [
        cast.clause(f"hard-{n}", promise_bps=5500 + 20 * n, floor_bps=5150 + 20 * n, weight_bps=250)
        for n in range(39)
    ]
    return pact(*hard, cast.clause("quick", weight_bps=250))


def test_forty_hard_clauses_together_take_no_more_arithmetic_than_a_pact_may(
    monkeypatch: pytest.MonkeyPatch, worked: list[int]
) -> None:
    monkeypatch.setattr(forecasts, "MOST_STEPS", 300_000)
    found = forecast(hard_pact(), tasks=10_000)
    assert sum(worked) <= 300_000
    methods = {one.key: one.method for one in found.clauses}
    assert methods.pop("quick") == "exact"
    assert set(methods.values()) == {"approximation"}
    hard = found.clauses[0].fate("promise")
    assert hard
    assert hard.expected == math.ceil(Risks(promise=0.55, floor=0.515).rough)
    assert hard.met is None


def test_what_a_forecast_says_does_not_depend_on_what_was_asked_before(
    monkeypatch: pytest.MonkeyPatch, worked: list[int]
) -> None:
    monkeypatch.setattr(forecasts, "MOST_STEPS", 300_000)
    first = forecast(hard_pact(), tasks=50)
    before = len(worked)
    assert forecast(hard_pact(), tasks=50) == first
    assert len(worked) == before  # kept
    forecasts._exactly.cache_clear()
    assert forecast(hard_pact(), tasks=50) == first


def test_equal_clauses_are_computed_once(worked: list[int]) -> None:
    forecast(pact(cast.clause("one", weight_bps=5000)))
    once = sum(worked)
    forecasts._exactly.cache_clear()
    forecast(pact(cast.clause("one", weight_bps=5000), cast.clause("two", weight_bps=5000)))
    assert sum(worked) == 2 * once


@pytest.mark.parametrize("units", [1, 30, 400, 2_000])
def test_one_pass_says_of_a_number_of_units_what_a_run_of_that_length_says(units: int) -> None:
    risks = Risks(promise=0.9, floor=0.8)
    alone = run_at(0.9, risks, units)
    assert run_at(0.9, risks, 2_000, asked=units).within == pytest.approx(
        (alone.met, alone.breached), abs=1e-9
    )


def test_a_run_beyond_what_is_allowed_stops_there() -> None:
    allowance = Allowance(10_000)
    with pytest.raises(TooManySteps):
        run_at(0.9, Risks(promise=0.9, floor=0.8), 2_000, allowance=allowance)
    assert run_at(1.0, Risks(promise=0.9, floor=0.8), 2_000, allowance=Allowance(10_000)).met == 1
