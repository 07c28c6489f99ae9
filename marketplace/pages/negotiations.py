"""Talking about terms: begin from a listing, answer, counter, agree; the text that is signed."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from marketplace import agreed_texts, foretelling, negotiating
from marketplace.models import Listing
from marketplace.negotiating import Speaker
from marketplace.pages import agent_view, negotiation_view
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.negotiation_forms import TermsForm
from marketplace.pages.visitors import authority_of, find, now_of, party_of, user_of
from marketplace.pages.ways_view import Reader, groups_of
from pacts import evaluators, proposals
from pacts.models import (
    Agent,
    Engagement,
    EvaluatorOffer,
    Negotiation,
    Party,
    Proposal,
    TaskSetVersion,
)
from pacts.offered import OfferedTerms
from pacts.terms import parse
from reputation.clock import database_now

PER_PAGE = 25


def negotiations(request: HttpRequest) -> HttpResponse:
    """Every negotiation of the party, the newest first."""
    party = party_of(request)
    page = Paginator(negotiation_view.negotiations_of(party), PER_PAGE)
    context = {"page": page.get_page(request.GET.get("page")), "party": party}
    return render(request, "negotiations/negotiations.html", context)


def negotiation_new(request: HttpRequest, slug: str) -> HttpResponse:
    """The buyer's first offer, drawn from what everybody gets."""
    agent = find(agent_view.agents(), slug=slug)
    listing = agent_view.listing_of(agent)
    if listing is None or listing.state != Listing.State.OPEN:
        raise Http404
    if agent.builder_id == party_of(request).id:
        return redirect("agent", slug=slug)
    tasks, offers = _choices(request, agent, listing)
    start = negotiating.listed_terms(listing, tasks[:1], now=now_of(request))
    form = TermsForm(request.POST or None, start=start, currency=listing.currency, tasks=tasks)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _begin(request, form, listing, offers))
        if done:
            return done
    context = {"agent": agent, "listing": listing, "form": form, "tasks": tasks, "offers": offers}
    return render(request, "negotiations/new.html", context)


def _choices(
    request: HttpRequest, agent: Agent, listing: Listing
) -> tuple[list[TaskSetVersion], list[EvaluatorOffer]]:
    """The tasks one may be judged on: one's own and the platform's, or a third party's."""
    buyer = party_of(request)
    if parse(listing.pact_version.terms).independence == "third_party":
        offers = list(evaluators.offers_for(buyer=buyer, builder=agent.builder, work=agent.work))
        return [one.task_set_version for one in offers], offers
    newest = (
        TaskSetVersion.objects.filter(
            Q(task_set__owner=buyer) | Q(task_set__owner=None),
            task_set__work=agent.work,
            task_set__canaries=False,
        )
        .order_by("task_set_id", "-number")
        .distinct("task_set_id")
    )
    rows = TaskSetVersion.objects.filter(pk__in=newest.values("pk")).select_related("task_set")
    return sorted(rows, key=lambda one: (one.task_set.owner_id is None, one.pk)), []


def _begin(
    request: HttpRequest, form: TermsForm, listing: Listing, offers: list[EvaluatorOffer]
) -> str:
    named = form.offered.milestones[0].task_set_version
    made = negotiating.begin(
        listing=listing,
        speaker=_speaker(request),
        offered=form.offered,
        note=form.cleaned_data["note"],
        stands_seconds=form.cleaned_data["stands"],
        evaluator_offer=next((one for one in offers if one.task_set_version_id == named), None),
        now=database_now(),
    )
    return reverse("negotiation", args=[made.negotiation_id])


def _speaker(request: HttpRequest) -> Speaker:
    return Speaker(party=party_of(request), by=user_of(request), authority=authority_of(request))


def _found(request: HttpRequest, negotiation_id: str) -> Negotiation:
    return find(negotiation_view.negotiations_of(party_of(request)), pk=negotiation_id)


def negotiation(request: HttpRequest, negotiation_id: str) -> HttpResponse:
    """The open offer, what it changes, what happens under it, and every offer before."""
    party, found = party_of(request), _found(request, negotiation_id)
    rounds = negotiation_view.rounds_of(found, party=party)
    context = {
        "negotiation": found,
        "rounds": rounds,
        "newest": rounds[0].proposal,
        "is_mine": rounds[0].is_mine,
        "is_buyer": found.buyer_id == party.pk,
        "is_late": negotiation_view.is_late(rounds[0].proposal, now_of(request)),
    }
    context |= _terms(found, rounds[0].proposal)
    if context["offered"] and found.state == Negotiation.State.OPEN:
        context["foretold_works"] = _foretold(request, found, rounds[0].proposal)
    return render(request, "negotiations/negotiation.html", context)


def _foretold(request: HttpRequest, found: Negotiation, newest: Proposal) -> list[Any]:
    """Every way the offer can go, in the reader's words."""
    now = now_of(request)
    reader: Reader = "buyer" if found.buyer_id == party_of(request).pk else "builder"
    newest.negotiation = found
    told = foretelling.of_proposal(newest, now=now)
    return [(one, groups_of(one, reader=reader, now=now)) for one in told]


def _terms(found: Negotiation, newest: Proposal) -> dict[str, Any]:
    """The newest offer's terms, and how they stand to what everybody gets."""
    offered, listed = negotiation_view.read(newest), proposals.listed_of(found)
    if offered is None:
        return {"offered": None}
    tasks = negotiation_view.tasks_in(offered, listed)
    against = (
        negotiation_view.compare(old=listed, new=offered, currency=found.currency, tasks=tasks)
        if listed
        else None
    )
    named = [(one, tasks.get(one.task_set_version)) for one in offered.milestones]
    return {"offered": offered, "against": against, "milestones": named}


def negotiation_counter(request: HttpRequest, negotiation_id: str) -> HttpResponse:
    """Other terms, drawn from the newest offer."""
    party, found = party_of(request), _found(request, negotiation_id)
    newest = max(found.proposals.all(), key=lambda one: one.number)
    start = negotiation_view.read(newest)
    if found.state != Negotiation.State.OPEN or start is None:
        return redirect("negotiation", negotiation_id=found.pk)
    tasks = _tasks_for(found, party, start)
    form = TermsForm(request.POST or None, start=start, currency=found.currency, tasks=tasks)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _counter(request, form, found))
        if done:
            return done
    context = {"negotiation": found, "newest": newest, "form": form}
    context["is_mine"] = newest.party_id == party.pk
    return render(request, "negotiations/counter.html", context)


def _tasks_for(found: Negotiation, party: Party, start: OfferedTerms) -> list[TaskSetVersion]:
    """The buyer chooses among all its sets; the builder keeps to those that are named."""
    named = TaskSetVersion.objects.select_related("task_set").in_bulk(start.task_set_versions)
    chosen = [named[pk] for pk in start.task_set_versions]
    if party.pk != found.buyer_id or found.evaluator_id:
        return chosen
    own = TaskSetVersion.objects.filter(
        task_set__owner=party,
        task_set__work=found.agent_version.agent.work,
        task_set__canaries=False,
    ).select_related("task_set")
    return chosen + [one for one in own.order_by("-created_at")[:40] if one.pk not in named]


def _counter(request: HttpRequest, form: TermsForm, found: Negotiation) -> str:
    negotiating.counter(
        negotiation=found,
        speaker=_speaker(request),
        offered=form.offered,
        note=form.cleaned_data["note"],
        stands_seconds=form.cleaned_data["stands"],
        now=database_now(),
    )
    return reverse("negotiation", args=[found.pk])


def _offer(request: HttpRequest, proposal_id: str) -> Proposal:
    return find(negotiation_view.proposals_of(party_of(request)), pk=proposal_id)


def proposal_acceptance(request: HttpRequest, proposal_id: str) -> HttpResponse:
    """Sign what the other side offers."""
    found = _offer(request, proposal_id)

    def accept() -> str:
        made = negotiating.accept(proposal=found, speaker=_speaker(request), now=database_now())
        return reverse("engagement", args=[made.pk])

    return attempt_button(request, accept, back=_back(found))


def proposal_decline(request: HttpRequest, proposal_id: str) -> HttpResponse:
    """Say no, which ends it."""
    found = _offer(request, proposal_id)

    def decline() -> str:
        negotiating.decline(proposal=found, speaker=_speaker(request), now=database_now())
        return _back(found)

    return attempt_button(request, decline, back=_back(found))


def proposal_withdrawal(request: HttpRequest, proposal_id: str) -> HttpResponse:
    """Take one's own offer back, which ends it."""
    found = _offer(request, proposal_id)

    def withdraw() -> str:
        negotiating.withdraw(proposal=found, speaker=_speaker(request), now=database_now())
        return _back(found)

    return attempt_button(request, withdraw, back=_back(found))


def _back(proposal: Proposal) -> str:
    return reverse("negotiation", args=[proposal.negotiation_id])


def proposal_text(request: HttpRequest, proposal_id: str) -> HttpResponse:
    """What both would sign, as a file."""
    return _file(agreed_texts.of_proposal(_offer(request, proposal_id)), proposal_id)


def engagement_text(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """What both signed, with the signatures and keys to verify them offline, as a file."""
    party = party_of(request)
    rows = Engagement.objects.filter(Q(buyer=party) | Q(builder=party))
    return _file(agreed_texts.of_engagement(find(rows, pk=engagement_id)), engagement_id)


def _file(body: dict[str, Any], name: str) -> HttpResponse:
    response = JsonResponse(body, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{name}.json"'
    response["Cache-Control"] = "no-store"
    return response
