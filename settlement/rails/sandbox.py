"""The sandbox rail: no real money, the same interface, books of its own (`SandboxMovement`).

The word after the colon of a source or destination says what happens, as the test tokens of card
processors do; `BEHAVIOURS` lists them, and any other word succeeds. The books are written in the
sandbox's own transactions, so what it did stays done when its answer is lost.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.encoding import force_bytes

from reputation.clock import database_now
from settlement.models import SandboxEvent, SandboxLostRequest, SandboxMovement
from settlement.rails import signing
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

LATE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the sandbox treats one order.

    `events` are (kind, how often, after how long) in the order of sending.
    """

    fails: bool = False
    loses_request: bool = False  # the first call never arrives
    loses_answer: bool = False  # the first call is done and not answered
    answers_later: bool = False  # the first answer is `pending`
    copies: int = 1  # how often its books hold it
    events: tuple[tuple[str, int, timedelta], ...] = ()


_AT_ONCE = timedelta(0)
_SUCCEEDED = ("succeeded", 1, _AT_ONCE)
BEHAVIOURS: dict[str, Behaviour] = {
    "ok": Behaviour(),
    "decline": Behaviour(fails=True),
    "slow": Behaviour(answers_later=True),
    "slow-decline": Behaviour(answers_later=True, fails=True),
    "lost-request": Behaviour(loses_request=True),
    "lost-answer": Behaviour(loses_answer=True),
    "duplicate": Behaviour(copies=2),
    "webhook": Behaviour(answers_later=True, events=(("pending", 1, _AT_ONCE), _SUCCEEDED)),
    "lost-webhook": Behaviour(answers_later=True),
    "late-webhook": Behaviour(answers_later=True, events=(("succeeded", 1, LATE),)),
    "duplicate-webhook": Behaviour(answers_later=True, events=(("succeeded", 3, _AT_ONCE),)),
    "reordered-webhook": Behaviour(
        answers_later=True, events=(_SUCCEEDED, ("pending", 1, _AT_ONCE))
    ),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it goes over the wire."""

    headers: dict[str, str]
    body: bytes


class SandboxRail:
    """The same answer to the same question, once it is decided."""

    instant = True
    guide = Guide(
        title="Sandbox",
        source="pretend money, no bank is asked; leave this empty, or try “sandbox:decline”, "
        "“sandbox:slow” or “sandbox:lost-answer”.",
        destination="pretend money, no bank is asked; leave this empty, or try “sandbox:decline”.",
        usual="sandbox:ok",
    )

    @property
    def ready(self) -> bool:
        """Its money costs nothing, so it is offered only where that is meant."""
        return bool(settings.SANDBOX_RAIL)

    def deposit(self, order: Order) -> Answer:
        """See `Rail`."""
        return self._do(order)

    def payout(self, order: Order) -> Answer:
        """See `Rail`."""
        return self._do(order)

    def refund(self, order: Order) -> Answer:
        """See `Rail`."""
        return self._do(order)

    def find(self, order: Order, *, rail_reference: str) -> Movement | None:
        """See `Rail`."""
        row = _rows(order).first()
        return _movement(_asked(row)) if row else None

    def webhook(self, *, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """See `Rail`."""
        event_id = signing.verify(keys=_keys(), headers=headers, body=body, now=now)
        try:
            said = json.loads(body)
            return Notice(
                event_id=event_id, kind=str(said["type"]), reference=str(said["data"]["reference"])
            )
        except (ValueError, KeyError, TypeError) as error:
            raise WebhookRefused("the webhook's body is not an event") from error

    def reconcile(self, *, since: datetime, until: datetime) -> Iterator[Movement]:
        """See `Rail`."""
        rows = SandboxMovement.objects.filter(made_at__gte=since, made_at__lt=until)
        yield from map(_movement, rows.order_by("made_at", "pk").iterator(chunk_size=500))

    def _do(self, order: Order) -> Answer:
        behaviour = BEHAVIOURS.get(order.place.partition(":")[2], BEHAVIOURS["ok"])
        row = _rows(order).first()
        if row:
            return _movement(_asked(row)).answer
        if not _arrives(order, behaviour):
            raise RailUnreachable("the connection broke before the request arrived")
        first = _write(order, behaviour)
        if behaviour.loses_answer:
            raise RailUnreachable("the connection broke before the answer came")
        return _movement(first).answer


def due_deliveries(*, now: datetime, limit: int) -> list[Delivery]:
    """Take what the sandbox owes us by now and sign it; a crash after this loses it, as the world
    does: the lost webhook is then found by asking.
    """
    with transaction.atomic():
        rows = (
            SandboxEvent.objects.select_for_update(skip_locked=True)
            .filter(due_at__lte=now, copies__gt=0)
            .select_related("movement")
            .order_by("pk")[:limit]
        )
        taken = [(row, row.copies) for row in rows]
        SandboxEvent.objects.filter(pk__in=[row.pk for row, _ in taken]).update(copies=0)
    return [delivery_of(row, now=now) for row, copies in taken for _ in range(copies)]


def delivery_of(event: SandboxEvent, *, now: datetime) -> Delivery:
    """An event as the sandbox sends it at `now`."""
    said = {"type": event.kind, "data": {"reference": event.movement.reference}}
    body = json.dumps(said).encode()
    headers = signing.sign(key=_keys()[0], event_id=event.pk, at=now, body=body)
    return Delivery(headers, body)


def _rows(order: Order) -> QuerySet[SandboxMovement]:
    return SandboxMovement.objects.filter(reference=order.reference, copy=0)


def _arrives(order: Order, behaviour: Behaviour) -> bool:
    """Whether a request reaches the sandbox: one to be lost does from the second time on."""
    if not behaviour.loses_request:
        return True
    _, first = SandboxLostRequest.objects.get_or_create(reference=order.reference)
    return not first


def _write(order: Order, behaviour: Behaviour) -> SandboxMovement:
    state = "pending" if behaviour.answers_later else "failed" if behaviour.fails else "succeeded"
    with transaction.atomic():
        rows = [
            SandboxMovement(copy=copy, state=state, **_content(order))
            for copy in range(behaviour.copies)
        ]
        SandboxMovement.objects.bulk_create(rows, ignore_conflicts=True)
        first = SandboxMovement.objects.get(reference=order.reference, copy=0)
        if first.pk == rows[0].pk:
            now = database_now()
            SandboxEvent.objects.bulk_create(
                SandboxEvent(
                    movement=first, kind=f"{order.kind}.{kind}", copies=copies, due_at=now + wait
                )
                for kind, copies, wait in behaviour.events
            )
    return first


def _content(order: Order) -> dict[str, str | int]:
    return {
        "kind": order.kind,
        "reference": order.reference,
        "place": order.place,
        "amount": order.money.amount,
        "currency": order.money.currency,
    }


def _asked(row: SandboxMovement) -> SandboxMovement:
    """Count the question; what was pending is decided when somebody asks again."""
    with transaction.atomic():
        row = SandboxMovement.objects.select_for_update().get(pk=row.pk)
        row.asked += 1
        if row.state == "pending":
            row.state = "failed" if row.place.endswith("decline") else "succeeded"
        row.save(update_fields=["asked", "state"])
    return row


def _movement(row: SandboxMovement) -> Movement:
    results: dict[str, Result] = {"succeeded": "succeeded", "failed": "failed"}
    result = results.get(row.state, "pending")
    detail = "declined by the sandbox" if result == "failed" else ""
    kinds: dict[str, Kind] = {"deposit": "deposit", "payout": "payout", "refund": "refund"}
    return Movement(
        kind=kinds[row.kind],
        reference=row.reference,
        rail_reference=row.pk,
        amount=row.amount,
        currency=row.currency,
        answer=Answer(result, row.pk, detail),
        at=row.made_at,
    )


def _keys() -> list[bytes]:
    """Derived, so that there is nothing to configure; earlier secrets still verify."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [
        HKDF(hashes.SHA256(), 32, salt=None, info=b"earnest sandbox webhooks/1").derive(
            force_bytes(secret)
        )
        for secret in secrets
    ]
