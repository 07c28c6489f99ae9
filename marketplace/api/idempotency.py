"""Requests that can be sent again: one effect and one answer per Idempotency-Key and caller.

The answer is stored in the transaction of its effect, so a crash leaves both or neither. While one
request holds a key, an advisory lock of its transaction makes every other with that key a conflict
instead of a wait. A refusal leaves no effect and so uses no key up: correct it and send it again.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.models import ReplayedRequest
from settlement.retries import retried

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST = 255
KEPT = timedelta(days=7)


class KeyMissing(ValueError):
    """A request that moves money came without a key."""


class KeyMalformed(ValueError):
    """The key is empty, too long, or not visible ASCII."""


class KeyReused(ValueError):
    """The key belongs to an earlier, different request."""


class RequestInFlight(RuntimeError):
    """Another request with this key is being worked on."""


@retried
def answer(
    *, request: Request, caller: str, required: bool, act: Callable[[], Response]
) -> Response:
    """The stored answer of this key, or that of `act()`, stored with what it did.

    Raises `KeyMissing`, `KeyMalformed`, `KeyReused`, `RequestInFlight`, and whatever `act` does.
    """
    key = key_of(request)
    if key is None:
        if required:
            raise KeyMissing(
                f"Send the header {HEADER}: any text of your own, such as a UUID, that you "
                "repeat when you send this very request again."
            )
        return act()
    wanted = digest_of(request)
    with transaction.atomic():
        _hold(caller, key)
        earlier = ReplayedRequest.objects.filter(caller=caller, key=key).first()
        if earlier:
            return _replay(earlier, wanted)
        response = act()
        ReplayedRequest.objects.create(
            caller=caller,
            key=key,
            request_digest=wanted,
            status=response.status_code,
            body=JSONRenderer().render(response.data).decode(),
        )
        return response


def key_of(request: Request) -> str | None:
    """The key that was sent: 1 to 255 visible ASCII characters. Raises `KeyMalformed`."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST or not all("!" <= char <= "~" for char in key):
        raise KeyMalformed(f"{HEADER} takes 1 to {LONGEST} visible ASCII characters, no spaces.")
    return key


def key_for_the_ledger(request: Request) -> str:
    """The same key in the shorter form that lower floors take; they scope it to the party."""
    return "sha256:" + hashlib.sha256((key_of(request) or "").encode()).hexdigest()


def digest_of(request: Request) -> str:
    """What was asked: method, address and body, whatever the order of the body's fields."""
    asked = [request.method, request.get_full_path(), request.data]
    text = json.dumps(asked, sort_keys=True, ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def forget_old(*, now: datetime) -> int:
    """Delete answers nobody repeats any more; returns how many."""
    deleted, _ = ReplayedRequest.objects.filter(created_at__lt=now - KEPT).delete()
    return deleted


def _hold(caller: str, key: str) -> None:
    number = hashlib.sha256(f"{caller}\0{key}".encode()).digest()[:8]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(number, signed=True)]
        )
        (held,) = cursor.fetchone()
    if not held:
        raise RequestInFlight("A request with this key is still being worked on; ask again later.")


def _replay(earlier: ReplayedRequest, wanted: str) -> Response:
    if earlier.request_digest != wanted:
        raise KeyReused(
            f"This {HEADER} belongs to another request of yours; use a new one for a new request."
        )
    return Response(json.loads(earlier.body), earlier.status, headers={REPLAYED: "true"})
