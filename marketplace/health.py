"""Whether this process lives, and whether the whole can do its work."""

from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, JsonResponse

from reputation import queries
from reputation.clock import database_now

LONGEST_WAIT = timedelta(seconds=60)  # of evidence for its place in the log


def live(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked, so a lost database restarts no web server."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """Database, broker and sequencer; 503 with the part that fails."""
    parts = {"database": _database(), "broker": _broker()}
    parts["sequencer"] = _sequencer() if parts["database"] == "ok" else "unknown"
    fine = set(parts.values()) == {"ok"}
    response = JsonResponse(
        {"status": "ready" if fine else "not ready", **parts}, status=200 if fine else 503
    )
    if not fine:
        response["Retry-After"] = "5"
    return response


def _database() -> str:
    try:
        database_now()
    except DatabaseError:
        return "away"
    return "ok"


def _broker() -> str:
    line = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1.0, socket_timeout=1.0)
    try:
        line.ping()
    except (redis.RedisError, OSError):
        return "away"
    finally:
        line.close()
    return "ok"


def _sequencer() -> str:
    try:
        with transaction.atomic():
            wait = queries.backlog(now=database_now()).oldest_wait
    except DatabaseError:
        return "unknown"
    return "ok" if wait <= LONGEST_WAIT else "behind"
