"""Hiring: what will happen, in sentences, and the signature."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from marketplace import hiring, policy
from marketplace.models import Listing
from marketplace.pages import agent_view
from marketplace.pages.attempts import attempt
from marketplace.pages.forms import HireForm
from marketplace.pages.promises import BOUNDARY, fee_sentence, happenings, timer_sentences
from marketplace.pages.tasks_in import EXAMPLE
from marketplace.pages.visitors import authority_of, find, now_of, party_of, user_of
from pacts import tasksets
from pacts.models import Agent, TaskSetVersion
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
    form = HireForm(
        request.POST or None, owner=party_of(request), work=agent.work, currency=listing.currency
    )
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _hire(request, form, agent, listing))
        if done:
            return done
    return render(request, "hiring/hire.html", _context(request, form, agent, listing))


def _hire(request: HttpRequest, form: HireForm, agent: Agent, listing: Listing) -> str:
    now = database_now()
    engagement = hiring.hire(
        listing=listing,
        buyer=party_of(request),
        task_set_version=_tasks(request, form, agent),
        further=list(form.cleaned_data["further"]),
        bond=form.stake,
        by=user_of(request),
        authority=authority_of(request),
        now=now,
    )
    return reverse("engagement", args=[engagement.id])


def _tasks(request: HttpRequest, form: HireForm, agent: Agent) -> TaskSetVersion:
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
    request: HttpRequest, form: HireForm, agent: Agent, listing: Listing
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
        "happenings": happenings(offer=offer, terms=pact.terms, now=now_of(request)),
        "has_sets": form.has_sets,
        "has_several": form.has_several,
    }
