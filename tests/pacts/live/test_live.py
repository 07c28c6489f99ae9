"""Clauses over production calls, window by window: pure."""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.live import (
    LiveWindow,
    WindowState,
    closing_time,
    covered,
    weigh,
    why_not_live,
    window_number,
)
from pacts.statistics import judge_clause
from pacts.terms import Clause, Volume, Window, clause_from_json
from tests import cast

START = datetime(2026, 1, 1, tzinfo=UTC)


def clause(**changes: Any) -> Clause:
    fields: dict[str, Any] = {
        "check": "regex",
        "params": {"field": "label", "pattern": "[a-z]+"},
        "promise_bps": 9_500,
        "floor_bps": 9_000,
        "window": {"kind": "calls", "n": 400},
        "min_count": 1,
    }
    return clause_from_json(cast.clause("form", **fields | changes))


def fed(values: list[float], weights: list[float] | None = None, **changes: Any) -> LiveWindow:
    window = LiveWindow(clause(**changes), WindowState())
    for value, weight in zip(values, weights or [1.0] * len(values), strict=True):
        window.take("pass" if value >= 0.5 else "fail", value, weight=weight)
    return window


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 1.0]), max_size=80), st.integers(0, 80))
def test_a_window_resumed_at_any_place_is_the_same_window(values: list[float], at: int) -> None:
    whole = fed(values)
    first = fed(values[:at])
    resumed = LiveWindow(clause(), first.state())
    for value in values[at:]:
        resumed.take("pass" if value >= 0.5 else "fail", value, weight=1.0)
    assert resumed.state() == whole.state()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=120), st.booleans())
def test_calls_kept_with_one_rate_are_judged_as_any_other_units(
    values: list[float], closed: bool
) -> None:
    live, plain = (
        fed(values).judged(closed=closed),
        judge_clause(clause=clause(), values=values, closed=closed),
    )
    assert (live.status, live.live, live.first_crossing) == (
        plain.status,
        plain.live,
        plain.first_crossing,
    )
    assert live.ln_e_met == pytest.approx(plain.ln_e_met)
    assert live.ln_e_breach == pytest.approx(plain.ln_e_breach)


def test_a_breach_latches_and_later_passes_do_not_undo_it() -> None:
    window = fed([0.0] * 3 + [1.0] * 300)
    assert window.breached_at == 3
    assert window.judged(closed=True).status == "breached"


def test_a_met_is_not_said_before_the_window_is_closed_or_covered() -> None:
    window = fed([1.0] * 60)
    assert window.judged(closed=False).status == "undetermined"
    assert window.judged(closed=True).status == "met"


def test_a_later_window_asks_for_more_where_risk_is_spread_over_the_lifetime() -> None:
    values = [0.0] * 3
    later = LiveWindow(clause(risk_over="lifetime"), WindowState(number=5))
    for value in values:
        later.take("fail", value, weight=1.0)
    assert fed(values).breached_at == 3
    assert later.breached_at is None


def test_a_census_says_nothing_where_calls_were_left_out() -> None:
    window = fed([1.0] * 50, estimand="realized")
    assert window.judged(closed=True).status == "met"
    assert window.judged(closed=True, sampled=True).status == "undetermined"


def test_errors_above_the_budget_leave_it_undetermined() -> None:
    window = fed([1.0] * 90)
    for _ in range(3):
        window.take("error", None, weight=1.0)
    assert window.judged(closed=True).status == "undetermined"


# --- sampling ----------------------------------------------------------------------------------


def test_weights_are_the_smallest_rate_over_each_and_a_new_smallest_bets_nothing() -> None:
    assert weigh([1.0, 0.5, 1.0, 0.5], least=1.0) == ([1.0, 0.0, 0.5, 1.0], 0.5)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 1.0), st.floats(0.01, 0.99))
def test_the_payoff_of_a_sampled_call_is_that_of_the_census_scaled(rate: float, m: float) -> None:
    # E[ξ · w · (x − m)] over whether it is kept, with w = π₀ / π, is π₀ · (x − m).
    least = 0.05
    (weight,), _ = weigh([rate], least=least)
    for x in (0.0, 0.3, 1.0):
        assert math.isclose(rate * weight * (x - m), least * (x - m), abs_tol=1e-12)


def test_failures_that_are_kept_more_often_do_not_breach_a_kept_promise() -> None:
    # 97 % pass; every failure is kept and a tenth of the passes: of what is seen, 24 % fail.
    rng, breaches = random.Random(6), 0
    for _ in range(40):
        window = LiveWindow(clause(), WindowState(weighted_passes=0))
        for _ in range(1500):
            passes = rng.random() < 0.97
            rate = 0.1 if passes else 1.0
            if rng.random() < rate:
                (weight,), _ = weigh([rate], least=0.1)
                window.take("pass" if passes else "fail", float(passes), weight=weight)
        breaches += window.breached_at is not None
        estimate = window.judged(closed=True).estimate
        assert estimate == pytest.approx(0.97, abs=0.03)
    assert breaches <= 2


# --- windows -----------------------------------------------------------------------------------


def number(window: Window, *, place: int = 1, days: float = 0.0, milestone: int = 0) -> int:
    return window_number(
        clause(window=window.to_json()),
        place=place,
        received_at=START + timedelta(days=days),
        began_at=START,
        milestone=milestone,
    )


def test_windows_of_calls_tumble_by_place() -> None:
    window = Window(kind="calls", size=100)
    assert [number(window, place=place) for place in (1, 100, 101, 200, 201)] == [1, 1, 2, 2, 3]


def test_windows_of_days_tumble_by_when_a_call_was_received() -> None:
    window = Window(kind="days", size=7)
    assert [number(window, days=days) for days in (0, 6.99, 7, 13.99, 14)] == [1, 1, 2, 2, 3]
    asked = clause(window=window.to_json())
    assert closing_time(asked, number=2, began_at=START) == START + timedelta(days=14)


def test_a_window_of_a_milestone_is_that_of_the_latest_begun() -> None:
    window = Window(kind="milestone")
    assert [number(window, milestone=begun) for begun in (0, 1, 3)] == [1, 1, 3]


@pytest.mark.parametrize(
    ("days", "units", "enough"),
    [(6.9, 400, False), (7, 199, False), (7, 200, True), (30, 0, False)],
)
def test_a_window_is_covered_after_a_week_with_half_of_its_calls(
    days: float, units: int, enough: bool
) -> None:
    now = START + timedelta(days=days)
    assert covered(clause(), units=units, opened_at=START, now=now, volume=None) is enough


def test_a_window_without_an_expected_volume_is_covered_only_when_it_closes() -> None:
    now, days = START + timedelta(days=40), clause(window={"kind": "days", "n": 30})
    assert not covered(days, units=10**6, opened_at=START, now=now, volume=None)
    told = Volume(calls_per_day=100)
    assert covered(days, units=1_500, opened_at=START, now=now, volume=told)


@pytest.mark.parametrize(
    "change",
    [
        {"check": "consistency", "params": {"field": "label"}},
        {"check": "reviewed", "unit": "session", "params": {"rubric": "r" * 20, "review_bps": 500}},
        {"unit": "task", "repeats": 3},
    ],
)
def test_clauses_about_several_tries_say_nothing_of_single_calls(change: dict[str, Any]) -> None:
    assert why_not_live(clause()) is None
    assert why_not_live(clause(**change)) is not None
