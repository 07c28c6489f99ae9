"""Hints to settle. Rows are the truth: a lost, doubled or late hint changes nothing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db import connection

from reputation.clock import database_now
from settlement import (
    cancellations,
    deposits,
    engagements,
    filings,
    ledger,
    metering_looks,
    payouts,
    reconciliation,
    settlements,
    webhooks,
)
from settlement.rails import RAILS, RailUnreachable
from settlement.rails.sandbox import due_deliveries

log = logging.getLogger(__name__)

BATCH = 500
RECONCILED = timedelta(hours=25)  # each hour again: a webhook or an answer may come late

SCHEDULE = {
    "sweep-settlements": {
        "task": "settlement.tasks.sweep_settlements",
        "schedule": float(settings.SWEEP_SECONDS),
    },
    "look-at-meters": {
        "task": "settlement.tasks.look_at_meters",
        "schedule": float(settings.SWEEP_SECONDS),
    },
    "end-what-lapsed": {"task": "settlement.tasks.end_what_lapsed", "schedule": 30.0},
    "roll-up-credits": {"task": "settlement.tasks.roll_up_credits", "schedule": 5.0},
    "process-deposits": {"task": "settlement.tasks.process_deposits", "schedule": 2.0},
    "process-payouts": {"task": "settlement.tasks.process_payouts", "schedule": 10.0},
    "deliver-sandbox-webhooks": {
        "task": "settlement.tasks.deliver_sandbox_webhooks",
        "schedule": 10.0,
    },
    "reconcile-rails": {"task": "settlement.tasks.reconcile_rails", "schedule": 3600.0},
}


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Whether this is the only sweep of its name; a second one has nothing to add."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        (locked,) = cursor.fetchone()
        try:
            yield locked
        finally:
            if locked:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])


@shared_task
def settle_escrow(escrow_id: str) -> None:
    """Look at one escrow now, right after something happened to it."""
    settlements.settle(escrow_id=escrow_id, now=database_now())


@shared_task
def sweep_settlements() -> None:
    """Look at every escrow that is due or has news."""
    with alone("settlement.sweep_settlements") as first:
        if first:
            now = database_now()
            settlements.settle_due(now=now, limit=BATCH)
            filings.return_ended(now=now, limit=BATCH)


@shared_task
def look_at_meters() -> None:
    """Look at every metered budget that is due or whose windows are news."""
    with alone("settlement.look_at_meters") as first:
        if first:
            metering_looks.look_due(now=database_now(), limit=BATCH)


# The floor below says what happened there and knows of nobody; here is who listens.
@shared_task(name="pacts.verdict_concluded")
def follow_verdict() -> None:
    """A verdict may move money now."""
    sweep_settlements()


@shared_task(name="pacts.dispute_closed")
def follow_dispute() -> None:
    """A ruled or withdrawn dispute lets its money go."""
    sweep_settlements()


@shared_task(name="pacts.dispute_moved")
def follow_step() -> None:
    """A dispute went on: its money may wait for another deadline now."""
    sweep_settlements()


@shared_task
def end_what_lapsed() -> None:
    """Close offers past their time, and engagements nobody funded in time."""
    with alone("settlement.end_what_lapsed") as first:
        if first:
            now = database_now()
            cancellations.expire_due(now=now, limit=BATCH)
            engagements.lapse_unfunded(now=now, limit=BATCH)


@shared_task
def roll_up_credits() -> None:
    """Fold queued credits into the balances of the hot accounts."""
    with alone("settlement.roll_up_credits") as first:
        if first:
            ledger.roll_up_all()


@shared_task
def process_deposits() -> None:
    """Ask the rails about deposits that wait for an answer."""
    for deposit_id in deposits.due(now=database_now(), limit=BATCH):
        deposits.process_deposit(deposit_id=deposit_id)


@shared_task
def process_payouts() -> None:
    """Ask the rails to pay what is due."""
    for payout_id in payouts.due(now=database_now(), limit=BATCH):
        payouts.process_payout(payout_id=payout_id)


@shared_task
def deliver_sandbox_webhooks() -> None:
    """Hand over what the sandbox owes: the bytes it signed, through the door every rail uses."""
    now = database_now()
    for delivery in due_deliveries(now=now, limit=BATCH):
        webhooks.receive(rail="sandbox", headers=delivery.headers, body=delivery.body, now=now)


@shared_task
def reconcile_rails() -> None:
    """Compare the last day's books of every rail that is set up; a person sees what differs."""
    with alone("settlement.reconcile_rails") as first:
        for name in [name for name, rail in RAILS.items() if first and rail.ready]:
            now = database_now()
            try:
                reconciliation.reconcile(rail=name, since=now - RECONCILED, until=now, now=now)
            except RailUnreachable as error:
                log.warning("%s could not be reconciled: %s", name, error)
