"""The adjudicators' desk: the queue with its clocks, and what is done with a case there."""

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _lazy

from marketplace import cases, labels
from marketplace.metered_view import windows_for_people
from marketplace.pages import control_view, disputes
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.dispute_forms import ConfirmationForm, RecusalForm, RulingForm
from marketplace.pages.live import polled
from marketplace.pages.visitors import acting_of, find, now_of, user_of
from pacts import reviews
from pacts.disputes import rates
from pacts.models import Dispute
from pacts.procedure import clocks
from reputation.clock import database_now
from settlement import desk as ruling_on

PER_PAGE = 30
LISTS = {
    "open": _lazy("Open"),
    "ready": _lazy("Waits for a person"),
    "mine": _lazy("Mine"),
    "unassigned": _lazy("Nobody’s yet"),
    "second": _lazy("Second person"),
    "closed": _lazy("Closed"),
}
ORDERS = {"deadline": _lazy("By deadline"), "amount": _lazy("By amount")}


@polled
def desk(request: HttpRequest) -> HttpResponse:
    """What waits for a person first; then by deadline, or by amount."""
    asked, by = request.GET.get("which", ""), request.GET.get("by", "")
    which = asked if asked in LISTS else "open"
    order = by if by in ORDERS else "deadline"
    user, now = user_of(request), now_of(request)
    rows = cases.queue(which=which, user=user, by=order)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    acting = acting_of(request)
    context = {
        "waiting": control_view.waiting_for(acting, now=now) if acting else [],
        "reviews": reviews.waiting_for(user),
        "windows": windows_for_people(now=now),
        "page": page,
        "rows": [_row(one, now) for one in page.object_list],
        "which": which,
        "by": order,
        "lists": LISTS,
        "orders": ORDERS,
        "query": f"which={which}&by={order}&",
        "own": rates.of_adjudicator(user),
    }
    return render(request, "desk/desk.html", context)


def _row(found: Dispute, now: Any) -> dict[str, Any]:
    docket = cases.docket_of(found, now=now)
    target = clocks.rule_by(docket) if docket.state == "under_review" else docket.due_at
    overdue = cases.is_overdue(docket, now=now)
    return {
        "dispute": found,
        "state": labels.said(Dispute.State(docket.state).label),
        "due_at": docket.due_at if overdue else target,
        "is_overdue": overdue,
        "waits": docket.state in ("under_review", "appealed") or docket.awaits_second,
    }


def assignment(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """Take the case oneself."""
    found = find(cases.rows(), pk=dispute_id)

    def take() -> str:
        ruling_on.assign(dispute=found, adjudicator=user_of(request), now=database_now())
        return _back(found)

    return attempt_button(request, take, back=_back(found))


def recusal(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """Step back from the case, for good."""
    found, form = find(cases.rows(), pk=dispute_id), RecusalForm(request.POST)

    def step_back() -> str:
        ruling_on.recuse(
            dispute=found,
            adjudicator=user_of(request),
            reason=form.cleaned_data["why"],
            now=database_now(),
        )
        return _back(found)

    return _sent(request, found, form, step_back, "recusal_form")


def ruling(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """Rule: an award, the clauses that carry it, and reasons."""
    found = find(cases.rows(), pk=dispute_id)
    form = RulingForm(request.POST, clauses=disputes.clauses_of(found.milestone.engagement))

    def rule() -> str:
        data = form.cleaned_data
        ruling_on.rule(
            dispute=found,
            adjudicator=user_of(request),
            award_bps=data["share"],
            clauses=data["clauses"],
            reasons=data["reasons"],
            now=database_now(),
        )
        return _back(found)

    return _sent(request, found, form, rule, "ruling_form")


def confirmation(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """A second person confirms the ruling that waits, or declines it."""
    found, form = find(cases.rows(), pk=dispute_id), ConfirmationForm(request.POST)

    def decide() -> str:
        data = form.cleaned_data
        ruling_on.confirm(
            dispute=found,
            adjudicator=user_of(request),
            confirmed=data["says"] == "confirm",
            reasons=data["reasons"],
            now=database_now(),
        )
        return _back(found)

    return _sent(request, found, form, decide, "confirmation_form")


def _sent(
    request: HttpRequest, found: Dispute, form: Any, effect: Callable[[], str], name: str
) -> HttpResponse:
    if form.is_valid() and (done := attempt(request, form, effect)):
        return done
    return disputes.show(request, found, **{name: form})


def _back(found: Dispute) -> str:
    return reverse("case", args=[found.id])
