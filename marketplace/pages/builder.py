"""The builder's desk: register an agent, prove control, list it. Pacts are in `pages.pacts`."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace import hiring
from marketplace.models import Listing
from marketplace.pages import builder_view
from marketplace.pages.attempts import attempt, attempt_button, sentence
from marketplace.pages.control_view import restrictions_on
from marketplace.pages.forms import AgentForm, CardForm, ListingForm, VersionForm
from marketplace.pages.visitors import find, now_of, party_of, user_of
from marketplace.pages.wording import decimal
from pacts import registry, runner
from pacts.agents import a2a
from pacts.agents.card import CardUnusable, fetch_card, read_card
from pacts.egress import EgressRefused
from pacts.engagements import Timers
from pacts.models import Agent
from reputation.clock import database_now

HOUR = 3_600


def builder(request: HttpRequest) -> HttpResponse:
    """The party's agents, what to do next for each, and what was earned."""
    party = party_of(request)
    context = {
        "rows": builder_view.rows_of(party, now=now_of(request)),
        "earnings": builder_view.earnings_of(party),
    }
    return render(request, "builder/builder.html", context)


def agent_new(request: HttpRequest) -> HttpResponse:
    """Register an agent by its URL, or fill the form in from its A2A card first."""
    if "card" in request.POST:
        return _from_card(request)
    form = AgentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _register(request, form))
        if done:
            return done
    return render(request, "builder/agent_new.html", {"form": form, "card": CardForm()})


def _from_card(request: HttpRequest) -> HttpResponse:
    card = CardForm(request.POST)
    form = AgentForm()
    if card.is_valid():
        pasted = card.cleaned_data["text"]
        try:
            found = (
                read_card(pasted.encode(), egress=runner.egress())
                if pasted.strip()
                else fetch_card(url=card.cleaned_data["url"], egress=runner.egress())
            )
        except (CardUnusable, EgressRefused) as error:
            card.add_error("text" if pasted.strip() else "url", sentence(error))
        else:
            form = AgentForm(
                initial={
                    "name": found.name,
                    "summary": found.description,
                    "endpoint": found.endpoint,
                    "protocol": a2a.PROTOCOL,
                    "declared": json.dumps(found.declared),
                }
            )
    return render(request, "builder/agent_new.html", {"form": form, "card": card})


def _register(request: HttpRequest, form: AgentForm) -> str:
    version = registry.register_agent(
        builder=party_of(request), now=database_now(), **form.registration
    )
    return reverse("builder_agent", args=[version.agent.slug])


def _agent(request: HttpRequest, slug: str) -> Agent:
    return find(builder_view.agents_of(party_of(request)), slug=slug)


def builder_agent(request: HttpRequest, slug: str) -> HttpResponse:
    """One agent from its builder's side."""
    agent = _agent(request, slug)
    context = {
        "agent": agent,
        "restrictions": restrictions_on(agent.id, now=now_of(request)),
        "listing": getattr(agent, "listing", None),
        "versions": agent.versions.all(),
        "pacts": builder_view.pact_versions_of(agent),
        "templates": builder_view.templates_for(agent),
        "runs": builder_view.runs_of(agent),
    }
    return render(request, "builder/agent.html", context)


def control(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the agent's host for the token."""
    agent = _agent(request, slug)
    back = reverse("builder_agent", args=[slug])

    def prove() -> str:
        registry.prove_control(
            version=agent.versions.all()[0], egress=runner.egress(), now=database_now()
        )
        return back

    return attempt_button(request, prove, back=back)


def version_new(request: HttpRequest, slug: str) -> HttpResponse:
    """A new version: another endpoint, or another model or prompt behind the same one."""
    agent = _agent(request, slug)
    latest = agent.versions.all()[0]
    initial = {
        name: getattr(latest, name)
        for name in ("endpoint", "protocol", "max_concurrency", "deadline_ms", "max_per_minute")
    }
    form = VersionForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _add_version(agent, dict(form.cleaned_data)))
        if done:
            return done
    return render(request, "builder/version_new.html", {"agent": agent, "form": form})


def _add_version(agent: Agent, data: dict[str, Any]) -> str:
    note = data.pop("note")
    declared = agent.versions.all()[0].declared | ({"note": note} if note else {})
    registry.add_version(agent=agent, declared=declared, now=database_now(), **data)
    return reverse("builder_agent", args=[agent.slug])


def listing(request: HttpRequest, slug: str) -> HttpResponse:
    """Offer the agent, or change its offer; running engagements keep what they signed."""
    agent = _agent(request, slug)
    found: Listing | None = getattr(agent, "listing", None)
    form = ListingForm(request.POST or None, agent_id=agent.id, initial=_offered(found))
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _list(request, form, agent))
        if done:
            return done
    return render(request, "builder/listing.html", {"agent": agent, "listing": found, "form": form})


def _offered(found: Listing | None) -> dict[str, Any]:
    if found is None:
        return {"currency": "EUR"}
    return {
        "amount": decimal(found.price, found.currency),
        "currency": found.currency,
        "bond": decimal(found.bond, found.currency) if found.bond else "",
        "agent_version": found.agent_version_id,
        "pact_version": found.pact_version_id,
        "work_hours": found.work_seconds // HOUR or 1,
        "evaluation_hours": found.evaluation_seconds // HOUR or 1,
        "acceptance_hours": found.acceptance_seconds // HOUR or 1,
        "cure_hours": found.cure_seconds // HOUR or 1,
        "max_revisions": found.max_revisions,
        "languages": found.languages,
        "signs_at_once": found.signs_at_once,
    }


def _list(request: HttpRequest, form: ListingForm, agent: Agent) -> str:
    data = form.cleaned_data
    hiring.open_listing(
        agent_version=data["agent_version"],
        pact_version=data["pact_version"],
        price=form.minor,
        bond=form.stake,
        currency=data["currency"],
        timers=Timers(
            work_seconds=data["work_hours"] * HOUR,
            evaluation_seconds=data["evaluation_hours"] * HOUR,
            acceptance_seconds=data["acceptance_hours"] * HOUR,
            cure_seconds=data["cure_hours"] * HOUR,
        ),
        max_revisions=data["max_revisions"],
        languages=data["languages"],
        signs_at_once=data["signs_at_once"],
        by=user_of(request),
        now=database_now(),
    )
    return reverse("builder_agent", args=[agent.slug])


def listing_pause(request: HttpRequest, slug: str) -> HttpResponse:
    """Take no new hires, or take them again."""
    agent = _agent(request, slug)
    found = find(Listing.objects.filter(agent=agent), agent=agent.pk)
    back = reverse("builder_agent", args=[slug])

    def switch() -> str:
        if request.POST.get("to") == "open":
            hiring.resume_listing(listing=found)
        else:
            hiring.pause_listing(listing=found)
        return back

    return attempt_button(request, switch, back=back)
