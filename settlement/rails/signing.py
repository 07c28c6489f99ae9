"""Standard Webhooks signatures: https://www.standardwebhooks.com, symmetric scheme `v1`.

The signed text is `<id>.<unix seconds>.<body>`, the key 24 to 64 bytes; several signatures may
stand side by side, separated by spaces, while keys change.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from settlement.rails.rail import WebhookRefused

TOLERANCE = timedelta(minutes=5)


def sign(*, key: bytes, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a delivery."""
    moment = int(at.timestamp())
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": _signature(key, event_id, moment, body),
    }


def verify(*, keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The event id of a delivery that one of the keys signed. Raises WebhookRefused."""
    event_id = headers.get("webhook-id", "")
    moment = headers.get("webhook-timestamp", "")
    if not event_id or not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        raise WebhookRefused("the webhook's id or timestamp is missing or malformed")
    check_moment(int(moment), now)
    given = [part.encode() for part in headers.get("webhook-signature", "").split(" ")[:10]]
    expected = [_signature(key, event_id, int(moment), body).encode() for key in keys]
    if not any(hmac.compare_digest(one, other) for one in given for other in expected):
        raise WebhookRefused("no signature of this webhook matches its body")
    return event_id


def check_moment(moment: int, now: datetime) -> None:
    """Refuses what was signed more than TOLERANCE away from now. Raises WebhookRefused."""
    if abs(now.timestamp() - moment) > TOLERANCE.total_seconds():
        raise WebhookRefused("the webhook was signed too long ago, or in the future")


def _signature(key: bytes, event_id: str, moment: int, body: bytes) -> str:
    signed = b".".join([event_id.encode(), str(moment).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
