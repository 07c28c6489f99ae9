"""Hiring: an offer is an engagement once both parties signed the digest of one agreement."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction

from pacts import evaluation, evaluators, panels, terms
from pacts.agreements import agreement, unfit_fee
from pacts.currencies import LARGEST, exponent_of
from pacts.feasibility import MOST_REVISIONS, Timers, in_days, longest_path
from pacts.models import (
    AgentVersion,
    Deliverable,
    Engagement,
    Evaluation,
    Milestone,
    PactVersion,
    Party,
    Signature,
    TaskSetVersion,
    User,
)
from pacts.procedure.limits import LONGEST_SECONDS
from pacts.reevaluations import refuse_restricted
from pacts.signatures import sign
from reputation import evidence
from reputation.canonical import digest, sha256

__all__ = ["MilestoneDraft", "Timers", "agreement", "propose", "sign_engagement"]

OFFER_SECONDS = 72 * 3600
MOST_MILESTONES = 50


class EngagementRefused(ValueError):
    """The terms cannot be agreed; the message says why and what to change."""


class OfferLapsed(ValueError):
    """The offer expired before it was signed."""


class NotAParty(PermissionError):
    """Only the buyer and the builder of an engagement act in it."""


class RevisionRefused(ValueError):
    """No further delivery is possible; the message says why."""


class MilestoneEnded(ValueError):
    """The milestone was cancelled, or was started before."""


@dataclass(frozen=True, slots=True)
class MilestoneDraft:
    """A milestone before it is agreed; `amount` and the builder's `bond` in minor units."""

    title: str
    amount: int
    task_set_version: TaskSetVersion
    bond: int = 0


def propose(
    *,
    buyer: Party,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    currency: str,
    fee_bps: int,
    milestones: list[MilestoneDraft],
    by: User,
    now: datetime,
    timers: Timers | None = None,
    max_revisions: int = 1,
    fee_bands: Sequence[tuple[int, int]] = (),
    longest_hold_seconds: int | None = None,
    evaluator: Party | None = None,
) -> Engagement:
    """An unsigned engagement with its milestones, in their order.

    `fee_bands` are (above, in minor units; basis points) and begin with (0, fee_bps);
    `longest_hold_seconds` is how long the money may be held. `evaluator` is the third party the
    pact asks for. Raises `EngagementRefused`, `pacts.evaluators.EvaluatorRefused`,
    `pacts.reevaluations.ReEvaluationDue`, `pacts.currencies.CurrencyUnknown`.
    """
    timers = timers or Timers()
    exponent_of(currency)
    refuse_restricted(agent_id=agent_version.agent_id, now=now)
    _refuse_unfit(buyer, evaluator, agent_version, pact_version, milestones, timers)
    _refuse_unpriced(milestones, fee_bps, fee_bands)
    _refuse_too_long(timers, max_revisions, longest_hold_seconds)
    with transaction.atomic():
        _refuse_unoffered(evaluator, milestones)
        engagement = Engagement(
            buyer=buyer,
            builder=agent_version.agent.builder,
            evaluator=evaluator,
            agent_version=agent_version,
            pact_version=pact_version,
            currency=currency,
            fee_bps=fee_bps,
            fee_bands=[{"above": above, "fee_bps": bps} for above, bps in fee_bands],
            **asdict(timers),
            max_revisions=max_revisions,
            proposed_by=by,
            proposed_at=now,
            offer_expires_at=now + timedelta(seconds=OFFER_SECONDS),
        )
        _put_down(engagement, milestones, now)
    return engagement


def _put_down(engagement: Engagement, drafts: list[MilestoneDraft], now: datetime) -> None:
    rows = _milestones(engagement, drafts)
    engagement.digest = digest(agreement(engagement, rows))
    engagement.save(force_insert=True)
    Milestone.objects.bulk_create(rows)
    _log_proposal(engagement, rows, now)


def _log_proposal(engagement: Engagement, rows: list[Milestone], now: datetime) -> None:
    evidence.append(
        kind="engagement.proposed",
        subjects=_subjects(engagement),
        facts={
            "amount": sum(row.amount for row in rows),
            "currency": engagement.currency,
            "milestones": len(rows),
        },
        digests={"terms": engagement.digest},
        private={"agreement": agreement(engagement, rows)},
        at=now,
    )


def _milestones(engagement: Engagement, drafts: list[MilestoneDraft]) -> list[Milestone]:
    return [
        Milestone(
            engagement=engagement,
            position=position,
            title=draft.title,
            amount=draft.amount,
            bond=draft.bond,
            task_set_version=draft.task_set_version,
        )
        for position, draft in enumerate(drafts)
    ]


def _refuse_unfit(
    buyer: Party,
    evaluator: Party | None,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    milestones: list[MilestoneDraft],
    timers: Timers,
) -> None:
    builder = agent_version.agent.builder
    if buyer == builder:
        raise EngagementRefused("a party cannot hire itself")
    _refuse_unfit_pact(agent_version, pact_version)
    _refuse_unfit_evaluator(evaluator, pact_version)
    if evaluator:
        evaluators.refuse_interested(evaluator=evaluator, buyer=buyer, builder=builder)
    _refuse_unfit_milestones(milestones, owners=[evaluator.id] if evaluator else [None, buyer.id])
    if wrong := timers.unfit():
        raise EngagementRefused(wrong)
    _refuse_too_slow(agent_version, pact_version, milestones, timers)
    _refuse_hurried(pact_version, milestones, timers)


def _refuse_unfit_milestones(
    milestones: list[MilestoneDraft], *, owners: Sequence[str | None]
) -> None:
    if not milestones:
        raise EngagementRefused("an engagement needs at least one milestone with a price")
    if len(milestones) > MOST_MILESTONES:
        raise EngagementRefused(f"an engagement has at most {MOST_MILESTONES} milestones")
    for draft in milestones:
        if draft.task_set_version.task_set.owner_id not in owners:
            raise EngagementRefused("this task set belongs to somebody else; bring your own")
        if draft.task_set_version.task_set.canaries:
            raise EngagementRefused("this set is a pool of canaries; choose the tasks of the hire")


def _refuse_too_slow(
    agent_version: AgentVersion,
    pact_version: PactVersion,
    milestones: list[MilestoneDraft],
    timers: Timers,
) -> None:
    needed = max(
        evaluation.seconds_needed(
            agent_version=agent_version,
            trials=evaluation.trials_needed(
                pact_version=pact_version, task_set_version=draft.task_set_version
            ),
        )
        for draft in milestones
    )
    if needed > timers.evaluation_seconds + timers.work_seconds:
        raise EngagementRefused(
            f"the slowest allowed answers would take {needed} s in all, but work and evaluation "
            f"have {timers.work_seconds} s + {timers.evaluation_seconds} s; allow more time"
        )


def _refuse_hurried(
    pact_version: PactVersion, milestones: list[MilestoneDraft], timers: Timers
) -> None:
    """People read the answers once the agent's work is done, so only the evaluation is theirs."""
    try:
        panels.refuse_hurried(
            terms.parse(pact_version.terms).clauses,
            tasks=max(draft.task_set_version.size for draft in milestones),
            seconds=timers.evaluation_seconds,
        )
    except panels.PanelRefused as problem:
        raise EngagementRefused(str(problem)) from problem


def _refuse_unfit_pact(agent_version: AgentVersion, pact_version: PactVersion) -> None:
    if pact_version.published_at is None:
        raise EngagementRefused("this pact version is a draft; ask the builder to publish it")
    if pact_version.pact.agent_id != agent_version.agent_id:
        raise EngagementRefused("this pact belongs to another agent")


def _refuse_unfit_evaluator(evaluator: Party | None, pact_version: PactVersion) -> None:
    wanted = terms.parse(pact_version.terms).independence == "third_party"
    if wanted and evaluator is None:
        raise EngagementRefused(
            "this pact counts only evaluations by a third party, who is neither a side nor the "
            "platform: choose the offer of an evaluator, whose tasks decide"
        )
    if evaluator and not wanted:
        raise EngagementRefused(
            "this pact is judged by the platform; ask the builder for a version with the "
            "independence `third_party` if somebody else is to judge"
        )


def _refuse_unoffered(evaluator: Party | None, milestones: list[MilestoneDraft]) -> None:
    if evaluator:
        evaluators.refuse_unoffered(
            evaluator=evaluator, versions=[draft.task_set_version for draft in milestones]
        )


def _refuse_unpriced(
    milestones: list[MilestoneDraft], fee_bps: int, fee_bands: Sequence[tuple[int, int]]
) -> None:
    if any(draft.amount <= 0 for draft in milestones):
        raise EngagementRefused("every milestone needs a price above zero")
    total = sum(draft.amount for draft in milestones)
    if total > LARGEST:
        raise EngagementRefused(
            f"the milestones add up to {total} minor units; at most {LARGEST} can be agreed"
        )
    if any(not 0 <= draft.bond <= LARGEST for draft in milestones):
        raise EngagementRefused(f"a bond is between 0 and {LARGEST} minor units")
    if wrong := unfit_fee(fee_bps, fee_bands):
        raise EngagementRefused(wrong)


def _refuse_too_long(timers: Timers, max_revisions: int, longest_hold: int | None) -> None:
    if not 0 <= max_revisions <= MOST_REVISIONS:
        raise EngagementRefused(f"there can be 0 to {MOST_REVISIONS} revisions")
    path = longest_path(timers=timers, max_revisions=max_revisions, dispute_seconds=LONGEST_SECONDS)
    if longest_hold is not None and path.seconds > longest_hold:
        raise EngagementRefused(
            f"{path}, but money that comes in this way can be held for {in_days(longest_hold)}; "
            "shorten a period or allow fewer revisions"
        )


def sign_engagement(
    *, engagement: Engagement, party: Party, by: User | None, authority: str, now: datetime
) -> Engagement:
    """Sign the agreement, and the pact with it, for one side; in force once both did.

    Raises `NotAParty`, `OfferLapsed`.
    """
    with transaction.atomic():
        engagement = Engagement.objects.select_for_update().get(pk=engagement.pk)
        if party.id not in (engagement.buyer_id, engagement.builder_id):
            raise NotAParty("only the buyer and the builder sign an engagement")
        if engagement.state != Engagement.State.PROPOSED:
            return engagement
        if now > engagement.offer_expires_at:
            raise OfferLapsed("this offer has expired; propose it again")
        for purpose, text in (
            (Signature.Purpose.PACT, engagement.pact_version.digest),
            (Signature.Purpose.ENGAGEMENT, engagement.digest),
        ):
            signature = sign(
                party=party, purpose=purpose, digest=text, by=by, authority=authority, now=now
            )
        side = "buyer" if party.id == engagement.buyer_id else "builder"
        if getattr(engagement, f"{side}_signature_id"):
            return engagement
        setattr(engagement, f"{side}_signature", signature)
        evidence.append(
            kind="engagement.signed",
            subjects=_subjects(engagement) | {"party": party.id},
            facts={"side": side},
            digests={"terms": engagement.digest, "signature": sha256(bytes(signature.signature))},
            at=now,
            dedupe_key=f"engagement.signed:{engagement.id}:{side}",
        )
        if engagement.buyer_signature and engagement.builder_signature:
            engagement.state = Engagement.State.ACTIVE
            engagement.signed_at = now
            engagement.fund_by_at = fund_by(engagement, now)
        engagement.save()
    return engagement


def start_milestone(*, milestone: Milestone, now: datetime) -> Deliverable:
    """The money is there: ask the agent for the work. Called in the transaction that funds it.

    Raises `MilestoneEnded` for one that was cancelled or lapsed in between.
    """
    engagement = milestone.engagement
    milestone.started_at = now
    milestone.submit_by_at = now + timedelta(seconds=engagement.work_seconds)
    started = Milestone.objects.filter(pk=milestone.pk, started_at=None, cancelled_at=None).update(
        started_at=milestone.started_at, submit_by_at=milestone.submit_by_at
    )
    if not started:
        raise MilestoneEnded("this milestone was cancelled, or was started before")
    return _request_delivery(
        milestone=milestone, agent_version=engagement.agent_version, number=0, now=now
    )


def deliver_revision(
    *, milestone: Milestone, agent_version: AgentVersion, now: datetime
) -> Deliverable:
    """One more delivery after a breach, bounded by the agreement; may use a newer agent version.

    The caller holds the escrow's lock and has checked its cure period. Raises `RevisionRefused`.
    """
    engagement = milestone.engagement
    last = milestone.deliverables.order_by("-number").first()
    if agent_version.agent_id != engagement.agent_version.agent_id:
        raise RevisionRefused("a revision comes from the agent that was hired")
    if last is None or not last.evaluation.is_over:
        raise RevisionRefused("the last delivery is still being evaluated")
    if last.number >= engagement.max_revisions:
        raise RevisionRefused(f"the agreement allows {engagement.max_revisions} revision(s)")
    return _request_delivery(
        milestone=milestone, agent_version=agent_version, number=last.number + 1, now=now
    )


def _request_delivery(
    *, milestone: Milestone, agent_version: AgentVersion, number: int, now: datetime
) -> Deliverable:
    engagement = milestone.engagement
    third = engagement.evaluator
    deliverable = Deliverable.objects.create(
        milestone=milestone, number=number, agent_version=agent_version, requested_at=now
    )
    evidence.append(
        kind="delivery.requested",
        subjects={
            "engagement": engagement.id,
            "milestone": milestone.id,
            "deliverable": deliverable.id,
            "agent": agent_version.agent_id,
            "agent_version": agent_version.id,
        },
        facts={"tasks": milestone.task_set_version.size},
        at=now,
    )
    evaluation.start_evaluation(
        purpose=Evaluation.Purpose.MILESTONE,
        independence=Evaluation.Independence.THIRD_PARTY
        if third
        else Evaluation.Independence.PLATFORM,
        requested_by=third or engagement.buyer,
        agent_version=agent_version,
        pact_version=engagement.pact_version,
        task_set_version=milestone.task_set_version,
        deliverable=deliverable,
        deadline_at=now
        + timedelta(seconds=engagement.work_seconds + engagement.evaluation_seconds),
        now=now,
    )
    return deliverable


def lapse_offers(*, now: datetime) -> int:
    """Mark unsigned offers past their time as lapsed; returns how many."""
    return Engagement.objects.filter(
        state=Engagement.State.PROPOSED, offer_expires_at__lt=now
    ).update(state=Engagement.State.LAPSED)


def fund_by(engagement: Engagement, now: datetime) -> datetime | None:
    """Until when the next milestone may be funded, counted from now."""
    if engagement.funding_seconds is None:
        return None
    return now + timedelta(seconds=engagement.funding_seconds)


def _subjects(engagement: Engagement) -> dict[str, str]:
    third = {"evaluator": engagement.evaluator_id} if engagement.evaluator_id else {}
    return third | {
        "engagement": engagement.id,
        "agent": engagement.agent_version.agent_id,
        "agent_version": engagement.agent_version_id,
        "pact_version": engagement.pact_version_id,
        "buyer": engagement.buyer_id,
        "builder": engagement.builder_id,
    }
