"""The evidence log: public facts, newest first, one envelope with its proof, and the log itself."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from marketplace.models import OracleAnswer
from marketplace.pages.visitors import find, now_of
from reputation import checkpoints, keys, notes, proofs, queries, schemas, witnesses
from reputation.identifiers import is_id
from reputation.kinds import KINDS
from reputation.models import Checkpoint, Evidence, EvidencePayload, EvidenceSubject, LogEntry

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
    proof = _proof(found.pk)
    context = {
        "proof": proof,
        "key": next(iter(keys.vkeys()), ""),
        "head": proof and notes.read_head(notes.read_note(proof.note).text),
        "schema": KINDS.get(found.kind),
        "entry": found,
        "index": _index(found),
        "envelope": found.read(),
        "leaf_hash": bytes(found.leaf_hash).hex(),
        "subjects": EvidenceSubject.objects.filter(evidence=found).order_by("role"),
        "has_payload": EvidencePayload.objects.filter(pk=found.pk).exists(),
    }
    return render(request, "evidence/entry.html", context)


def _proof(evidence_id: str) -> notes.TlogProof | None:
    """The proof as `/log/proof/` serves it; None until a signed head covers the evidence."""
    try:
        return proofs.tlog_proof(evidence_id=evidence_id)
    except proofs.NotYetProvable:
        return None


def evidence_kinds(request: HttpRequest) -> HttpResponse:
    """Every kind of evidence and its published schema, the versions of old included."""
    shown = [
        (kind, version, json.dumps(schemas.schema_of(kind=kind, version=version), indent=2))
        for kind, version in schemas.published()
    ]
    return render(request, "evidence/kinds.html", {"kinds": shown})


def _newest_signed(head: Checkpoint | None) -> str | None:
    """A piece of evidence that the head covers, to try the commands on."""
    if head is None or not head.size:
        return None
    return LogEntry.objects.values_list("evidence_id", flat=True).get(index=head.size - 1)


def log(request: HttpRequest) -> HttpResponse:
    """For the sceptic: the signed head, who cosigned it, and how to check all of it alone."""
    head = checkpoints.newest()
    said = witnesses.answers()
    context = {
        "head": head,
        "checkpoint": head and checkpoints.text_of(head),
        "root": head and bytes(head.root).hex(),
        "entries": checkpoints.size(),
        "keys": keys.vkeys(),
        "root_url": request.build_absolute_uri("/"),
        "newest": _newest_signed(head),
        "agent": OracleAnswer.objects.order_by("-published_at")
        .values_list("pk", flat=True)
        .first(),
        "witnesses": [(key, said.get(key.name)) for key, _ in witnesses.trusted_witnesses()],
        "heads": Checkpoint.objects.order_by("-size").prefetch_related("cosignatures")[:20],
        "backlog": queries.backlog(now=now_of(request)),
        "now": now_of(request),
    }
    return render(request, "evidence/log.html", context)
