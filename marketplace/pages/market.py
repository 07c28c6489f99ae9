"""The market: the first page, and search."""

from itertools import chain

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from marketplace import finding
from marketplace.languages import LANGUAGES
from marketplace.pages import market_view, search_form
from marketplace.pages.visitors import now_of
from marketplace.searches import asking
from pacts.agents import PROTOCOLS


def market(request: HttpRequest) -> HttpResponse:
    """Search, filter and sort; without a question, the story of each kind of work comes first."""
    now = now_of(request)
    search = asking.read(request.GET)
    found = finding.find(search, page=asking.page_of(request.GET), now=now)
    query = asking.written(search)
    leading = {} if search.asks else market_view.leaders()
    shown = list(dict.fromkeys(chain(found.listings, *leading.values())))
    cards = {
        card.listing.pk: card
        for card in market_view.cards_of(market_view.listings_in(shown), now=now)
    }
    context = {
        "found": found,
        "page": Paginator(range(found.count), finding.PER_PAGE).get_page(found.page),
        "cards": [cards[key] for key in found.listings if key in cards],
        "query": f"{query}&" if query else "",
        "search": search,
        "fields": search_form.fields_of(search),
        "sorts": finding.SORTS,
        "stories": market_view.stories(leading, cards),
        "bounds": asking.BOUNDS,
        "ages": asking.AGES,
        "protocols": {key: adapter.TITLE for key, adapter in PROTOCOLS.items()},
        "languages": LANGUAGES,
        "asked": search.asks,
    }
    return render(request, "market/market.html", context)
