"""The market: the first page, and search."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from marketplace.pages import market_view
from marketplace.pages.visitors import now_of

PER_PAGE = 24
LONGEST_SEARCH = 100


def market(request: HttpRequest) -> HttpResponse:
    """Search, filter and sort; without a question, the story of each kind of work comes first."""
    text = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    work = request.GET.get("work", "")[:40]
    sort = request.GET.get("sort", "pact")
    sort = sort if sort in market_view.SORTS else "pact"
    now = now_of(request)
    found = market_view.matching(market_view.open_listings(), text=text, work=work)
    cards = market_view.cards_of(found, now=now)
    ordered = market_view.SORTS[sort][1](cards)
    asked = bool(text or work)
    page = Paginator(ordered, PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({"q": text, "work": work, "sort": sort})
    context = {
        "page": page,
        "query": f"{query}&",
        "text": text,
        "work": work,
        "sort": sort,
        "sorts": {key: title for key, (title, _) in market_view.SORTS.items()},
        "kinds": market_view.kinds_of_work(),
        "stories": [] if asked else market_view.stories_of(cards),
        "asked": asked,
    }
    return render(request, "market/market.html", context)
