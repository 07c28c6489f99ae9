"""The oracle: an agent's standing as one public document that others may rely on and verify.

The document is written when something changed (`publish`, at the end of a look) and only read
after that: a request costs no more than finding bytes. Its `proofs` are an evidence bundle that
the stand-alone verifier takes as it is. Within an hour ageing changes nothing, so a document holds
for its hour unless there is news.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from marketplace.models import Listing, OracleAnswer
from pacts.models import Agent
from reputation import bundles, checkpoints, queries, restrictions
from reputation.ageing import hour_of
from reputation.canonical import canonical
from reputation.clock import database_now
from reputation.envelope import instant
from reputation.models import StandingCursor, StandingPoint, VersionRecord
from reputation.proofs import NotYetProvable
from reputation.standing import Composite, DimensionStanding
from reputation.tallies import METHOD, Record

FORMAT = "earnest-oracle/1"
MOST_PROOFS = 10
CACHEABLE = "public, max-age=10"
# A document just read is not looked up again; well within what any cache is allowed anyway.
KEPT_SECONDS = 2.0
MOST_KEPT = 10_000

_DIMENSION = (
    *("units", "passes", "failures", "verdicts", "buyers", "estimate_bps", "lower_bps"),
    *("upper_bps", "trend_bps", "promise_bps", "floor_bps", "status", "is_new", "is_vouched"),
)
_COMPOSITE = (
    *("overall_bps", "lower_bps", "upper_bps", "shown_bps", "score_bps", "capped_by", "status"),
    *("units", "is_vouched", "confidence_bps"),
)
_RECORD = (
    *("verdicts", "tasks", "met", "breached", "critical_breaches", "rulings", "disputes"),
    *("started", "concluded", "changed_at", "changed_evidence"),
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A document in this process's memory until `until` of its monotonic clock."""

    body: bytes
    etag: str
    modified: int
    dated: str
    until: float


_kept: dict[str, _Kept] = {}


def answer(request: HttpRequest, agent_id: str) -> HttpResponse | None:
    """The document, or 304 where the asker has it already; None when there is no such agent."""
    found = _kept.get(agent_id)
    if found is None or found.until < time.monotonic():
        found = _read(agent_id)
        if found is None:
            return None
    known = _is_known(request, found)
    response = (
        HttpResponseNotModified()
        if known
        else HttpResponse(found.body, content_type="application/json")
    )
    response.headers["ETag"] = found.etag
    response.headers["Last-Modified"] = found.dated
    response.headers["Cache-Control"] = CACHEABLE
    return response


def _is_known(request: HttpRequest, found: _Kept) -> bool:
    """RFC 9110, 13.2.2: with If-None-Match, If-Modified-Since is not looked at."""
    tags = request.META.get("HTTP_IF_NONE_MATCH")
    if tags is not None:
        given = parse_etags(tags)
        return given == ["*"] or any(tag.removeprefix("W/") == found.etag for tag in given)
    since = request.META.get("HTTP_IF_MODIFIED_SINCE")
    seconds = parse_http_date_safe(since) if since else None
    return seconds is not None and found.modified <= seconds


def _read(agent_id: str) -> _Kept | None:
    row = OracleAnswer.objects.filter(pk=agent_id).first()
    if row is None:
        if not Agent.objects.filter(pk=agent_id).exists():
            return None
        row = publish(agent_id=agent_id, now=database_now())
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    found = _Kept(
        body=row.body.encode(),
        etag=f'"{row.digest}"',
        modified=(modified := int(row.published_at.timestamp())),
        dated=http_date(modified),
        until=time.monotonic() + KEPT_SECONDS,
    )
    _kept[agent_id] = found
    return found


def publish(*, agent_id: str, now: datetime) -> OracleAnswer:
    """Write the agent's document anew; the row stays as it is when nothing in it changed."""
    content, is_whole = document(agent_id=agent_id, now=now)
    body = canonical(content)
    digest = sha256(body).hexdigest()
    with transaction.atomic():
        row, made = OracleAnswer.objects.select_for_update().get_or_create(
            agent_id=agent_id,
            defaults={
                "body": body.decode(),
                "digest": digest,
                "is_whole": is_whole,
                "published_at": now,
            },
        )
        if not made and (row.digest, row.is_whole) != (digest, is_whole):
            row.body, row.digest, row.is_whole = body.decode(), digest, is_whole
            row.published_at = now
            row.save()
    return row


def document(*, agent_id: str, now: datetime) -> tuple[dict[str, Any], bool]:
    """The document, and whether every piece of evidence it names is proved in it."""
    listing = Listing.objects.filter(agent_id=agent_id).first()
    version = listing.agent_version_id if listing else None
    standing = queries.standing_of(agent_id=agent_id, version_id=version, now=hour_of(now))
    record = VersionRecord.objects.filter(version_id=standing.version_id or "-").first()
    named = _evidence_of(standing.version_id)
    proofs = _proofs(named)
    read = StandingCursor.objects.filter(pk=METHOD).first()
    content = {
        "format": FORMAT,
        "method": METHOD,
        "agent": agent_id,
        "agent_version": standing.version_id,
        "as_of": instant(hour_of(now)),
        "log_read_to": read.next_index if read else 0,
        "composite": _fields(standing.composite, _COMPOSITE),
        "dimensions": {name: _dimension(one) for name, one in sorted(standing.dimensions.items())},
        "record": _fields(record or Record(), _RECORD),
        "restrictions": _restrictions(agent_id, now),
        "evidence": named,
        "proofs": proofs,
        "links": _links(agent_id),
    }
    return content, not named or (proofs is not None and not proofs["waiting"])


def _evidence_of(version_id: str | None) -> list[str]:
    """The newest evidence that moved the standing, and what made it count, newest first."""
    points = StandingPoint.objects.filter(version_id=version_id or "-").order_by("-id")
    pairs = points.values_list("cause_id", "evidence_id")[:MOST_PROOFS]
    return list(dict.fromkeys(one for pair in pairs for one in pair if one))


def _proofs(evidence_ids: list[str]) -> dict[str, Any] | None:
    """A bundle the stand-alone verifier takes; None before the log's first signed head."""
    if checkpoints.newest() is None:
        return None
    try:
        return bundles.bundle(evidence_ids=evidence_ids)
    except NotYetProvable:
        return None


def _fields(thing: Composite | VersionRecord | Record, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _dimension(one: DimensionStanding) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in _DIMENSION}
    return values | {
        "first_evidence_at": instant(one.first_evidence_at),
        "last_evidence_at": instant(one.last_evidence_at),
    }


def _restrictions(agent_id: str, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "action": one.action,
            "because": one.sentence,
            "control": one.control,
            "since": instant(one.since),
            "evidence": one.evidence_id,
        }
        for one in restrictions.in_force(agent_id=agent_id, now=now)
    ]


def _links(agent_id: str) -> dict[str, str]:
    root = settings.PUBLIC_URL.rstrip("/")
    return {
        "self": f"{root}/api/v1/oracle/{agent_id}",
        "evidence": f"{root}/api/v1/evidence?subject={agent_id}",
    }
