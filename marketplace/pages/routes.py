"""Routes of a buyer: the list, who would be asked right now and why, and who answered."""

import re
from typing import Any

from django import forms
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.models import Route, RouteEntry
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.live import mark_of, minute_of, polled_by
from marketplace.pages.visitors import find, now_of, party_of, user_of
from marketplace.routing import keeping
from marketplace.routing.choosing import choose
from marketplace.routing.keeping import Listed, RouteTerms
from pacts.models import Engagement, Party
from reputation.clock import database_now

MOST_CALLS = 50


class RouteForm(forms.Form):
    """A route: its engagements, one on a line, in the buyer's order."""

    name = forms.CharField(max_length=80, help_text=_lazy("What it is for, in a few words."))
    entries = forms.CharField(
        label=_lazy("Agents, the first choice first"),
        widget=forms.Textarea(attrs={"rows": 4, "class": "code"}),
        help_text=_lazy(
            "Engagements, one on a line. Add “unfunded” behind one that may be called "
            "though no money is set aside for it."
        ),
    )
    order = forms.ChoiceField(
        choices=[
            (Route.Order.BEST, _lazy("the best lower bound; the list breaks ties")),
            (Route.Order.LISTED, _lazy("the order of the list")),
        ],
        label=_lazy("Asked by"),
        initial=Route.Order.BEST,
    )
    deadline_ms = forms.IntegerField(
        min_value=500,
        max_value=60_000,
        initial=20_000,
        label=_lazy("Milliseconds a request may take"),
        help_text=_lazy("All agents that are asked together."),
    )
    holds_back = forms.BooleanField(
        required=False,
        label=_lazy("Pass on no answer that breaks a critical clause; ask the next agent instead"),
    )

    @property
    def terms(self) -> RouteTerms:
        """What was written. Raises RouteRefused."""
        data = self.cleaned_data
        lines = [line.split() for line in data["entries"].splitlines() if line.strip()]
        if any(len(line) > 2 or line[1:] not in ([], ["unfunded"]) for line in lines):
            raise keeping.RouteRefused(
                _("write one engagement on a line, and behind it “unfunded”")
            )
        return RouteTerms(
            name=data["name"],
            listed=[Listed(engagement=line[0], unfunded=len(line) == 2) for line in lines],
            order=data["order"],
            deadline_ms=data["deadline_ms"],
            holds_back=data["holds_back"],
        )


def written(route: Route) -> dict[str, Any]:
    """A route as its form shows it."""
    lines = [
        f"{one.engagement_id}{' unfunded' if one.unfunded else ''}"
        for one in keeping.entries_of(route)
    ]
    return {
        "name": route.name,
        "entries": "\n".join(lines),
        "order": route.order,
        "deadline_ms": route.deadline_ms,
        "holds_back": route.holds_back,
    }


def _hires(buyer: Party) -> list[Engagement]:
    rows = Engagement.objects.filter(buyer=buyer, state=Engagement.State.ACTIVE)
    return list(rows.select_related("agent_version__agent")[:50])


def _route(request: HttpRequest, route_id: str) -> Route:
    return find(keeping.routes_of(party_of(request)), pk=route_id)


def _list_mark(request: HttpRequest) -> str:
    """What the list says of each route; a changed one lists its agents anew."""
    own = Route.objects.filter(buyer=party_of(request)).order_by("pk")
    entries = RouteEntry.objects.filter(route__in=own).aggregate(newest=Max("pk"), many=Count("pk"))
    return mark_of(list(own.values_list("pk", "name", "current", "closed_at")), entries)


@polled_by(_list_mark)
def routes(request: HttpRequest) -> HttpResponse:
    """The buyer's routes."""
    rows = list(keeping.routes_of(party_of(request)))
    over = all(one.closed_at for one in rows)
    return render(request, "routes/routes.html", {"routes": rows, "over": over})


def route_new(request: HttpRequest) -> HttpResponse:
    """Make a route."""
    buyer = party_of(request)
    hires = _hires(buyer)
    named = re.sub(r"[^a-z0-9_]", "", request.GET.get("engagement", ""))[:40]
    first = {"entries": named or "\n".join(one.pk for one in hires[:5])}
    form = RouteForm(request.POST or None, initial=first)

    def make() -> str:
        made = keeping.make_route(
            buyer=buyer, by=user_of(request), wanted=form.terms, now=database_now()
        )
        return reverse("route", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (done := attempt(request, form, make)):
        return done
    return render(request, "routes/form.html", {"form": form, "hires": hires, "route": None})


def route_change(request: HttpRequest, route_id: str) -> HttpResponse:
    """Change a route."""
    found = _route(request, route_id)
    form = RouteForm(request.POST or None, initial=written(found))

    def change() -> str:
        keeping.change_route(route=found, wanted=form.terms)
        return reverse("route", args=[found.pk])

    if request.method == "POST" and form.is_valid() and (done := attempt(request, form, change)):
        return done
    context = {"form": form, "hires": _hires(found.buyer), "route": found}
    return render(request, "routes/form.html", context)


def _mark(request: HttpRequest, route_id: str) -> str:
    """The route as it was made, and its newest call; how its agents stand, by the minute."""
    found = find(Route.objects.filter(buyer=party_of(request)), pk=route_id)
    facts = (found.name, found.order, found.deadline_ms, found.holds_back, found.closed_at)
    entries = list(found.entries.order_by("pk").values_list("pk", flat=True))
    calls = list(found.calls.values_list("pk", flat=True)[:1])
    return mark_of(facts, found.current_id, entries, calls, minute_of(now_of(request)))


@polled_by(_mark)
def route(request: HttpRequest, route_id: str) -> HttpResponse:
    """One route as it stands: whom it would ask now, whom it passes over, who answered."""
    found, now = _route(request, route_id), now_of(request)
    entries = {one.engagement_id: one for one in keeping.entries_of(found)}
    standing = keeping.candidates(list(entries.values()), now=now)
    choice = choose(standing, order=found.order)  # type: ignore[arg-type]
    rows = [{"entry": entries[one.engagement], "one": one, "why": ""} for one in choice.asked]
    rows += [
        {"entry": entries[one.engagement], "one": one, "why": why} for one, why in choice.passed
    ]
    context = {
        "route": found,
        "rows": rows,
        "calls": found.calls.select_related("engagement__agent_version__agent")[:MOST_CALLS],
        "agents": {key: one.engagement.agent_version.agent.name for key, one in entries.items()},
        "address": request.build_absolute_uri(f"/api/v1/routes/{found.pk}"),
    }
    return render(request, "routes/route.html", context)


def route_close(request: HttpRequest, route_id: str) -> HttpResponse:
    """It answers nothing any more."""
    found, back = _route(request, route_id), reverse("route", args=[route_id])

    def close() -> str:
        keeping.close_route(route=found, now=database_now())
        return back

    return attempt_button(request, close, back=back)
