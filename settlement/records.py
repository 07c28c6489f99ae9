"""What settlement writes to the evidence log: public facts, in the transaction that makes them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pacts.models import Dispute, Engagement, Milestone
from reputation import evidence
from reputation.canonical import sha256
from reputation.evidence import Draft
from settlement.casefiles import Case
from settlement.decisions import Final, Holding, unchallenged
from settlement.models import Cancellation, Deposit, Escrow, Payout, Receipt
from settlement.reasons import REASONS

RULED = ("ruled", "appeal_unheard")  # reasons that rest on a ruling


def funded(*, escrow: Escrow, milestone: Milestone, now: datetime) -> str:
    """The buyer's money was set aside; returns the evidence id."""
    return evidence.append(
        kind="escrow.funded",
        subjects=_subjects(escrow, milestone, milestone.engagement),
        facts=_money(escrow)
        | {"fee_bps": escrow.fee_bps}
        | ({"bond": milestone.bond} if milestone.bond else {}),
        at=now,
        dedupe_key=f"escrow.funded:{escrow.pk}",
    ).id


def withheld(*, case: Case, decision: Holding, now: datetime) -> None:
    """The verdict stands against release."""
    escrow = case.escrow
    facts = _money(escrow) | {"reason": decision.code, "until": _instant(decision.until)}
    if case.verdict:
        facts["verdict_evidence"] = case.verdict.evidence_id
    evidence.append(
        kind="escrow.withheld",
        subjects=_case_subjects(case),
        facts=facts,
        at=now,
        dedupe_key=f"escrow.withheld:{escrow.pk}:{escrow.version}",
    )


def frozen(*, case: Case, dispute: Dispute, decision: Holding, now: datetime) -> None:
    """A dispute or a review stopped the money."""
    escrow = case.escrow
    evidence.append(
        kind="escrow.frozen",
        subjects=_case_subjects(case) | {"dispute": dispute.pk},
        facts=_money(escrow) | {"reason": decision.code},
        at=now,
        dedupe_key=f"escrow.frozen:{escrow.pk}:{dispute.pk}",
    )


def settled(
    *, settled: Sequence[tuple[Case, Final]], issued: Sequence[Receipt], now: datetime
) -> None:
    """Outcomes with their receipts, each after the acceptance if that is what it rests on."""
    drafts = []
    for (case, decision), receipt in zip(settled, issued, strict=True):
        if decision.code in ("accepted", "accepted_anyway", "silence"):
            drafts.append(_acceptance(case, decision, now))
        drafts.append(_settlement(case, decision, receipt, now))
    evidence.append_all(drafts=drafts)


def lapsed(*, engagement: Engagement, milestones: int, now: datetime) -> None:
    """The buyer let the time pass in which it could have funded what was left."""
    reason = REASONS["not_funded"]
    evidence.append(
        kind="engagement.lapsed",
        subjects={
            "engagement": engagement.pk,
            "buyer": engagement.buyer_id,
            "builder": engagement.builder_id,
            "agent": engagement.agent_version.agent_id,
        },
        facts={"timeout": reason.timeout, "fault": reason.fault, "milestones": milestones},
        at=now,
        dedupe_key=f"engagement.lapsed:{engagement.pk}",
    )


def cancellation_offered(*, offer: Cancellation, engagement: Engagement, now: datetime) -> None:
    """One side offered to end a milestone, for a split or before any money."""
    facts: dict[str, object] = {"expires": _instant(offer.expires_at)}
    if offer.award_bps is not None:
        facts["builder_share_bps"] = offer.award_bps
    evidence.append(
        kind="cancellation.proposed",
        subjects=_cancelled(offer, engagement) | {"party": offer.proposed_by_id},
        facts=facts,
        private={"note": offer.note} if offer.note else None,
        at=now,
        dedupe_key=f"cancellation.proposed:{offer.pk}",
    )


def cancellation_closed(*, offer: Cancellation, engagement: Engagement, now: datetime) -> None:
    """What became of the offer."""
    evidence.append(
        kind="cancellation.closed",
        subjects=_cancelled(offer, engagement),
        facts={"outcome": offer.state},
        at=now,
        dedupe_key=f"cancellation.closed:{offer.pk}",
    )


def _cancelled(offer: Cancellation, engagement: Engagement) -> dict[str, str]:
    return {
        "cancellation": offer.pk,
        "milestone": offer.milestone_id,
        "engagement": engagement.pk,
        "buyer": engagement.buyer_id,
        "builder": engagement.builder_id,
    }


def _settlement(case: Case, decision: Final, receipt: Receipt, now: datetime) -> Draft:
    division = decision.division
    facts: dict[str, object] = {
        "outcome": decision.state,
        "currency": case.escrow.currency,
        "released": division.released,
        "refunded": division.refunded,
        "fee": division.fee,
        "reason": decision.code,
    }
    if decision.fault:
        facts["fault"] = decision.fault
    if decision.timeout:
        facts["timeout"] = decision.timeout
    if case.bond:
        facts |= {"bond": case.bond.amount, "bond_outcome": case.bond.state}
    if case.ruling and decision.code in RULED:
        facts["ruling_evidence"] = case.ruling.evidence_id
    if case.verdict and follows_verdict(case, decision):
        facts["verdict_evidence"] = case.verdict.evidence_id
    return Draft(
        kind="escrow.settled",
        subjects=_case_subjects(case) | {"receipt": receipt.pk},
        facts=facts,
        digests={"receipt": sha256(receipt.body.encode())},
        at=now,
        dedupe_key=f"escrow.settled:{case.escrow.pk}",
    )


def follows_verdict(case: Case, decision: Final) -> bool:
    """Whether the verdict stood: a ruling, or silence, that awards something else overturned it.

    An agreement on the money leaves the measurement as it is, unless it settled a dispute about it.
    """
    if decision.code in ("dispute_unruled", "review_withdrawn"):
        return False
    if decision.code == "agreed":
        return case.dispute is None or case.dispute.outcome != Dispute.Outcome.SETTLED
    if decision.code not in (*RULED, "unanswered_by_buyer", "unanswered_by_builder"):
        return True
    return unchallenged(case.facts) == decision.share_bps


def _acceptance(case: Case, decision: Final, now: datetime) -> Draft:
    return Draft(
        kind="delivery.accepted",
        subjects=_case_subjects(case),
        facts={"by": "silence" if decision.code == "silence" else "buyer"},
        at=now,
        dedupe_key=f"delivery.accepted:{case.escrow.pk}",
    )


def deposited(*, deposit: Deposit, now: datetime) -> None:
    """A party's money came in."""
    evidence.append(
        kind="deposit.received",
        subjects={"deposit": deposit.pk, "party": deposit.party_id},
        facts={"amount": deposit.amount, "currency": deposit.currency, "rail": deposit.rail},
        at=now,
        dedupe_key=f"deposit.received:{deposit.pk}",
    )


def deposit_failed(*, deposit: Deposit, now: datetime) -> None:
    """The rail refused to bring the money in; nothing moved."""
    evidence.append(
        kind="deposit.failed",
        subjects={"deposit": deposit.pk, "party": deposit.party_id},
        facts={"amount": deposit.amount, "currency": deposit.currency, "rail": deposit.rail},
        at=now,
        dedupe_key=f"deposit.failed:{deposit.pk}",
    )


def payout(*, payout: Payout, step: str, now: datetime) -> None:
    """A party asked for its money, got it, was refused by the rail, or took its wish back.

    `step` is `requested` or the state it ended in. A refund says of which deposit. Why a rail
    refused is the rail's own text, and stays out of the log.
    """
    subjects = {"payout": payout.pk, "party": payout.party_id}
    if payout.refund_of_id:
        subjects["deposit"] = payout.refund_of_id
    kind = f"{'refund' if payout.refund_of_id else 'payout'}.{step}"
    evidence.append(
        kind=kind,
        subjects=subjects,
        facts={"amount": payout.amount, "currency": payout.currency, "rail": payout.rail},
        at=now,
        dedupe_key=f"{kind}:{payout.pk}",
    )


def _case_subjects(case: Case) -> dict[str, str]:
    subjects = _subjects(case.escrow, case.milestone, case.engagement)
    if case.deliverable:
        subjects["deliverable"] = case.deliverable.pk
        subjects["agent_version"] = case.deliverable.agent_version_id
    return subjects


def _subjects(escrow: Escrow, milestone: Milestone, engagement: Engagement) -> dict[str, str]:
    return {
        "escrow": escrow.pk,
        "milestone": milestone.pk,
        "engagement": engagement.pk,
        "buyer": engagement.buyer_id,
        "builder": engagement.builder_id,
        "agent": engagement.agent_version.agent_id,
        "agent_version": engagement.agent_version_id,
    }


def _money(escrow: Escrow) -> dict[str, object]:
    return {"amount": escrow.amount, "currency": escrow.currency}


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
