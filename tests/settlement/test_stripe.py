"""The Stripe rail through the official SDK, against a Stripe of our own on loopback."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reputation.clock import database_now
from settlement import ledger
from settlement.audit import audit
from settlement.deposits import process_deposit, request_deposit
from settlement.models import Deposit, Payout, RailAttempt
from settlement.money import EXPONENTS, Money
from settlement.payouts import process_payout, request_payout, request_refund
from settlement.rails import RAILS, RailUnknown
from settlement.rails.stripe_amounts import NotCarried, from_stripe, to_stripe
from settlement.tasks import process_deposits
from tests import cast
from tests.settlement.hires import give
from tests.settlement.stripe_fake import KEY, Fake, stripe_on_loopback

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def stripe(settings: Any) -> Iterator[Fake]:
    with stripe_on_loopback() as fake:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = KEY, fake.url
        yield fake


def deposit(actor: cast.Actor, card: str = "pm_card_visa", **more: Any) -> Deposit:
    asked: dict[str, Any] = {"money": Money(1_000, "USD"), "idempotency_key": "d"} | more
    made = request_deposit(
        party=actor.party, rail="stripe", source=card, now=database_now(), **asked
    )
    return process_deposit(deposit_id=made.pk)


def payout(actor: cast.Actor, to: str = "acct_1", amount: int = 400) -> Payout:
    made = request_payout(
        party=actor.party,
        money=Money(amount, "USD"),
        rail="stripe",
        destination=to,
        idempotency_key="p",
        now=database_now(),
        cooldown=timedelta(0),
    )
    return process_payout(payout_id=made.pk)


def again(made: Any) -> Any:
    """The lease is over and the worker comes by."""
    type(made).objects.filter(pk=made.pk, next_attempt_at__isnull=False).update(
        next_attempt_at=database_now()
    )
    if isinstance(made, Deposit):
        return process_deposit(deposit_id=made.pk)
    return process_payout(payout_id=made.pk)


def held(actor: cast.Actor) -> int:
    return ledger.balances_of(actor.party).get("USD", 0)


def outcomes() -> list[str]:
    return list(RailAttempt.objects.values_list("outcome", flat=True))


def test_a_deposit_is_a_payment_intent_that_names_us(alice: cast.Actor, stripe: Fake) -> None:
    made = deposit(alice)
    (intent,) = stripe.books["payment_intents"]
    assert (made.state, made.rail_reference, held(alice)) == ("succeeded", intent["id"], 1_000)
    assert intent["metadata"] == {"reference": made.pk}
    assert list(stripe.keys) == [made.pk]


@pytest.mark.parametrize("card", ["pm_card_chargeDeclined", "pm_card_authenticationRequired"])
def test_a_declined_card_is_a_failed_deposit(alice: cast.Actor, stripe: Fake, card: str) -> None:
    made = deposit(alice, card)
    assert made.state == "failed"
    assert made.failure
    assert made.rail_reference == stripe.books["payment_intents"][0]["id"]
    assert held(alice) == 0


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "500-after", "409"])
@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_chargeDeclined"])
def test_no_answer_is_unknown_until_stripes_books_say(
    alice: cast.Actor, stripe: Fake, fault: str, card: str
) -> None:
    stripe.faults = [fault]
    made = deposit(alice, card)
    assert (made.state, held(alice), outcomes()) == ("pending", 0, ["unknown"])
    assert stripe.requests == ["POST /v1/payment_intents"]  # the SDK does not try by itself
    stripe.keys.clear()  # Stripe forgets keys after a day: a blind repetition would charge twice
    made = again(made)
    paid = card == "pm_card_visa"
    assert (made.state, held(alice)) == ("succeeded" if paid else "failed", 1_000 if paid else 0)
    assert len(stripe.books["payment_intents"]) == 1
    assert audit(now=database_now()) == []


def test_while_stripe_cannot_be_asked_nothing_is_decided(alice: cast.Actor, stripe: Fake) -> None:
    stripe.faults = ["drop-after", "drop-before", "500-after", "401", "429"]
    made = deposit(alice)
    for _ in range(4):
        made = again(made)
        assert (made.state, held(alice)) == ("pending", 0)
    assert again(made).state == "succeeded"
    assert len(stripe.books["payment_intents"]) == 1


@pytest.mark.parametrize("fault", ["429", "401"])
def test_what_stripe_did_not_begin_is_tried_later(
    alice: cast.Actor, stripe: Fake, fault: str
) -> None:
    stripe.faults = [fault]
    made = deposit(alice)
    assert (made.state, outcomes()) == ("pending", ["pending"])
    assert again(made).state == "succeeded"


def test_a_key_that_stripe_used_for_something_else_is_never_guessed_away(
    alice: cast.Actor, stripe: Fake
) -> None:
    made = request_deposit(
        party=alice.party,
        money=Money(1_000, "USD"),
        rail="stripe",
        source="pm_card_visa",
        idempotency_key="d",
        now=database_now(),
    )
    stripe.keys[made.pk] = (("/v1/payment_intents", []), (200, {}))
    process_deposits()
    made.refresh_from_db()
    assert (made.state, outcomes()) == ("pending", ["unknown"])


def test_a_bank_debit_is_pending_until_stripe_says(alice: cast.Actor, stripe: Fake) -> None:
    made = deposit(alice, "pm_usBankAccount")
    assert (made.state, made.next_attempt_at is None) == ("pending", False)
    assert again(made).state == "pending"
    stripe.books["payment_intents"][0]["status"] = "succeeded"
    assert again(made).state == "succeeded"
    assert held(alice) == 1_000


def test_a_payout_is_a_transfer_found_again_among_many(alice: cast.Actor, stripe: Fake) -> None:
    give(alice, 1_000)
    stripe.faults = ["drop-after"]
    made = payout(alice)
    assert (made.state, held(alice)) == ("processing", 600)
    for _ in range(5):
        stripe.add("transfers", amount=1, currency="usd", reversed=False)
    made = again(made)
    assert (made.state, made.rail_reference) == ("paid", stripe.books["transfers"][0]["id"])
    assert len(stripe.books["transfers"]) == 6
    assert held(alice) == 600


@pytest.mark.parametrize(("to", "balance"), [("nobody", 10**9), ("acct_1", 0)])
def test_a_refused_payout_returns_the_money(
    alice: cast.Actor, stripe: Fake, to: str, balance: int
) -> None:
    give(alice, 1_000)
    stripe.balance = balance
    made = payout(alice, to)
    assert (made.state, held(alice)) == ("failed", 1_000)
    assert made.failure


def test_a_refund_goes_back_to_the_very_payment(alice: cast.Actor, stripe: Fake) -> None:
    paid = deposit(alice)
    made = request_refund(
        deposit=paid,
        by=alice.party,
        money=Money(400, "USD"),
        idempotency_key="r",
        now=database_now(),
    )
    stripe.faults = ["drop-after"]
    process_payout(payout_id=made.pk)
    assert again(made).state == "paid"
    (sent,) = stripe.books["refunds"]
    assert (sent["amount"], sent["payment_intent"]) == (400, paid.rail_reference)
    assert held(alice) == 600


def test_without_a_key_there_is_no_stripe(alice: cast.Actor) -> None:
    with pytest.raises(RailUnknown, match="sandbox"):
        deposit(alice)
    assert not RAILS["stripe"].ready


# --- Stripe's minor units ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Money(1_250, "USD"), (1_250, "usd")),
        (Money(500, "JPY"), (500, "jpy")),
        (Money(500, "ISK"), (50_000, "isk")),
        (Money(500, "UGX"), (50_000, "ugx")),
        (Money(500, "MGA"), (5, "mga")),
        (Money(1_230, "BHD"), (1_230, "bhd")),
    ],
)
def test_amounts_are_written_as_stripe_reads_them(ours: Money, theirs: tuple[int, str]) -> None:
    assert to_stripe(ours) == theirs
    assert from_stripe(*theirs) == (ours.amount, ours.currency)


@pytest.mark.parametrize(
    "money", [Money(1, "USDC"), Money(1_231, "BHD"), Money(501, "MGA"), Money(5, "LYD")]
)
def test_what_stripe_cannot_carry_exactly_is_refused(money: Money) -> None:
    with pytest.raises(NotCarried):
        to_stripe(money)


@given(st.integers(0, 10**12), st.sampled_from(sorted(EXPONENTS)))
def test_what_is_carried_comes_back_the_same(amount: int, currency: str) -> None:
    try:
        there = to_stripe(Money(amount, currency))
    except NotCarried:
        return
    assert from_stripe(*there) == (amount, currency)


def test_a_currency_stripe_lacks_fails_before_stripe_is_asked(
    alice: cast.Actor, stripe: Fake
) -> None:
    made = deposit(alice, money=Money(1_000_000, "USDC"))
    assert (made.state, made.failure) == ("failed", "Stripe does not carry USDC")
    assert stripe.requests == []
