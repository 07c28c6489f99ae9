"""Webhooks from rails: verified over the raw body, stored once, and then only a hint.

What an event says is never booked. It makes its deposit or payout due, so that the rail is asked
now; so a lost, late, doubled, reordered or replayed event can cost a question and nothing else.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from reputation.canonical import sha256
from reputation.hints import hint
from settlement.models import Deposit, Payout, RailEvent
from settlement.rails import Notice, rail_named
from settlement.retries import retried

Effect = RailEvent.Effect


@retried
def receive(
    *, rail: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> tuple[RailEvent, bool]:
    """The stored event of a webhook, and whether this delivery was the first of it.

    `headers` are looked up in lower case. Raises RailUnknown, WebhookRefused.
    """
    notice = rail_named(rail).webhook(
        headers={name.lower(): value for name, value in headers.items()}, body=body, now=now
    )
    event = RailEvent(
        rail=rail,
        event_id=notice.event_id[:255],
        kind=notice.kind[:100],
        reference=notice.reference[:80],
        body_digest=sha256(body),
        received_at=now,
    )
    with transaction.atomic():
        known = RailEvent.objects.filter(rail=rail, event_id=event.event_id).first()
        if known:
            return known, False
        event.effect = _hasten(rail, notice, now)
        RailEvent.objects.bulk_create([event], ignore_conflicts=True)
        stored = RailEvent.objects.get(rail=rail, event_id=event.event_id)
    return stored, stored.pk == event.pk


def _hasten(rail: str, notice: Notice, now: datetime) -> str:
    """Make what an event is about due now, if it waits for its rail."""
    reference = notice.reference
    deposits = Deposit.objects.filter(pk=reference, rail=rail)
    payouts = Payout.objects.filter(pk=reference, rail=rail)
    if deposits.filter(state=Deposit.State.PENDING).update(next_attempt_at=now):
        transaction.on_commit(lambda: hint("settlement.tasks.process_deposits"))
        return Effect.HINT
    if payouts.filter(state=Payout.State.PROCESSING).update(next_attempt_at=now):
        transaction.on_commit(lambda: hint("settlement.tasks.process_payouts"))
        return Effect.HINT
    return Effect.LATE if deposits.exists() or payouts.exists() else Effect.UNKNOWN
