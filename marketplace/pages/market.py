"""The market: the first page, and search."""

from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from marketplace import awaited, finding
from marketplace.finding import Found, Search
from marketplace.languages import LANGUAGES
from marketplace.pages import market_view, search_form
from marketplace.pages.compare import Choice, choice_in
from marketplace.pages.visitors import acting_of, now_of
from marketplace.searches import asking
from marketplace.searches.loosening import loosened
from pacts.agents import PROTOCOLS
from pacts.models import Engagement


def market(request: HttpRequest) -> HttpResponse:
    """Search, filter and sort; without a question, the story of each kind of work comes first."""
    now, choice = now_of(request), choice_in(request.GET)
    search = asking.read(request.GET)
    found = finding.find(search, page=asking.page_of(request.GET), now=now)
    front = found.page == 1 and not search.asks
    leading = market_view.leaders() if front else {}
    shown = list(dict.fromkeys(chain(found.listings, *leading.values())))
    cards = {
        card.listing.pk: card
        for card in market_view.cards_of(market_view.listings_in(shown), now=now)
    }
    context = {
        "found": found,
        "front": front,
        "page": Paginator(range(found.count), finding.PER_PAGE).get_page(found.page),
        "cards": [cards[key] for key in found.listings if key in cards],
        "stories": market_view.stories(leading, cards),
        "looser": _looser(search, found, choice, now),
        **_form(search, choice),
        "unread": search_form.unread(request.GET, search),
        "awaited": _awaited(request) if front else 0,
    }
    return render(request, "market/market.html", context)


def _awaited(request: HttpRequest) -> int:
    """How many engagements wait for the party that the visitor acts for."""
    acting = acting_of(request)
    if acting is None or acting.party is None:
        return 0
    return awaited.waiting_for(Engagement.objects.all(), party_id=acting.party.pk).count()


def _form(search: Search, choice: Choice) -> Mapping[str, Any]:
    """What the search form, the choice for a comparison and the links on are drawn from."""
    query = asking.written(search)
    return {
        "choice": choice,
        "query": query,
        "kept": list(_pairs(query)),
        "search": search,
        "fields": search_form.fields_of(search),
        "sorts": search_form.sorts(),
        "bounds": asking.BOUNDS,
        "ages": asking.AGES,
        "protocols": {key: adapter.TITLE for key, adapter in PROTOCOLS.items()},
        "languages": LANGUAGES,
        "asked": search.asks,
    }


def _pairs(query: str) -> list[tuple[str, str]]:
    found = QueryDict(query)
    return [(name, value) for name in found for value in found.getlist(name)]


def _looser(
    search: Search, found: Found, choice: Choice, now: datetime
) -> list[tuple[str, str, int]]:
    """Where nothing was found: what to leave out, the address without it, and what it finds."""
    if found.count or not search.asks:
        return []
    return [
        (search_form.without(way), choice.added_to(asking.written(way.search)), way.count)
        for way in loosened(search, now=now)
    ]
