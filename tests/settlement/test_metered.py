"""A metered hire: budget set aside, windows paid as they are judged, the rest back at the end."""

import json
from datetime import timedelta
from fractions import Fraction

import pytest

from settlement import metering_statements, meters
from settlement.audit import audit
from settlement.models import Meter
from tests.settlement.metered import (
    COOLING,
    CURE,
    EVALUATION,
    RUNS,
    START,
    TICK,
    WINDOW,
    clause,
    hire,
    running,
)

pytestmark = pytest.mark.django_db


def test_a_met_window_pays_its_verified_calls_less_fee_and_holdback() -> None:
    made = running()
    made.report(good=WINDOW + 1)
    made.look()
    window = made.window()
    assert (window.outcome, window.verified, window.calls) == ("met", 40, 40)
    assert (window.due, window.earned, window.held_back) == (2_000, 2_000, 200)
    assert (window.paid, window.fee) == (1_710, 90)
    assert made.balances() == (0, 1_710, 90)
    assert made.meter.available == 8_000
    assert audit(now=made.at) == []


def test_a_window_that_is_not_over_pays_nothing_yet() -> None:
    made = running()
    made.report(good=WINDOW)
    made.look()
    assert made.meter.windows.count() == 0
    assert made.balances() == (0, 0, 0)


def test_the_end_pays_the_last_window_cools_the_holdback_and_returns_the_rest() -> None:
    made = running()
    made.report(good=WINDOW + 3)
    made.look()
    meters.end(meter=made.meter, by=made.alice.party, now=made.at)
    made.look()
    last = made.window(2)
    assert (last.calls, last.outcome, last.state) == (3, "undetermined", "withheld")
    assert made.meter.state == "closing"
    made.look(at=made.at + CURE + TICK)
    assert made.window(2).reason == "window_not_proved"
    made.look(at=made.at + COOLING + TICK)
    assert made.meter.state == "ended"
    assert made.balances() == (8_000, 1_900, 100)
    assert audit(now=made.at) == []


def test_a_critical_breach_freezes_the_rest_at_once_and_returns_it_with_the_holdback() -> None:
    made = running(clause(severity="critical"))
    made.report(good=WINDOW + 1)
    made.look()
    made.report(bad=30)
    made.look()
    assert made.meter.state == "frozen"
    assert made.meter.breached_clause == "form"
    made.report(good=80)  # what comes while it is frozen costs nothing
    made.look()
    assert made.balances() == (0, 1_710, 90)
    made.look(at=made.at + CURE + TICK)
    made.look()
    assert made.meter.state == "ended"
    assert made.balances() == (8_200, 1_710, 90)
    assert audit(now=made.at) == []


def test_the_buyer_may_waive_a_breach_and_go_on() -> None:
    made = running(clause(severity="critical"))
    made.report(bad=30)
    made.look()
    assert made.meter.state == "frozen"
    meters.waive(meter=made.meter, by=made.alice.party, now=made.at)
    made.report(good=10 + 2 * WINDOW + 1)
    made.look()
    assert made.meter.state == "running"
    assert made.window(1).paid == 0
    assert made.window(2).paid > 0
    assert audit(now=made.at) == []


def test_calls_received_while_paused_are_judged_and_cost_nothing() -> None:
    made = running()
    made.report(good=30)
    meters.pause(meter=made.meter, by=made.bob.party, user=made.bob.user, now=made.at + TICK)
    made.report(good=5)
    assert made.look().state == "paused"
    meters.resume(meter=made.meter, by=made.bob.party, now=made.at + TICK)
    made.report(good=6)
    made.look()
    window = made.window()
    assert (window.calls, window.verified, window.outside) == (40, 35, 5)
    assert window.due == 35 * 50


def test_a_budget_that_is_used_up_ends_by_exhaustion_and_pays_what_is_there() -> None:
    made = running(budget=1_000, price=50)
    made.report(good=WINDOW + 1)
    made.look()
    window = made.window()
    assert (window.due, window.covered, window.earned) == (2_000, 1_000, 1_000)
    assert (made.meter.state, made.meter.closing_reason) == ("closing", "meter_exhausted")
    made.look(at=made.at + EVALUATION + COOLING + TICK)
    assert made.meter.state == "ended"
    assert made.balances() == (0, 950, 50)


def test_a_top_up_lengthens_it_and_a_key_adds_once() -> None:
    made = running(money=15_000)
    for _ in range(2):
        meters.top_up(
            meter=made.meter, by=made.alice.party, amount=2_000, idempotency_key="t", now=made.at
        )
    assert made.now().funded == 12_000
    assert made.balances()[0] == 3_000
    assert audit(now=made.at) == []


def test_time_alone_ends_it() -> None:
    made = running()
    made.report(good=WINDOW + 1)
    made.look()
    made.look(at=START + RUNS)
    assert made.meter.state == "running"
    made.look(at=START + RUNS + TICK)
    assert made.meter.closing_reason == "meter_expired"
    while made.meter.next_action_at:
        made.look(at=made.meter.next_action_at + TICK)
    assert made.at <= START + RUNS + EVALUATION + CURE + COOLING + 4 * TICK
    assert sum(made.balances()) == 10_000
    assert audit(now=made.at) == []


def test_a_statement_tells_the_arithmetic_and_verifies() -> None:
    made = running(clause(on_undetermined="release"), price=7, per=3)
    made.report(good=38, bad=1)
    made.report(good=1, fault="platform", output=None)
    made.report(good=1)
    made.look()
    window = made.window()
    assert (window.verified, window.failed, window.platform_faults) == (38, 1, 1)
    statement = window.statement
    assert metering_statements.holds(statement)
    body = json.loads(statement.body)
    sums = body["arithmetic"]
    assert Fraction(sums["exact"]) == Fraction(38 * 7, 3)
    assert Fraction(sums["exact"]) + Fraction(sums["rounding"]) == sums["due"] == 89
    assert sums["earned"] == sums["paid"] + sums["fee"] + sums["held_back"]
    assert body["calls"]["excluded"]["builder"] == 1
    entries = [one["amount"] for one in body["transfers"][0]["entries"]]
    assert sorted(entries) == sorted([-(sums["paid"] + sums["fee"]), sums["paid"], sums["fee"]])
    first = body["verdict"]["clauses"][0]
    assert first["alpha_spent_ppb"] == first["alpha_spent_so_far_ppb"] == 30_396_355


def test_the_alpha_of_all_windows_stays_below_what_the_pact_names() -> None:
    made = running(clause(on_undetermined="release"))
    made.report(good=6 * WINDOW + 1)
    made.look()
    spent = [made.window(n).clauses[0]["alpha_spent_so_far_ppb"] for n in range(1, 7)]
    assert spent == sorted(set(spent))
    assert spent[-1] < 50_000_000


def test_unfunded_it_lapses_and_holds_nothing() -> None:
    made = hire()
    assert made.meter.state == Meter.State.UNFUNDED
    assert made.look(at=START + timedelta(days=30)).state == "unfunded"
