"""The gaming watch, for the platform's staff: what was seen, why, and freezing or releasing it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _lazy

from marketplace import labels
from marketplace.acting import Acting
from marketplace.gaming import freezing, signs
from marketplace.models import Suspicion
from marketplace.pages.attempts import attempt
from marketplace.pages.visitors import acting_of, find
from pacts.models import Agent, Party
from reputation.clock import database_now
from reputation.models import Firing

PER_PAGE = 30


class DecisionForm(forms.Form):
    """Why it is frozen, or released."""

    reason = forms.CharField(
        min_length=freezing.LEAST_REASON,
        max_length=freezing.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=_lazy("Reason"),
        help_text=_lazy("It is kept with the evidence; whoever looks next reads it."),
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """One suspicion with the names behind its ids."""

    row: Suspicion
    sentence: str
    parties: list[Party]
    agents: list[Agent]


def seen_of(rows: Sequence[Suspicion]) -> list[Seen]:
    """The names of many in two queries."""
    parties = Party.objects.in_bulk({one for row in rows for one in row.parties})
    agents = Agent.objects.in_bulk({one for row in rows for one in row.agents})
    return [
        Seen(
            row,
            signs.sentence(row.pattern, row.figures),
            [parties[one] for one in row.parties if one in parties],
            [agents[one] for one in row.agents if one in agents],
        )
        for row in rows
    ]


def gaming(request: HttpRequest) -> HttpResponse:
    """What was seen, the undecided first."""
    asked = request.GET.get("which", "")
    which = asked if asked in Suspicion.State.values else "open"
    rows = Suspicion.objects.filter(state=which).order_by("-last_seen_at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "seen": seen_of(list(page.object_list)),
        "which": which,
        "states": labels.choices(Suspicion.State.choices),
        "query": f"which={which}&",
    }
    return render(request, "gaming/gaming.html", context)


def suspicion(request: HttpRequest, suspicion_id: str) -> HttpResponse:
    """One of them, with what was done about it."""
    return _show(request, find(Suspicion.objects.all(), pk=suspicion_id), DecisionForm())


def _show(request: HttpRequest, found: Suspicion, form: DecisionForm) -> HttpResponse:
    fired = Firing.objects.filter(agent_id__in=found.agents, control__metric="frozen")
    context = {
        "seen": seen_of([found])[0],
        "form": form,
        "steps": found.steps.select_related("by"),
        "firings": fired.select_related("control").order_by("-fired_at"),
        "figures": _figures(found),
    }
    return render(request, "gaming/suspicion.html", context)


_FIGURES = {
    "parties": _lazy("Parties in the circle"),
    "settled": _lazy("Settled milestones"),
    "least_settled": _lazy("Settled from each to the next, at least"),
    "shared_people": _lazy("People who act for both"),
    "shared_purses": _lazy("Places of money that both use"),
    "engagements": _lazy("Hires between them"),
    "of_one": _lazy("Settled for one buyer"),
    "share_bps": _lazy("Share of one buyer"),
    "buyers": _lazy("Buyers"),
    "was_bps": _lazy("Score before"),
    "now_bps": _lazy("Score now"),
    "was_on": _lazy("Read before on"),
    "version": _lazy("Version"),
}


def _figures(found: Suspicion) -> list[tuple[Any, str]]:
    """What was counted, with its unit: never a name of a field."""
    return [
        (_FIGURES[key], f"{int(value) / 100:.2f} %" if key.endswith("_bps") else str(value))
        for key, value in found.figures.items()
        if key in _FIGURES
    ]


def freeze(request: HttpRequest, suspicion_id: str) -> HttpResponse:
    """Suspend the listings it names and withhold their money."""
    return _decided(request, suspicion_id, freezing.freeze)


def release(request: HttpRequest, suspicion_id: str) -> HttpResponse:
    """Let it go on."""
    return _decided(request, suspicion_id, freezing.release)


def _decided(
    request: HttpRequest, suspicion_id: str, decide: Callable[..., Suspicion]
) -> HttpResponse:
    found, form = find(Suspicion.objects.all(), pk=suspicion_id), DecisionForm(request.POST)

    def act() -> str:
        decide(
            acting=_acting(request),
            suspicion=found,
            reason=form.cleaned_data["reason"],
            now=database_now(),
        )
        return reverse("suspicion", args=[found.id])

    if form.is_valid() and (done := attempt(request, form, act)):
        return done
    return _show(request, found, form)


def _acting(request: HttpRequest) -> Acting:
    acting = acting_of(request)
    assert acting is not None, "the access table lets nobody unknown get here"
    return acting
