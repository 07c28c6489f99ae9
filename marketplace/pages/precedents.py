"""What final rulings teach, without names: public, found by words."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace import cases
from marketplace.pages import dispute_view
from marketplace.pages.attempts import attempt
from marketplace.pages.dispute_forms import GROUNDS, PrecedentForm
from marketplace.pages.visitors import acting_of, find, user_of
from pacts.models import Precedent
from reputation.clock import database_now

PER_PAGE = 20
LONGEST_QUERY = 200


def precedents(request: HttpRequest) -> HttpResponse:
    """Precedents by words, the best first; without words the newest first."""
    asked = {
        "query": request.GET.get("q", "").strip()[:LONGEST_QUERY],
        "ground": request.GET.get("ground", "")[:20],
        "work": request.GET.get("work", "")[:40],
    }
    rows = dispute_view.found_precedents(**asked)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    works = Precedent.objects.exclude(work="").order_by("work").values_list("work", flat=True)
    context = {
        "page": page,
        "asked": asked,
        "grounds": GROUNDS,
        "works": works.distinct(),
        "query": _query(request),
    }
    return render(request, "precedents/precedents.html", context)


def _query(request: HttpRequest) -> str:
    kept = request.GET.copy()
    kept.pop("page", None)
    return f"{kept.urlencode()}&" if kept else ""


def precedent(request: HttpRequest, precedent_id: str) -> HttpResponse:
    """One precedent."""
    return _show(request, find(Precedent.objects.all(), pk=precedent_id), None)


def _show(request: HttpRequest, found: Precedent, form: PrecedentForm | None) -> HttpResponse:
    acting = acting_of(request)
    may_review = acting is not None and acting.user.is_adjudicator
    usual = PrecedentForm(initial={"reasons": found.reasons}) if may_review else None
    context = {"precedent": found, "form": form or usual}
    return render(request, "precedents/precedent.html", context)


def precedent_review(request: HttpRequest, precedent_id: str) -> HttpResponse:
    """An adjudicator takes out what the rule has missed."""
    found, form = find(Precedent.objects.all(), pk=precedent_id), PrecedentForm(request.POST)

    def review() -> str:
        cases.review_precedent(
            precedent=found,
            text=form.cleaned_data["reasons"],
            by=user_of(request),
            now=database_now(),
        )
        return reverse("precedent", args=[found.id])

    if form.is_valid() and (done := attempt(request, form, review)):
        return done
    return _show(request, found, form)
