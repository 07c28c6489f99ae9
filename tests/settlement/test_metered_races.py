"""Many at once on one metered budget, and crashes in between: each window pays once."""

from typing import Any

import pytest
from django.db import connection

from pacts import calls, calls_checking, live_windows
from pacts.models import ClauseWindow
from settlement import ledger, metering_looks, metering_records, metering_statements, meters
from settlement.audit import audit
from settlement.models import Meter, MeterStatement, MeterWindow
from settlement.refusals import EscrowRefused
from tests.racing import in_parallel
from tests.settlement.metered import COOLING, CURE, TICK, WINDOW, clause, hire, running

pytestmark = pytest.mark.django_db(transaction=True)


class Crash(BaseException):
    """The process is gone: nothing of ours catches this."""


def test_eight_sweepers_and_nudges_pay_each_window_once() -> None:
    made = running()
    made.report(good=3 * WINDOW + 1)
    turns = iter(range(8))

    def act() -> None:
        if next(turns) % 2:
            metering_looks.look(meter_id=made.meter.pk, now=made.at)
        else:
            metering_looks.look_due(now=made.at)

    assert in_parallel(8, act) == [None] * 8
    assert MeterWindow.objects.count() == MeterStatement.objects.count() == 3
    assert made.now().paid + made.meter.fees + made.meter.held_back == 6_000
    assert audit(now=made.at) == []


def test_fund_twice_top_up_pause_end_waive_and_sweep_at_once_conserve_every_unit() -> None:
    made = hire(clause(severity="critical"), money=20_000)
    made.fund()
    made.report(good=WINDOW + 1, bad=26)
    turns = iter(range(12))
    alice, bob, now = made.alice, made.bob, made.at + TICK

    def act() -> None:
        turn = next(turns) % 6
        if turn == 0:
            metering_looks.look_due(now=now)
        elif turn == 1:
            meters.top_up(
                meter=made.meter, by=alice.party, amount=500, idempotency_key="x", now=now
            )
        elif turn == 2:
            meters.pause(meter=made.meter, by=bob.party, user=bob.user, now=now)
        elif turn == 3:
            meters.waive(meter=made.meter, by=alice.party, now=now)
        elif turn == 4:
            meters.fund(meter=made.meter, by=alice.party, idempotency_key="first", now=now)
        else:
            meters.end(meter=made.meter, by=bob.party, now=now)

    results = in_parallel(12, act)
    assert not [one for one in results if one is not None and not isinstance(one, EscrowRefused)]
    assert made.now().funded in (10_000, 10_500)
    for _ in range(4):
        made.look(at=made.at + CURE + COOLING + TICK)
    assert made.meter.state == "ended"
    assert sum(made.balances()) == 20_000
    assert audit(now=made.at) == []


def test_one_balance_pays_only_one_of_two_top_ups_at_once() -> None:
    made = hire(money=16_000)
    made.fund()
    keys = iter("tu")

    def act() -> Meter:
        return meters.top_up(
            meter=made.meter,
            by=made.alice.party,
            amount=5_000,
            idempotency_key=next(keys),
            now=made.at,
        )

    results = in_parallel(2, act)
    assert sum(isinstance(one, ledger.InsufficientFunds) for one in results) == 1
    assert made.now().funded == 15_000


def die_once(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
    real = getattr(where, name)
    died: list[bool] = []

    def dying(*given: Any, **named: Any) -> Any:
        answer = real(*given, **named)
        if not died:
            died.append(True)
            raise Crash
        return answer

    monkeypatch.setattr(where, name, dying)


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (ledger, "post"),
        (metering_statements, "draft"),
        (metering_records, "settled"),
        (metering_records, "frozen"),
        (metering_records, "closing"),
        (metering_records, "ended"),
    ],
)
def test_a_crash_between_any_two_effects_resumes_to_the_same_end(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    made = running(clause(severity="critical"))
    made.report(good=WINDOW + 1, bad=26)
    die_once(monkeypatch, where, name)
    crashed = False
    for at in (made.at, made.at + CURE + TICK, made.at + CURE + COOLING + 2 * TICK):
        for _ in range(2):
            try:
                made.look(at=at)
            except Crash:
                crashed = True
            connection.close()
    assert crashed
    assert made.now().state == "ended"
    assert made.balances() == (8_200, 1_710, 90)
    assert audit(now=made.at) == []


def test_the_checks_of_calls_and_the_sweep_of_money_race_without_loss() -> None:
    made = running()
    made.report(good=WINDOW)
    records = [made.record() for _ in range(WINDOW)]
    calls.take_calls(reporter=made.alice.party, records=records, now=made.at)
    turns = iter(range(6))

    def act() -> None:
        if next(turns) % 2:
            calls_checking.check_calls(now=made.at, limit=10)
        else:
            metering_looks.look(meter_id=made.meter.pk, now=made.at)
            for stream in live_windows.due(now=made.at):
                live_windows.close_windows(stream_id=stream, now=made.at)

    assert in_parallel(6, act) == [None] * 6
    made.check()
    made.look()
    assert ClauseWindow.objects.filter(concluded_at__isnull=False).count() == 1
    assert made.window().verified == WINDOW
    assert audit(now=made.at) == []
