"""A dispute as its two sides walk it: filing, answering, evidence, resting, appealing."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace import cases, files, policy
from marketplace.pages import dispute_view
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.dispute_forms import (
    MIDDLE,
    AnswerForm,
    AppealForm,
    ConfirmationForm,
    DisputeForm,
    ExhibitForm,
    RecusalForm,
    RulingForm,
)
from marketplace.pages.dispute_view import May
from marketplace.pages.visitors import acting_of, find, now_of, party_of, user_of
from marketplace.pages.wording import percent_plain, read_percent
from pacts import disputes
from pacts.models import Dispute, Engagement, Exhibit, Milestone
from reputation.clock import database_now

PER_PAGE = 30


def clauses_of(engagement: Engagement) -> list[tuple[str, str]]:
    """The pact's clauses as choices."""
    return [(one["key"], one["title"]) for one in engagement.pact_version.terms["clauses"]]


def own_disputes(request: HttpRequest) -> HttpResponse:
    """The disputes of one's engagements, the open ones first."""
    rows = cases.of_party(party_of(request)).order_by(
        F("closed_at").desc(nulls_first=True), "due_at", "-pk"
    )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "disputes/disputes.html", {"page": page, "now": now_of(request)})


def dispute(request: HttpRequest, milestone_id: str) -> HttpResponse:
    """Say what is wrong; the money freezes at once."""
    party = party_of(request)
    sides = Q(engagement__buyer=party) | Q(engagement__builder=party)
    rows = Milestone.objects.filter(sides).select_related(
        "engagement__agent_version__agent", "engagement__pact_version"
    )
    milestone = find(rows, pk=milestone_id)
    form = DisputeForm(request.POST or None, clauses=clauses_of(milestone.engagement))
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _file(request, milestone, form))
        if done:
            return done
    context = {
        "milestone": milestone,
        "engagement": milestone.engagement,
        "form": form,
        "filing": dispute_view.filing_of(milestone, party, now=now_of(request)),
    }
    return render(request, "engagements/dispute.html", context)


def _file(request: HttpRequest, milestone: Milestone, form: DisputeForm) -> str:
    opened = cases.open_case(
        milestone=milestone,
        party=party_of(request),
        by=user_of(request),
        now=database_now(),
        **form.cleaned_data,
    )
    return reverse("case", args=[opened.id])


def case(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """The whole case, for its two sides and for adjudicators."""
    return show(request, find(cases.seen_by(acting_of(request)), pk=dispute_id))


def show(request: HttpRequest, found: Dispute, **forms_: forms.Form) -> HttpResponse:
    """The page of a case, with whatever form came back refused."""
    share = _share(request, forms_.get("ruling_form"))
    rules = policy.rules_for(found.milestone.engagement)
    usual = {
        "answer_form": AnswerForm(),
        "appeal_form": AppealForm(),
        "exhibit_form": ExhibitForm(largest=rules.largest_exhibit),
        "confirmation_form": ConfirmationForm(),
        "recusal_form": RecusalForm(),
        "ruling_form": RulingForm(
            clauses=clauses_of(found.milestone.engagement),
            initial={"share": percent_plain(share), "clauses": found.clauses},
        ),
    }
    context = dispute_view.context_of(
        found, acting_of(request), now=now_of(request), share_bps=share
    )
    asked = request.GET.get("share", "").strip()
    context |= {
        "refused": _too_late(forms_, context["may"]),
        "no_share": asked if asked and read_percent(asked) is None else "",
    }
    return render(request, "desk/case.html", {**usual, **forms_, **context})


# Which forms a case shows, by what the visitor may do.
_SHOWN = {
    "answer_form": "answer",
    "appeal_form": "appeal",
    "exhibit_form": "add",
    "ruling_form": "rule",
    "confirmation_form": "confirm",
    "recusal_form": "recuse",
}


def _too_late(sent: dict[str, forms.Form], may: May) -> list[tuple[list[str], list[str]]]:
    """Why a form was refused that the case shows no more, and what was typed into it."""
    found = []
    for name, form in sent.items():
        if not getattr(may, _SHOWN[name]):
            why = [str(one) for errors in form.errors.values() for one in errors]
            typed = [one for key in form.fields if isinstance(one := form.data.get(key), str)]
            found.append((why, [one for one in typed if one.strip()]))
    return found


def _share(request: HttpRequest, form: forms.Form | None) -> int:
    """The share the calculator shows, in basis points; in the middle where none was asked for."""
    typed = form["share"].value() if form else request.GET.get("share")
    share = read_percent(typed or "")
    return MIDDLE if share is None else share


def _own(request: HttpRequest, dispute_id: str) -> Dispute:
    return find(cases.of_party(party_of(request)), pk=dispute_id)


def answer(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """The other side's answer, once."""
    found, form = _own(request, dispute_id), AnswerForm(request.POST)

    def send() -> str:
        disputes.answer_dispute(
            dispute=found,
            party=party_of(request),
            answer=form.cleaned_data["answer"],
            now=database_now(),
        )
        return _back(found)

    if form.is_valid() and (done := attempt(request, form, send)):
        return done
    return show(request, found, answer_form=form)


def exhibit_new(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """Bring an item of evidence."""
    found = _own(request, dispute_id)
    rules = policy.rules_for(found.milestone.engagement)
    form = ExhibitForm(request.POST, request.FILES, largest=rules.largest_exhibit)

    def add() -> str:
        cases.add_exhibit(
            dispute=found,
            party=party_of(request),
            by=user_of(request),
            kind=form.kind,
            title=form.cleaned_data["title"],
            body=form.body,
            now=database_now(),
        )
        return _back(found)

    if form.is_valid() and (done := attempt(request, form, add)):
        return done
    return show(request, found, exhibit_form=form)


def exhibit(request: HttpRequest, exhibit_id: str) -> HttpResponse:
    """The item itself, as a download that nothing here opens."""
    seen = cases.seen_by(acting_of(request))
    found = find(Exhibit.objects.filter(dispute__in=seen), pk=exhibit_id)
    try:
        return files.exhibit_file(found)
    except disputes.ExhibitErased:
        raise Http404 from None


def resting(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """One side has nothing to add."""
    found = _own(request, dispute_id)

    def rest(now: datetime) -> Any:
        return disputes.rest(dispute=found, party=party_of(request), now=now)

    return _pressed(request, found, rest)


def withdrawal(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """The side that opened the dispute takes it back."""
    found = _own(request, dispute_id)

    def withdraw(now: datetime) -> Any:
        return disputes.withdraw(dispute=found, party=party_of(request), now=now)

    return _pressed(request, found, withdraw)


def _pressed(request: HttpRequest, found: Dispute, effect: Any) -> HttpResponse:
    def act() -> str:
        effect(database_now())
        return _back(found)

    return attempt_button(request, act, back=_back(found))


def appeal(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """Ask, once, that somebody else looks again."""
    found, form = _own(request, dispute_id), AppealForm(request.POST)

    def ask() -> str:
        disputes.appeal(
            dispute=found,
            party=party_of(request),
            by=user_of(request),
            statement=form.cleaned_data["statement"],
            now=database_now(),
        )
        return _back(found)

    if form.is_valid() and (done := attempt(request, form, ask)):
        return done
    return show(request, found, appeal_form=form)


def _back(found: Dispute) -> str:
    return reverse("case", args=[found.id])
