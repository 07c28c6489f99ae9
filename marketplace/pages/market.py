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
    least = request.GET.get("least", "")
    least = least if least in map(str, market_view.LEAST) else ""
    now = now_of(request)
    found = market_view.matching(
        market_view.open_listings(), text=text, work=work, least=int(least or 0)
    )
    asked = bool(text or work or least)
    page = Paginator(market_view.sort(found, sort), PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({"q": text, "work": work, "least": least, "sort": sort})
    context = {
        "page": page,
        "cards": market_view.cards_of(page.object_list, now=now),
        "query": f"{query}&",
        "text": text,
        "work": work,
        "sort": sort,
        "sorts": {key: title for key, (title, _) in market_view.SORTS.items()},
        "kinds": market_view.kinds_of_work(),
        "stories": [] if asked else market_view.stories(now=now),
        "least": least,
        "bounds": [(str(bps), bps) for bps in market_view.LEAST],
        "asked": asked,
    }
    return render(request, "market/market.html", context)
