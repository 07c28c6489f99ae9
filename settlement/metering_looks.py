"""Looking at a meter under its lock: stop on a breach, settle windows, close, pay out, end.

`look` looks at one, right after something happened; `look_due` is the sweep that finds whatever a
lost hint forgot. Looking twice does nothing, and each look is one transaction.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from pacts.models import ClauseWindow, Engagement
from settlement import metering_postings, metering_records, metering_windows
from settlement.metering import Close, End, MeterFacts, Stay, Step, payment_of, step_of
from settlement.metering_cases import MeterCase, locked
from settlement.models import Meter, MeterPause, MeterWindow
from settlement.retries import retried

log = logging.getLogger(__name__)

RETRY_AFTER = timedelta(minutes=1)
_State = Meter.State
OPEN = [_State.RUNNING, _State.PAUSED, _State.FROZEN, _State.CLOSING]


@retried
def look(*, meter_id: str, now: datetime) -> Meter:
    """Look at one meter now. Raises Meter.DoesNotExist; an ended one stays as it is."""
    with transaction.atomic():
        case = locked(meter_id=meter_id)
        assert case is not None, "nothing was skipped"
        if case.meter.state in OPEN:
            advance(case, now=now)
    return case.meter


def look_due(*, now: datetime, limit: int = 500) -> int:
    """Look at every meter whose moment came or whose windows are news; how many that were.

    Sweepers pass each other by (SKIP LOCKED).
    """
    return sum(_look_alone(meter_id, now) for meter_id in due(now=now, limit=limit))


def due(*, now: datetime, limit: int) -> Sequence[str]:
    """Ids of meters to look at: past their moment, or with a window that concluded or broke."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "open": list(OPEN), "limit": limit})
        return [row[0] for row in cursor.fetchall()]


# A waiting window's deadline is the meter's moment too, so the first part finds it.
_DUE = """
SELECT id FROM settlement_meter WHERE next_action_at < %(now)s AND state = ANY(%(open)s)
 UNION
SELECT m.id
  FROM settlement_meter m
  JOIN pacts_engagement g ON g.id = m.engagement_id
  JOIN pacts_callstream s ON s.engagement_id = m.engagement_id
                         AND s.independence = m.terms ->> 'counts'
  JOIN pacts_clausewindow w ON w.stream_id = s.id
 WHERE m.state = ANY(%(open)s)
   AND ((w.concluded_at IS NOT NULL AND s.agent_version_id = g.agent_version_id
         AND m.terms -> 'clauses' ? w.clause
         AND NOT EXISTS (SELECT FROM settlement_meterwindow x
                          WHERE x.meter_id = m.id AND x.stream_id = s.id AND x.number >= w.number))
     OR (w.latched_at IS NOT NULL AND m.terms -> 'critical' ? w.clause
         AND m.breached_clause = ''
         AND w.latched_at > coalesce(m.breaches_seen_to, '-infinity')))
 LIMIT %(limit)s
"""


def _look_alone(meter_id: str, now: datetime) -> int:
    """One meter that fails must not hold up the others: it is put off and logged."""
    try:
        return _look_if_free(meter_id, now)
    except Exception:
        log.exception("meter %s could not be looked at", meter_id)
        _put_off(meter_id, now + RETRY_AFTER)
        return 0


@retried
def _look_if_free(meter_id: str, now: datetime) -> int:
    with transaction.atomic():
        case = locked(meter_id=meter_id, skip_locked=True)
        if case is None or case.meter.state not in OPEN:
            return 0
        advance(case, now=now)
    return 1


@retried
def _put_off(meter_id: str, until: datetime) -> None:
    with transaction.atomic():
        case = locked(meter_id=meter_id, skip_locked=True)
        if case is not None and case.meter.state in OPEN:
            case.meter.next_action_at = until
            case.store()


def advance(case: MeterCase, *, now: datetime) -> None:
    """Everything that follows from the facts at `now`; the caller holds the lock.

    Raises what `ledger.post` raises, and `MeterChanged`.
    """
    _notice_breach(case, now)
    closing_at = case.meter.closing_at
    overdue = closing_at is not None and now > closing_at + _evaluation(case)
    metering_windows.settle_windows(case, now=now, overdue=overdue)
    metering_windows.decide_late(case, now=now)
    step = step_of(_facts(case), now=now)
    if isinstance(step, Close):
        close(case, code=step.code, at=step.at, now=now)
        advance(case, now=now)
        return
    _do(case, step, now)
    case.store()


def _do(case: MeterCase, step: Step, now: datetime) -> None:
    meter = case.meter
    if isinstance(step, Stay):
        if step.returns:
            metering_postings.give_back(meter=meter, amount=meter.available, now=now)
        meter.state, meter.reason = Meter.State(step.state), step.code
        meter.next_action_at = min([step.until, *_deadlines(case)])
    elif isinstance(step, End):
        _end(case, step, now)


def _facts(case: MeterCase) -> MeterFacts:
    meter = case.meter
    assert meter.expires_at is not None, "what is funded has an end"
    return MeterFacts(
        expires_at=meter.expires_at,
        evaluation=_evaluation(case),
        cooling=timedelta(seconds=case.terms.cooling_seconds),
        available=meter.available,
        least=case.tariff.least,
        held_back=meter.held_back,
        paused=any(pause.ended_at is None for pause in case.pauses),
        frozen_until=meter.frozen_until,
        closing_at=meter.closing_at,
        unsettled=meter.closing_at is not None and metering_windows.is_unsettled(case),
        waiting_until=max(_deadlines(case), default=None),
        stopped=bool(meter.breached_clause),
    )


def _evaluation(case: MeterCase) -> timedelta:
    return timedelta(seconds=case.engagement.evaluation_seconds)


def _deadlines(case: MeterCase) -> list[datetime]:
    rows = MeterWindow.objects.filter(meter=case.meter, state=MeterWindow.State.WITHHELD)
    return [moment for moment in rows.values_list("decide_by_at", flat=True) if moment]


def _notice_breach(case: MeterCase, now: datetime) -> None:
    """A critical clause that broke stops the money as of the moment that showed it."""
    meter = case.meter
    if meter.breached_clause:
        return
    rows = ClauseWindow.objects.filter(
        stream__in=case.reports(), clause__in=case.critical, latched_at__isnull=False
    )
    if meter.breaches_seen_to:
        rows = rows.filter(latched_at__gt=meter.breaches_seen_to)
    row = rows.order_by("latched_at", "pk").first()
    if row is None or row.latched_at is None:
        return
    meter.breached_clause, meter.breach_evidence = row.clause, row.breach_evidence
    meter.breaches_seen_to = row.latched_at
    if meter.closing_at is None:
        meter.frozen_until = now + timedelta(seconds=case.engagement.cure_seconds)
        begin_pause(case, cause=MeterPause.Cause.BREACH, at=row.latched_at)
    metering_records.frozen(meter=meter, now=now)


def begin_pause(
    case: MeterCase, *, cause: MeterPause.Cause, at: datetime, by: object | None = None
) -> None:
    """From `at` on calls do not count; a pause that was open ends there, and none overlap."""
    end_pause(case, at=at)
    since = max([at, *(pause.ended_at for pause in case.pauses if pause.ended_at)])
    pause = MeterPause(meter=case.meter, cause=cause, began_at=since)
    pause.by = by  # type: ignore[assignment]
    pause.save(force_insert=True)
    case.pauses.append(pause)


def end_pause(case: MeterCase, *, at: datetime) -> None:
    """Calls count again from `at` on, or from the pause's own beginning where that is later."""
    for pause in case.pauses:
        if pause.ended_at is None:
            pause.ended_at = max(at, pause.began_at)
            pause.save(update_fields=["ended_at"])


def close(case: MeterCase, *, code: str, at: datetime, now: datetime) -> None:
    """No more calls count from `at` on: the engagement is closed, which concludes its windows."""
    meter = case.meter
    meter.closing_at, meter.closing_reason, meter.frozen_until = at, code, None
    end_pause(case, at=at)
    Engagement.objects.filter(pk=meter.engagement_id, state=Engagement.State.ACTIVE).update(
        state=Engagement.State.CLOSED, closed_at=now
    )
    metering_records.closing(meter=meter, now=now)


def _end(case: MeterCase, step: End, now: datetime) -> None:
    meter = case.meter
    if step.pays_holdback and meter.held_back:
        payment = payment_of(
            meter.held_back, paid_before=meter.paid + meter.fees, tariff=case.tariff
        )
        metering_postings.pay_holdback(meter=meter, payment=payment, now=now)
    meter.held_back = 0
    metering_postings.give_back(meter=meter, amount=meter.balance, now=now)
    meter.state, meter.reason = Meter.State.ENDED, "meter_ended"
    meter.next_action_at, meter.ended_at = None, now
    metering_records.ended(meter=meter, now=now)
