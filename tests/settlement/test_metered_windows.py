"""Windows of metered hires that are not plain: by the day, cut short, waiting, ruled, waived."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from pacts import calls
from pacts.disputes import ConflictOfInterest, NotAnAdjudicator
from settlement import meters
from settlement.audit import audit
from settlement.ledger import InsufficientFunds
from settlement.meters import MeterRefused, WindowNotWaiting
from settlement.refusals import DeadlinePassed, EscrowAlreadyFunded, NotYourSide
from tests import cast
from tests.settlement.hires import give
from tests.settlement.metered import (
    CURE,
    EVALUATION,
    HOUR,
    RUNS,
    START,
    TICK,
    WINDOW,
    clause,
    hire,
    running,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
BY_DAY = {"kind": "days", "n": 1}


def test_a_window_that_is_extended_is_paid_once_the_next_one_is_met() -> None:
    made = running(clause(on_undetermined="extend"))
    made.report(good=29, bad=11)
    made.report(good=1)
    made.look()
    first = made.window(1)
    assert (first.state, first.reason, first.covered) == ("withheld", "window_extended", 1_450)
    assert made.meter.withheld == 1_450
    made.report(good=WINDOW)
    made.look()
    assert made.window(2).outcome == "met"
    assert (made.window(1).reason, made.window(1).earned) == ("window_proved", 1_450)
    assert made.meter.withheld == 0
    assert audit(now=made.at) == []


def test_a_window_that_is_extended_in_vain_costs_nothing() -> None:
    made = running(clause(on_undetermined="extend"))
    made.report(good=29, bad=12)
    made.look()
    made.look(at=made.at + EVALUATION)
    assert made.window(1).state == "withheld"
    made.look(at=made.at + TICK)
    assert (made.window(1).reason, made.window(1).earned) == ("window_not_proved", 0)
    assert made.meter.available == 10_000


def test_an_undetermined_window_pays_the_measured_share_where_the_pact_prorates() -> None:
    made = running(clause(on_undetermined="prorate"), holdback_bps=0, fee_bps=0)
    made.report(good=29, bad=11)
    made.report(good=1)
    made.look()
    window = made.window()
    assert (window.outcome, window.share_bps) == ("undetermined", 8_055)
    assert Fraction(window.exact) == 29 * 50 * Fraction(8_055, 10_000)
    assert window.paid == window.due == 1_168


def test_days_are_windows_too_and_a_pause_in_one_lowers_its_price() -> None:
    made = running(clause(window=BY_DAY), basis="window", price=2_400, holdback_bps=0, fee_bps=0)
    made.report(good=30)
    meters.pause(meter=made.meter, by=made.alice.party, user=None, now=START + 6 * HOUR)
    made.look(at=START + 12 * HOUR)
    meters.resume(meter=made.meter, by=made.alice.party, now=made.at)
    made.look(at=START + DAY + TICK)
    window = made.window()
    assert (window.outcome, window.exact, window.paid) == ("met", "1800", 1_800)
    assert audit(now=made.at) == []


def test_a_window_that_the_end_cuts_short_costs_its_part() -> None:
    made = running(basis="window", price=1_000, holdback_bps=0, fee_bps=0)
    made.report(good=30)
    meters.end(meter=made.meter, by=made.bob.party, now=made.at)
    made.look()
    made.look()
    assert (made.window().exact, made.window().paid) == ("750", 750)
    assert made.meter.state == "ended"
    assert made.balances() == (9_250, 750, 0)


def test_a_day_that_the_end_cuts_short_costs_its_part() -> None:
    made = running(clause(window=BY_DAY), basis="window", price=2_400, holdback_bps=0, fee_bps=0)
    made.report(good=30)
    made.at = START + 8 * HOUR
    meters.end(meter=made.meter, by=made.alice.party, now=made.at)
    made.look()
    made.look(at=made.at + HOUR)
    assert (made.window().exact, made.window().paid) == ("800", 800)


def test_only_an_adjudicator_without_interest_decides_and_only_what_waits() -> None:
    made = running(clause(on_undetermined="human_review"))
    made.report(good=69, bad=12)
    made.look()
    waiting, reasons = made.window(2), "Some of these labels can be used as they are."
    carol, mallory = cast.carol(), cast.mallory()
    ask: dict[str, Any] = {"award_bps": 5_000, "reasons": reasons, "now": made.at}
    with pytest.raises(NotAnAdjudicator):
        meters.rule_window(window=waiting, adjudicator=mallory.user, **ask)
    made.bob.user.is_adjudicator = True
    with pytest.raises(ConflictOfInterest):
        meters.rule_window(window=waiting, adjudicator=made.bob.user, **ask)
    with pytest.raises(WindowNotWaiting):
        meters.rule_window(window=made.window(1), adjudicator=carol.user, **ask)
    meters.rule_window(window=waiting, adjudicator=carol.user, **ask)
    assert made.window(2).earned == waiting.covered // 2
    with pytest.raises(WindowNotWaiting):
        meters.accept_window(window=waiting, by=made.alice.party, now=made.at)
    assert audit(now=made.at) == []


def test_each_door_belongs_to_a_side_and_to_a_state() -> None:
    made = hire(money=9_000, pausers=("buyer",))
    bob, alice, at = made.bob.party, made.alice.party, made.at
    with pytest.raises(NotYourSide):
        meters.fund(meter=made.meter, by=bob, idempotency_key="k", now=at)
    with pytest.raises(InsufficientFunds):
        meters.fund(meter=made.meter, by=alice, idempotency_key="k", now=at)
    with pytest.raises(MeterRefused):
        meters.pause(meter=made.meter, by=alice, user=None, now=at)
    give(made.alice, 1_000, key="more")
    other = made.fund(key="now")
    with pytest.raises(EscrowAlreadyFunded):
        meters.fund(meter=other, by=alice, idempotency_key="other", now=at)
    with pytest.raises(MeterRefused, match="terms do not let this side pause"):
        meters.pause(meter=other, by=bob, user=None, now=at)
    with pytest.raises(MeterRefused, match="it must be frozen"):
        meters.waive(meter=other, by=alice, now=at)
    with pytest.raises(NotYourSide):
        meters.top_up(meter=other, by=bob, amount=1, idempotency_key="t", now=at)
    late = START + RUNS + TICK
    with pytest.raises(DeadlinePassed):
        meters.top_up(meter=other, by=alice, amount=1, idempotency_key="t", now=late)


def test_a_breach_after_the_end_still_returns_what_was_held_back() -> None:
    made = running(clause(severity="critical"))
    made.report(good=WINDOW + 1)
    made.look()
    records = [made.record(label="NO 1") for _ in range(30)]
    calls.take_calls(reporter=made.alice.party, records=records, now=made.at)
    meters.end(meter=made.meter, by=made.alice.party, now=made.at)
    made.check()
    made.look()
    made.look(at=made.at + CURE + TICK)
    assert made.meter.breached_clause == "form"
    assert made.meter.state == "ended"
    assert made.balances() == (8_200, 1_710, 90)
    assert audit(now=made.at) == []
