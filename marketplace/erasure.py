"""A person's or a party's private texts erased wherever they are kept; every proof stays valid.

The payload of a piece of evidence is deleted. What people wrote is also kept in a row of its own,
to be shown: those columns (`COPIES`) are emptied with it. They are sealed at rest, so that dead
rows, the write-ahead log and old backups show nothing either.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models, transaction

from marketplace.models import SuspicionStep
from pacts.models import Appeal, Confirmation, Dispute, Exhibit, Recusal, Ruling
from reputation import evidence
from reputation.models import ControlReview, EvidenceSubject, Override
from settlement.models import Cancellation


@dataclass(frozen=True, slots=True)
class Copy:
    """Texts beside the evidence: rows found by `key`, the id that evidence names in `role`."""

    role: str
    model: type[models.Model]
    key: str
    columns: tuple[str, ...]
    empty: str | bytes = ""


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
)
# Erased once the case is over: until then the sides and the adjudicator need them.
_OPEN: dict[type[models.Model], models.Q] = {
    Dispute: ~models.Q(state=Dispute.State.CLOSED),
    **dict.fromkeys((Ruling, Appeal, Recusal, Exhibit), ~models.Q(dispute__state="closed")),
    Confirmation: ~models.Q(ruling__dispute__state="closed"),
    Cancellation: models.Q(state=Cancellation.State.OPEN),
}

STAYS = """\
What stays, and why:
- ids, digests, amounts, times and outcomes in the log and in the books: history is append-only and
  names nobody; an id without its party's row is nobody's name.
- the terms of pacts and agreements: signed by both sides, and the other side's as much.
- texts of disputes and offers that are still open: needed until they end; run this again then.
- raw inputs and answers of runs: erased by the party that asked for them, run by run
  (POST /api/v1/evaluations/ID/erasure); tasks are erased with their task set's owner.
- names and addresses of accounts: in the account itself, changed or removed there.
- what the platform's staff explain in its own books (reconciliation)."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many payloads are deleted, rows emptied, and rows left because their case is open."""

    payloads: int
    texts: int
    waiting: int


def erase(*, subject_id: str, reason: str, now: datetime) -> Erased:
    """Erase what is private in evidence that names an id, and the copies of it elsewhere.

    `reason` is a token such as `data_subject_request`. Each payload's erasure is evidence.
    """
    with transaction.atomic():
        gone = len(evidence.erase_payloads_of(subject_id=subject_id, reason=reason, at=now))
        texts = waiting = 0
        for copy in COPIES:
            rows = _written(copy, subject_id)
            if (still := _OPEN.get(copy.model)) is not None:
                waiting += rows.filter(still).count()
                rows = rows.exclude(still)
            # A ruling's evidence names its case and not the sides, so it is found by the case.
            for case in list(rows.order_by().values_list(copy.key, flat=True).distinct()):
                told = evidence.erase_payloads_of(subject_id=case, reason=reason, at=now)
                gone += len(told)
            texts += rows.update(**dict.fromkeys(copy.columns, copy.empty))
    return Erased(gone, texts, waiting)


def _written(copy: Copy, subject_id: str) -> "models.QuerySet[Any]":
    """Rows of the cases that evidence naming the id is about, and that still hold a text."""
    named = EvidenceSubject.objects.filter(
        role=copy.role, evidence__subjects__subject_id=subject_id
    )
    held = models.Q()
    for column in copy.columns:
        held |= ~models.Q(**{column: copy.empty})
    rows = copy.model._default_manager.filter(**{f"{copy.key}__in": named.values("subject_id")})
    return rows.filter(held)
