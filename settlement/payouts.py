"""Payouts: a party's money is set aside at once, then paid through a rail, or returned.

`pending → processing → paid | failed`, and `pending → cancelled`; the database refuses any other
way. A refund is a payout that sends a deposit back to its own source: it needs no cooldown, for
the money can go nowhere else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum

from pacts import policies
from pacts.models import Party
from reputation.clock import database_now
from reputation.hints import hint
from reputation.identifiers import new_id
from settlement import attempts, ledger, records
from settlement.cooldowns import cooldown_of, cooldowns_of
from settlement.idempotency import check_key
from settlement.ledger import IdempotencyKeyReused, Posting
from settlement.models import Account, Deposit, Payout, RailAttempt, Transfer
from settlement.money import AmountMalformed, CurrencyMismatch, Money
from settlement.rails import Answer, check_place, rail_named
from settlement.retries import retried


class PayoutUnderWay(Exception):
    """The rail was asked already: only its answer ends this payout."""


class NotYourPayout(PermissionError):
    """It belongs to another party."""


class RefundRefused(ValueError):
    """The deposit has not come in, or what is left of it is less than asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    party: Party
    money: Money
    key: str
    rail: str
    destination: str
    refund_of: Deposit | None = None

    def content(self) -> dict[str, Any]:
        """The columns a repeated request must share."""
        return {
            "rail": self.rail,
            "destination": self.destination,
            "amount": self.money.amount,
            "currency": self.money.currency,
            "refund_of_id": self.refund_of.pk if self.refund_of else None,
        }


@retried
def request_payout(
    *,
    party: Party,
    money: Money,
    idempotency_key: str,
    now: datetime,
    rail: str = "sandbox",
    destination: str = "sandbox:ok",
    cooldown: timedelta | None = None,
) -> Payout:
    """Set the money aside and pay it after the cooldown, by default that of the party's age under
    the policy of this moment (`settlement.cooldowns`). The same key again is the same payout.

    Raises InsufficientFunds, RailUnknown, PlaceMalformed, AmountMalformed for nothing,
    IdempotencyKeyReused, IdempotencyKeyMalformed.
    """
    rail_named(rail)
    check_place(destination)
    wait = _wait_of(party, now) if cooldown is None else cooldown
    asked = _Request(
        party=party, money=money, key=check_key(idempotency_key), rail=rail, destination=destination
    )
    return _request(asked, wait, now)


def _wait_of(party: Party, now: datetime) -> timedelta:
    rows = cooldowns_of(policies.values_at(now))
    return cooldown_of(created_at=party.created_at, now=now, rows=rows)


@retried
def request_refund(
    *, deposit: Deposit, by: Party, money: Money, idempotency_key: str, now: datetime
) -> Payout:
    """Send (part of) a deposit back to its source, at once. The same key again is the same refund.

    Raises NotYourPayout, RefundRefused, CurrencyMismatch, and as `request_payout`.
    """
    if deposit.party_id != by.pk:
        raise NotYourPayout("this deposit belongs to another party")
    if money.currency != deposit.currency:
        raise CurrencyMismatch(f"this deposit is of {deposit.currency}")
    rail_named(deposit.rail)
    asked = _Request(
        party=by,
        money=money,
        key=check_key(idempotency_key),
        rail=deposit.rail,
        destination=deposit.source,
        refund_of=deposit,
    )
    return _request(asked, timedelta(0), now)


def _request(asked: _Request, wait: timedelta, now: datetime) -> Payout:
    if asked.money.amount == 0:
        raise AmountMalformed("a payout takes out more than nothing")
    with transaction.atomic():
        # The party's row orders two requests with one key: the second finds the first.
        Party.objects.select_for_update(no_key=True).get(pk=asked.party.pk)
        known = Payout.objects.filter(party=asked.party, idempotency_key=asked.key).first()
        if known is None:
            _check_refund(asked)
            return _open(asked, wait, now)
    if any(getattr(known, name) != value for name, value in asked.content().items()):
        raise IdempotencyKeyReused("this key was used for another payout")
    return known


def _check_refund(asked: _Request) -> None:
    if asked.refund_of is None:
        return
    deposit = Deposit.objects.select_for_update(no_key=True).get(pk=asked.refund_of.pk)
    if deposit.state != Deposit.State.SUCCEEDED:
        raise RefundRefused(f"this deposit is {deposit.state}; there is nothing to send back")
    left = refundable(deposit)
    if asked.money.amount > left:
        raise RefundRefused(f"{Money(left, deposit.currency)} is left of this deposit")


def refundable(deposit: Deposit) -> int:
    """Minor units of a deposit that were not sent back, and are not on their way."""
    ended = [Payout.State.FAILED, Payout.State.CANCELLED]
    sent = deposit.refunds.exclude(state__in=ended).aggregate(total=Sum("amount"))["total"] or 0
    return int(deposit.amount - sent) if deposit.state == Deposit.State.SUCCEEDED else 0


def _open(asked: _Request, wait: timedelta, now: datetime) -> Payout:
    payout_id, money = new_id("pyt"), asked.money
    account = ledger.open_account(
        kind=Account.Kind.PAYOUT, currency=money.currency, subject=payout_id
    )
    source = ledger.party_account(party=asked.party, currency=money.currency)
    held = ledger.post(
        Posting(
            kind=Transfer.Kind.PAYOUT_HOLD,
            key=f"payout:{payout_id}",
            sides=ledger.move(source=source, target=account, amount=money.amount),
        )
    )
    payout = Payout.objects.create(
        id=payout_id,
        party=asked.party,
        idempotency_key=asked.key,
        account=account,
        hold_id=held.transfer_id,
        requested_at=now,
        not_before_at=now + wait,
        next_attempt_at=now + wait,
        **asked.content(),
    )
    records.payout(payout=payout, step="requested", now=now)
    if not wait:
        transaction.on_commit(lambda: hint("settlement.tasks.process_payouts"))
    return payout


@retried
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
        _record(attempt, attempts.ask(attempt, attempt.payout))
    return Payout.objects.get(pk=payout_id)


def due(*, now: datetime, limit: int) -> list[str]:
    """Ids of payouts whose rail is to be asked (again)."""
    rows = Payout.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    return list(rows.values_list("pk", flat=True)[:limit])


@retried
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


@retried
def _record(attempt: RailAttempt, answer: Answer) -> None:
    with transaction.atomic(durable=True):
        now = database_now()
        payout = Payout.objects.select_for_update(no_key=True).get(pk=attempt.payout_id)
        is_open = payout.state == Payout.State.PROCESSING
        attempts.finish(attempt, payout, answer, now=now)
        if not is_open:
            return
        if answer.result == "succeeded":
            _end(payout, Payout.State.PAID, "", now)
        elif answer.result == "failed":
            _end(payout, Payout.State.FAILED, answer.detail, now)
        else:
            payout.save(update_fields=["next_attempt_at", "rail_reference"])


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
    records.payout(payout=payout, step=state.value, now=now)
