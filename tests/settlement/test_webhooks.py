"""What rails send by themselves: proved, stored once, and never more than a hint."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import stripe
from django.db import DatabaseError, transaction
from django.test import Client

from reputation.clock import database_now
from settlement import ledger
from settlement.audit import audit
from settlement.deposits import request_deposit
from settlement.models import Deposit, RailAttempt, RailEvent, SandboxEvent, SandboxMovement
from settlement.money import Money
from settlement.payouts import process_payout, request_payout
from settlement.rails import WebhookRefused, signing
from settlement.rails.sandbox import Delivery, delivery_of, due_deliveries
from settlement.tasks import deliver_sandbox_webhooks, process_deposits, process_payouts
from settlement.webhooks import receive
from tests import cast
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_of_the_tests"


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


def deposit(actor: cast.Actor, word: str) -> Deposit:
    return request_deposit(
        party=actor.party,
        money=Money(1_000, "USD"),
        source=f"sandbox:{word}",
        idempotency_key="d",
        now=database_now(),
    )


def held(actor: cast.Actor) -> int:
    return ledger.balances_of(actor.party).get("USD", 0)


def post(delivery: Delivery, rail: str = "sandbox", **more: str) -> Any:
    headers = delivery.headers | more
    return Client(enforce_csrf_checks=True).post(
        f"/api/webhooks/{rail}",
        data=delivery.body,
        content_type="application/json",
        headers=headers,
    )


def delivery(body: bytes = b"", at: datetime | None = None) -> Delivery:
    """What the sandbox would send about nothing of ours, or that body signed by it."""
    from settlement.rails.sandbox import _keys

    body = body or json.dumps({"type": "account.moved", "data": {"reference": "x"}}).encode()
    moment = at or database_now()
    return Delivery(signing.sign(key=_keys()[0], event_id="evt_1", at=moment, body=body), body)


@pytest.mark.parametrize("word", ["webhook", "duplicate-webhook", "reordered-webhook"])
def test_an_event_gets_the_rail_asked_at_once_whatever_its_order_or_number(
    alice: cast.Actor, word: str
) -> None:
    made = deposit(alice, word)
    assert (made.state, held(alice)) == ("pending", 0)
    process_deposits()
    assert held(alice) == 0  # not due for minutes yet
    deliver_sandbox_webhooks()
    process_deposits()
    made.refresh_from_db()
    assert (made.state, held(alice)) == ("succeeded", 1_000)
    assert SandboxMovement.objects.count() == 1
    deliver_sandbox_webhooks()
    assert RailAttempt.objects.count() == 2


def test_a_lost_webhook_costs_minutes_and_nothing_else(alice: cast.Actor) -> None:
    made = deposit(alice, "lost-webhook")
    assert due_deliveries(now=database_now() + timedelta(days=1), limit=9) == []
    Deposit.objects.filter(pk=made.pk).update(next_attempt_at=database_now())
    process_deposits()
    assert held(alice) == 1_000


def test_a_late_webhook_about_something_final_is_stored_and_changes_nothing(
    alice: cast.Actor,
) -> None:
    made = deposit(alice, "late-webhook")
    assert due_deliveries(now=database_now(), limit=9) == []
    Deposit.objects.filter(pk=made.pk).update(next_attempt_at=database_now())
    process_deposits()
    assert post(delivery_of(SandboxEvent.objects.get(), now=database_now())).status_code == 204
    assert RailEvent.objects.get().effect == "late"
    assert held(alice) == 1_000
    assert audit(now=database_now()) == []


def test_a_payout_under_way_is_hastened_and_one_in_its_cooldown_is_not(alice: cast.Actor) -> None:
    deposit(alice, "ok")
    asked: dict[str, Any] = {
        "party": alice.party,
        "now": database_now(),
        "destination": "sandbox:webhook",
    }
    waiting = request_payout(money=Money(100, "USD"), idempotency_key="waiting", **asked)
    made = request_payout(
        money=Money(100, "USD"), idempotency_key="p", cooldown=timedelta(0), **asked
    )
    assert process_payout(payout_id=made.pk).state == "processing"
    body = json.dumps({"type": "payout.succeeded", "data": {"reference": waiting.pk}}).encode()
    assert post(delivery(body)).status_code == 204
    deliver_sandbox_webhooks()
    process_payouts()
    made.refresh_from_db()
    waiting.refresh_from_db()
    assert (made.state, waiting.state) == ("paid", "pending")


def test_one_event_sent_by_eight_at_once_is_stored_once(alice: cast.Actor) -> None:
    deposit(alice, "webhook")
    sent = due_deliveries(now=database_now(), limit=9)[-1]
    assert [one.status_code for one in in_parallel(8, lambda: post(sent))] == [204] * 8
    process_deposits()
    assert RailEvent.objects.count() == 1
    assert held(alice) == 1_000


def test_an_event_that_lies_about_success_moves_no_money(alice: cast.Actor) -> None:
    made = deposit(alice, "slow-decline")
    body = json.dumps({"type": "deposit.succeeded", "data": {"reference": made.pk}}).encode()
    assert post(delivery(body)).status_code == 204
    process_deposits()
    made.refresh_from_db()
    assert (made.state, held(alice)) == ("failed", 0)


def test_an_unknown_event_is_stored_and_acknowledged() -> None:
    assert post(delivery()).status_code == 204
    assert post(delivery()).status_code == 204
    stored = RailEvent.objects.get()
    assert (stored.kind, stored.effect) == ("account.moved", "unknown")
    with pytest.raises(DatabaseError), transaction.atomic():
        RailEvent.objects.update(kind="another")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-signature", "v1,AAAA"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1a," + "A" * 88),
        ("webhook-id", "evt_2"),
        ("webhook-timestamp", "0"),
        ("webhook-timestamp", "-5"),
        ("webhook-timestamp", "١٢٣"),
        ("webhook-timestamp", "9" * 500),
    ],
)
def test_what_is_not_signed_exactly_so_is_refused_unread(name: str, value: str) -> None:
    sent = delivery()
    with pytest.raises(WebhookRefused):
        receive(
            rail="sandbox",
            headers=sent.headers | {name: value},
            body=sent.body,
            now=database_now(),
        )
    assert not RailEvent.objects.exists()


def test_one_changed_byte_breaks_the_signature() -> None:
    sent = delivery()
    assert post(Delivery(sent.headers, sent.body + b" ")).status_code == 400
    assert post(Delivery(sent.headers, b"")).status_code == 400
    assert not RailEvent.objects.exists()


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_replay_outside_the_window_is_refused(minutes: int) -> None:
    sent = delivery(at=database_now() + timedelta(minutes=minutes))
    assert post(sent).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"{}", b"\xff\xfe", b'{"type":"x","data":[]}', b"null"])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    assert post(delivery(body)).status_code == 400


def test_an_endless_body_and_an_unknown_rail_are_refused() -> None:
    assert post(Delivery({}, b"x" * 300_000)).status_code == 413
    assert post(delivery(), rail="barter").status_code == 404
    assert post(delivery(), rail="stripe").status_code == 404  # not set up here
    assert Client().get("/api/webhooks/sandbox").status_code == 405


# --- Stripe's scheme -----------------------------------------------------------------------------


@pytest.fixture
def by_stripe(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_x", SECRET


def from_stripe(said: Any, *, secret: str = SECRET, ago: int = 0) -> Delivery:
    body = json.dumps(said)
    moment = int(database_now().timestamp()) - ago
    header = stripe.WebhookSignature.generate_signature_header(body, secret, moment)
    return Delivery({"stripe-signature": header}, body.encode())


@pytest.mark.usefixtures("by_stripe")
def test_stripes_signature_over_the_raw_body_opens_the_door() -> None:
    said = {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}}
    assert post(from_stripe(said), rail="stripe").status_code == 204
    assert post(from_stripe(said), rail="stripe").status_code == 204
    assert RailEvent.objects.get().effect == "unknown"


@pytest.mark.usefixtures("by_stripe")
def test_a_forged_old_or_malformed_stripe_webhook_does_not() -> None:
    said = {"id": "evt_1", "type": "x", "data": {"object": {}}}
    good = from_stripe(said)
    for bad in (
        from_stripe(said, secret="whsec_of_mallory"),
        from_stripe(said, ago=400),
        from_stripe(said, ago=-400),
        from_stripe([1]),
        Delivery(good.headers, good.body + b" "),
        Delivery(good.headers, b"\xff"),
        Delivery({}, good.body),
        Delivery({"stripe-signature": "t=,v1="}, good.body),
        Delivery({"stripe-signature": "nonsense"}, good.body),
    ):
        assert post(bad, rail="stripe").status_code == 400
    assert not RailEvent.objects.exists()
    assert post(good, rail="stripe").status_code == 204


@pytest.mark.usefixtures("by_stripe")
def test_without_a_secret_nothing_is_authentic(settings: Any) -> None:
    good = from_stripe({"id": "evt_1", "type": "x", "data": {"object": {}}}, secret=" ")
    settings.STRIPE_WEBHOOK_SECRET = ""
    assert post(good, rail="stripe").status_code == 400
