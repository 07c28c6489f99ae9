"""Settling: look at an escrow under its lock, decide, and do it, all in one transaction.

`settle` looks at one escrow, right after something happened; `settle_due` is the sweep that finds
whatever a lost hint forgot. Both go through `advance`, and looking twice does nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from pacts import disputes, engagements
from pacts.models import Dispute, Evaluation, Verdict
from settlement import casefiles, ledger, receipts, records
from settlement.casefiles import Case
from settlement.decisions import AskHuman, Decision, Final, Holding, decide, with_review
from settlement.ledger import Posting, Side
from settlement.models import FINAL, Account, Escrow, Transfer

log = logging.getLogger(__name__)

BATCH = 50
RETRY_AFTER = timedelta(minutes=1)
# A verdict's hint may be lost. Past this the evaluation's own deadline has found the escrow anyway.
LOOK_BACK = timedelta(days=2)
OPEN = [Escrow.State.HELD, Escrow.State.WITHHELD, Escrow.State.FROZEN]
_KINDS = {
    "released": Transfer.Kind.RELEASE,
    "refunded": Transfer.Kind.REFUND,
    "split": Transfer.Kind.SPLIT,
}


class EscrowChanged(RuntimeError):
    """Somebody changed the escrow in spite of its lock."""


@dataclass(slots=True)
class _Step:
    """One case, what was decided, and what its escrow will store."""

    case: Case
    decision: Decision
    changes: dict[str, Any]


def settle(*, escrow_id: str, now: datetime) -> Escrow:
    """Look at one escrow now. Raises Escrow.DoesNotExist; a settled escrow stays as it is."""
    with transaction.atomic():
        cases = casefiles.locked(_open(pk=escrow_id), now=now)
        advance(cases, now=now)
    return Escrow.objects.get(pk=escrow_id)


def settle_due(*, now: datetime, limit: int = 500) -> int:
    """Look at every escrow whose deadline passed or whose verdict or dispute is news.

    Sweepers pass each other by (SKIP LOCKED). Returns how many escrows were looked at.
    """
    wanted = due(now=now, limit=limit)
    return sum(
        _settle_batch(wanted[start : start + BATCH], now) for start in range(0, len(wanted), BATCH)
    )


def due(*, now: datetime, limit: int) -> list[str]:
    """Ids of escrows to look at, the longest due first; both parts are found by an index."""
    late = (
        Escrow.objects.filter(next_action_at__lt=now)
        .order_by("next_action_at")
        .values_list("pk", flat=True)
    )
    return list(dict.fromkeys([*late[:limit], *_news(now)[:limit]]))


def _news(now: datetime) -> list[str]:
    dispute = Dispute.objects.filter(milestone=OuterRef("milestone"), state=Dispute.State.OPEN)
    thawed = Escrow.objects.filter(~Exists(dispute), state=Escrow.State.FROZEN)
    contested = Escrow.objects.filter(
        state__in=[Escrow.State.HELD, Escrow.State.WITHHELD],
        milestone__disputes__state=Dispute.State.OPEN,
    )
    path = "evaluation__deliverable__milestone__escrow"
    judged = (
        Verdict.objects.filter(
            concluded_at__gte=now - LOOK_BACK,
            evaluation__purpose=Evaluation.Purpose.MILESTONE,
            **{f"{path}__state__in": [Escrow.State.HELD, Escrow.State.WITHHELD]},
        )
        .filter(
            Q(**{f"{path}__verdict": None})
            | Q(**{f"{path}__verdict__concluded_at__lt": F("concluded_at")})
        )
        .values_list(f"{path}__pk", flat=True)
    )
    return [
        *thawed.values_list("pk", flat=True),
        *contested.values_list("pk", flat=True),
        *judged,
    ]


def _settle_batch(escrow_ids: Sequence[str], now: datetime) -> int:
    try:
        return _settle_these(escrow_ids, now)
    except Exception:
        log.exception("a batch of %d escrows failed; taking them one by one", len(escrow_ids))
    return sum(_settle_alone(escrow_id, now) for escrow_id in escrow_ids)


def _settle_these(escrow_ids: Sequence[str], now: datetime) -> int:
    with transaction.atomic():
        cases = casefiles.locked(_open(pk__in=escrow_ids), now=now, skip_locked=True)
        advance(cases, now=now)
        return len(cases)


def _settle_alone(escrow_id: str, now: datetime) -> int:
    """One escrow that fails must not hold up the others: it is put off and logged."""
    try:
        return _settle_these([escrow_id], now)
    except Exception:
        log.exception("escrow %s could not be settled", escrow_id)
        _open(pk=escrow_id).update(next_action_at=now + RETRY_AFTER, version=F("version") + 1)
        return 0


def _open(**wanted: Any) -> Any:
    return Escrow.objects.filter(state__in=OPEN, **wanted)


def advance(cases: Sequence[Case], *, now: datetime, changes: dict[str, Any] | None = None) -> None:
    """Decide each locked case and carry the decision out. `changes` are stored beside it.

    The caller is in a transaction. Raises what `ledger.post` raises.
    """
    steps = [_Step(case, decide(facts=case.facts, now=now), dict(changes or {})) for case in cases]
    final = [step for step in steps if isinstance(step.decision, Final)]
    for step in steps:
        if isinstance(step.decision, Holding):
            _hold(step, step.decision, now)
    if final:
        for step, posted in zip(final, _post(final), strict=True):
            _conclude(step, posted.transfer_id, now)


def _hold(step: _Step, decision: Holding, now: datetime) -> None:
    escrow, dispute = step.case.escrow, step.case.dispute
    if isinstance(decision, AskHuman):
        dispute = disputes.open_dispute(
            milestone=step.case.milestone,
            party=None,
            by=None,
            ground=Dispute.Ground.HUMAN_REVIEW,
            statement=decision.reason.sentence,
            now=now,
        )
        reviewed = with_review(step.case.facts, backstop_at=dispute.backstop_at)
        decision = _holding(decide(facts=reviewed, now=now))
    before = escrow.state
    _store(escrow, step.changes | _projection(step.case, decision))
    if before != escrow.state and escrow.state == Escrow.State.WITHHELD:
        records.withheld(case=step.case, decision=decision, now=now)
    if before != escrow.state and escrow.state == Escrow.State.FROZEN and dispute:
        records.frozen(case=step.case, dispute=dispute, decision=decision, now=now)


def _holding(decision: Decision) -> Holding:
    if not isinstance(decision, Holding):
        raise TypeError(f"a review that was just opened cannot end: {decision}")
    return decision


def _projection(case: Case, decision: Holding) -> dict[str, Any]:
    """What the escrow shows of a decision to wait."""
    shown: dict[str, Any] = {
        "state": decision.state,
        "next_action_at": decision.until,
        "reason": decision.code,
        "verdict": case.verdict,
    }
    if decision.code == "awaiting_acceptance":
        shown["acceptance_ends_at"] = decision.until
    if decision.code in ("curing", "not_proved"):
        shown["cure_ends_at"] = decision.until
    return shown


def _store(escrow: Escrow, changes: dict[str, Any]) -> None:
    """Compare and set: the lock makes it sure, the version makes it impossible otherwise."""
    if all(getattr(escrow, name) == value for name, value in changes.items()):
        return
    stored = Escrow.objects.filter(pk=escrow.pk, version=escrow.version).update(
        **changes, version=escrow.version + 1
    )
    if not stored:
        raise EscrowChanged(f"{escrow.pk} changed while it was locked")
    for name, value in changes.items():
        setattr(escrow, name, value)
    escrow.version += 1


def _post(steps: Sequence[_Step]) -> list[ledger.Posted]:
    postings = [_posting(step.case, step.decision) for step in steps]  # type: ignore[arg-type]
    return ledger.post_batch(postings) if len(postings) > 1 else [ledger.post(postings[0])]


def _posting(case: Case, decision: Final) -> Posting:
    escrow, engagement, division = case.escrow, case.engagement, decision.division
    parts: list[tuple[int, Account]] = [(-escrow.amount, escrow.account)]
    if division.released:
        builder = ledger.party_account(party=engagement.builder, currency=escrow.currency)
        parts.append((division.released, builder))
    if division.fee:
        parts.append((division.fee, ledger.fee_account(currency=escrow.currency)))
    if division.refunded:
        buyer = ledger.party_account(party=engagement.buyer, currency=escrow.currency)
        parts.append((division.refunded, buyer))
    return Posting(
        kind=_KINDS[decision.state],
        key=f"settle:{escrow.pk}",
        sides=tuple(Side(account, amount) for amount, account in parts),
        resolves=escrow.hold_id,
    )


def _conclude(step: _Step, transfer_id: int, now: datetime) -> None:
    case, decision = step.case, step.decision
    assert isinstance(decision, Final)
    outcome = {
        "state": decision.state,
        "resolution_id": transfer_id,
        "reason": decision.code,
        "verdict": case.verdict,
        "next_action_at": None,
        "earned_share_bps": decision.share_bps,
        "released": decision.division.released,
        "refunded": decision.division.refunded,
        "fee": decision.division.fee,
        "settled_at": now,
    }
    _store(case.escrow, step.changes | outcome)
    receipt = receipts.issue(case=case, decision=decision, now=now)
    records.settled(case=case, decision=decision, receipt=receipt, now=now)
    if case.dispute and decision.code == "dispute_unruled":
        disputes.close_unruled(dispute=case.dispute, now=now)
    left = Escrow.objects.filter(milestone__engagement=case.engagement, state__in=FINAL).count()
    everything = left == case.engagement.milestones.count()
    engagements.close_if_settled(engagement=case.engagement, settled=everything, now=now)
