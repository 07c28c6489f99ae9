"""Whether this process lives, and whether the whole can do its work."""

from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, JsonResponse

from pacts.calls_backlog import backlog
from reputation import queries
from reputation.clock import database_now

LONGEST_WAIT = timedelta(seconds=60)  # of evidence for its place in the log
LONGEST_LAG = timedelta(seconds=30)  # of production calls for their checks


def live(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked, so a lost database restarts no web server."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """Database, broker and sequencer; 503 with the part that fails. Calls that wait too long to be
    checked make it `degraded` with 200: a web server that is taken away checks none the sooner."""
    parts = {"database": _database(), "broker": _broker()}
    reached = parts["database"] == "ok"
    parts["sequencer"] = _sequencer() if reached else "unknown"
    fine = set(parts.values()) == {"ok"}
    ingestion = _ingestion() if reached else {"ingestion": "unknown"}
    status = "ready" if ingestion["ingestion"] == "ok" else "degraded"
    response = JsonResponse(
        {"status": status if fine else "not ready", **parts, **ingestion},
        status=200 if fine else 503,
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


def _ingestion() -> dict[str, str | float | int]:
    """Whether production calls are checked about as fast as they come in."""
    try:
        with transaction.atomic():
            found = backlog(now=database_now())
    except DatabaseError:
        return {"ingestion": "unknown"}
    return {
        "ingestion": "ok" if found.lag <= LONGEST_LAG else "behind",
        "ingestion_lag_seconds": round(found.lag_seconds, 3),
        "ingestion_waiting": found.waiting,
    }
