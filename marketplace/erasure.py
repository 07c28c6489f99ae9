"""A person's or a party's private texts erased wherever they are kept; every proof stays valid.

The payload of a piece of evidence is deleted. What people wrote is also kept in a row of its own,
to be shown: those columns (`COPIES`) are emptied with it, and what the person wrote as a reviewer
or as staff (`WRITTEN`). They are sealed at rest, so that dead rows, the write-ahead log and old
backups show nothing either. What an open case needs waits for the case: the request stays open, and
the sweep (`erase_due`) erases the rest as soon as nothing needs it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import models, transaction

from marketplace import farewells
from marketplace.exporting import packing
from marketplace.models import ErasureRequest, FindingReply, Incident, IncidentEntry, SuspicionStep
from pacts.models import (
    Appeal,
    Confirmation,
    Dispute,
    Exhibit,
    Need,
    Negotiation,
    Proposal,
    Recusal,
    RehearsedCase,
    ReviewLabel,
    Ruling,
    SealedOffer,
    TaskSet,
)
from reputation import evidence
from reputation.fields import SealedTextField
from reputation.models import ControlReview, EvidenceSubject, Override
from settlement.models import Cancellation, DifferenceResolution


@dataclass(frozen=True, slots=True)
class Copy:
    """Texts beside the evidence: rows found by `key`, the id that evidence names in `role`."""

    role: str
    model: type[models.Model]
    key: str
    columns: tuple[str, ...]
    empty: str | bytes = ""


@dataclass(frozen=True, slots=True)
class Written:
    """Texts found by who wrote or owns them: the id in the column `by`. `needed` are the rows that
    are needed still, until the moment in `until` at the latest."""

    model: type[models.Model]
    by: str
    column: str
    needed: models.Q | None = None
    until: str = ""


COPIES = (
    Copy("dispute", Dispute, "pk", ("statement", "answer")),
    Copy("dispute", Ruling, "dispute_id", ("reasons",)),
    Copy("dispute", Appeal, "dispute_id", ("statement",)),
    Copy("dispute", Confirmation, "ruling__dispute_id", ("reasons",)),
    Copy("dispute", Recusal, "dispute_id", ("reason",)),
    Copy("dispute", Exhibit, "dispute_id", ("title",)),
    Copy("dispute", Exhibit, "dispute_id", ("sealed",), empty=b""),
    Copy("cancellation", Cancellation, "pk", ("note",)),
    Copy("firing", Override, "firing_id", ("reason",)),
    Copy("control", ControlReview, "lineage", ("note",)),
    Copy("suspicion", SuspicionStep, "suspicion_id", ("reason",)),
    Copy("incident", Incident, "pk", ("reason",)),
    Copy("incident", IncidentEntry, "incident_id", ("note",)),
    Copy("evaluation", ReviewLabel, "item__batch__evaluation_id", ("note",)),
)
WRITTEN = (
    Written(ReviewLabel, "reviewer_id", "note"),
    Written(DifferenceResolution, "by_id", "reason"),
    Written(ControlReview, "by", "note"),
    Written(Override, "by", "reason"),
    Written(TaskSet, "owner_id", "note"),
    Written(IncidentEntry, "by_id", "note"),
    *(
        Written(FindingReply, by, column)
        for by in ("by_id", "party_id")
        for column in ("text", "salt")
    ),
    *(
        Written(RehearsedCase, f"rehearsal__{by}", column)
        for by in ("started_by_id", "party_id")
        for column in ("input", "expected", "answer", "answers", "reason")
    ),
    *(
        Written(
            Proposal,
            by,
            column,
            models.Q(negotiation__state=Negotiation.State.OPEN),
            "negotiation.ends_by_at",
        )
        for by in ("by_id", "party_id")
        for column in ("terms", "note")
    ),
    *(
        Written(SealedOffer, by, column, ~models.Q(need__state=Need.State.CLOSED), until)
        for by in ("placed_by_id", "builder_id")
        for column, until in (("sealed", "need.choose_until"), ("note", "need.choose_until"))
    ),
    *(
        Written(Negotiation, by, "listed", models.Q(state=Negotiation.State.OPEN), "ends_by_at")
        for by in ("buyer_id", "builder_id")
    ),
)
# Erased once the case is over: until then the sides and the adjudicator need them. Each case ends
# by itself at the moment that follows, at the latest.
_IN_DISPUTE = (~models.Q(dispute__state=Dispute.State.CLOSED), "dispute.ends_by_at")
_OPEN: dict[type[models.Model], tuple[models.Q, str]] = {
    Dispute: (~models.Q(state=Dispute.State.CLOSED), "ends_by_at"),
    **dict.fromkeys((Ruling, Appeal, Recusal, Exhibit), _IN_DISPUTE),
    Confirmation: (
        ~models.Q(ruling__dispute__state=Dispute.State.CLOSED),
        "ruling.dispute.ends_by_at",
    ),
    Cancellation: (models.Q(state=Cancellation.State.OPEN), "expires_at"),
}

STAYS = """\
What stays, and why:
- ids, digests, amounts, times and outcomes in the log and in the books: history is append-only and
  names nobody; an id without its party's row is nobody's name.
- the terms of pacts and agreements: signed by both sides, and the other side's as much.
- texts of disputes, negotiations and offers that are still open: until the moment said above at the
  latest; they
  are erased then by themselves.
- raw inputs and answers of runs, and what was said in calls: erased by the party that asked for
  them (POST /api/v1/evaluations/ID/erasure, POST /api/v1/engagements/ID/call-erasure).
- tasks of golden sets: verdicts about money were measured on them.
- archives that other parties packed before: what they hold was theirs to read too, and they are
  deleted within 7 days of their packing. Those of the erased party, or of one that an erased person
  acted for, are deleted at once.
- stored answers to repeated requests: sealed, and gone after 7 days.
- name and address of a person: erased with the person's own id (usr_…); the name of an
  organisation is public.
- in the database's own files, what was erased in clear (names, addresses) until its next vacuum; in
  backups until they expire. Texts and payloads were sealed there from the beginning."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text that an open case needs, and the moment at which it ends at the latest."""

    case_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Erased:
    """How many payloads are deleted and rows emptied, what waits, and whether a person's account
    is no longer anybody's."""

    payloads: int
    texts: int
    waiting: list[Waiting] = field(default_factory=list)
    account: bool = False


def erase(*, subject_id: str, reason: str, now: datetime) -> Erased:
    """Erase what is private in evidence that names an id, the copies of it elsewhere, and, of a
    person, name and address. What must wait is erased by `erase_due`.

    `reason` is a token such as `data_subject_request`. Each payload's erasure is evidence.
    Raises farewells.PersonNeeded; then nothing is erased.
    """
    with transaction.atomic():
        request, _ = ErasureRequest.objects.select_for_update().get_or_create(
            subject_id=subject_id,
            done_at=None,
            defaults={"reason": reason, "asked_at": now},
        )
        return _go_on(request, now)


def erase_due(*, now: datetime) -> int:
    """Go on with every request that waits; how many ended."""
    ended = 0
    for pk in list(ErasureRequest.objects.filter(done_at=None).values_list("pk", flat=True)):
        with transaction.atomic():
            rows = ErasureRequest.objects.select_for_update(skip_locked=True)
            request = rows.filter(pk=pk, done_at=None).first()
            ended += bool(request and not _go_on(request, now).waiting)
    return ended


def _go_on(request: ErasureRequest, now: datetime) -> Erased:
    subject_id, reason = request.subject_id, request.reason
    gone = len(evidence.erase_payloads_of(subject_id=subject_id, reason=reason, at=now))
    texts = _empty_written(subject_id)
    waiting: list[Waiting] = list(_written_waiting(subject_id))
    for copy in COPIES:
        rows = _held(copy, subject_id)
        if (still := _OPEN.get(copy.model)) is not None:
            waiting += _waiting(rows.filter(still[0]), still[1])
            rows = rows.exclude(still[0])
        # A ruling's evidence names its case and not the sides, so it is found by the case.
        for case in list(rows.order_by().values_list(copy.key, flat=True).distinct()):
            told = evidence.erase_payloads_of(subject_id=case, reason=reason, at=now)
            gone += len(told)
        texts += rows.update(**dict.fromkeys(copy.columns, copy.empty))
    account = farewells.take_leave(subject_id=subject_id, now=now)
    if gone or texts or account:
        packing.take_back(subject_id=subject_id)
    request.waits_until = max((one.until for one in waiting), default=None)
    request.done_at = None if waiting else now
    request.save(update_fields=["waits_until", "done_at"])
    return Erased(gone, texts, waiting, account)


def _empty_written(subject_id: str) -> int:
    """Empty what somebody wrote beside any evidence and nobody needs; how many rows."""
    return sum(
        _written(one, subject_id)
        .exclude(one.needed if one.needed is not None else models.Q(pk__in=[]))
        .update(**{one.column: ""})
        for one in WRITTEN
    )


def _written(one: Written, subject_id: str) -> "models.QuerySet[Any]":
    rows = one.model._default_manager.filter(**{one.by: subject_id})
    return rows.exclude(**{one.column: ""})


def _written_waiting(subject_id: str) -> Iterator[Waiting]:
    """What somebody wrote and an open offer needs."""
    for one in WRITTEN:
        if one.needed is not None:
            yield from _waiting(_written(one, subject_id).filter(one.needed), one.until)


def _waiting(rows: "models.QuerySet[Any]", column: str) -> Iterator[Waiting]:
    until = attrgetter(column)
    sealed = [one.name for one in rows.model._meta.fields if isinstance(one, SealedTextField)]
    return (Waiting(row.pk, until(row)) for row in rows.defer(*sealed))  # a lost key stops nothing


def _held(copy: Copy, subject_id: str) -> "models.QuerySet[Any]":
    """Rows of the cases that evidence naming the id is about, and that still hold a text."""
    named = EvidenceSubject.objects.filter(
        role=copy.role, evidence__subjects__subject_id=subject_id
    )
    held = models.Q()
    for column in copy.columns:
        held |= ~models.Q(**{column: copy.empty})
    rows = copy.model._default_manager.filter(**{f"{copy.key}__in": named.values("subject_id")})
    return rows.filter(held)
