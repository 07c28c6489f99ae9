"""What programs are told of one piece of news: the same in a delivery and in the feed."""

import base64
import json
from datetime import datetime
from typing import Any

from django.conf import settings

from marketplace.models import News
from settlement.rails.signing import sign

SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets of Standard Webhooks begin


def content_of(news: News) -> dict[str, Any]:
    """`{id, type, timestamp, index, data}`; `data` holds the evidence as the log shows it."""
    return {
        "id": news.pk,
        "type": news.kind,
        "timestamp": news.told_at.isoformat(),
        "index": news.index,
        "data": {
            "topic": news.topic,
            "grave": news.grave,
            "title": news.title,
            "url": f"{settings.PUBLIC_URL}{news.path}",
            "evidence": news.evidence.read() if news.evidence else None,
        },
    }


def test_content(message_id: str, at: datetime) -> dict[str, Any]:
    """What a test delivery says: nothing happened."""
    return {
        "id": message_id,
        "type": "hook.tried",
        "timestamp": at.isoformat(),
        "index": None,
        "data": {"title": "A test: nothing happened."},
    }


def body_of(content: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def headers_of(*, secrets: list[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Standard Webhooks headers, with one signature for every secret in force."""
    signed = [sign(key=key_of(secret), event_id=message_id, at=at, body=body) for secret in secrets]
    together = " ".join(one["webhook-signature"] for one in signed)
    return {**signed[0], "webhook-signature": together, "Content-Type": "application/json"}


def key_of(secret: str) -> bytes:
    """The key behind `whsec_…`."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))
