"""The checklist of an agent: what is done, what is missing, what went stale, and where to do it."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace import readiness as reading
from marketplace.pages import builder_view
from marketplace.pages.visitors import find, now_of, party_of
from marketplace.readiness import Readiness, Step
from pacts.models import Agent


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step and where to do it; `post` says that the link is a button that acts."""

    step: Step
    href: str
    post: bool = False


def readiness(request: HttpRequest, slug: str) -> HttpResponse:
    """Every step with its state, read from the rows."""
    agent = find(builder_view.agents_of(party_of(request)), slug=slug)
    found = reading.readiness_of(agent, now=now_of(request))
    context = {
        "agent": agent,
        "found": found,
        "version": agent.versions.all()[0],
        "lines": lines_of(agent, found),
    }
    return render(request, "builder/readiness.html", context)


def lines_of(agent: Agent, found: Readiness) -> list[StepLine]:
    """The steps with their links."""
    return [
        StepLine(step, _link(agent, step.about), post=step.about == "ping") for step in found.steps
    ]


def _link(agent: Agent, about: str) -> str:
    """Where a step is done; the newest text of the agent is the draft it speaks of."""
    text = next(iter(builder_view.pact_versions_of(agent)), None)
    if about in ("draft", "dry_run") and text is not None:
        return reverse("pact_draft" if about == "draft" else "dry_run_new", args=[text.id])
    if about in ("money", "email"):
        return reverse("money" if about == "money" else "account_email")
    named = {
        "pact": "pact_new",
        "ping": "ping",
        "screening": "import_new",
        "adversarial": "adversarial_new",
        "listing": "listing",
    }
    return reverse(named.get(about, "builder_agent"), args=[agent.slug])
