"""An agent's public page."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from marketplace import hiring, policy
from marketplace.models import Listing
from marketplace.pages import agent_view, standing_way
from marketplace.pages.control_view import restrictions_on
from marketplace.pages.promises import fee_sentence, timer_sentences
from marketplace.pages.visitors import acting_of, find, now_of


def agent(request: HttpRequest, slug: str) -> HttpResponse:
    """What an agent promises, what the log says of it, what benchmarks claim, how hires went."""
    found = find(agent_view.agents(), slug=slug)
    listing = agent_view.listing_of(found)
    offer = agent_view.offer_of(listing, held=policy.at(now_of(request))) if listing else None
    standing, rates = agent_view.standing_of(found, now=now_of(request))
    acting = acting_of(request)
    context = {
        "agent": found,
        "listing": listing,
        "is_open": listing is not None and listing.state == Listing.State.OPEN,
        "timers": timer_sentences(offer) if offer else [],
        "fee": fee_sentence(offer) if offer else "",
        "pact": agent_view.pact_of(found),
        "standing": standing,
        "rates": rates,
        **standing_way.way_of(found),
        "claims": agent_view.claims_of(found),
        "imported_runs": agent_view.imported_runs_of(found),
        "hires": agent_view.hires_of(found),
        "running": agent_view.running_of(found),
        **_restricted(found.id, listing, now=now_of(request)),
        "may_see_firing": acting is not None
        and acting.party is not None
        and (acting.party.id == found.builder_id),
        "is_own": bool(acting and acting.party and acting.party.id == found.builder_id),
    }
    return render(request, "agents/agent.html", context)


def _restricted(agent_id: str, listing: Listing | None, *, now: datetime) -> dict[str, Any]:
    """What controls restrict, and where hires go instead if they are sent elsewhere."""
    elsewhere = hiring.routed_elsewhere(listing, now=now) if listing else None
    return {
        "restrictions": restrictions_on(agent_id, now=now),
        "elsewhere": elsewhere,
        "others": hiring.others_of(listing)[:3] if listing and elsewhere else [],
    }
