"""Payouts: a party's money is set aside at once, then paid through a rail, or returned."""

from datetime import datetime, timedelta

from django.db import transaction

from pacts.models import Party
from reputation.clock import database_now
from reputation.hints import hint
from reputation.identifiers import new_id
from settlement import attempts, ledger, records
from settlement.idempotency import check_key
from settlement.ledger import IdempotencyKeyReused, Posting
from settlement.models import Account, Payout, RailAttempt, Transfer
from settlement.money import AmountMalformed, Money
from settlement.rails import Answer, check_place, rail_named


class PayoutUnderWay(Exception):
    """The rail was asked already: only its answer ends this payout."""


class NotYourPayout(PermissionError):
    """It belongs to another party."""


def request_payout(
    *,
    party: Party,
    money: Money,
    idempotency_key: str,
    now: datetime,
    rail: str = "sandbox",
    destination: str = "sandbox:ok",
    cooldown: timedelta = timedelta(0),
) -> Payout:
    """Set the money aside and pay it after the cooldown. The same key again is the same payout.

    Raises InsufficientFunds, RailUnknown, PlaceMalformed, AmountMalformed for nothing,
    IdempotencyKeyReused, IdempotencyKeyMalformed.
    """
    rail_named(rail)
    check_place(destination)
    check_key(idempotency_key)
    if money.amount == 0:
        raise AmountMalformed("a payout takes out more than nothing")
    asked: dict[str, str | int] = {
        "rail": rail,
        "destination": destination,
        "amount": money.amount,
        "currency": money.currency,
    }
    with transaction.atomic():
        # The party's row orders two requests with one key: the second finds the first.
        Party.objects.select_for_update(no_key=True).get(pk=party.pk)
        known = Payout.objects.filter(party=party, idempotency_key=idempotency_key).first()
        if known is None:
            return _open(party, money, idempotency_key, now, cooldown, asked)
    if any(getattr(known, name) != value for name, value in asked.items()):
        raise IdempotencyKeyReused("this key was used for another payout")
    return known


def _open(
    party: Party,
    money: Money,
    key: str,
    now: datetime,
    cooldown: timedelta,
    asked: dict[str, str | int],
) -> Payout:
    payout_id = new_id("pyt")
    account = ledger.open_account(
        kind=Account.Kind.PAYOUT, currency=money.currency, subject=payout_id
    )
    source = ledger.party_account(party=party, currency=money.currency)
    held = ledger.post(
        Posting(
            kind=Transfer.Kind.PAYOUT_HOLD,
            key=f"payout:{payout_id}",
            sides=ledger.move(source=source, target=account, amount=money.amount),
        )
    )
    payout = Payout.objects.create(
        id=payout_id,
        party=party,
        idempotency_key=key,
        account=account,
        hold_id=held.transfer_id,
        requested_at=now,
        next_attempt_at=now + cooldown,
        **asked,
    )
    records.payout(payout=payout, paid=False, now=now)
    if not cooldown:
        transaction.on_commit(lambda: hint("settlement.tasks.process_payouts"))
    return payout


def cancel_payout(*, payout: Payout, by: Party, now: datetime) -> Payout:
    """Return a payout that no rail was asked about; cancelling again changes nothing.

    Raises NotYourPayout, PayoutUnderWay.
    """
    with transaction.atomic():
        payout = Payout.objects.select_for_update(no_key=True).get(pk=payout.pk)
        if payout.party_id != by.pk:
            raise NotYourPayout("this payout belongs to another party")
        if payout.state == Payout.State.CANCELLED:
            return payout
        if payout.state != Payout.State.PENDING:
            raise PayoutUnderWay(f"this payout is {payout.state} and cannot be cancelled")
        _end(payout, Payout.State.CANCELLED, "", now)
    return payout


def process_payout(*, payout_id: str) -> Payout:
    """Ask the rail and record its answer. Done twice, it is done once. Never in a transaction."""
    attempt = _claim(payout_id)
    if attempt and attempt.payout:
        payout = attempt.payout
        money = Money(payout.amount, payout.currency)
        rail = rail_named(payout.rail)
        answer = attempts.ask(
            lambda: rail.payout(reference=payout.pk, money=money, destination=payout.destination)
        )
        _record(attempt, answer)
    return Payout.objects.get(pk=payout_id)


def due(*, now: datetime, limit: int) -> list[str]:
    """Ids of payouts whose rail is to be asked (again)."""
    rows = Payout.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def _claim(payout_id: str) -> RailAttempt | None:
    with transaction.atomic(durable=True):
        now = database_now()
        payout = (
            Payout.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk=payout_id, next_attempt_at__lte=now)
            .first()
        )
        if payout is None:
            return None
        payout.state = Payout.State.PROCESSING
        return attempts.begin(payout, now=now)


def _record(attempt: RailAttempt, answer: Answer) -> None:
    with transaction.atomic(durable=True):
        now = database_now()
        payout = Payout.objects.select_for_update(no_key=True).get(pk=attempt.payout_id)
        attempts.finish(attempt, answer, now=now)
        if payout.state != Payout.State.PROCESSING:
            return
        if answer.result == "pending":
            payout.next_attempt_at = attempts.again_at(attempt.number, now)
            payout.save(update_fields=["next_attempt_at"])
        elif answer.result == "failed":
            _end(payout, Payout.State.FAILED, answer.detail, now)
        else:
            _end(payout, Payout.State.PAID, "", now)
            records.payout(payout=payout, paid=True, now=now)


def _end(payout: Payout, state: Payout.State, failure: str, now: datetime) -> None:
    """Resolve the hold: out through the rail if it was paid, back to the party if not."""
    paid = state == Payout.State.PAID
    target = (
        ledger.rail_account(rail=payout.rail, currency=payout.currency)
        if paid
        else ledger.party_account(party=payout.party, currency=payout.currency)
    )
    posted = ledger.post(
        Posting(
            kind=Transfer.Kind.PAYOUT_PAID if paid else Transfer.Kind.PAYOUT_RETURNED,
            key=f"payout-end:{payout.pk}",
            sides=ledger.move(source=payout.account, target=target, amount=payout.amount),
            resolves=payout.hold_id,
        )
    )
    payout.resolution_id = posted.transfer_id
    payout.state = state
    payout.failure = failure[:200]
    payout.next_attempt_at = None
    payout.settled_at = now
    payout.save()
