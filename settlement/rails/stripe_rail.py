"""The Stripe rail: PaymentIntents bring money in, Transfers pay connected accounts, Refunds return.

We own retries: the SDK makes one request with a timeout, our reference is Stripe's idempotency key
and stands in the object's metadata, and what Stripe's books say decides. Error meanings:
docs.stripe.com/error-handling, docs.stripe.com/api/idempotent_requests.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import stripe
from django.conf import settings

from settlement.rails.rail import (
    Answer,
    Guide,
    Kind,
    Movement,
    Notice,
    Order,
    RailUnreachable,
    Result,
    WebhookRefused,
)
from settlement.rails.signing import check_moment
from settlement.rails.stripe_amounts import NotCarried, from_stripe, to_stripe

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
# Stripe's clock is not ours: an order is searched for from a little before we made it.
SLACK = timedelta(minutes=10)
PAGE = 100

_INTENT: dict[str, Result] = {"succeeded": "succeeded", "canceled": "failed"}
_REFUND: dict[str, Result] = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
# Nothing was done and the same request may be sent again later.
_LATER = (stripe.RateLimitError, stripe.AuthenticationError, stripe.PermissionError)


class StripeRail:
    """Stripe through its own SDK, one client per call: settings may change and workers fork."""

    instant = False
    guide = Guide(
        title="Stripe",
        source="a payment method of yours there, such as pm_1Nv0FG…; it is charged at once.",
        destination="your connected account there, such as acct_1032D8…",
    )

    @property
    def ready(self) -> bool:
        """See `Rail`."""
        return bool(settings.STRIPE_SECRET_KEY)

    def deposit(self, order: Order) -> Answer:
        """See `Rail`."""

        def create(client: stripe.StripeClient, amount: int, code: str) -> Answer:
            made = client.v1.payment_intents.create(
                {
                    "amount": amount,
                    "currency": code,
                    "payment_method": order.place,
                    "confirm": True,
                    "error_on_requires_action": True,
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                    "metadata": {"reference": order.reference},
                },
                _once(order),
            )
            return _of_intent(made.to_dict())

        return _asked(order, create)

    def payout(self, order: Order) -> Answer:
        """See `Rail`. The destination is a connected account, `acct_…`."""

        def create(client: stripe.StripeClient, amount: int, code: str) -> Answer:
            made = client.v1.transfers.create(
                {
                    "amount": amount,
                    "currency": code,
                    "destination": order.place,
                    "metadata": {"reference": order.reference},
                },
                _once(order),
            )
            return Answer("succeeded", made.id)

        return _asked(order, create)

    def refund(self, order: Order) -> Answer:
        """See `Rail`."""

        def create(client: stripe.StripeClient, amount: int, code: str) -> Answer:
            made = client.v1.refunds.create(
                {
                    "payment_intent": order.refunds,
                    "amount": amount,
                    "metadata": {"reference": order.reference},
                },
                _once(order),
            )
            return _of_refund(made.to_dict())

        return _asked(order, create)

    def find(self, order: Order, *, rail_reference: str) -> Movement | None:
        """See `Rail`: by Stripe's id if we know it, else among all since the order was made.

        Stripe's lists are consistent; its search is not, and is not used.
        """
        client = _client()
        try:
            if rail_reference:
                item = _retrieve(client, order.kind, rail_reference)
                return _movement(order.kind, item) if item else None
            since = order.requested_at - SLACK
            for item in _all(client, order.kind, since=since, until=None):
                if _reference(item) == order.reference:
                    return _movement(order.kind, item)
        except stripe.StripeError as error:
            raise RailUnreachable(_said(error)) from error
        return None

    def webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """See `Rail`."""
        _verify(headers.get("stripe-signature", ""), body, now)
        try:
            said = json.loads(body)
            metadata = said["data"]["object"].get("metadata") or {}
            return Notice(
                event_id=str(said["id"]),
                kind=str(said["type"]),
                reference=str(metadata.get("reference", "")),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WebhookRefused("the webhook's body is not an event") from error

    def reconcile(self, *, since: datetime, until: datetime) -> Iterator[Movement]:
        """See `Rail`."""
        client = _client()
        kinds: tuple[Kind, ...] = ("deposit", "payout", "refund")
        try:
            for kind in kinds:
                for item in _all(client, kind, since=since, until=until):
                    yield _movement(kind, item)
        except stripe.StripeError as error:
            raise RailUnreachable(_said(error)) from error


def _client() -> stripe.StripeClient:
    addresses: Any = {"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else None
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        max_network_retries=0,
        base_addresses=addresses,
    )


def _once(order: Order) -> stripe.RequestOptions:
    return {"idempotency_key": order.reference, "max_network_retries": 0}


def _asked(order: Order, create: Callable[[stripe.StripeClient, int, str], Answer]) -> Answer:
    """Make one request and say what its answer, or its error, means for the money."""
    try:
        return create(_client(), *to_stripe(order.money))
    except NotCarried as error:
        return Answer("failed", detail=str(error))
    except stripe.CardError as error:
        return Answer("failed", _intent_of(error), _said(error))
    except _LATER as error:
        return Answer("pending", detail=_said(error))
    except stripe.IdempotencyError as error:
        log.error("Stripe holds another request under %s: %s", order.reference, error)
        raise RailUnreachable(_said(error)) from error
    except stripe.InvalidRequestError as error:
        return Answer("failed", detail=_said(error))
    except stripe.StripeError as error:  # no connection, a timeout, 5xx, or 409 while it is made
        raise RailUnreachable(_said(error)) from error


def _said(error: stripe.StripeError) -> str:
    return (error.user_message or str(error) or type(error).__name__)[:200]


def _intent_of(error: stripe.CardError) -> str:
    """The id of the PaymentIntent that a declined card leaves behind, if it left one."""
    body: Any = error.json_body
    intent = body.get("error", {}).get("payment_intent") if isinstance(body, dict) else None
    return str(intent.get("id", "")) if isinstance(intent, dict) else ""


def _retrieve(
    client: stripe.StripeClient, kind: Kind, rail_reference: str
) -> dict[str, Any] | None:
    """The object of that id; None if Stripe says that it has none."""
    nouns: dict[Kind, Any] = {
        "deposit": client.v1.payment_intents,
        "payout": client.v1.transfers,
        "refund": client.v1.refunds,
    }
    try:
        found: dict[str, Any] = nouns[kind].retrieve(rail_reference).to_dict()
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            return None
        raise
    return found


def _all(
    client: stripe.StripeClient, kind: Kind, *, since: datetime, until: datetime | None
) -> Iterator[dict[str, Any]]:
    created = {"gte": int(since.timestamp())}
    if until:
        created["lt"] = int(until.timestamp())
    window: Any = {"created": created, "limit": PAGE}
    nouns: dict[Kind, Any] = {
        "deposit": client.v1.payment_intents,
        "payout": client.v1.transfers,
        "refund": client.v1.refunds,
    }
    for item in nouns[kind].list(window).auto_paging_iter():
        yield item.to_dict()


def _reference(item: dict[str, Any]) -> str:
    return str((item.get("metadata") or {}).get("reference", ""))


def _movement(kind: Kind, item: dict[str, Any]) -> Movement:
    answers = {"deposit": _of_intent, "refund": _of_refund, "payout": _of_transfer}
    amount, currency = from_stripe(item["amount"], item["currency"])
    return Movement(
        kind=kind,
        reference=_reference(item),
        rail_reference=str(item["id"]),
        amount=amount,
        currency=currency,
        answer=answers[kind](item),
        at=datetime.fromtimestamp(item["created"], UTC),
    )


def _of_intent(item: dict[str, Any]) -> Answer:
    """`requires_payment_method` after an attempt is a decline: nobody tries another card on it."""
    error = item.get("last_payment_error")
    if item["status"] == "requires_payment_method" and error:
        return Answer("failed", item["id"], str(error.get("message") or "declined")[:200])
    return Answer(_INTENT.get(item["status"], "pending"), item["id"])


def _of_refund(item: dict[str, Any]) -> Answer:
    reason = str(item.get("failure_reason") or "")
    return Answer(_REFUND.get(item["status"], "pending"), item["id"], reason[:200])


def _of_transfer(item: dict[str, Any]) -> Answer:
    if item.get("reversed"):
        return Answer("failed", item["id"], "the transfer was reversed")
    return Answer("succeeded", item["id"])


def _verify(header: str, body: bytes, now: datetime) -> None:
    """Stripe's own check of its signature; the moment against the database's clock."""
    try:
        stripe.WebhookSignature.verify_header(body, header, settings.STRIPE_WEBHOOK_SECRET)
        parts = dict(part.split("=", 1) for part in header.split(","))
        check_moment(int(parts["t"]), now)
    except (stripe.SignatureVerificationError, ValueError, KeyError) as error:
        raise WebhookRefused("the webhook's signature does not match its body") from error
