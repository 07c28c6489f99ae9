"""Disputes: one side challenges the outcome, the other answers, a person without interest rules.

Settlement freezes the escrow in the same transaction that opens a dispute here, and follows the
ruling when its sweep finds it (`settlement.escrow`).
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from pacts.models import Dispute, Engagement, Member, Milestone, Party, Ruling, User, Verdict
from reputation import evidence
from reputation.hints import hint

ANSWER_SECONDS = 5 * 24 * 3600
BACKSTOP_SECONDS = 30 * 24 * 3600  # nobody ruled: unresolved principal goes back to the buyer


class DisputeRefused(ValueError):
    """The dispute cannot be opened or answered; the message says why."""


class DisputeAlreadyOpen(DisputeRefused):
    """One dispute at a time for a milestone."""


class DisputeClosed(ValueError):
    """The dispute already ended."""


class ConflictOfInterest(PermissionError):
    """The adjudicator acts for one of the parties."""


class NotAnAdjudicator(PermissionError):
    """Only adjudicators rule."""


class RulingIncomplete(ValueError):
    """A ruling needs reasons, an award between 0 and 10000 bps and clauses the pact has."""


def open_dispute(
    *,
    milestone: Milestone,
    party: Party | None,
    by: User | None,
    ground: Dispute.Ground,
    statement: str,
    now: datetime,
) -> Dispute:
    """Record the challenge. `party` is None when the pact itself asks for human review.

    Raises `DisputeRefused`, `DisputeAlreadyOpen`. The caller holds the escrow's lock.
    """
    engagement = milestone.engagement
    if party and party.id not in (engagement.buyer_id, engagement.builder_id):
        raise DisputeRefused("only the buyer and the builder of this engagement can dispute it")
    if not statement.strip():
        raise DisputeRefused("say what is wrong: the other side and the adjudicator will read it")
    try:
        with transaction.atomic():
            dispute = Dispute.objects.create(
                milestone=milestone,
                opened_by=party,
                opened_by_user=by,
                ground=ground,
                statement=statement.strip(),
                opened_at=now,
                answer_by_at=now + timedelta(seconds=ANSWER_SECONDS),
                backstop_at=now + timedelta(seconds=BACKSTOP_SECONDS),
            )
    except IntegrityError as error:
        raise DisputeAlreadyOpen("this milestone is already in dispute") from error
    evidence.append(
        kind="dispute.opened",
        subjects=_subjects(dispute, engagement)
        | {"party": party.id if party else engagement.buyer_id},
        facts={"ground": dispute.ground, **_side(party, engagement)},
        private={"statement": dispute.statement},
        at=now,
        dedupe_key=f"dispute.opened:{dispute.id}",
    )
    return dispute


def answer_dispute(*, dispute: Dispute, party: Party, answer: str, now: datetime) -> Dispute:
    """The other side's answer, once and in time. Raises `DisputeRefused`, `DisputeClosed`."""
    engagement = dispute.milestone.engagement
    if party.id not in (engagement.buyer_id, engagement.builder_id):
        raise DisputeRefused("only the other side of this engagement can answer")
    if party.id == dispute.opened_by_id:
        raise DisputeRefused("you opened this dispute; the other side answers it")
    if not answer.strip():
        raise DisputeRefused("an answer needs words")
    changed = Dispute.objects.filter(
        pk=dispute.pk, state=Dispute.State.OPEN, answered_at=None, answer_by_at__gte=now
    ).update(answer=answer.strip(), answered_at=now)
    if not changed:
        raise DisputeClosed("this dispute was answered or closed, or the time to answer has passed")
    dispute.refresh_from_db()
    return dispute


def is_defaulted(dispute: Dispute, *, now: datetime) -> bool:
    """Whether the side that owes an answer let its time pass: the side that opened it wins.

    A review that the pact itself asks for is owed an answer by nobody.
    """
    return (
        dispute.state == Dispute.State.OPEN
        and dispute.ground != Dispute.Ground.HUMAN_REVIEW
        and dispute.answered_at is None
        and now > dispute.answer_by_at
    )


def has_interest(*, user: User, dispute: Dispute) -> bool:
    """Whether the user acts for either party of the case, or for the one that judged the work."""
    engagement = dispute.milestone.engagement
    sides = [engagement.buyer_id, engagement.builder_id, engagement.evaluator_id]
    return Member.objects.filter(user=user, party_id__in=[side for side in sides if side]).exists()


def rule(
    *,
    dispute: Dispute,
    adjudicator: User,
    award_bps: int,
    clauses: list[str],
    reasons: str,
    now: datetime,
) -> Ruling:
    """Decide the builder's share in basis points, with reasons and the clauses that carry it.

    Raises `NotAnAdjudicator`, `ConflictOfInterest`, `RulingIncomplete`, `DisputeClosed`.
    """
    if not adjudicator.is_adjudicator:
        raise NotAnAdjudicator("only adjudicators rule on disputes")
    with transaction.atomic():
        dispute = (
            Dispute.objects.select_for_update(of=("self",))
            .select_related("milestone__engagement__pact_version")
            .get(pk=dispute.pk)
        )
        engagement = dispute.milestone.engagement
        if has_interest(user=adjudicator, dispute=dispute):
            raise ConflictOfInterest("you act for one of the parties; somebody else must rule")
        if dispute.state != Dispute.State.OPEN or now > dispute.backstop_at:
            raise DisputeClosed("this dispute is closed")
        if is_defaulted(dispute, now=now):
            raise DisputeClosed("nobody answered in time, so silence has decided this dispute")
        known = {clause["key"] for clause in engagement.pact_version.terms["clauses"]}
        if not 0 <= award_bps <= 10_000:
            raise RulingIncomplete("the award is between 0 and 10000 basis points")
        if not clauses or not set(clauses) <= known:
            raise RulingIncomplete(f"cite at least one clause of the pact: {', '.join(known)}")
        if len(reasons.strip()) < 20:
            raise RulingIncomplete("give reasons: at least a sentence that both sides can follow")
        ruling = Ruling(
            dispute=dispute,
            adjudicator=adjudicator,
            award_bps=award_bps,
            clauses=sorted(set(clauses)),
            reasons=reasons.strip(),
            ruled_at=now,
        )
        ruling.evidence_id = _log_ruling(ruling, dispute, engagement, now)
        ruling.save(force_insert=True)
        dispute.state = Dispute.State.RULED
        dispute.closed_at = now
        dispute.save(update_fields=["state", "closed_at"])
        transaction.on_commit(lambda: hint("pacts.dispute_closed"))
    return ruling


def close_unruled(*, dispute: Dispute, now: datetime) -> None:
    """Nobody ruled before the backstop. The caller returns the principal to the buyer."""
    Dispute.objects.filter(pk=dispute.pk, state=Dispute.State.OPEN).update(
        state=Dispute.State.UNRULED, closed_at=now
    )


def close_defaulted(*, dispute: Dispute, silent: Party, now: datetime) -> None:
    """`silent` owed an answer and gave none. The caller, who holds the escrow's lock, moves it."""
    Dispute.objects.filter(pk=dispute.pk, state=Dispute.State.OPEN).update(
        state=Dispute.State.DEFAULTED, closed_at=now
    )
    engagement = dispute.milestone.engagement
    evidence.append(
        kind="dispute.defaulted",
        subjects=_subjects(dispute, engagement) | {"party": silent.pk},
        facts={"side": "buyer" if silent.pk == engagement.buyer_id else "builder"},
        at=now,
        dedupe_key=f"dispute.defaulted:{dispute.pk}",
    )


def settle(*, dispute: Dispute, now: datetime) -> None:
    """Both sides agreed how the money splits. The caller, who holds the escrow's lock, moves it.

    Raises `DisputeClosed`.
    """
    settled = Dispute.objects.filter(pk=dispute.pk, state=Dispute.State.OPEN).update(
        state=Dispute.State.SETTLED, closed_at=now
    )
    if not settled:
        raise DisputeClosed("this dispute already ended")


def withdraw(*, dispute: Dispute, party: Party, now: datetime) -> Dispute:
    """The side that opened the dispute takes it back. Raises `DisputeRefused`, `DisputeClosed`."""
    if dispute.opened_by_id != party.id:
        raise DisputeRefused("only the side that opened the dispute can withdraw it")
    changed = Dispute.objects.filter(pk=dispute.pk, state=Dispute.State.OPEN).update(
        state=Dispute.State.WITHDRAWN, closed_at=now
    )
    if not changed:
        raise DisputeClosed("this dispute already ended")
    dispute.refresh_from_db()
    hint("pacts.dispute_closed")
    return dispute


def _log_ruling(ruling: Ruling, dispute: Dispute, engagement: Engagement, now: datetime) -> str:
    verdict = (
        Verdict.objects.filter(evaluation__deliverable__milestone=dispute.milestone)
        .order_by("-concluded_at")
        .first()
    )
    facts: dict[str, object] = {
        "outcome": "award",
        "builder_share_bps": ruling.award_bps,
    }
    if verdict:
        facts["verdict_evidence"] = verdict.evidence_id
    return evidence.append(
        kind="ruling.made",
        subjects=_subjects(dispute, engagement)
        | {"ruling": ruling.id, "adjudicator": ruling.adjudicator_id},
        facts=facts,
        private={"reasons": ruling.reasons, "clauses": ruling.clauses},
        at=now,
        dedupe_key=f"ruling.made:{dispute.id}",
    ).id


def _side(party: Party | None, engagement: Engagement) -> dict[str, str]:
    if party is None:
        return {}
    return {"side": "buyer" if party.id == engagement.buyer_id else "builder"}


def _subjects(dispute: Dispute, engagement: Engagement) -> dict[str, str]:
    return {
        "dispute": dispute.id,
        "engagement": engagement.id,
        "milestone": dispute.milestone_id,
        "agent": engagement.agent_version.agent_id,
        "agent_version": engagement.agent_version_id,
    }
