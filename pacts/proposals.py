"""An offer as it stands: its terms read, and the engagement it would become, before it is one."""

import json
from datetime import datetime

from pacts import own_pacts, terms
from pacts.hire_terms import MilestoneDraft
from pacts.models import Engagement, Negotiation, PactVersion, Proposal, TaskSetVersion
from pacts.offered import OfferedTerms, offered_of


class ProposalRefused(ValueError):
    """These terms cannot be offered; the message says why and what to change."""


class ProposalClosed(ValueError):
    """The offer is not open any more; the message says what became of it."""


def terms_of(proposal: Proposal) -> OfferedTerms:
    """What an offer says. Raises `ProposalClosed` once its text was erased."""
    if not proposal.terms:
        raise ProposalClosed("the terms of this offer were erased")
    return offered_of(json.loads(proposal.terms))


def listed_of(negotiation: Negotiation) -> OfferedTerms | None:
    """What everybody was offered when it began; None once that was erased."""
    return offered_of(json.loads(negotiation.listed)) if negotiation.listed else None


def drafts_of(offered: OfferedTerms) -> list[MilestoneDraft]:
    """Its milestones with their task sets read. Raises `ProposalRefused` for one that is gone."""
    rows = TaskSetVersion.objects.select_related("task_set").in_bulk(offered.task_set_versions)
    if missing := [one for one in offered.task_set_versions if one not in rows]:
        raise ProposalRefused(f"there is no task set version {missing[0]}; choose another")
    return [
        MilestoneDraft(one.title, one.amount, rows[one.task_set_version], bond=one.bond)
        for one in offered.milestones
    ]


def preview(*, negotiation: Negotiation, proposal: Proposal) -> Engagement:
    """The engagement as it would stand if the offer were accepted; nothing is stored."""
    offered = terms_of(proposal)
    version = pact_version_of(negotiation, offered, proposal.pact_version_ref, proposal.proposed_at)
    return engagement_of(negotiation, proposal, offered, version)


def pact_version_of(
    negotiation: Negotiation, offered: OfferedTerms, ref: str, at: datetime
) -> PactVersion:
    """The published version where nothing of it changed, else the one that would be made."""
    if terms.digest(offered.pact) == negotiation.published.digest:
        return negotiation.published
    return own_pacts.unsaved(published=negotiation.published, pact=offered.pact, ref=ref, now=at)


def engagement_of(
    negotiation: Negotiation, offer: Proposal, offered: OfferedTerms, pact_version: PactVersion
) -> Engagement:
    """It was proposed when the offer was made, so the policy of that moment binds it."""
    timers = offered.timers
    return Engagement(
        id=offer.engagement_ref,
        buyer=negotiation.buyer,
        builder=negotiation.builder,
        evaluator=negotiation.evaluator,
        agent_version=negotiation.agent_version,
        pact_version=pact_version,
        currency=negotiation.currency,
        fee_bps=offer.fee_bps,
        fee_bands=offer.fee_bands,
        work_seconds=timers.work_seconds,
        evaluation_seconds=timers.evaluation_seconds,
        acceptance_seconds=timers.acceptance_seconds,
        cure_seconds=timers.cure_seconds,
        funding_seconds=timers.funding_seconds,
        max_revisions=offered.max_revisions,
        proposed_by=offer.by,
        proposed_at=offer.proposed_at,
        offer_expires_at=offer.expires_at,
    )
