"""Searches that a person keeps: what newly fits them, and what no longer does."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.models import SavedSearch, SearchChange
from marketplace.pages import search_form
from marketplace.pages.attempts import attempt_button
from marketplace.pages.visitors import find, now_of, user_of
from marketplace.pages.wording import amount, percent
from marketplace.searches import asking, saving
from reputation.clock import database_now

PER_PAGE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One change as its page shows it; `is_new` since its user looked before."""

    change: SearchChange
    sentence: str
    is_new: bool


def searches(request: HttpRequest) -> HttpResponse:
    """What one looks for, and how much of it is new."""
    rows = saving.with_news(saving.searches_of(user_of(request)))
    found = [{"search": one, "asks": told(one), "query": query_of(one)} for one in rows]
    return render(request, "searches/searches.html", {"searches": found, "most": saving.MOST_SAVED})


def search_new(request: HttpRequest) -> HttpResponse:
    """Keep the search that the address asks for."""
    query = asking.read(request.GET)
    back = f"{reverse('market')}?{asking.written(query)}#offers"

    def keep() -> str:
        name = request.POST.get("name", "")
        kept = saving.save(user=user_of(request), name=name, search=query, now=database_now())
        messages.success(
            request, _("Kept. You are told when an agent newly fits it, or no longer does.")
        )
        return reverse("search", args=[kept.pk])

    return attempt_button(request, keep, back=back)


def search(request: HttpRequest, search_id: str) -> HttpResponse:
    """One search with what changed; looking at it is having seen it."""
    found = saving.see(search=_mine(request, search_id), now=now_of(request))
    rows = found.changes.select_related("listing__agent__builder")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "search": found,
        "asks": told(found),
        "query": query_of(found),
        "page": page,
        "changes": [shown(one, found) for one in page.object_list],
    }
    return render(request, "searches/search.html", context)


def search_name(request: HttpRequest, search_id: str) -> HttpResponse:
    """Give it another name."""
    found, back = _mine(request, search_id), reverse("search", args=[search_id])

    def rename() -> str:
        saving.rename(search=found, name=request.POST.get("name", ""))
        return back

    return attempt_button(request, rename, back=back)


def search_end(request: HttpRequest, search_id: str) -> HttpResponse:
    """Nothing of it is told any more."""
    found = _mine(request, search_id)

    def end() -> str:
        saving.end(search=found, now=database_now())
        messages.success(request, _("Ended. You hear no more of “%(name)s”.") % {"name": found})
        return reverse("searches")

    return attempt_button(request, end, back=reverse("search", args=[search_id]))


def _mine(request: HttpRequest, search_id: str) -> SavedSearch:
    return find(SavedSearch.objects.filter(user=user_of(request)), pk=search_id)


def told(search: SavedSearch) -> Sequence[str]:
    """What a kept search asks for, in words."""
    return search_form.told(asking.search_of(search.asks))


def query_of(search: SavedSearch) -> str:
    """The query of the market's address that asks for it again."""
    return asking.written(asking.search_of(search.asks))


def shown(change: SearchChange, search: SavedSearch) -> Shown:
    """A change with why it came."""
    sentence = _came(change) if change.fits else _went(change)
    return Shown(change=change, sentence=sentence, is_new=change.seen_at == search.looked_at)


def _came(change: SearchChange) -> str:
    reasons = SearchChange.Reason
    sentences = {
        reasons.OFFER: _("It came on offer."),
        reasons.PRICE: _("Its price went from %(before)s to %(now)s."),
        reasons.BOUND: _("Its lower bound rose: %(bound_before)s before, %(bound)s now."),
        reasons.TERMS: _("What it offers was changed and is what you look for now."),
        reasons.AGE: _("It was measured again."),
    }
    return sentences[reasons(change.reason)] % _values(change)


def _went(change: SearchChange) -> str:
    reasons = SearchChange.Reason
    sentences = {
        reasons.OFFER: _("It is not on offer any more."),
        reasons.PRICE: _("Its price went from %(before)s to %(now)s."),
        reasons.BOUND: _("Its lower bound fell: %(bound_before)s before, %(bound)s now."),
        reasons.TERMS: _("What it offers was changed and is no longer what you look for."),
        reasons.AGE: _("Its last measurement is too long ago by now."),
    }
    return sentences[reasons(change.reason)] % _values(change)


def _values(change: SearchChange) -> dict[str, str]:
    return {
        "before": amount(change.price_before, change.currency),
        "now": amount(change.price, change.currency),
        "bound_before": _bound(change.score_before_bps),
        "bound": _bound(change.score_bps),
    }


def _bound(bps: int | None) -> str:
    return percent(bps, digits=1) if bps is not None else _("no number")
