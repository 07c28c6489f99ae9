"""Payouts: five states, no way back, and money that returns once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from pacts.models import Party
from reputation.clock import database_now
from reputation.models import Evidence
from settlement import ledger
from settlement.audit import audit
from settlement.deposits import process_deposit, request_deposit
from settlement.models import Deposit, Payout, SandboxMovement
from settlement.money import CurrencyMismatch, Money
from settlement.payouts import (
    NotYourPayout,
    PayoutUnderWay,
    RefundRefused,
    cancel_payout,
    process_payout,
    refundable,
    request_payout,
    request_refund,
)
from tests import cast
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def deposit(alice: cast.Actor) -> Deposit:
    return request_deposit(
        party=alice.party, money=Money(1_000, "USD"), idempotency_key="d", now=database_now()
    )


def payout(actor: cast.Actor, **more: Any) -> Payout:
    asked: dict[str, Any] = {"cooldown": timedelta(0), "idempotency_key": "p"} | more
    return request_payout(party=actor.party, money=Money(400, "USD"), now=database_now(), **asked)


def refund(deposit: Deposit, amount: int = 400, key: str = "r", **more: Any) -> Payout:
    asked: dict[str, Any] = {"money": Money(amount, "USD"), "by": deposit.party} | more
    return request_refund(deposit=deposit, idempotency_key=key, now=database_now(), **asked)


def held(actor: cast.Actor) -> int:
    return ledger.balances_of(actor.party).get("USD", 0)


@pytest.mark.usefixtures("deposit")
def test_a_new_account_waits_ten_days_and_an_old_one_not_at_all(alice: cast.Actor) -> None:
    young = payout(alice, cooldown=None, idempotency_key="young")
    assert young.not_before_at - young.requested_at == timedelta(days=10)
    assert process_payout(payout_id=young.pk).state == "pending"
    Party.objects.filter(pk=alice.party.pk).update(created_at=database_now() - timedelta(days=200))
    alice.party.refresh_from_db()
    old = payout(alice, cooldown=None, idempotency_key="old")
    assert process_payout(payout_id=old.pk).state == "paid"


@pytest.mark.usefixtures("deposit")
@pytest.mark.parametrize(
    ("state", "sql"),
    [
        ("pending", "state = 'paid'"),
        ("pending", "state = 'failed'"),
        ("pending", "amount = amount + 1"),
        ("pending", "not_before_at = now() - interval '1 day'"),
        ("pending", "state = 'cancelled', resolution_id = hold_id"),
        ("processing", "state = 'pending'"),
        ("processing", "state = 'cancelled', resolution_id = hold_id"),
        ("paid", "state = 'processing', resolution_id = NULL"),
        ("paid", "failure = 'changed my mind'"),
        ("cancelled", "state = 'pending', resolution_id = NULL"),
    ],
)
def test_the_database_refuses_every_other_way(alice: cast.Actor, state: str, sql: str) -> None:
    word = {"processing": "sandbox:slow"}.get(state, "sandbox:ok")
    made = payout(alice, destination=word)
    if state == "cancelled":
        cancel_payout(payout=made, by=alice.party, now=database_now())
    elif state != "pending":
        process_payout(payout_id=made.pk)
    made.refresh_from_db()
    assert made.state == state
    for careless in (f"UPDATE settlement_payout SET {sql}", "DELETE FROM settlement_payout"):
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(careless)


@pytest.mark.usefixtures("deposit")
def test_cancelling_and_paying_at_once_ends_one_way_and_the_money_is_in_one_place(
    alice: cast.Actor,
) -> None:
    made = payout(alice)
    turns = iter(range(8))

    def act() -> Any:
        if next(turns) % 2:
            return process_payout(payout_id=made.pk)
        return cancel_payout(payout=made, by=alice.party, now=database_now())

    results = in_parallel(8, act)
    faults = [one for one in results if isinstance(one, Exception)]
    assert all(isinstance(one, PayoutUnderWay) for one in faults)
    made.refresh_from_db()
    assert (made.state, held(alice), SandboxMovement.objects.filter(kind="payout").count()) in [
        ("cancelled", 1_000, 0),
        ("paid", 600, 1),
    ]
    assert audit(now=database_now()) == []


@pytest.mark.usefixtures("deposit")
def test_eight_workers_return_a_failed_payout_once(alice: cast.Actor) -> None:
    made = payout(alice, destination="sandbox:decline")
    in_parallel(8, lambda: process_payout(payout_id=made.pk))
    made.refresh_from_db()
    assert (made.state, held(alice)) == ("failed", 1_000)


def told(subject: str) -> list[str]:
    """What the log says of a deposit or payout, in order."""
    rows = Evidence.objects.filter(subjects__subject_id=subject).order_by("id")
    return list(rows.values_list("kind", flat=True))


@pytest.mark.usefixtures("deposit")
@pytest.mark.parametrize(("word", "ends"), [("ok", "payout.paid"), ("decline", "payout.failed")])
def test_the_log_says_how_each_payout_ended(alice: cast.Actor, word: str, ends: str) -> None:
    made = process_payout(payout_id=payout(alice, destination=f"sandbox:{word}").pk)
    assert told(made.pk) == ["payout.requested", ends]


@pytest.mark.usefixtures("deposit")
def test_the_log_says_that_a_payout_was_taken_back(alice: cast.Actor) -> None:
    made = payout(alice)
    for _ in range(2):
        cancel_payout(payout=made, by=alice.party, now=database_now())
    assert told(made.pk) == ["payout.requested", "payout.cancelled"]


def test_the_log_tells_a_refund_from_a_payout_and_names_its_deposit(deposit: Deposit) -> None:
    made = process_payout(payout_id=refund(deposit).pk)
    assert told(made.pk) == ["refund.requested", "refund.paid"]
    assert told(deposit.pk) == ["deposit.received", "refund.requested", "refund.paid"]


def test_the_log_says_that_a_deposit_was_refused(alice: cast.Actor) -> None:
    declined = request_deposit(
        party=alice.party,
        money=Money(1_000, "USD"),
        source="sandbox:decline",
        idempotency_key="d",
        now=database_now(),
    )
    assert process_deposit(deposit_id=declined.pk).state == "failed"
    assert told(declined.pk) == ["deposit.failed"]


@pytest.mark.usefixtures("deposit")
def test_cancelling_twice_returns_the_money_once(alice: cast.Actor) -> None:
    made = payout(alice)
    in_parallel(4, lambda: cancel_payout(payout=made, by=alice.party, now=database_now()))
    assert held(alice) == 1_000


def test_a_refund_goes_back_to_its_source_without_waiting(
    alice: cast.Actor, deposit: Deposit
) -> None:
    made = process_payout(payout_id=refund(deposit).pk)
    assert (made.state, made.destination, held(alice)) == ("paid", deposit.source, 600)
    assert SandboxMovement.objects.get(kind="refund").amount == 400
    assert refundable(deposit) == 600
    assert audit(now=database_now()) == []


def test_a_deposit_never_goes_back_twice(alice: cast.Actor, deposit: Deposit) -> None:
    request_deposit(
        party=alice.party, money=Money(5_000, "USD"), idempotency_key="more", now=database_now()
    )
    keys = iter("abcdefgh")
    results = in_parallel(8, lambda: refund(deposit, 600, key=next(keys)))
    assert sorted(type(one).__name__ for one in results) == ["Payout"] + ["RefundRefused"] * 7
    made = Payout.objects.get()
    made.pk, made.amount, made.idempotency_key = "pyt_1", 600, "by hand"
    with pytest.raises(DatabaseError, match="does not hold this refund"), transaction.atomic():
        made.save(force_insert=True)


def test_only_what_came_in_goes_back(alice: cast.Actor) -> None:
    declined = request_deposit(
        party=alice.party,
        money=Money(1_000, "USD"),
        source="sandbox:slow-decline",
        idempotency_key="d",
        now=database_now(),
    )
    with pytest.raises(RefundRefused, match="pending"):
        refund(declined)


def test_only_its_owner_sends_a_deposit_back_and_in_its_currency(
    alice: cast.Actor, deposit: Deposit
) -> None:
    with pytest.raises(NotYourPayout):
        refund(deposit, by=cast.mallory().party)
    with pytest.raises(CurrencyMismatch):
        refund(deposit, money=Money(400, "EUR"))
    refund(deposit)
    with pytest.raises(ledger.IdempotencyKeyReused):
        refund(deposit, 300)
    assert held(alice) == 600
