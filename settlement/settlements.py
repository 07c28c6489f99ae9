"""Settling: look at an escrow under its lock, decide, and do it, all in one transaction.

`settle` looks at one escrow, right after something happened; `settle_due` is the sweep that finds
whatever a lost hint forgot. Both go through `advance`, and looking twice does nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from pacts import disputes, policies
from pacts.models import Dispute, Evaluation, Verdict
from reputation import restrictions
from settlement import casefiles, outcomes, records
from settlement.casefiles import Case
from settlement.decisions import AskHuman, Decision, Final, Holding, decide
from settlement.models import Escrow
from settlement.outcomes import Outcome
from settlement.retries import retried

log = logging.getLogger(__name__)

BATCH = 100
RETRY_AFTER = timedelta(minutes=1)
# A verdict's hint may be lost. Past this the evaluation's own deadline has found the escrow anyway.
LOOK_BACK = timedelta(days=2)
OPEN = [Escrow.State.HELD, Escrow.State.WITHHELD, Escrow.State.FROZEN]


@retried
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
    live = Dispute.objects.filter(milestone=OuterRef("milestone")).exclude(
        state=Dispute.State.CLOSED
    )
    frozen = Escrow.objects.filter(state=Escrow.State.FROZEN)
    thawed = frozen.filter(~Exists(live))
    # Its deadline came nearer, or nothing more is waited for.
    moved = frozen.filter(
        Exists(
            live.filter(
                Q(due_at__lt=OuterRef("next_action_at"))
                | Q(state=Dispute.State.RULED, awaits_second=False)
            )
        )
    )
    contested = Escrow.objects.filter(
        Exists(live), state__in=[Escrow.State.HELD, Escrow.State.WITHHELD]
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
        *_freed(now),
        *thawed.values_list("pk", flat=True),
        *moved.values_list("pk", flat=True),
        *contested.values_list("pk", flat=True),
        *judged,
    ]


def _freed(now: datetime) -> list[str]:
    """Escrows a control withheld whose agent it withholds from no more."""
    rows = Escrow.objects.filter(state=Escrow.State.WITHHELD, reason="control_withholds")
    waiting = dict(rows.values_list("pk", "agent_id"))
    held = restrictions.holds(agents=[agent for agent in waiting.values() if agent], now=now)
    return [pk for pk, agent_id in waiting.items() if agent_id not in held]


def _settle_batch(escrow_ids: Sequence[str], now: datetime) -> int:
    try:
        return _settle_these(escrow_ids, now)
    except Exception:
        log.exception("a batch of %d escrows failed; taking them one by one", len(escrow_ids))
    return sum(_settle_alone(escrow_id, now) for escrow_id in escrow_ids)


@retried
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
    final: list[Outcome] = []
    for case in cases:
        decision = decide(facts=case.facts, now=now)
        if isinstance(decision, Final):
            final.append(Outcome(case, decision, dict(changes or {})))
        else:
            _hold(case, decision, dict(changes or {}), now)
    if final:
        outcomes.conclude(final, now=now)


def _hold(case: Case, decision: Holding, changes: dict[str, Any], now: datetime) -> None:
    escrow, dispute = case.escrow, case.dispute
    if isinstance(decision, AskHuman):
        dispute = disputes.open_dispute(
            milestone=case.milestone,
            party=None,
            by=None,
            ground=Dispute.Ground.HUMAN_REVIEW,
            statement=decision.reason.sentence,
            rules=policies.rules_for(case.engagement),
            now=now,
        )
        reviewed = replace(case.facts, dispute=dispute.docket)
        decision = _holding(decide(facts=reviewed, now=now))
    elif dispute and dispute.is_open:
        disputes.advance(dispute, now=now)
    before = escrow.state
    outcomes.store(escrow, changes | _projection(case, decision))
    if before != escrow.state and escrow.state == Escrow.State.WITHHELD:
        records.withheld(case=case, decision=decision, now=now)
    if before != escrow.state and escrow.state == Escrow.State.FROZEN and dispute:
        records.frozen(case=case, dispute=dispute, decision=decision, now=now)


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
