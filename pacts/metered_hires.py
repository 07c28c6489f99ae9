"""Hiring by the meter: an engagement without milestones, whose agreement holds metering terms."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from pacts import terms
from pacts.agreements import agreement, unfit_fee
from pacts.currencies import exponent_of
from pacts.engagements import OFFER_SECONDS, EngagementRefused
from pacts.feasibility import Timers, in_days
from pacts.hire_terms import refuse_unfit_pact
from pacts.metering import MeteringRefused, MeteringTerms, agreed_text, refuse_unfit
from pacts.models import AgentVersion, Engagement, PactVersion, Party, User
from pacts.procedure.clocks import BACKSTOP_SECONDS
from pacts.reevaluations import refuse_restricted
from reputation import evidence
from reputation.canonical import digest


def propose_metered(
    *,
    buyer: Party,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    currency: str,
    fee_bps: int,
    metering: MeteringTerms,
    by: User,
    now: datetime,
    timers: Timers | None = None,
    fee_bands: Sequence[tuple[int, int]] = (),
    longest_hold_seconds: int | None = None,
) -> Engagement:
    """An unsigned engagement that is paid by the meter; its digest covers the metering terms.

    The caller is in the transaction that stores the terms beside it. Fees as in
    `pacts.engagements.propose`. Raises `EngagementRefused`, `pacts.reevaluations.ReEvaluationDue`,
    `pacts.currencies.CurrencyUnknown`.
    """
    timers = timers or Timers()
    exponent_of(currency)
    refuse_restricted(agent_id=agent_version.agent_id, now=now)
    _refuse_unfit(buyer, agent_version, pact_version, metering)
    if wrong := timers.unfit() or unfit_fee(fee_bps, fee_bands):
        raise EngagementRefused(wrong)
    _refuse_too_long(metering, timers, longest_hold_seconds)
    with transaction.atomic():
        engagement = Engagement(
            buyer=buyer,
            builder=agent_version.agent.builder,
            agent_version=agent_version,
            pact_version=pact_version,
            currency=currency,
            fee_bps=fee_bps,
            fee_bands=[{"above": above, "fee_bps": bps} for above, bps in fee_bands],
            work_seconds=timers.work_seconds,
            evaluation_seconds=timers.evaluation_seconds,
            acceptance_seconds=timers.acceptance_seconds,
            cure_seconds=timers.cure_seconds,
            funding_seconds=timers.funding_seconds,
            max_revisions=0,
            proposed_by=by,
            proposed_at=now,
            offer_expires_at=now + timedelta(seconds=OFFER_SECONDS),
        )
        agreed = agreed_text(metering, terms.parse(pact_version.terms))
        text = agreement(engagement, []) | {"metering": agreed}
        engagement.digest = digest(text)
        engagement.save(force_insert=True)
        evidence.append(
            kind="engagement.proposed",
            subjects={
                "engagement": engagement.pk,
                "agent": agent_version.agent_id,
                "agent_version": agent_version.pk,
                "pact_version": pact_version.pk,
                "buyer": buyer.pk,
                "builder": engagement.builder_id,
            },
            facts={"amount": metering.budget, "currency": currency, "milestones": 0},
            digests={"terms": engagement.digest},
            private={"agreement": text},
            at=now,
        )
    return engagement


def _refuse_unfit(
    buyer: Party, agent_version: AgentVersion, pact_version: PactVersion, metering: MeteringTerms
) -> None:
    refuse_unfit_pact(buyer, agent_version, pact_version)
    parsed = terms.parse(pact_version.terms)
    if parsed.independence == "third_party":
        raise EngagementRefused(
            "this pact counts only evaluations by a third party, and production calls are checked "
            "by the platform; ask the builder for a version with the independence `platform`"
        )
    try:
        refuse_unfit(metering, parsed)
    except MeteringRefused as problem:
        raise EngagementRefused(str(problem)) from problem


def _refuse_too_long(metering: MeteringTerms, timers: Timers, longest_hold: int | None) -> None:
    """It runs, its last windows are judged, one of them may wait for a person, the rest cools."""
    waits = max(timers.cure_seconds, timers.evaluation_seconds, BACKSTOP_SECONDS)
    path = metering.runs_seconds + timers.evaluation_seconds + max(waits, metering.cooling_seconds)
    if longest_hold is not None and path > longest_hold:
        raise EngagementRefused(
            f"running, judging the last window and cooling may take {in_days(path)}, but money "
            f"that comes in this way can be held for {in_days(longest_hold)}; let it run or cool "
            "for less"
        )
