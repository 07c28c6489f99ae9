"""A builder's own runs: started, watched, read, deleted. Nothing of them counts anywhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace.pages import builder_view
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.live import unless_seen
from marketplace.pages.rehearsal_forms import FAMILY_TITLES, AdversarialForm, DryRunForm
from marketplace.pages.visitors import find, party_of, user_of
from pacts import rehearsals, rehearsed
from pacts.models import Agent, AgentVersion, PactVersion, Rehearsal, RehearsedCase
from reputation.clock import database_now

PACE = "every 1500ms"


def _agent(request: HttpRequest, slug: str) -> Agent:
    return find(builder_view.agents_of(party_of(request)), slug=slug)


def _newest(agent: Agent) -> AgentVersion:
    return agent.versions.all()[0]


def ping(request: HttpRequest, slug: str) -> HttpResponse:
    """Call the newest version once."""
    agent = _agent(request, slug)

    def call() -> str:
        run = rehearsals.start_ping(
            agent_version=_newest(agent), by=user_of(request), now=database_now()
        )
        return reverse("rehearsal", args=[run.id])

    return attempt_button(request, call, back=reverse("readiness", args=[slug]))


def dry_run_new(request: HttpRequest, version_id: str) -> HttpResponse:
    """Hold the agent, or answers one has, against a draft on a few tasks."""
    mine = PactVersion.objects.filter(pact__agent__builder=party_of(request))
    version = find(mine.select_related("pact__agent__builder"), pk=version_id)
    assert version.pact.agent is not None, "a pact among one's agents' has an agent"
    agent = _agent(request, version.pact.agent.slug)
    form = DryRunForm(request.POST or None, agent=agent)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _dry_run(request, agent, version, form))
        if done:
            return done
    context = {"agent": agent, "version": version, "form": form, "runs": _runs(version)}
    return render(request, "builder/dry_run.html", context)


def _dry_run(request: HttpRequest, agent: Agent, version: PactVersion, form: DryRunForm) -> str:
    said: dict[str, Any] = {
        "agent_version": _newest(agent),
        "pact_version": version,
        "samples": form.samples,
        "by": user_of(request),
        "now": database_now(),
    }
    if form.lines:
        run = rehearsals.start_pasted(answers=form.lines, **said)
    else:
        calls = form.cleaned_data.get("calls") or rehearsals.USUAL_CALLS
        run = rehearsals.start_dry_run(calls=calls, **said)
    return reverse("rehearsal", args=[run.id])


def _runs(version: PactVersion) -> list[Rehearsal]:
    return list(Rehearsal.objects.filter(pact_version=version).select_related("agent_version")[:10])


def adversarial_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Try the agent with the suite of adversities."""
    agent = _agent(request, slug)
    form = AdversarialForm(request.POST or None, agent=agent)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _adversarial(request, agent, form))
        if done:
            return done
    rows = Rehearsal.objects.filter(
        agent_version__agent=agent, kind=Rehearsal.Kind.ADVERSARIAL
    ).select_related("agent_version")
    context = {"agent": agent, "form": form, "runs": list(rows[:10])}
    return render(request, "builder/adversarial.html", context)


def _adversarial(request: HttpRequest, agent: Agent, form: AdversarialForm) -> str:
    run = rehearsals.start_adversarial(
        agent_version=_newest(agent),
        samples=form.samples,
        families=form.cleaned_data["families"],
        by=user_of(request),
        now=database_now(),
    )
    return reverse("rehearsal", args=[run.id])


def rehearsal(request: HttpRequest, rehearsal_id: str) -> HttpResponse:
    """What a run showed, or how far it is."""
    return render(request, "builder/rehearsal.html", _context(request, rehearsal_id))


def rehearsal_live(request: HttpRequest, rehearsal_id: str) -> HttpResponse:
    """The part of the page that changes; nothing (204) while it has not."""
    context = _context(request, rehearsal_id)
    return unless_seen(
        request, context["seen"], lambda: render(request, "builder/rehearsal_live.html", context)
    )


def _own(request: HttpRequest, rehearsal_id: str) -> Rehearsal:
    return find(rehearsals.rehearsals_of(party_of(request).pk), pk=rehearsal_id)


def _context(request: HttpRequest, rehearsal_id: str) -> dict[str, Any]:
    run = _own(request, rehearsal_id)
    total = run.cases.count()
    done = run.cases.filter(state=RehearsedCase.State.DONE).count()
    over = run.state != Rehearsal.State.RUNNING
    families = [(FAMILY_TITLES.get(one.name, one.name), one) for one in rehearsed.families_of(run)]
    return {
        "run": run,
        "agent": run.agent_version.agent,
        "total": total,
        "done": done,
        "over": over,
        "pace": "" if over else PACE,
        "seen": f"{run.state}-{done}",
        "dry": rehearsed.dry_run_of(run),
        "families": families if run.kind == Rehearsal.Kind.ADVERSARIAL else [],
        "cases": rehearsed.looked_at(run),
        "alive": rehearsed.answered(run),
    }


def rehearsal_deletion(request: HttpRequest, rehearsal_id: str) -> HttpResponse:
    """Delete a run and everything it kept."""
    run = _own(request, rehearsal_id)
    slug = run.agent_version.agent.slug

    def delete() -> str:
        rehearsals.delete_rehearsal(rehearsal=run)
        return reverse("readiness", args=[slug])

    return attempt_button(request, delete, back=reverse("rehearsal", args=[rehearsal_id]))
