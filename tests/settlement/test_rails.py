"""Money enters and leaves once, whatever is lost, doubled or declined on the way."""

from datetime import timedelta
from typing import Any

import pytest

from reputation.clock import database_now
from reputation.models import Evidence
from settlement import ledger, payouts
from settlement.audit import audit
from settlement.deposits import process_deposit, request_deposit
from settlement.idempotency import IdempotencyKeyMalformed
from settlement.models import Deposit, Payout, RailAttempt, SandboxMovement
from settlement.money import AmountMalformed, Money
from settlement.payouts import cancel_payout, process_payout, request_payout
from settlement.rails import RAILS, Answer, Order, PlaceMalformed, RailUnknown
from settlement.rails.sandbox import SandboxRail
from settlement.tasks import process_deposits, process_payouts
from tests import cast
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


def movements(kind: str = "") -> int:
    """How many movements the sandbox's own books hold."""
    rows = SandboxMovement.objects.all()
    return (rows.filter(kind=kind) if kind else rows).count()


def deposit(actor: cast.Actor, amount: int = 1_000, key: str = "d", **more: str) -> Deposit:
    return request_deposit(
        party=actor.party,
        money=Money(amount, "USD"),
        idempotency_key=key,
        now=database_now(),
        **more,
    )


def payout(actor: cast.Actor, amount: int = 400, key: str = "p", **more: Any) -> Payout:
    return request_payout(
        party=actor.party,
        money=Money(amount, "USD"),
        idempotency_key=key,
        now=database_now(),
        **({"cooldown": timedelta(0)} | more),
    )


def let_the_lease_pass(subject: Deposit | Payout) -> None:
    type(subject).objects.filter(pk=subject.pk).update(next_attempt_at=database_now())


def held(actor: cast.Actor) -> int:
    return ledger.balances_of(actor.party).get("USD", 0)


def test_a_buyer_in_a_hurry_sees_the_money_at_once(alice: cast.Actor) -> None:
    assert deposit(alice).state == "succeeded"
    assert held(alice) == 1_000
    assert Evidence.objects.filter(kind="deposit.received").count() == 1


def test_the_same_button_pressed_twice_deposits_once(alice: cast.Actor) -> None:
    assert deposit(alice).pk == deposit(alice).pk
    assert held(alice) == 1_000
    with pytest.raises(ledger.IdempotencyKeyReused):
        deposit(alice, amount=1_001)


def test_a_declined_deposit_credits_nothing_and_says_why(alice: cast.Actor) -> None:
    made = deposit(alice, source="sandbox:decline")
    assert (made.state, made.failure) == ("failed", "declined by the sandbox")
    assert held(alice) == 0


def test_eight_deposits_with_one_key_at_once_credit_once(alice: cast.Actor) -> None:
    results = in_parallel(8, lambda: deposit(alice))
    assert len({one.pk for one in results}) == 1
    process_deposits()
    assert held(alice) == 1_000


@pytest.mark.parametrize("lost", ["sandbox:lost-answer", "sandbox:lost-request"])
def test_what_was_lost_is_looked_up_and_never_guessed(alice: cast.Actor, lost: str) -> None:
    made = deposit(alice, source=lost)
    assert (made.state, held(alice)) == ("pending", 0)
    assert movements() == (lost == "sandbox:lost-answer")
    let_the_lease_pass(made)
    process_deposits()
    assert (held(alice), movements()) == (1_000, 1)
    assert list(RailAttempt.objects.values_list("outcome", flat=True)) == ["unknown", "succeeded"]


@pytest.mark.parametrize(("word", "state"), [("slow", "succeeded"), ("slow-decline", "failed")])
def test_a_slow_rail_is_pending_until_it_says(alice: cast.Actor, word: str, state: str) -> None:
    made = deposit(alice, source=f"sandbox:{word}")
    assert (made.state, held(alice)) == ("pending", 0)
    assert made.next_attempt_at
    assert made.next_attempt_at > database_now()
    let_the_lease_pass(made)
    made = process_deposit(deposit_id=made.pk)
    assert (made.state, held(alice)) == (state, 1_000 if state == "succeeded" else 0)
    assert made.rail_reference == SandboxMovement.objects.get().pk


def test_a_deposit_under_way_is_not_asked_about_twice(alice: cast.Actor) -> None:
    made = deposit(alice, source="sandbox:lost-answer")
    in_parallel(4, lambda: process_deposit(deposit_id=made.pk))
    assert RailAttempt.objects.count() == 1
    let_the_lease_pass(made)
    in_parallel(4, lambda: process_deposit(deposit_id=made.pk))
    assert RailAttempt.objects.count() == 2


def test_a_fault_of_ours_leaves_the_answer_unknown_and_the_next_row_its_turn(
    alice: cast.Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(SandboxRail):
        instant = False

        def deposit(self, order: Order) -> Answer:
            if order.place == "broken":
                raise ZeroDivisionError
            return super().deposit(order)

    monkeypatch.setitem(RAILS, "broken", Broken())
    bad = deposit(alice, rail="broken", source="broken")
    good = deposit(alice, rail="broken", key="second")
    process_deposits()
    for made in (bad, good):
        made.refresh_from_db()
    assert (bad.state, good.state) == ("pending", "succeeded")
    assert bad.attempts.get().outcome == "unknown"


def test_nonsense_is_refused_before_anything_is_stored(alice: cast.Actor) -> None:
    with pytest.raises(AmountMalformed):
        deposit(alice, amount=0)
    with pytest.raises(RailUnknown):
        deposit(alice, rail="barter")
    with pytest.raises(PlaceMalformed):
        deposit(alice, source="x" * 81)
    with pytest.raises(AmountMalformed):
        deposit(alice, amount=10**12 + 1)
    for key in ("", "a b", "é", "x" * 81):
        with pytest.raises(IdempotencyKeyMalformed):
            deposit(alice, key=key)
    assert not Deposit.objects.exists()


def test_a_payout_sets_the_money_aside_at_once_and_is_then_paid(alice: cast.Actor) -> None:
    deposit(alice)
    made = payout(alice)
    assert (made.state, held(alice)) == ("pending", 600)
    process_payouts()
    made.refresh_from_db()
    assert made.state == "paid"
    assert ledger.balance_of(ledger.rail_account(rail="sandbox", currency="USD")) == -600
    kinds = Evidence.objects.filter(kind__startswith="payout").values_list("kind", flat=True)
    assert sorted(kinds) == ["payout.paid", "payout.requested"]
    assert audit(now=database_now()) == []


def test_a_payout_of_more_than_there_is_leaves_nothing_behind(alice: cast.Actor) -> None:
    deposit(alice)
    with pytest.raises(ledger.InsufficientFunds):
        payout(alice, amount=1_001)
    assert not Payout.objects.exists()
    assert held(alice) == 1_000


def test_a_declined_payout_returns_the_money(alice: cast.Actor) -> None:
    deposit(alice)
    made = process_payout(payout_id=payout(alice, destination="sandbox:decline").pk)
    assert (made.state, held(alice)) == ("failed", 1_000)


def test_eight_payouts_with_one_key_at_once_are_one(alice: cast.Actor) -> None:
    deposit(alice)
    results = in_parallel(8, lambda: payout(alice))
    assert len({one.pk for one in results}) == 1
    assert held(alice) == 600


def test_a_payout_is_paid_once_though_its_answer_was_lost(alice: cast.Actor) -> None:
    deposit(alice)
    made = payout(alice, destination="sandbox:lost-answer")
    process_payouts()
    made.refresh_from_db()
    assert (made.state, held(alice)) == ("processing", 600)
    with pytest.raises(payouts.PayoutUnderWay):
        cancel_payout(payout=made, by=alice.party, now=database_now())
    let_the_lease_pass(made)
    process_payouts()
    made.refresh_from_db()
    assert made.state == "paid"
    assert movements("payout") == 1


def test_a_payout_waits_for_its_cooldown_and_can_be_cancelled_in_it(alice: cast.Actor) -> None:
    deposit(alice)
    made = request_payout(
        party=alice.party,
        money=Money(400, "USD"),
        idempotency_key="p",
        now=database_now(),
        cooldown=timedelta(days=3),
    )
    process_payouts()
    assert cancel_payout(payout=made, by=alice.party, now=database_now()).state == "cancelled"
    assert held(alice) == 1_000


def test_nobody_cancels_the_payout_of_another(alice: cast.Actor) -> None:
    deposit(alice)
    with pytest.raises(payouts.NotYourPayout):
        cancel_payout(payout=payout(alice), by=cast.mallory().party, now=database_now())
