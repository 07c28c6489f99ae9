"""The contested run checked again over its stored answers, before any person looks.

Where the pact is plain (`pacts.procedure.plain`) the rule decides at once, and a person decides
only if a side appeals. The run over stored answers moves no money by itself; a ruling does.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from pacts import terms
from pacts.disputes.moving import locked, move, subjects_of
from pacts.evaluation import EvaluationRefused
from pacts.models import Dispute, Evaluation, Ruling, Verdict
from pacts.procedure.clocks import BEFORE_A_RULING
from pacts.procedure.plain import Finding, Reading, decide_plainly
from pacts.reruns import rerun_evaluation
from reputation import evidence


def start(dispute: Dispute, *, now: datetime) -> None:
    """Queue the run again, if there is one whose answers are still there."""
    if dispute.verdict is None:
        return
    original = dispute.verdict.evaluation
    try:
        dispute.recheck = rerun_evaluation(
            original=original, requested_by=original.requested_by, now=now
        )
    except EvaluationRefused:
        return  # no answer was kept, or it was erased: a person decides on what is there
    dispute.save(update_fields=["recheck"])


def follow_due(*, now: datetime, limit: int = 100) -> int:
    """Look at every run over stored answers that has concluded; returns how many rules decided."""
    waiting = (
        Dispute.objects.filter(rechecked_at=None, recheck__isnull=False)
        .exclude(state=Dispute.State.CLOSED)
        .exclude(recheck__state=Evaluation.State.RUNNING)
    )
    ids = list(waiting.order_by("opened_at").values_list("pk", flat=True)[:limit])
    return sum(_follow(dispute_id, now) for dispute_id in ids)


def _follow(dispute_id: str, now: datetime) -> bool:
    with transaction.atomic():
        row, docket = locked(Dispute(pk=dispute_id), now=now)
        if row.rechecked_at or not docket.is_open:
            return False
        row.rechecked_at = now
        row.save(update_fields=["rechecked_at"])
        found = finding_of(row) if docket.state in BEFORE_A_RULING else None
        if found:
            _rule(row, found, now)
            move(row, docket, "challenge_window", now=now)
        elif docket.state == "evidence_locked":
            move(row, docket, "under_review", now=now)
    return found is not None


def finding_of(dispute: Dispute) -> Finding | None:
    """What the rule decides of a dispute by itself; None where a person must."""
    verdict, again = dispute.verdict, _verdict(dispute.recheck)
    if verdict is None or again is None:
        return None
    terms_now = dispute.milestone.engagement.pact_version.terms
    clauses = terms.parse(terms_now).clauses
    return decide_plainly(
        ground=dispute.ground,
        contested=tuple(dispute.clauses),
        checks={clause.key: clause.check for clause in clauses},
        original=_reading(verdict),
        again=_reading(again),
        on_breach=terms_now.get("on_breach", "refund"),
    )


def _verdict(evaluation: Evaluation | None) -> Verdict | None:
    return Verdict.objects.filter(evaluation=evaluation).first() if evaluation else None


def _reading(verdict: Verdict) -> Reading:
    clauses: dict[str, Any] = {
        row.key: (row.outcome, int(row.passes), int(row.failures)) for row in verdict.clauses.all()
    }
    return Reading(
        outcome=verdict.outcome, earned_share_bps=verdict.earned_share_bps, clauses=clauses
    )


def _rule(dispute: Dispute, found: Finding, now: datetime) -> None:
    ruling = Ruling(
        dispute=dispute,
        level=1,
        by_rule=True,
        award_bps=found.award_bps,
        clauses=list(found.clauses),
        reasons=found.reasons,
        ruled_at=now,
    )
    facts: dict[str, object] = {
        "outcome": "award",
        "builder_share_bps": found.award_bps,
        "level": 1,
        "by": "rule",
    }
    if dispute.verdict:
        facts["verdict_evidence"] = dispute.verdict.evidence_id
    ruling.evidence_id = evidence.append(
        kind="ruling.made",
        subjects=subjects_of(dispute) | {"ruling": ruling.pk},
        facts=facts,
        private={"reasons": ruling.reasons, "clauses": ruling.clauses},
        at=now,
        dedupe_key=f"ruling.made:{ruling.pk}",
    ).id
    ruling.save(force_insert=True)
    dispute.ruling = ruling
