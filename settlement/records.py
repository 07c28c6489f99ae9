"""What settlement writes to the evidence log: public facts, in the transaction that makes them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pacts.models import Dispute, Engagement, Milestone
from reputation import evidence
from reputation.canonical import sha256
from reputation.evidence import Draft
from settlement.casefiles import Case
from settlement.decisions import Final, Holding, decide
from settlement.models import Deposit, Escrow, Payout, Receipt

_CENTURY = timedelta(days=36_525)


def funded(*, escrow: Escrow, milestone: Milestone, now: datetime) -> str:
    """The buyer's money was set aside; returns the evidence id."""
    return evidence.append(
        kind="escrow.funded",
        subjects=_subjects(escrow, milestone, milestone.engagement),
        facts=_money(escrow) | {"fee_bps": escrow.fee_bps},
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


def settled(*, case: Case, decision: Final, receipt: Receipt, now: datetime) -> None:
    """The one outcome, and the acceptance if that is what it rests on."""
    drafts = [_settlement(case, decision, receipt, now)]
    if decision.code in ("accepted", "accepted_anyway", "silence"):
        drafts.insert(0, _acceptance(case, decision, now))
    evidence.append_all(drafts=drafts)


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
    if case.ruling:
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
    """Whether the verdict stood: a ruling that awards something else overturned it."""
    if decision.code in ("dispute_unruled", "review_withdrawn"):
        return False
    if decision.code != "ruled":
        return True
    unchallenged = decide(
        facts=replace(case.facts, dispute=None), now=case.facts.submit_by_at + _CENTURY
    )
    return isinstance(unchallenged, Final) and unchallenged.share_bps == decision.share_bps


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


def payout(*, payout: Payout, paid: bool, now: datetime) -> None:
    """A party asked for its money, or got it."""
    kind = "payout.paid" if paid else "payout.requested"
    evidence.append(
        kind=kind,
        subjects={"payout": payout.pk, "party": payout.party_id},
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
