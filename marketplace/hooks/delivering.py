"""Deliveries out: leased, sent in threads through the one way out, recorded try by try.

No transaction is open while a receiver is called, and no receiver holds up the others: at most
`SIDE_BY_SIDE` of one hook are on their way at once. What answers 2xx has arrived. 410 ends the
hook. Anything else, redirects included, is tried again with growing pauses, up to a cap; a hook to
which nothing arrived for `PATIENCE` is switched off and its party told.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from marketplace.hooks.keeping import end_hook, secrets_of
from marketplace.hooks.messages import body_of, content_of, headers_of, test_content
from marketplace.models import Delivery, DeliveryAttempt, Hook
from pacts.egress import Egress, EgressError, EgressPolicy

DEADLINE_SECONDS = 8.0
LEASE = timedelta(seconds=45)
AT_ONCE = 24
SIDE_BY_SIDE = 4
PATIENCE = timedelta(days=5)
# Seconds before the second try, the third, …; after the last it is given up.
PAUSES = (5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400)
LONGEST_ASKED = 3_600  # of a receiver's own Retry-After
GONE = 410


@lru_cache(maxsize=1)
def way_out() -> Egress:
    """The egress for receivers: small answers, a short deadline."""
    policy = EgressPolicy(
        allow_loopback=settings.EGRESS_ALLOW_LOOPBACK,
        deadline_seconds=DEADLINE_SECONDS,
        max_wire_bytes=64 * 1024,
        max_decoded_bytes=64 * 1024,
    )
    return Egress(policy)


@dataclass(frozen=True, slots=True)
class Sending:
    """One leased delivery, ready to go."""

    delivery: Delivery
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Came:
    """What came back: a status, or what went wrong instead."""

    status: int | None
    problem: str
    latency_ms: float | None
    wait_seconds: int | None = None

    @property
    def arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def deliver_due(*, egress: Egress, now: datetime) -> int:
    """Send what is due, up to AT_ONCE; how many were sent."""
    sending = [_prepared(one, now) for one in _lease(now)]
    if not sending:
        return 0
    with ThreadPoolExecutor(min(8, len(sending)), thread_name_prefix="hooks") as pool:
        came = list(pool.map(lambda one: _send(egress, one), sending))
    for one, answer in zip(sending, came, strict=True):
        record(one.delivery, answer, now=now)
    return len(sending)


_LEASE = """
WITH due AS (
    SELECT d.id FROM marketplace_delivery d
     WHERE d.state = 'waiting' AND d.due_at <= %(now)s AND d.id IN (
           SELECT ranked.id FROM (
               SELECT id, row_number() OVER (PARTITION BY hook_id ORDER BY due_at, id) AS place
                 FROM marketplace_delivery WHERE state = 'waiting' AND due_at <= %(now)s) ranked
            WHERE ranked.place <= %(beside)s)
     ORDER BY d.due_at, d.id LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE marketplace_delivery d SET due_at = %(until)s, attempts = attempts + 1
  FROM due WHERE d.id = due.id RETURNING d.id
"""


def _lease(now: datetime) -> list[Delivery]:
    """What is due, mine for LEASE: whoever dies with it leaves it to the next."""
    values: dict[str, Any] = {
        "now": now,
        "until": now + LEASE,
        "most": AT_ONCE,
        "beside": SIDE_BY_SIDE,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEASE, values)
        ids = [row[0] for row in cursor.fetchall()]
    rows = Delivery.objects.filter(pk__in=ids).select_related("hook", "news__evidence")
    return list(rows.order_by("queued_at", "pk"))


def _prepared(delivery: Delivery, now: datetime) -> Sending:
    news = delivery.news
    content = content_of(news) if news else test_content(delivery.message_id, delivery.queued_at)
    body = body_of(content)
    headers = headers_of(
        secrets=secrets_of(delivery.hook, now=now),
        message_id=delivery.message_id,
        at=now,
        body=body,
    )
    return Sending(delivery, body, headers)


def _send(egress: Egress, one: Sending) -> Came:
    """HTTP only: runs in a thread, and never raises."""
    try:
        reply = egress.post(one.delivery.hook.url, body=one.body, headers=one.headers)
    except EgressError as error:
        return Came(None, str(error)[:200], error.latency_ms)
    except Exception as error:  # a delivery nobody recorded would only wait for its lease
        return Came(None, f"the call broke here: {type(error).__name__}", None)
    asked = reply.headers.get("retry-after", "")
    wait = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else None
    return Came(reply.status, "", reply.latency_ms, wait)


def record(delivery: Delivery, came: Came, *, now: datetime) -> None:
    """Write down one try and what follows: arrived, again later, given up, or the hook ended."""
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery,
            number=delivery.attempts,
            at=now,
            status=came.status,
            problem=came.problem,
            latency_ms=came.latency_ms,
        )
        mine = Delivery.objects.filter(
            pk=delivery.pk, state=Delivery.State.WAITING, attempts=delivery.attempts
        )
        if came.arrived:
            mine.update(state=Delivery.State.DELIVERED, due_at=None, ended_at=now)
            Hook.objects.filter(pk=delivery.hook_id).update(failing_since=None)
        elif came.status == GONE:
            end_hook(hook=delivery.hook, because=Hook.Off.GONE, now=now)
        elif delivery.attempts > len(PAUSES):
            mine.update(state=Delivery.State.GIVEN_UP, due_at=None, ended_at=now)
            _lose_patience(delivery.hook, now)
        else:
            mine.update(due_at=now + _pause(delivery.attempts, came))
            _lose_patience(delivery.hook, now)


def _pause(attempts: int, came: Came) -> timedelta:
    """The table's pause, or what the receiver asks for where that is longer, up to an hour."""
    own = PAUSES[attempts - 1]
    return timedelta(seconds=max(own, min(came.wait_seconds or 0, LONGEST_ASKED)))


def _lose_patience(hook: Hook, now: datetime) -> None:
    Hook.objects.filter(pk=hook.pk, failing_since=None).update(failing_since=now)
    since = Hook.objects.values_list("failing_since", flat=True).get(pk=hook.pk)
    if since is not None and now - since > PATIENCE:
        end_hook(hook=hook, because=Hook.Off.FAILING, now=now)


def log_of(hook: Hook) -> Sequence[Delivery]:
    """The latest deliveries of a hook with their tries."""
    rows = Delivery.objects.filter(hook=hook).select_related("news").prefetch_related("tries")
    return list(rows[:50])
