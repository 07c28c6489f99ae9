"""Hiring: what will happen, in sentences, and the signature."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from marketplace import foretelling, hiring, policy
from marketplace.models import Listing
from marketplace.pages import agent_view
from marketplace.pages.attempts import attempt
from marketplace.pages.hire_forms import HireForm, JudgedHireForm
from marketplace.pages.promises import BOUNDARY, fee_sentence, timer_sentences
from marketplace.pages.tasks_in import EXAMPLE
from marketplace.pages.visitors import authority_of, find, now_of, party_of, user_of
from marketplace.pages.ways_view import groups_of
from pacts import evaluators, tasksets
from pacts.models import Agent, TaskSetVersion
from pacts.terms import parse
from reputation.clock import database_now


def hire(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose tasks, read what will happen, sign."""
    agent = find(agent_view.agents(), slug=slug)
    listing = agent_view.listing_of(agent)
    if listing is None or listing.state != Listing.State.OPEN:
        raise Http404
    own = agent.builder_id == party_of(request).id
    if own or (not request.POST and hiring.routed_elsewhere(listing, now=now_of(request))):
        return redirect("agent", slug=slug)
    form = _form(request, agent, listing)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _hire(request, form, agent, listing))
        if done:
            return done
    return render(request, "hiring/hire.html", _context(request, form, agent, listing))


def _form(request: HttpRequest, agent: Agent, listing: Listing) -> HireForm | JudgedHireForm:
    """Which tasks decide: the buyer's own, or a third party's where the pact asks for one."""
    buyer, given = party_of(request), request.POST or None
    if parse(listing.pact_version.terms).independence != "third_party":
        return HireForm(given, owner=buyer, work=agent.work, currency=listing.currency)
    offers = evaluators.offers_for(buyer=buyer, builder=agent.builder, work=agent.work)
    return JudgedHireForm(given, offers=offers, currency=listing.currency)


def _hire(
    request: HttpRequest, form: HireForm | JudgedHireForm, agent: Agent, listing: Listing
) -> str:
    now = database_now()
    judged = isinstance(form, JudgedHireForm)
    engagement = hiring.hire(
        listing=listing,
        buyer=party_of(request),
        task_set_version=None if judged else _tasks(request, form, agent),
        further=list(form.cleaned_data.get("further", [])),
        offer=form.cleaned_data.get("offer"),
        bond=form.stake,
        by=user_of(request),
        authority=authority_of(request),
        now=now,
    )
    return reverse("engagement", args=[engagement.id])


def _tasks(request: HttpRequest, form: HireForm | JudgedHireForm, agent: Agent) -> TaskSetVersion:
    if not form.drafts:
        chosen: TaskSetVersion = form.cleaned_data["task_set_version"]
        return chosen
    return tasksets.create_task_set(
        owner=party_of(request),
        name=f"Tasks for {agent.name}"[:120],
        work=agent.work,
        tasks=form.drafts,
        now=database_now(),
    )


def _context(
    request: HttpRequest, form: HireForm | JudgedHireForm, agent: Agent, listing: Listing
) -> dict[str, object]:
    pact = agent_view.pact_of(agent)
    assert pact is not None, "a listing has a pact"
    offer = agent_view.offer_of(listing, held=policy.at(now_of(request)))
    return {
        "agent": agent,
        "listing": listing,
        "pact": pact,
        "form": form,
        "example": EXAMPLE,
        "timers": timer_sentences(offer),
        "boundary": BOUNDARY,
        "fee": fee_sentence(offer),
        "groups": groups_of(
            foretelling.of_listing(listing, now=now_of(request)),
            reader="buyer",
            now=now_of(request),
        ),
        "judged": isinstance(form, JudgedHireForm),
        "offers": getattr(form, "offers", []),
        "has_sets": getattr(form, "has_sets", False),
        "has_several": getattr(form, "has_several", False),
    }
