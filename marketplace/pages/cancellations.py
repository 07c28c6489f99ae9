"""Ending by agreement, on the page of an engagement: an offer, its acceptance, taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.pages.attempts import attempt_button
from marketplace.pages.turns import moved
from marketplace.pages.visitors import find, party_of, user_of
from marketplace.pages.wording import read_percent
from pacts.models import Engagement, Milestone, Party
from reputation.clock import database_now
from settlement import cancellations
from settlement.fees import apportion, bands_of
from settlement.models import FINAL, Cancellation
from settlement.refusals import CancellationRefused


@dataclass(frozen=True, slots=True)
class Parting:
    """A milestone that can still end by agreement, and the open offer, if there is one."""

    milestone: Milestone
    offer: Cancellation | None
    is_mine: bool
    is_funded: bool
    moves: str  # what accepting the offer moves, in words; "" where no money is set aside


def partings_of(
    engagement: Engagement, milestones: Sequence[Milestone], by: Party
) -> list[Parting]:
    """What either side may still end by agreement, with the offers that are open."""
    if engagement.state != Engagement.State.ACTIVE:
        return []
    open_offers = {
        offer.milestone_id: offer
        for offer in Cancellation.objects.filter(
            milestone__in=milestones, state=Cancellation.State.OPEN
        ).select_related("proposed_by")
    }
    return [
        _parting(milestone, open_offers.get(milestone.pk), by)
        for milestone in milestones
        if milestone.cancelled_at is None and _state(milestone) not in FINAL
    ]


def _parting(milestone: Milestone, offer: Cancellation | None, by: Party) -> Parting:
    return Parting(
        milestone=milestone,
        offer=offer,
        is_mine=offer is not None and offer.proposed_by_id == by.pk,
        is_funded=milestone.started_at is not None,
        moves=_moves(milestone, offer),
    )


def _moves(milestone: Milestone, offer: Cancellation | None) -> str:
    if offer is None or offer.award_bps is None:
        return ""
    engagement = milestone.engagement
    division = apportion(
        amount=milestone.amount,
        share_bps=offer.award_bps,
        fee_bps=engagement.fee_bps,
        fee_bands=bands_of(engagement.fee_bands),
    )
    return moved(division, engagement.currency)


def _state(milestone: Milestone) -> str:
    escrow = getattr(milestone, "escrow", None)
    return escrow.state if escrow else "unfunded"


def cancellation(request: HttpRequest, milestone_id: str) -> HttpResponse:
    """Offer the other side to end this milestone."""
    party = party_of(request)
    sides = Q(engagement__buyer=party) | Q(engagement__builder=party)
    milestone = find(Milestone.objects.filter(sides).select_related("engagement"), pk=milestone_id)

    def offer() -> str:
        cancellations.propose_cancellation(
            milestone=milestone,
            party=party,
            by=user_of(request),
            award_bps=_award(request.POST.get("award")),
            note=request.POST.get("note", ""),
            now=database_now(),
        )
        return _back(request, milestone)

    return attempt_button(request, offer, back=_back(request, milestone))


def cancellation_acceptance(request: HttpRequest, cancellation_id: str) -> HttpResponse:
    """Accept the other side's offer."""
    found = find(_offers(request), pk=cancellation_id)

    def accept() -> str:
        cancellations.accept_cancellation(
            cancellation=found, party=party_of(request), by=user_of(request), now=database_now()
        )
        return _back(request, found.milestone)

    return attempt_button(request, accept, back=_back(request, found.milestone))


def cancellation_withdrawal(request: HttpRequest, cancellation_id: str) -> HttpResponse:
    """Take one's own offer back."""
    found = find(_offers(request), pk=cancellation_id)

    def withdraw() -> str:
        cancellations.withdraw_cancellation(
            cancellation=found, party=party_of(request), by=user_of(request), now=database_now()
        )
        return _back(request, found.milestone)

    return attempt_button(request, withdraw, back=_back(request, found.milestone))


def _offers(request: HttpRequest) -> QuerySet[Cancellation]:
    party, engagement = party_of(request), "milestone__engagement"
    sides = Q(**{f"{engagement}__buyer": party}) | Q(**{f"{engagement}__builder": party})
    return Cancellation.objects.filter(sides).select_related("milestone")


def _back(request: HttpRequest, milestone: Milestone) -> str:
    """The page the form was on: the case, if one is asked for and there is one."""
    if request.POST.get("back") == "case":
        disputed = milestone.disputes.order_by("-opened_at").first()
        if disputed:
            return reverse("case", args=[disputed.pk])
    return reverse("engagement", args=[milestone.engagement_id])


def _award(text: str | None) -> int | None:
    """Percent with at most two decimals as basis points; None where the form has no field."""
    if text is None:
        return None
    bps = read_percent(text)
    if bps is None:
        raise CancellationRefused(_("write the builder’s share in percent, from 0 to 100"))
    return bps
