"""Talking about terms until both sides sign: offers with an expiry, one open at a time.

The buyer begins from what everybody gets. Either side answers with terms of its own, accepts,
declines, or takes its own offer back. Whoever acts holds the negotiation's lock, so an offer has
one outcome. Accepting makes the engagement under the id and the digest that the offer named.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from pacts import engagements, own_pacts, terms
from pacts.hire_terms import EngagementRefused
from pacts.models import (
    AgentVersion,
    Engagement,
    Negotiation,
    PactVersion,
    Party,
    Proposal,
    User,
)
from pacts.offered import OfferedTerms, foreign_task_sets, same
from pacts.proposals import (
    ProposalClosed,
    ProposalRefused,
    drafts_of,
    engagement_of,
    preview,
    terms_of,
)
from reputation.identifiers import new_id

HOUR = 3600
SHORTEST_SECONDS = HOUR
LONGEST_SECONDS = 14 * 24 * HOUR
USUAL_SECONDS = 72 * HOUR
LONGEST_NOTE = 2000
MOST_PROPOSALS = 60
_OPEN = Proposal.State.OPEN


class NotYourOffer(PermissionError):
    """The other side answers an offer; only who made it takes it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What the platform takes: basis points, and bands (above, in minor units; basis points)."""

    bps: int
    bands: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One side's word: terms, a private note, how long it stands, and what holds beside it.

    `longest_hold_seconds` is how long money may be held, None for any time.
    """

    party: Party
    by: User
    terms: OfferedTerms
    fee: Fee
    note: str = ""
    stands_seconds: int = USUAL_SECONDS
    longest_hold_seconds: int | None = None


def open_negotiation(
    *,
    agent_version: AgentVersion,
    published: PactVersion,
    currency: str,
    listed: OfferedTerms,
    offer: Offer,
    now: datetime,
    evaluator: Party | None = None,
) -> Proposal:
    """The buyer's first offer, beside the terms `listed` that everybody gets.

    Raises `ProposalRefused`, `EngagementRefused`, `pacts.publishing.PactRefused` and as
    `pacts.engagements.propose`.
    """
    if same(listed, offer.terms):
        raise ProposalRefused("this is what is offered to everybody; sign it instead, or change it")
    negotiation = Negotiation(
        buyer=offer.party,
        builder=agent_version.agent.builder,
        evaluator=evaluator,
        agent_version=agent_version,
        published=published,
        currency=currency,
        listed=json.dumps(listed.to_json()),
        opened_at=now,
    )
    if negotiation.buyer_id == negotiation.builder_id:
        raise EngagementRefused("a party cannot hire itself")
    with transaction.atomic():
        negotiation.save(force_insert=True)
        return _make(negotiation, offer, 1, now)


def propose(*, negotiation: Negotiation, offer: Offer, now: datetime) -> Proposal:
    """Other terms, from either side; the open offer is countered, or replaced by its own side.

    Raises `ProposalClosed`, `ProposalRefused`, `NotAParty` and as `open_negotiation`.
    """
    with transaction.atomic():
        found = _locked(negotiation)
        _refuse_stranger(found, offer.party)
        last = _open_offer(found)
        if found.state != Negotiation.State.OPEN or last is None:
            raise ProposalClosed(f"this negotiation is over: {_ended(found)}")
        if now > last.expires_at:
            raise ProposalClosed("the last offer ran out; begin again with new terms")
        if same(offer.terms, terms_of(last)):
            raise ProposalRefused("these are the terms of the open offer; accept it, or change it")
        if offer.party.pk == found.builder_id:
            _refuse_foreign_tasks(found, offer.terms)
        mine = last.party_id == offer.party.pk
        _close(last, Proposal.State.REPLACED if mine else Proposal.State.COUNTERED, offer.by, now)
        return _make(found, offer, last.number + 1, now)


def accept(
    *, proposal: Proposal, party: Party, by: User, authority: str, now: datetime
) -> Engagement:
    """The engagement that the other side's open offer names, unsigned; at exactly its expiry still.

    The caller, who signs for both in the same transaction, holds no other lock before. Raises
    `ProposalClosed`, `NotYourOffer`, `NotAParty`, and as `propose` for what no longer holds.
    """
    negotiation = _locked(Negotiation(pk=proposal.negotiation_id))
    offer = _standing(proposal, negotiation, party, now)
    if offer.party_id == party.pk:
        raise NotYourOffer("the other side answers this offer; you can take it back")
    offered = terms_of(offer)
    pact_version = _agreed_pact(negotiation, offer, offered, by, authority, now)
    engagement = engagement_of(negotiation, offer, offered, pact_version)
    drafts = drafts_of(offered)
    engagements.refuse_unagreeable(
        engagement=engagement, milestones=drafts, longest_hold_seconds=None, now=now
    )
    engagements.put_down(engagement=engagement, milestones=drafts, now=now)
    if engagement.digest != offer.digest:
        raise ProposalClosed("what this offer names changed since it was made; offer it again")
    if pact_version.pk != negotiation.published_id:
        own_pacts.record(engagement=engagement, published=negotiation.published, now=now)
    _close(offer, Proposal.State.ACCEPTED, by, now, engagement=engagement)
    _end(negotiation, Negotiation.State.AGREED, now)
    return engagement


def decline(*, proposal: Proposal, party: Party, by: User, now: datetime) -> Proposal:
    """The other side says no, which ends the negotiation. Raises as `accept`."""
    return _answer(proposal, party, by, now, mine=False)


def withdraw(*, proposal: Proposal, party: Party, by: User, now: datetime) -> Proposal:
    """Whoever made the offer takes it back, which ends the negotiation. Raises as `accept`."""
    return _answer(proposal, party, by, now, mine=True)


def _answer(proposal: Proposal, party: Party, by: User, now: datetime, *, mine: bool) -> Proposal:
    with transaction.atomic():
        negotiation = _locked(Negotiation(pk=proposal.negotiation_id))
        offer = _standing(proposal, negotiation, party, now)
        if mine != (offer.party_id == party.pk):
            raise NotYourOffer(
                "only the side that made this offer takes it back; you can decline it"
                if mine
                else "the other side answers this offer; you can take it back"
            )
        state = Proposal.State.WITHDRAWN if mine else Proposal.State.DECLINED
        _close(offer, state, by, now)
        _end(negotiation, Negotiation.State(state.value), now)
    return offer


def expire_due(*, now: datetime, limit: int = 500) -> int:
    """End negotiations whose open offer ran out; returns how many."""
    late = Proposal.objects.filter(state=_OPEN, expires_at__lt=now).order_by("expires_at")
    wanted = late.values_list("negotiation_id", flat=True)[:limit]
    return sum(_expire(negotiation_id, now) for negotiation_id in list(wanted))


def _expire(negotiation_id: str, now: datetime) -> bool:
    with transaction.atomic():
        found = (
            Negotiation.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .filter(pk=negotiation_id, state=Negotiation.State.OPEN)
            .first()
        )
        offer = _open_offer(found) if found else None
        if found is None or offer is None or now <= offer.expires_at:
            return False
        _close(offer, Proposal.State.EXPIRED, None, now)
        _end(found, Negotiation.State.EXPIRED, now)
    return True


def _make(negotiation: Negotiation, offer: Offer, number: int, now: datetime) -> Proposal:
    _refuse_unfit_offer(offer, number)
    own_pacts.refuse_unsignable(pact=offer.terms.pact, now=now)
    made = Proposal(
        negotiation=negotiation,
        number=number,
        party=offer.party,
        by=offer.by,
        terms=json.dumps(offer.terms.to_json()),
        note=offer.note.strip(),
        fee_bps=offer.fee.bps,
        fee_bands=[{"above": above, "fee_bps": bps} for above, bps in offer.fee.bands],
        engagement_ref=new_id("eng"),
        pact_version_ref=new_id("pcv"),
        proposed_at=now,
        expires_at=now + timedelta(seconds=offer.stands_seconds),
    )
    engagement, drafts = preview(negotiation=negotiation, proposal=made), drafts_of(offer.terms)
    engagements.refuse_unagreeable(
        engagement=engagement,
        milestones=drafts,
        longest_hold_seconds=offer.longest_hold_seconds,
        now=now,
    )
    made.digest = engagements.digest_of(engagement, drafts)
    made.save(force_insert=True)
    return made


def _refuse_unfit_offer(offer: Offer, number: int) -> None:
    if len(offer.note) > LONGEST_NOTE:
        raise ProposalRefused(f"a note has at most {LONGEST_NOTE} characters")
    if not SHORTEST_SECONDS <= offer.stands_seconds <= LONGEST_SECONDS:
        raise ProposalRefused(
            f"an offer stands for {SHORTEST_SECONDS // HOUR} hour at least and "
            f"{LONGEST_SECONDS // HOUR // 24} days at most"
        )
    if number > MOST_PROPOSALS:
        raise ProposalRefused(
            f"{MOST_PROPOSALS} offers went back and forth; accept the last one, or begin again"
        )


def _refuse_foreign_tasks(negotiation: Negotiation, offered: OfferedTerms) -> None:
    """The buyer chooses what it is judged on; the builder may only keep or drop."""
    known: list[str] = []
    for row in negotiation.proposals.filter(party=negotiation.buyer_id):
        known += terms_of(row).task_set_versions
    if foreign_task_sets(offered, known=known):
        raise ProposalRefused("the buyer chooses the tasks; keep to the sets it named")


def _agreed_pact(
    negotiation: Negotiation,
    offer: Proposal,
    offered: OfferedTerms,
    by: User,
    authority: str,
    now: datetime,
) -> PactVersion:
    if terms.digest(offered.pact) == negotiation.published.digest:
        return negotiation.published
    builders = offer.party_id == negotiation.builder_id
    return own_pacts.agree(
        published=negotiation.published,
        buyer=negotiation.buyer,
        pact=offered.pact,
        ref=offer.pact_version_ref,
        by=offer.by if builders else by,
        authority=offer.pk if builders else authority,
        now=now,
    )


def _locked(negotiation: Negotiation) -> Negotiation:
    return (
        Negotiation.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "buyer",
            "builder",
            "evaluator",
            "agent_version__agent__builder",
            "published__pact__agent__builder",
        )
        .get(pk=negotiation.pk)
    )


def _standing(
    proposal: Proposal, negotiation: Negotiation, party: Party, now: datetime
) -> Proposal:
    """The offer read under its negotiation's lock, if it still can be answered."""
    _refuse_stranger(negotiation, party)
    offer = negotiation.proposals.select_related("party", "by").get(pk=proposal.pk)
    if offer.state != _OPEN:
        raise ProposalClosed(f"this offer was {offer.state}; look at the newest one")
    if now > offer.expires_at:
        raise ProposalClosed("this offer ran out; make a new one")
    return offer


def _open_offer(negotiation: Negotiation) -> Proposal | None:
    return negotiation.proposals.filter(state=_OPEN).first()


def _close(
    offer: Proposal,
    state: Proposal.State,
    by: User | None,
    now: datetime,
    *,
    engagement: Engagement | None = None,
) -> None:
    offer.state, offer.closed_at, offer.closed_by, offer.engagement = state, now, by, engagement
    offer.save(update_fields=["state", "closed_at", "closed_by", "engagement"])


def _end(negotiation: Negotiation, state: Negotiation.State, now: datetime) -> None:
    negotiation.state, negotiation.closed_at = state, now
    negotiation.save(update_fields=["state", "closed_at"])


def _ended(negotiation: Negotiation) -> str:
    return {
        Negotiation.State.AGREED: "both sides agreed",
        Negotiation.State.DECLINED: "the last offer was declined",
        Negotiation.State.WITHDRAWN: "the last offer was taken back",
        Negotiation.State.EXPIRED: "the last offer ran out",
    }.get(Negotiation.State(negotiation.state), "no offer is open")


def _refuse_stranger(negotiation: Negotiation, party: Party) -> None:
    if party.pk not in (negotiation.buyer_id, negotiation.builder_id):
        raise engagements.NotAParty("only the buyer and the builder talk about these terms")
