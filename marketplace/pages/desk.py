"""Disputes: the adjudicator's list with its clocks, and one case for all who may see it."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import F, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace.pages import control_view, engagement_view
from marketplace.pages.agent_view import pact_text
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.forms import AnswerForm, RulingForm
from marketplace.pages.visitors import acting_of, find, now_of, party_of, user_of
from pacts import disputes, reviews
from pacts.models import Deliverable, Dispute, Milestone
from reputation.clock import database_now

PER_PAGE = 30
MIDDLE = 5_000


def desk(request: HttpRequest) -> HttpResponse:
    """Open cases first, the nearest backstop first; then the closed ones."""
    which = "closed" if request.GET.get("which") == "closed" else "open"
    rows = _cases()
    if which == "open":
        rows = rows.exclude(state=Dispute.State.CLOSED).order_by("due_at")
    else:
        rows = rows.filter(state=Dispute.State.CLOSED).order_by(
            F("closed_at").desc(nulls_last=True)
        )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    acting = acting_of(request)
    waiting = control_view.waiting_for(acting, now=now_of(request)) if acting else []
    context = {
        "waiting": waiting,
        "reviews": reviews.waiting_for(user_of(request)),
        "page": page,
        "which": which,
        "query": f"which={which}&",
    }
    return render(request, "desk/desk.html", context)


def _cases() -> QuerySet[Dispute]:
    return Dispute.objects.select_related(
        "opened_by",
        "ruling__adjudicator",
        "milestone__escrow",
        "milestone__engagement__buyer",
        "milestone__engagement__builder",
        "milestone__engagement__agent_version__agent",
    )


def _visible(request: HttpRequest) -> QuerySet[Dispute]:
    """All cases for adjudicators, one's own for the parties."""
    acting = acting_of(request)
    rows = _cases()
    if acting and acting.user.is_adjudicator:
        return rows
    party = party_of(request)
    return rows.filter(
        Q(milestone__engagement__buyer=party) | Q(milestone__engagement__builder=party)
    )


def case(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """The pact, the verdict, both statements, and the ruling or the form for it."""
    found = find(_visible(request), pk=dispute_id)
    return _show(request, found, _ruling_form(found, None), AnswerForm())


def _ruling_form(found: Dispute, request: HttpRequest | None) -> RulingForm:
    clauses = found.milestone.engagement.pact_version.terms["clauses"]
    return RulingForm(
        request.POST if request else None,
        clauses=[(clause["key"], clause["title"]) for clause in clauses],
        initial={"share": MIDDLE},
    )


def _show(
    request: HttpRequest, found: Dispute, ruling: RulingForm, answer: AnswerForm
) -> HttpResponse:
    acting = acting_of(request)
    engagement = found.milestone.engagement
    sides = {engagement.buyer_id, engagement.builder_id}
    own = acting.party.id if acting and acting.party and acting.party.id in sides else None
    user = user_of(request)
    conflict = user.is_adjudicator and disputes.has_interest(user=user, dispute=found)
    is_open = found.is_open
    context = {
        "dispute": found,
        "engagement": engagement,
        "escrow": getattr(found.milestone, "escrow", None),
        "work": _work(found, request),
        "pact": pact_text(engagement.pact_version),
        "ruling": found.ruling,
        "ruling_form": ruling,
        "share": _share(ruling),
        "answer_form": answer,
        "own": own,
        "conflict": conflict,
        "may_rule": is_open and user.is_adjudicator and not conflict,
        "may_answer": is_open and own and own != found.opened_by_id and not found.answered_at,
        "may_withdraw": is_open and own and own == found.opened_by_id,
    }
    return render(request, "desk/case.html", context)


def _share(form: RulingForm) -> int:
    """Where the slider stands, in basis points; in the middle when what was sent is no share."""
    try:
        return int(form["share"].value())
    except (TypeError, ValueError):
        return MIDDLE


def _work(found: Dispute, request: HttpRequest) -> engagement_view.Work:
    deliveries = Deliverable.objects.select_related(
        "evaluation__verdict", "agent_version__agent"
    ).prefetch_related("evaluation__verdict__clauses")
    rows = Milestone.objects.select_related("escrow", "task_set_version").prefetch_related(
        Prefetch("deliverables", deliveries), "disputes"
    )
    engagement = found.milestone.engagement
    milestone = rows.get(pk=found.milestone_id)
    return engagement_view.work_of(
        milestone, engagement=engagement, party=engagement.buyer, now=now_of(request)
    )


def ruling(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """Rule: an award, the clauses that carry it, and reasons."""
    found = find(_cases(), pk=dispute_id)
    form = _ruling_form(found, request)
    if form.is_valid() and (done := attempt(request, form, lambda: _rule(request, found, form))):
        return done
    return _show(request, found, form, AnswerForm())


def _rule(request: HttpRequest, found: Dispute, form: RulingForm) -> str:
    data: dict[str, Any] = form.cleaned_data
    disputes.rule(
        dispute=found,
        adjudicator=user_of(request),
        award_bps=data["share"],
        clauses=data["clauses"],
        reasons=data["reasons"],
        now=database_now(),
    )
    return reverse("case", args=[found.id])


def answer(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """The other side's answer, once."""
    found = find(_visible(request), pk=dispute_id)
    form = AnswerForm(request.POST)
    if form.is_valid() and (done := attempt(request, form, lambda: _answer(request, found, form))):
        return done
    return _show(request, found, _ruling_form(found, None), form)


def _answer(request: HttpRequest, found: Dispute, form: AnswerForm) -> str:
    disputes.answer_dispute(
        dispute=found,
        party=party_of(request),
        answer=form.cleaned_data["answer"],
        now=database_now(),
    )
    return reverse("case", args=[found.id])


def withdrawal(request: HttpRequest, dispute_id: str) -> HttpResponse:
    """The side that opened the dispute takes it back."""
    found = find(_visible(request), pk=dispute_id)
    back = reverse("case", args=[found.id])

    def withdraw() -> str:
        disputes.withdraw(dispute=found, party=party_of(request), now=database_now())
        return back

    return attempt_button(request, withdraw, back=back)
