"""Ending a milestone by agreement: one side offers a split, the other accepts, the money moves.

Possible from funding to the outcome, in every state: while work is evaluated, after a breach, and
while a dispute freezes the money (accepting settles the dispute). Before any money is set aside
the offer is to end what was never funded. An offer stands until it is accepted, withdrawn,
superseded by a later one of either side, or past its time.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from pacts.models import Engagement, Milestone, Party, User
from settlement import engagements, records
from settlement.decisions import Final, decide
from settlement.escrow import locked_case, refuse_settled
from settlement.models import FINAL, Cancellation, Escrow
from settlement.refusals import (
    CancellationClosed,
    CancellationRefused,
    DeadlinePassed,
    EngagementNotInForce,
    NotYourSide,
)
from settlement.retries import retried
from settlement.settlements import advance
from settlement.shares import WHOLE

OFFER_STANDS = timedelta(hours=72)
LONGEST_NOTE = 1000
_OPEN = Cancellation.State.OPEN


@retried
def propose_cancellation(
    *,
    milestone: Milestone,
    party: Party,
    by: User,
    award_bps: int | None,
    now: datetime,
    note: str = "",
) -> Cancellation:
    """Offer to end a milestone; an open offer of either side is superseded.

    `award_bps` is the builder's share, 0 to 10000; None before any money is set aside. Raises
    CancellationRefused, NotYourSide, EscrowAlreadySettled, DeadlinePassed, EngagementNotInForce.
    """
    _refuse_stranger(party, milestone.engagement)
    if len(note) > LONGEST_NOTE:
        raise CancellationRefused(f"a note has at most {LONGEST_NOTE} characters")
    with transaction.atomic():
        escrow = _funded(milestone)
        if escrow:
            _refuse_no_share(award_bps)
            with locked_case(escrow, now) as case:
                refuse_settled(case)
                _refuse_decided(isinstance(decide(facts=case.facts, now=now), Final))
                return _offer(milestone, party, by, award_bps, note, now)
        if award_bps is not None:
            raise CancellationRefused("no money is set aside yet, so there is none to share")
        _unfunded(milestone)
        return _offer(milestone, party, by, None, note, now)


@retried
def accept_cancellation(
    *, cancellation: Cancellation, party: Party, by: User, now: datetime
) -> Cancellation:
    """Accept the other side's offer: the money moves at once, and an open dispute is settled.

    At exactly `expires_at` it can still be accepted. Raises CancellationClosed, NotYourSide,
    CancellationRefused, EscrowAlreadySettled, DeadlinePassed, EngagementNotInForce.
    """
    milestone = Milestone.objects.select_related("engagement__agent_version").get(
        pk=cancellation.milestone_id
    )
    _refuse_stranger(party, milestone.engagement)
    with transaction.atomic():
        escrow = _funded(milestone)
        if escrow is None:
            engagement = _unfunded(milestone)
            offer = _standing_offer(cancellation, party, now)
            engagements.end_unfunded(engagement, state=Engagement.State.CANCELLED, now=now)
        else:
            offer = _split(escrow, cancellation, party, now)
        _close(offer, Cancellation.State.ACCEPTED, milestone.engagement, by, now)
    return offer


@retried
def withdraw_cancellation(
    *, cancellation: Cancellation, party: Party, by: User, now: datetime
) -> Cancellation:
    """Take one's own offer back. Raises CancellationClosed, NotYourSide."""
    with transaction.atomic():
        offer = _locked(cancellation)
        if offer.proposed_by_id != party.pk:
            raise NotYourSide("only the side that made this offer can take it back")
        _refuse_closed(offer)
        _close(offer, Cancellation.State.WITHDRAWN, offer.milestone.engagement, by, now)
    return offer


def expire_due(*, now: datetime, limit: int = 500) -> int:
    """Close offers whose time is over; returns how many."""
    late = Cancellation.objects.filter(state=_OPEN, expires_at__lt=now).order_by("expires_at")
    return sum(_expire(offer_id, now) for offer_id in late.values_list("pk", flat=True)[:limit])


@retried
def _expire(offer_id: str, now: datetime) -> bool:
    with transaction.atomic():
        offer = (
            Cancellation.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("milestone__engagement")
            .filter(pk=offer_id, state=_OPEN, expires_at__lt=now)
            .first()
        )
        if offer is None:
            return False
        ended = Escrow.objects.filter(milestone=offer.milestone_id, state__in=FINAL).exists()
        state = Cancellation.State.OVERTAKEN if ended else Cancellation.State.EXPIRED
        _close(offer, state, offer.milestone.engagement, None, now)
    return True


def _funded(milestone: Milestone) -> Escrow | None:
    return Escrow.objects.filter(milestone=milestone, hold__isnull=False).first()


def _unfunded(milestone: Milestone) -> Engagement:
    """The engagement under its lock, which funding waits for; nothing of this milestone is held."""
    engagement = (
        Engagement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("agent_version")
        .get(pk=milestone.engagement_id)
    )
    if engagement.state != Engagement.State.ACTIVE:
        raise EngagementNotInForce("this engagement is not in force")
    if not Milestone.objects.filter(pk=milestone.pk, started_at=None, cancelled_at=None).exists():
        raise CancellationRefused("this milestone was funded or ended in between; look again")
    return engagement


def _split(escrow: Escrow, cancellation: Cancellation, party: Party, now: datetime) -> Cancellation:
    with locked_case(escrow, now) as case:
        refuse_settled(case)
        offer = _standing_offer(cancellation, party, now)
        if offer.award_bps is None:
            raise CancellationRefused("the money is set aside by now; offer how it is shared")
        _refuse_decided(isinstance(decide(facts=case.facts, now=now), Final))
        agreed = replace(case, facts=replace(case.facts, agreed_share_bps=offer.award_bps))
        changes = {"agreed_at": now, "agreed_share_bps": offer.award_bps}
        advance([agreed], now=now, changes=changes)
    return offer


def _offer(
    milestone: Milestone,
    party: Party,
    by: User,
    award_bps: int | None,
    note: str,
    now: datetime,
) -> Cancellation:
    engagement = milestone.engagement
    for earlier in Cancellation.objects.select_for_update(no_key=True).filter(
        milestone=milestone, state=_OPEN
    ):
        late = now > earlier.expires_at
        state = Cancellation.State.EXPIRED if late else Cancellation.State.SUPERSEDED
        _close(earlier, state, engagement, by, now)
    offer = Cancellation.objects.create(
        milestone=milestone,
        proposed_by=party,
        proposed_by_user=by,
        award_bps=award_bps,
        note=note.strip(),
        proposed_at=now,
        expires_at=now + OFFER_STANDS,
    )
    records.cancellation_offered(offer=offer, engagement=engagement, now=now)
    return offer


def _close(
    offer: Cancellation,
    state: Cancellation.State,
    engagement: Engagement,
    by: User | None,
    now: datetime,
) -> None:
    offer.state, offer.closed_at, offer.closed_by_user = state, now, by
    offer.save(update_fields=["state", "closed_at", "closed_by_user"])
    records.cancellation_closed(offer=offer, engagement=engagement, now=now)


def _locked(cancellation: Cancellation) -> Cancellation:
    return (
        Cancellation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("milestone__engagement")
        .get(pk=cancellation.pk)
    )


def _standing_offer(cancellation: Cancellation, party: Party, now: datetime) -> Cancellation:
    offer = _locked(cancellation)
    _refuse_closed(offer)
    if offer.proposed_by_id == party.pk:
        raise NotYourSide("the other side answers this offer")
    if now > offer.expires_at:
        raise CancellationClosed("this offer ran out; make a new one")
    return offer


def _refuse_closed(offer: Cancellation) -> None:
    if offer.state != _OPEN:
        raise CancellationClosed(f"this offer was {offer.state}")


def _refuse_stranger(party: Party, engagement: Engagement) -> None:
    if party.pk not in (engagement.buyer_id, engagement.builder_id):
        raise NotYourSide("only the two sides of this engagement can do that")


def _refuse_no_share(award_bps: int | None) -> None:
    if award_bps is None or not 0 <= award_bps <= WHOLE:
        raise CancellationRefused("say the builder's share, from 0 to 10000 basis points")


def _refuse_decided(is_final: bool) -> None:
    if is_final:
        raise DeadlinePassed("the window for this has closed; the outcome follows")
