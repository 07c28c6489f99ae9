"""Hiring: an offer is an engagement once both parties signed the digest of one agreement."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction

from pacts import evaluation
from pacts.agreements import agreement
from pacts.currencies import exponent_of
from pacts.feasibility import Timers
from pacts.hire_terms import (
    MOST_MILESTONES,
    EngagementRefused,
    MilestoneDraft,
    refuse_too_long,
    refuse_unfit,
    refuse_unoffered,
    refuse_unpriced,
)
from pacts.models import (
    AgentVersion,
    Deliverable,
    Engagement,
    Evaluation,
    Milestone,
    PactVersion,
    Party,
    Signature,
    User,
)
from pacts.reevaluations import refuse_restricted
from pacts.signatures import sign
from reputation import evidence
from reputation.canonical import digest, sha256

__all__ = [
    "MOST_MILESTONES",
    "EngagementRefused",
    "MilestoneDraft",
    "Timers",
    "agreement",
    "propose",
    "sign_engagement",
]

OFFER_SECONDS = 72 * 3600


class OfferLapsed(ValueError):
    """The offer expired before it was signed."""


class NotAParty(PermissionError):
    """Only the buyer and the builder of an engagement act in it."""


class RevisionRefused(ValueError):
    """No further delivery is possible; the message says why."""


class MilestoneEnded(ValueError):
    """The milestone was cancelled, or was started before."""


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
    with transaction.atomic():
        refuse_unagreeable(
            engagement=engagement,
            milestones=milestones,
            longest_hold_seconds=longest_hold_seconds,
            now=now,
        )
        put_down(engagement=engagement, milestones=milestones, now=now)
    return engagement


def refuse_unagreeable(
    *,
    engagement: Engagement,
    milestones: list[MilestoneDraft],
    longest_hold_seconds: int | None,
    now: datetime,
) -> None:
    """Whatever stands against agreeing on an engagement that is not stored yet; raises as
    `propose`."""
    version, pact_version = engagement.agent_version, engagement.pact_version
    timers = timers_of(engagement)
    bands = [(band["above"], band["fee_bps"]) for band in engagement.fee_bands]
    exponent_of(engagement.currency)
    refuse_restricted(agent_id=version.agent_id, now=now)
    refuse_unfit(engagement.buyer, engagement.evaluator, version, pact_version, milestones, timers)
    refuse_unpriced(milestones, engagement.fee_bps, bands)
    refuse_too_long(timers, engagement.max_revisions, longest_hold_seconds)
    refuse_unoffered(engagement.evaluator, milestones)


def timers_of(engagement: Engagement) -> Timers:
    """The clocks of an engagement; one without a time to fund in gets the usual one."""
    return Timers(
        work_seconds=engagement.work_seconds,
        evaluation_seconds=engagement.evaluation_seconds,
        acceptance_seconds=engagement.acceptance_seconds,
        cure_seconds=engagement.cure_seconds,
        funding_seconds=engagement.funding_seconds or Timers().funding_seconds,
    )


def digest_of(engagement: Engagement, milestones: list[MilestoneDraft]) -> str:
    """What both sides would sign, before anything is stored."""
    return digest(agreement(engagement, _milestones(engagement, milestones)))


def put_down(*, engagement: Engagement, milestones: list[MilestoneDraft], now: datetime) -> None:
    """Store an engagement that nothing stands against, with its milestones, unsigned."""
    rows = _milestones(engagement, milestones)
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
