"""Posting: once per key, in account order, never below a floor; hot accounts by queue."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from settlement import ledger
from settlement.ledger import Posting, Side, move, post, post_batch
from settlement.models import Account, Entry, QueuedCredit, Transfer
from settlement.money import CurrencyMismatch
from tests import cast
from tests.racing import in_parallel
from tests.settlement.hires import give

KIND = Transfer.Kind
pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> cast.Actor:
    actor = cast.alice()
    give(actor, 1_000)
    return actor


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


def wallet(actor: cast.Actor, currency: str = "USD") -> Account:
    return ledger.party_account(party=actor.party, currency=currency)


def hold(source: Account, target: Account, amount: int, key: str = "hold") -> Posting:
    return Posting(kind=KIND.HOLD, key=key, sides=move(source=source, target=target, amount=amount))


def refusing(error: type[Exception], act: Callable[[], Any]) -> None:
    with pytest.raises(error), transaction.atomic():
        act()


def test_a_key_posts_once_and_answers_the_same_transfer(alice: cast.Actor, bob: cast.Actor) -> None:
    first = post(hold(wallet(alice), wallet(bob), 400))
    again = post(hold(wallet(alice), wallet(bob), 400))
    assert (again.transfer_id, again.replayed) == (first.transfer_id, True)
    assert ledger.balances_of(alice.party) == {"USD": 600}


def test_a_key_with_another_request_is_an_error_not_a_replay(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    post(hold(wallet(alice), wallet(bob), 400))
    refusing(ledger.IdempotencyKeyReused, lambda: post(hold(wallet(alice), wallet(bob), 401)))
    refusing(
        ledger.IdempotencyKeyReused, lambda: post_batch([hold(wallet(alice), wallet(bob), 401)])
    )


def test_nobody_spends_more_than_there_is(alice: cast.Actor, bob: cast.Actor) -> None:
    refusing(ledger.InsufficientFunds, lambda: post(hold(wallet(alice), wallet(bob), 1_001)))
    assert not Transfer.objects.filter(idempotency_key="hold").exists()


def test_a_transfer_that_does_not_add_up_is_refused_before_the_database_is_asked(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    for sides in ((Side(wallet(alice), -5), Side(wallet(bob), 4)), (), (Side(wallet(bob), 0),)):
        with pytest.raises(ledger.UnbalancedTransfer):
            Posting(kind=KIND.HOLD, key="k", sides=sides)


def test_currencies_do_not_mix(alice: cast.Actor, bob: cast.Actor) -> None:
    with pytest.raises(CurrencyMismatch):
        move(source=wallet(alice), target=wallet(bob, "JPY"), amount=1)


def test_a_hold_is_resolved_once(alice: cast.Actor, bob: cast.Actor) -> None:
    held = post(hold(wallet(alice), wallet(bob), 400)).transfer_id
    back = move(source=wallet(bob), target=wallet(alice), amount=400)
    post(Posting(kind=KIND.REFUND, key="back", sides=back, resolves=held))
    again = Posting(kind=KIND.RELEASE, key="again", sides=back, resolves=held)
    give(bob, 1_000)
    refusing(ledger.HoldAlreadyResolved, lambda: post(again))
    refusing(ledger.HoldAlreadyResolved, lambda: post_batch([again]))


def test_a_batch_is_all_or_nothing(alice: cast.Actor, bob: cast.Actor) -> None:
    pair = [hold(wallet(alice), wallet(bob), 600, "a"), hold(wallet(alice), wallet(bob), 600, "b")]
    refusing(ledger.InsufficientFunds, lambda: post_batch(pair))
    assert ledger.balances_of(alice.party) == {"USD": 1_000}


def test_a_batch_answers_in_the_order_asked_and_says_what_was_there(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    there = post(hold(wallet(alice), wallet(bob), 1, "b"))
    keys = ["c", "b", "a"]
    posted = post_batch([hold(wallet(alice), wallet(bob), 1, key) for key in keys])
    assert [one.replayed for one in posted] == [False, True, False]
    assert posted[1].transfer_id == there.transfer_id
    stored = Transfer.objects.in_bulk([one.transfer_id for one in posted])
    assert [stored[one.transfer_id].idempotency_key for one in posted] == keys


def test_one_key_twice_in_a_batch_is_refused(alice: cast.Actor, bob: cast.Actor) -> None:
    with pytest.raises(ledger.IdempotencyKeyReused):
        post_batch([hold(wallet(alice), wallet(bob), 1)] * 2)


def test_a_hot_account_queues_its_credits_and_its_balance_counts_them(alice: cast.Actor) -> None:
    fees = ledger.fee_account(currency="USD")
    for number in range(3):
        post(hold(wallet(alice), fees, 10, f"fee {number}"))
    fees.refresh_from_db()
    assert (fees.balance, ledger.balance_of(fees)) == (0, 30)
    assert ledger.roll_up_all() >= 3
    fees.refresh_from_db()
    assert (fees.balance, ledger.balance_of(fees)) == (30, 30)
    assert not QueuedCredit.objects.exists()


def test_a_debit_of_a_hot_account_counts_what_is_queued(alice: cast.Actor) -> None:
    fees = ledger.fee_account(currency="USD")
    post(hold(wallet(alice), fees, 30, "in"))
    refusing(ledger.InsufficientFunds, lambda: post(hold(fees, wallet(alice), 31, "too much")))
    post(hold(fees, wallet(alice), 30, "out"))
    assert ledger.balance_of(fees) == 0


def test_every_entry_of_a_plain_account_stores_the_balance_after_it(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    for number in range(3):
        post(hold(wallet(alice), wallet(bob), 100, str(number)))
    rows = Entry.objects.filter(account=wallet(alice)).order_by("account_version")
    assert list(rows.values_list("account_version", "balance_after")) == [
        (1, 1_000),
        (2, 900),
        (3, 800),
        (4, 700),
    ]


@pytest.mark.django_db(transaction=True)
def test_eight_spenders_of_one_balance_never_spend_it_twice() -> None:
    alice, bob = cast.alice(), cast.bob()
    give(alice, 300)
    source, target, numbers = wallet(alice), wallet(bob), iter(range(8))

    results = in_parallel(8, lambda: post(hold(source, target, 100, f"n{next(numbers)}")))

    assert sum(isinstance(one, ledger.Posted) for one in results) == 3
    assert sum(isinstance(one, ledger.InsufficientFunds) for one in results) == 5
    assert (ledger.balance_of(source), ledger.balance_of(target)) == (0, 300)


@pytest.mark.django_db(transaction=True)
def test_opposite_transfers_and_roll_ups_at_once_do_not_deadlock() -> None:
    alice, bob = cast.alice(), cast.bob()
    give(alice, 1_000)
    give(bob, 1_000)
    accounts = [wallet(alice), wallet(bob), ledger.fee_account(currency="USD")]
    turns = iter(range(9))

    def act() -> None:
        turn = next(turns)
        first, second, fees = accounts if turn % 2 else [accounts[1], accounts[0], accounts[2]]
        for step in range(10):
            sides = (Side(first, -2), Side(second, 1), Side(fees, 1))
            post(Posting(kind=KIND.HOLD, key=f"{turn}/{step}", sides=sides))
            back = move(source=fees, target=first, amount=1)
            post(Posting(kind=KIND.HOLD, key=f"{turn}/{step}/back", sides=back))
            ledger.roll_up_all()

    assert in_parallel(6, act) == [None] * 6
    assert sum(ledger.balance_of(account) for account in accounts) == 2_000


@pytest.mark.django_db(transaction=True)
def test_one_key_from_eight_clients_posts_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    give(alice, 1_000)
    source, target = wallet(alice), wallet(bob)
    results = in_parallel(8, lambda: post(hold(source, target, 100)))
    assert len({one.transfer_id for one in results}) == 1
    assert sum(not one.replayed for one in results) == 1
    assert ledger.balance_of(target) == 100
