"""Incidents: what waits, who answers for it, its timeline, and how it ends."""

from django import forms
from django.core.paginator import Paginator
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import access
from marketplace.acting import Acting
from marketplace.incidents import handling
from marketplace.models import Incident
from marketplace.pages import findings
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.live import mark_of, minute_of, polled_by
from marketplace.pages.visitors import acting_of, find, now_of
from marketplace.replies import replies_to
from reputation.clock import database_now

PER_PAGE = 25


class ResolutionForm(forms.Form):
    """How it ended."""

    outcome = forms.ChoiceField(choices=Incident.Outcome.choices, label=_lazy("How it ended"))
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_lazy("A sentence that both sides can follow."),
    )


class AssignmentForm(forms.Form):
    """Who answers for it from now on: a side, or one of its members."""

    to = forms.ChoiceField(label=_lazy("Answers for it"))

    def __init__(self, *args: object, incident: Incident, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        engagement = incident.engagement
        sides = [
            (f"{party.pk}:", f"{party.name} ({word})")
            for party, word in ((engagement.builder, "builder"), (engagement.buyer, "buyer"))
        ]
        people = [
            (f"{one.party_id}:{one.user_id}", f"{one.user}, {one.party.name}")
            for one in handling.assignable(incident)
        ]
        field = self.fields["to"]
        field.choices = [*sides, *people]  # type: ignore[attr-defined]
        field.initial = f"{incident.owner_party_id}:{incident.owner_id or ''}"


def _acting(request: HttpRequest) -> Acting:
    acting = acting_of(request)
    assert acting is not None, "the access table lets nobody unknown get here"
    return acting


def _incident(request: HttpRequest, incident_id: str) -> Incident:
    return find(handling.incidents_seen_by(_acting(request)), pk=incident_id)


def _listed(request: HttpRequest) -> tuple[QuerySet[Incident], bool]:
    """The open ones, or those that were resolved, as was asked."""
    rows = handling.incidents_seen_by(_acting(request))
    closed = request.GET.get("closed") == "1"
    return rows.filter(resolved_at__isnull=not closed), closed


def _list_mark(request: HttpRequest) -> str:
    """What the rows of this page say, and the minute."""
    said = _listed(request)[0].values_list("pk", "severity", "violations", "owner", "owner_party")
    page = Paginator(said, PER_PAGE).get_page(request.GET.get("page"))
    facts = (page.paginator.count, list(page.object_list))
    return mark_of(*facts, minute_of(now_of(request)))


@polled_by(_list_mark)
def incidents(request: HttpRequest) -> HttpResponse:
    """What was broken in engagements one has a part in; open ones first."""
    rows, closed = _listed(request)
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "closed": closed,
        "query": "closed=1&" if closed else "",
    }
    return render(request, "incidents/incidents.html", context)


def _mark(request: HttpRequest, incident_id: str) -> str:
    """Every change of an incident is a line of its timeline, or a reply; and the minute."""
    found = _incident(request, incident_id)
    lines = found.timeline.aggregate(newest=Max("id"))
    said = list(replies_to(found).values_list("pk", "erased_at"))
    return mark_of(found.violations, lines, said, minute_of(now_of(request)))


@polled_by(_mark)
def incident(request: HttpRequest, incident_id: str) -> HttpResponse:
    """One incident."""
    return _show(request, _incident(request, incident_id), ResolutionForm())


def _show(request: HttpRequest, found: Incident, form: ResolutionForm) -> HttpResponse:
    acting = _acting(request)
    may_write = access.permits("incident_note", "POST", acting)
    is_open = found.resolved_at is None
    context = {
        "incident": found,
        "clause": _clause_title(found),
        "timeline": found.timeline.select_related("by", "party").order_by("id"),
        "form": form,
        "assignment": AssignmentForm(incident=found),
        "may_note": may_write,
        "may_assign": may_write and is_open,
        "may_resolve": handling.may_resolve(found, acting),
    }
    return render(request, "incidents/incident.html", context | findings.beside(request, found))


def _clause_title(found: Incident) -> str:
    clauses = found.engagement.pact_version.terms.get("clauses", [])
    return next(
        (one["title"] for one in clauses if one["key"] == found.clause), _("The agent itself")
    )


def incident_assign(request: HttpRequest, incident_id: str) -> HttpResponse:
    """Hand it over."""
    found, back = _incident(request, incident_id), reverse("incident", args=[incident_id])
    form = AssignmentForm(request.POST, incident=found)

    def hand_over() -> str:
        if not form.is_valid():
            raise handling.IncidentRefused(_("choose a side or one of its members"))
        party, _colon, user = form.cleaned_data["to"].partition(":")
        handling.assign(
            incident=found, acting=_acting(request), party=party, user=user, now=database_now()
        )
        return back

    return attempt_button(request, hand_over, back=back)


def incident_note(request: HttpRequest, incident_id: str) -> HttpResponse:
    """Write on it."""
    found, back = _incident(request, incident_id), reverse("incident", args=[incident_id])

    def write() -> str:
        text = request.POST.get("text", "")
        handling.note(incident=found, acting=_acting(request), text=text, now=database_now())
        return back

    return attempt_button(request, write, back=back)


def incident_resolve(request: HttpRequest, incident_id: str) -> HttpResponse:
    """Say how it ended."""
    found, form = _incident(request, incident_id), ResolutionForm(request.POST)

    def end() -> str:
        handling.resolve(
            incident=found, acting=_acting(request), now=database_now(), **form.cleaned_data
        )
        return reverse("incident", args=[incident_id])

    if form.is_valid() and (done := attempt(request, form, end)):
        return done
    return _show(request, found, form)
