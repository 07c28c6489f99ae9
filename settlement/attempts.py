"""Calls to rails as rows: the question is stored before it is asked, the answer after.

A step is three transactions, none around the call: claim the row and write the attempt, call,
record the answer under the row's lock. A lost answer leaves an attempt without outcome; once its
lease is over the rail's books are searched, and only an order they lack is sent again, under the
same reference. Nothing is guessed.
"""

import logging
from datetime import datetime, timedelta

from settlement.models import Deposit, Payout, RailAttempt
from settlement.money import Money
from settlement.rails import Answer, Order, Rail, RailUnreachable, rail_named

log = logging.getLogger(__name__)

# Longer than any rail's own timeout (20 s), so that a lapsed lease means a lost worker; short
# enough that what it left is taken up within half a minute.
LEASE = timedelta(seconds=25)
LONGEST_WAIT = timedelta(hours=1)


def begin(subject: Deposit | Payout, *, now: datetime) -> RailAttempt:
    """Write the next attempt and lease the row; the caller holds its lock."""
    number = subject.attempts.count()
    subject.next_attempt_at = now + LEASE
    subject.save(update_fields=["next_attempt_at", "state"])
    named = {"deposit": subject} if isinstance(subject, Deposit) else {"payout": subject}
    return RailAttempt.objects.create(number=number, started_at=now, **named)


def order_of(subject: Deposit | Payout) -> Order:
    """What the rail is asked to do for a deposit, a payout or a refund."""
    money = Money(subject.amount, subject.currency)
    if isinstance(subject, Deposit):
        return Order(
            kind="deposit",
            reference=subject.pk,
            money=money,
            place=subject.source,
            requested_at=subject.requested_at,
        )
    back = subject.refund_of
    return Order(
        kind="refund" if back else "payout",
        reference=subject.pk,
        money=money,
        place=subject.destination,
        requested_at=subject.requested_at,
        refunds=back.rail_reference if back else "",
    )


def ask(attempt: RailAttempt, subject: Deposit | Payout) -> Answer:
    """Ask the rail; no answer is `unknown`, for the money may have moved.

    A fault of ours is unknown too, and logged: one bad row must not stop the rows behind it.
    """
    try:
        return _ask(attempt, subject)
    except RailUnreachable as error:
        log.warning("no answer from the rail about %s: %s", subject.pk, error)
        return Answer("unknown", detail=str(error)[:200])
    except Exception as error:
        log.exception("asking the rail about %s failed", subject.pk)
        return Answer("unknown", detail=f"{type(error).__name__} on our side")


def _ask(attempt: RailAttempt, subject: Deposit | Payout) -> Answer:
    rail, order = rail_named(subject.rail), order_of(subject)
    if attempt.number > 0:
        known = rail.find(order, rail_reference=subject.rail_reference)
        if known:
            return known.answer
        if subject.rail_reference:  # sent again, it might be carried out twice
            raise RailUnreachable(f"the rail knows no {subject.rail_reference} any more")
    return _send(rail, order)


def _send(rail: Rail, order: Order) -> Answer:
    calls = {"deposit": rail.deposit, "payout": rail.payout, "refund": rail.refund}
    return calls[order.kind](order)


def finish(
    attempt: RailAttempt, subject: Deposit | Payout, answer: Answer, *, now: datetime
) -> None:
    """Store the answer beside its question, and what the rail calls it; without a final answer,
    also when to ask again. The caller holds the subject's lock and saves it.
    """
    attempt.finished_at = now
    attempt.outcome = answer.result
    attempt.rail_reference = answer.rail_reference
    attempt.detail = answer.detail[:200]
    attempt.save()
    subject.rail_reference = answer.rail_reference or subject.rail_reference
    final = answer.result in ("succeeded", "failed")
    subject.next_attempt_at = None if final else again_at(attempt.number, now)


def again_at(number: int, now: datetime) -> datetime:
    """When to ask again after attempt `number` (from 0): 25 s later, doubling up to an hour."""
    wait: timedelta = LEASE * 2 ** min(number, 10)
    return now + min(wait, LONGEST_WAIT)
