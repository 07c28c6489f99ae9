"""Talking about a listing's terms: from what everybody gets to what two parties sign.

The words are `pacts.negotiations`; here stand the listing they begin from, the platform's fee, and
whether the agent may be hired at all at the moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from marketplace import hiring, policy, screening
from marketplace.models import Listing
from marketplace.notices import privately
from marketplace.notices.phrases import Phrase, word
from pacts import negotiations, terms
from pacts.models import (
    Engagement,
    EvaluatorOffer,
    Negotiation,
    Party,
    Proposal,
    TaskSetVersion,
    User,
)
from pacts.negotiations import USUAL_SECONDS, Fee, Offer
from pacts.offered import OfferedMilestone, OfferedTerms
from settlement import engagements as signing


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who speaks, for which side, and by what authority."""

    party: Party
    by: User
    authority: str


def listed_terms(
    listing: Listing, tasks: Sequence[TaskSetVersion], *, now: datetime
) -> OfferedTerms:
    """What a hire at this listing's own terms would be, one milestone for each task set."""
    held = policy.at(now)
    return OfferedTerms(
        pact=terms.parse(listing.pact_version.terms),
        milestones=tuple(_milestone(listing, version) for version in tasks),
        timers=replace(hiring.timers_of(listing), funding_seconds=held.funding_seconds),
        max_revisions=listing.max_revisions,
    )


def _milestone(listing: Listing, version: TaskSetVersion) -> OfferedMilestone:
    return OfferedMilestone(
        title=f"{version.task_set.name}: {version.size} tasks"[:120],
        amount=listing.price,
        task_set_version=version.pk,
        bond=listing.bond,
    )


def begin(
    *,
    listing: Listing,
    speaker: Speaker,
    offered: OfferedTerms,
    now: datetime,
    note: str = "",
    stands_seconds: int = USUAL_SECONDS,
    evaluator_offer: EvaluatorOffer | None = None,
) -> Proposal:
    """The buyer's first offer. Raises `hiring.ListingClosed` and as
    `pacts.negotiations.open_negotiation`."""
    hiring.refuse_closed(listing, now)
    drafts = {one.task_set_version for one in offered.milestones}
    tasks = list(TaskSetVersion.objects.select_related("task_set").filter(pk__in=drafts))
    order = {pk: place for place, pk in enumerate(offered.task_set_versions)}
    tasks.sort(key=lambda one: order[one.pk])
    with transaction.atomic():
        made = negotiations.open_negotiation(
            agent_version=listing.agent_version,
            published=listing.pact_version,
            currency=listing.currency,
            listed=listed_terms(listing, tasks, now=now),
            offer=_offer(speaker, listing.currency, offered, note, stands_seconds, now),
            evaluator=evaluator_offer.evaluator if evaluator_offer else None,
            now=now,
        )
        _tell_other_side(made, speaker, "offered", now)
    return made


def counter(
    *,
    negotiation: Negotiation,
    speaker: Speaker,
    offered: OfferedTerms,
    now: datetime,
    note: str = "",
    stands_seconds: int = USUAL_SECONDS,
) -> Proposal:
    """Other terms, from either side. Raises as `pacts.negotiations.propose`."""
    offer = _offer(speaker, negotiation.currency, offered, note, stands_seconds, now)
    with transaction.atomic():
        made = negotiations.propose(negotiation=negotiation, offer=offer, now=now)
        _tell_other_side(made, speaker, "countered", now)
    return made


def accept(*, proposal: Proposal, speaker: Speaker, now: datetime) -> Engagement:
    """Sign the other side's offer; both signatures are set at this moment.

    A listing that its builder paused may still agree to what it offered; one the platform
    suspended may not. Raises `hiring.ListingClosed` and as `settlement.engagements.agree`.
    """
    listing = _listing_of(proposal.negotiation)
    hiring.refuse_suspended(proposal.negotiation.agent_version.agent_id)
    with transaction.atomic():
        engagement = signing.agree(
            proposal=proposal,
            party=speaker.party,
            by=speaker.by,
            authority=speaker.authority,
            now=now,
        )
        if listing:
            screening.note_choice(engagement=engagement, listing=listing, now=now)
        _tell_other_side(proposal, speaker, "accepted", now, engagement=engagement)
    return engagement


def decline(*, proposal: Proposal, speaker: Speaker, now: datetime) -> Proposal:
    """Say no to the other side's offer. Raises as `pacts.negotiations.decline`."""
    with transaction.atomic():
        done = negotiations.decline(proposal=proposal, party=speaker.party, by=speaker.by, now=now)
        _tell_other_side(done, speaker, "declined", now)
    return done


def withdraw(*, proposal: Proposal, speaker: Speaker, now: datetime) -> Proposal:
    """Take one's own offer back. Raises as `pacts.negotiations.withdraw`."""
    with transaction.atomic():
        done = negotiations.withdraw(proposal=proposal, party=speaker.party, by=speaker.by, now=now)
        _tell_other_side(done, speaker, "withdrawn", now)
    return done


def _offer(
    speaker: Speaker,
    currency: str,
    offered: OfferedTerms,
    note: str,
    stands_seconds: int,
    now: datetime,
) -> Offer:
    held = policy.at(now)
    return Offer(
        party=speaker.party,
        by=speaker.by,
        terms=offered,
        fee=Fee(bps=held.fee_bps, bands=tuple(held.fee_bands_in(currency))),
        note=note,
        stands_seconds=stands_seconds,
        longest_hold_seconds=hiring.longest_hold_seconds(),
    )


def _listing_of(negotiation: Negotiation) -> Listing | None:
    return Listing.objects.filter(agent=negotiation.agent_version.agent_id).first()


_TITLES = {
    "offered": word("{who} offers other terms for {agent}"),
    "countered": word("{who} offers other terms for {agent}"),
    "accepted": word("{who} accepted your terms for {agent}"),
    "declined": word("{who} declined your terms for {agent}"),
    "withdrawn": word("{who} took its offer for {agent} back"),
}


def _tell_other_side(
    proposal: Proposal,
    speaker: Speaker,
    what: str,
    now: datetime,
    *,
    engagement: Engagement | None = None,
) -> None:
    """Only the other side hears of it: what is talked about is in no log."""
    talk = proposal.negotiation
    other = talk.builder_id if speaker.party.pk == talk.buyer_id else talk.buyer_id
    path = f"/engagements/{engagement.pk}/" if engagement else f"/negotiations/{talk.pk}/"
    privately.tell(
        party_id=other,
        kind=f"negotiation.{what}",
        topic="engagement",
        words=[Phrase(_TITLES[what], {"agent": talk.agent_version.agent.name})],
        who=speaker.party,
        path=path,
        now=now,
    )
