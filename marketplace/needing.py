"""Needs as both faces show them: who sees which, and what stands behind each opened offer."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from marketplace.models import Listing
from pacts.models import Need, Party, SealedOffer
from reputation import queries
from reputation.queries import AgentStanding

RELATED = ("buyer", "pact_version__pact", "engagement")


def seen_by(party: Party | None) -> QuerySet[Need]:
    """Needs that take offers are everybody's; others are seen by their buyer and who offered."""
    seen = Q(state=Need.State.OPEN)
    if party is not None:
        seen |= Q(buyer=party) | Q(offers__builder=party)
    return Need.objects.filter(seen).select_related(*RELATED).distinct()


def offers_seen_by(party: Party) -> QuerySet[SealedOffer]:
    """One's own offers at any time, and those on one's own needs once they are opened."""
    seen = Q(builder=party) | Q(need__buyer=party, state=SealedOffer.State.REVEALED)
    related = ("need__pact_version", "builder", "agent_version__agent")
    return SealedOffer.objects.filter(seen).select_related(*related)


def standing_offer(need: Need, builder: Party) -> SealedOffer | None:
    """The builder's offer that counts, sealed or opened."""
    rows = offers_seen_by(builder).filter(need=need, builder=builder)
    return rows.filter(state__in=["standing", "revealed"]).first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One opened offer beside what the log says of its agent; `listed` agents can be tried."""

    offer: SealedOffer
    standing: AgentStanding
    listed: bool

    @property
    def lower(self) -> int | None:
        """The lower bound of everything it promised elsewhere, in basis points."""
        return self.standing.composite.score_bps


def opened_offers(need: Need, *, now: datetime) -> list[Opened]:
    """Every opened offer of a need: those that can be picked first, the cheapest of them first."""
    rows = list(
        need.offers.filter(state="revealed").select_related("builder", "agent_version__agent")
    )
    versions = {
        one.agent_version.id: one.agent_version.agent_id for one in rows if one.agent_version
    }
    found = queries.standings_of(versions=versions, now=now)
    listed = set(
        Listing.objects.filter(agent__in=versions.values(), state=Listing.State.OPEN).values_list(
            "agent_id", flat=True
        )
    )
    shown = [
        Opened(
            offer=one,
            standing=found[one.agent_version.id],
            listed=one.agent_version.agent_id in listed,
        )
        for one in rows
        if one.agent_version
    ]
    return sorted(shown, key=lambda one: (bool(one.offer.unfit), one.offer.price, one.offer.pk))
