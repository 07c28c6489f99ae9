"""A deadlock is repeated, not shown; and only by whoever opened the transaction."""

import threading
import time

import pytest
from django.db import OperationalError, connection, transaction

from pacts.models import Engagement, Party
from reputation.clock import database_now
from settlement import deposits, escrow, ledger, payouts, retries, settlements, webhooks
from settlement.escrow import open_escrow
from settlement.models import Account, Escrow
from settlement.money import Money
from settlement.retries import MOST_ATTEMPTS, TooContended, pause_after, retried
from tests import cast
from tests.settlement.hires import give, hire


class Deadlock(Exception):
    sqlstate = "40P01"


def undone() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = Deadlock()
    return error


@pytest.mark.django_db(transaction=True)
def test_a_real_deadlock_while_funding_is_repeated_and_the_buyer_never_sees_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = hire()
    undone_times: list[int] = []

    def paused(attempt: int) -> float:
        undone_times.append(attempt)
        return pause_after(attempt)

    monkeypatch.setattr(retries, "pause_after", paused)
    escrow_id = open_escrow(milestone=made.milestone).pk
    engagement_id, holding = made.engagement.pk, threading.Event()

    def stand_in_the_way() -> None:
        """Locks what funding wants second, then wants what funding holds."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '60s'")  # the other one is the victim
                Engagement.objects.select_for_update().get(pk=engagement_id)
                holding.set()
                _wait_until_blocked()
                Escrow.objects.select_for_update().get(pk=escrow_id)
        finally:
            connection.close()

    other = threading.Thread(target=stand_in_the_way)
    other.start()
    holding.wait()
    funded = made.fund()
    other.join()
    assert funded.state == "held"
    assert made.balances()[0] == 0
    assert made.milestone.deliverables.count() == 1
    assert undone_times == [0], "the test provoked no deadlock"


@pytest.mark.django_db(transaction=True)
def test_a_real_deadlock_while_a_payout_is_asked_for_is_repeated_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, undone_times = cast.alice(), list[int]()
    give(alice, 1_000)
    account = ledger.party_account(party=alice.party, currency="USD")
    holding = threading.Event()

    def paused(attempt: int) -> float:
        undone_times.append(attempt)
        return pause_after(attempt)

    monkeypatch.setattr(retries, "pause_after", paused)

    def stand_in_the_way() -> None:
        """Locks what the payout wants second, then wants what it holds."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '60s'")  # the other one is the victim
                Account.objects.select_for_update().get(pk=account.pk)
                holding.set()
                _wait_until_blocked()
                Party.objects.select_for_update().get(pk=alice.party.pk)
        finally:
            connection.close()

    other = threading.Thread(target=stand_in_the_way)
    other.start()
    holding.wait()
    made = payouts.request_payout(
        party=alice.party, money=Money(400, "USD"), idempotency_key="once", now=database_now()
    )
    other.join()
    assert (made.state, ledger.balance_of(account)) == ("pending", 600)
    assert undone_times == [0], "the test provoked no deadlock"


@pytest.mark.parametrize(
    "door",
    [
        *(deposits.request_deposit, deposits._claim, deposits._record),
        *(payouts.request_payout, payouts.request_refund, payouts.cancel_payout),
        *(payouts._claim, payouts._record, webhooks.receive),
        *(escrow.fund, escrow.accept, escrow.give_back, escrow.revise, escrow.dispute),
        *(settlements.settle, settlements._settle_these),
    ],
)
def test_every_door_that_moves_money_repeats_what_the_database_undid(door: object) -> None:
    assert getattr(door, "__code__", None) is retried(lambda: None).__code__


def _wait_until_blocked() -> None:
    """Until another session of this database waits for a lock."""
    for _ in range(200):
        with connection.cursor() as cursor:
            # Within a transaction the activity is read once and remembered.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waited")


@pytest.mark.django_db(transaction=True)
def test_what_is_undone_again_and_again_ends_in_a_sentence_and_not_in_a_deadlock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []
    monkeypatch.setattr(time, "sleep", lambda _: None)

    @retried
    def act() -> None:
        calls.append(1)
        raise undone()

    with pytest.raises(TooContended, match="nothing was done"):
        act()
    assert len(calls) == MOST_ATTEMPTS


@pytest.mark.django_db(transaction=True)
def test_any_other_failure_of_the_database_is_not_repeated() -> None:
    calls = []

    @retried
    def act() -> None:
        calls.append(1)
        raise OperationalError("the server is gone")

    with pytest.raises(OperationalError):
        act()
    assert calls == [1]


@pytest.mark.django_db
def test_within_a_callers_transaction_nothing_is_repeated() -> None:
    calls = []

    @retried
    def act() -> None:
        calls.append(1)
        raise undone()

    with pytest.raises(OperationalError), transaction.atomic():
        act()
    assert calls == [1]


def test_pauses_grow_and_are_bounded() -> None:
    assert 0 < pause_after(0) <= 0.01
    assert 0.25 <= pause_after(50) <= 0.5
