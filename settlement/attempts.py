"""Calls to rails as rows: the question is stored before it is asked, the answer after.

A step is three transactions, none around the call: claim the row and write the attempt, call,
record the answer under the row's lock. A lost answer leaves an attempt without outcome; once its
lease is over the same question is asked again under the same reference, never guessed.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from settlement.models import Deposit, Payout, RailAttempt
from settlement.rails import Answer, RailUnreachable

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=1)


def begin(subject: Deposit | Payout, *, now: datetime) -> RailAttempt:
    """Write the next attempt and lease the row; the caller holds its lock."""
    number = subject.attempts.count()
    subject.next_attempt_at = now + LEASE
    subject.save(update_fields=["next_attempt_at", "state"])
    named = {"deposit": subject} if isinstance(subject, Deposit) else {"payout": subject}
    return RailAttempt.objects.create(number=number, started_at=now, **named)


def ask(call: Callable[[], Answer]) -> Answer:
    """Make the call; no answer is `pending`, for the money may have moved."""
    try:
        return call()
    except RailUnreachable as error:
        log.warning("no answer from the rail: %s", error)
        return Answer("pending", detail=str(error)[:200])


def finish(attempt: RailAttempt, answer: Answer, *, now: datetime) -> None:
    """Store the answer beside its question."""
    attempt.finished_at = now
    attempt.outcome = answer.result
    attempt.rail_reference = answer.rail_reference[:80]
    attempt.detail = answer.detail[:200]
    attempt.save()


def again_at(number: int, now: datetime) -> datetime:
    """When to ask again after attempt `number` (from 0) had no final answer: 2, 4, 8 … 60 min."""
    wait: timedelta = LEASE * 2 ** min(number, 10)
    return now + min(wait, LONGEST_WAIT)
