"""The evidence log: public facts, newest first, and one envelope with its hash."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from marketplace.pages.visitors import find, now_of
from reputation import queries
from reputation.identifiers import is_id
from reputation.models import Evidence, EvidencePayload, EvidenceSubject, LogEntry

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the log; `index` is None until it is sequenced."""

    evidence_id: str
    kind: str
    recorded_at: datetime
    index: int | None
    subjects: dict[str, str]
    facts: dict[str, Any]


def evidence(request: HttpRequest) -> HttpResponse:
    """The newest entries, all or those naming one subject."""
    subject = request.GET.get("subject", "").strip()
    before = request.GET.get("before", "")
    wrong = bool(subject) and not is_id(subject)
    lines = [] if wrong else _lines(subject, before if is_id(before) else None)
    context = {
        "lines": lines[:PER_PAGE],
        "more": lines[PER_PAGE - 1].evidence_id if len(lines) > PER_PAGE else None,
        "subject": subject,
        "wrong": wrong,
        "backlog": queries.backlog(now=now_of(request)),
        "size": LogEntry.objects.order_by("-index").values_list("index", flat=True).first(),
    }
    return render(request, "evidence/evidence.html", context)


def _lines(subject: str, before: str | None) -> list[Line]:
    if subject:
        found = queries.history_of(subject_id=subject, limit=PER_PAGE + 1, before=before)
        return [_line(h.evidence_id, h.kind, h.recorded_at, h.index, h.envelope) for h in found]
    rows = Evidence.objects.order_by("-id").prefetch_related("entries")
    if before:
        rows = rows.filter(id__lt=before)
    return [
        _line(row.id, row.kind, row.recorded_at, _index(row), row.read())
        for row in rows[: PER_PAGE + 1]
    ]


def _index(row: Evidence) -> int | None:
    return next((entry.index for entry in row.entries.all()), None)


def _line(
    evidence_id: str, kind: str, at: datetime, index: int | None, envelope: dict[str, Any]
) -> Line:
    return Line(evidence_id, kind, at, index, envelope["subjects"], envelope.get("facts", {}))


def evidence_entry(request: HttpRequest, evidence_id: str) -> HttpResponse:
    """One envelope exactly as it is hashed."""
    found = find(Evidence.objects.prefetch_related("entries"), pk=evidence_id)
    context = {
        "entry": found,
        "index": _index(found),
        "envelope": found.read(),
        "leaf_hash": bytes(found.leaf_hash).hex(),
        "subjects": EvidenceSubject.objects.filter(evidence=found).order_by("role"),
        "has_payload": EvidencePayload.objects.filter(pk=found.pk).exists(),
    }
    return render(request, "evidence/entry.html", context)
