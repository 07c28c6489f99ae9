"""Deposits: a party's money comes in through a rail and is credited once."""

from datetime import datetime

from django.db import transaction

from pacts.models import Party
from reputation.clock import database_now
from settlement import attempts, ledger, records
from settlement.idempotency import check_key
from settlement.ledger import IdempotencyKeyReused, Posting
from settlement.models import Deposit, RailAttempt, Transfer
from settlement.money import AmountMalformed, Money
from settlement.rails import Answer, check_place, rail_named
from settlement.retries import retried

# Strangers may deposit without end: this keeps every sum of theirs far inside 64 bits.
LARGEST_DEPOSIT = 10**12


@retried
def request_deposit(
    *,
    party: Party,
    money: Money,
    idempotency_key: str,
    now: datetime,
    rail: str = "sandbox",
    source: str = "sandbox:ok",
) -> Deposit:
    """Ask for a deposit. An instant rail is asked as soon as this is committed, so the balance is
    there at once; any other is asked by the sweep. The same key again returns the same deposit.

    Raises RailUnknown, PlaceMalformed, AmountMalformed for nothing or more than LARGEST_DEPOSIT,
    IdempotencyKeyReused, IdempotencyKeyMalformed.
    """
    instant = rail_named(rail).instant
    check_place(source)
    if not 0 < money.amount <= LARGEST_DEPOSIT:
        most = Money(LARGEST_DEPOSIT, money.currency)
        raise AmountMalformed(f"a deposit brings in more than nothing and at most {most}")
    asked = {"rail": rail, "source": source, "amount": money.amount, "currency": money.currency}
    new = Deposit(
        party=party,
        idempotency_key=check_key(idempotency_key),
        requested_at=now,
        next_attempt_at=now,
        **asked,
    )
    Deposit.objects.bulk_create([new], ignore_conflicts=True)
    deposit = Deposit.objects.get(party=party, idempotency_key=idempotency_key)
    if any(getattr(deposit, name) != value for name, value in asked.items()):
        raise IdempotencyKeyReused("this key was used for another deposit")
    if instant and deposit.state == Deposit.State.PENDING:
        transaction.on_commit(lambda: process_deposit(deposit_id=deposit.pk))
        deposit.refresh_from_db()
    return deposit


def process_deposit(*, deposit_id: str) -> Deposit:
    """Ask the rail and credit what came. Done twice, it is done once. Never in a transaction."""
    attempt = _claim(deposit_id)
    if attempt and attempt.deposit:
        _record(attempt, attempts.ask(attempt, attempt.deposit))
    return Deposit.objects.get(pk=deposit_id)


def due(*, now: datetime, limit: int) -> list[str]:
    """Ids of deposits whose rail is to be asked (again)."""
    rows = Deposit.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    return list(rows.values_list("pk", flat=True)[:limit])


@retried
def _claim(deposit_id: str) -> RailAttempt | None:
    with transaction.atomic(durable=True):
        now = database_now()
        deposit = (
            Deposit.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk=deposit_id, state=Deposit.State.PENDING, next_attempt_at__lte=now)
            .first()
        )
        return attempts.begin(deposit, now=now) if deposit else None


@retried
def _record(attempt: RailAttempt, answer: Answer) -> None:
    with transaction.atomic(durable=True):
        now = database_now()
        deposit = Deposit.objects.select_for_update(no_key=True).get(pk=attempt.deposit_id)
        is_open = deposit.state == Deposit.State.PENDING
        attempts.finish(attempt, deposit, answer, now=now)
        if not is_open:
            return
        if answer.result == "succeeded":
            deposit.settled_at = now
            _credit(deposit)
            records.deposited(deposit=deposit, now=now)
        elif answer.result == "failed":
            deposit.settled_at = now
            deposit.state = Deposit.State.FAILED
            deposit.failure = answer.detail[:200]
            records.deposit_failed(deposit=deposit, now=now)
        deposit.save()


def _credit(deposit: Deposit) -> None:
    world = ledger.rail_account(rail=deposit.rail, currency=deposit.currency)
    account = ledger.party_account(party=deposit.party, currency=deposit.currency)
    posted = ledger.post(
        Posting(
            kind=Transfer.Kind.DEPOSIT,
            key=f"deposit:{deposit.pk}",
            sides=ledger.move(source=world, target=account, amount=deposit.amount),
        )
    )
    deposit.transfer_id = posted.transfer_id
    deposit.state = Deposit.State.SUCCEEDED
