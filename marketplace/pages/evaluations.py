"""Trying an agent before hiring it: the runs of a party, one of them live, and what it shows."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import trying
from marketplace.models import Listing
from marketplace.pages import findings
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.evaluation_forms import MICROS, EvaluationForm
from marketplace.pages.heard_view import Heard, heard_of
from marketplace.pages.live import mark_of, unless_seen
from marketplace.pages.rates import Rate, rate_of_clause
from marketplace.pages.visitors import find, now_of, party_of
from pacts import canaries, reruns, trials
from pacts.bundles import bundle_of
from pacts.evaluation import EvaluationRefused, cancel_evaluation
from pacts.failure_modes import MODES, WHAT, FailureReport, Mode
from pacts.failures import failure_report
from pacts.models import Agent, ClauseVerdict, Engagement, Evaluation, Verdict
from reputation.clock import database_now

PER_PAGE = 25
RELATED = (
    *("agent_version__agent", "pact_version", "task_set_version__task_set", "requested_by"),
    "deliverable__milestone__engagement",
)
STOPS = {
    "latched": _lazy("It ended early: more calls could not have changed the verdict."),
    "calls": _lazy("It ended with the calls of its budget."),
    "time": _lazy("It ended with the time of its budget."),
    "money": _lazy("It ended with the money of its budget."),
    "cancelled": _lazy("It was called off."),
}


@dataclass(frozen=True, slots=True)
class ModeRow:
    """One mode of the failure report."""

    mode: Mode
    count: int
    meaning: str


def _runs(request: HttpRequest) -> QuerySet[Evaluation]:
    return Evaluation.objects.filter(requested_by=party_of(request)).select_related(*RELATED)


def runs_seen(request: HttpRequest) -> QuerySet[Evaluation]:
    """The party's runs, and those of milestones it is a side of, whoever judges them."""
    party = party_of(request)
    engagement = "deliverable__milestone__engagement"
    hired = Q(**{f"{engagement}__builder": party}) | Q(**{f"{engagement}__buyer": party})
    return Evaluation.objects.filter(Q(requested_by=party) | hired).select_related(*RELATED)


def evaluations(request: HttpRequest) -> HttpResponse:
    """The party's runs, newest first."""
    rows = _runs(request).select_related("verdict").order_by("-started_at", "-id")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "evaluations/evaluations.html", {"page": page})


def evaluation_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Try an agent on one's own tasks."""
    agent = find(Agent.objects.all(), slug=slug)
    form = EvaluationForm(request.POST or None, party=party_of(request), work=agent.work)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _start(request, agent, form))
        if done:
            return done
    context = {"agent": agent, "form": form, "sets": form.fields["task_set_version"].queryset}  # type: ignore[attr-defined]
    return render(request, "evaluations/new.html", context)


def _start(request: HttpRequest, agent: Agent, form: EvaluationForm) -> str:
    listing = Listing.objects.filter(agent=agent).first()
    version = listing.agent_version if listing else agent.versions.order_by("-number")[0]
    pact = listing.pact_version if listing else _latest_pact(agent)
    run = trying.try_agent(
        agent_version=version,
        pact_version=pact,
        task_set_version=form.cleaned_data["task_set_version"],
        party=party_of(request),
        budget=form.budget,
        full_run=form.cleaned_data["full_run"],
        now=database_now(),
    )
    return reverse("evaluation", args=[run.id])


def _latest_pact(agent: Agent) -> Any:
    for pact in agent.pacts.order_by("-created_at"):
        found = pact.versions.filter(published_at__isnull=False).order_by("-number").first()
        if found:
            return found
    raise EvaluationRefused(_("this agent has no published pact to be held against yet"))


def evaluation(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """One run: how far it is, what it used, what it found, how the agent failed."""
    context = _context(request, evaluation_id)
    context |= findings.beside(request, context["run"])
    return render(request, "evaluations/evaluation.html", context)


def evaluation_live(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """The part of the page that changes; nothing (204) while it has not."""
    context = _context(request, evaluation_id)
    return unless_seen(
        request, context["seen"], lambda: render(request, "evaluations/live.html", context)
    )


def _context(request: HttpRequest, evaluation_id: str) -> dict[str, Any]:
    run = find(runs_seen(request), pk=evaluation_id)
    progress = trials.progress(run)
    over = run.is_over
    verdict = Verdict.objects.filter(evaluation=run).prefetch_related("clauses").first()
    report = failure_report(run) if over else None
    heard = heard_of(run)
    return {
        "run": run,
        "own": run.requested_by_id == party_of(request).id,
        "waits": run.state == Evaluation.State.WAITING,
        "hired": _hired_by(run),
        "builds": run.agent_version.agent.builder_id == party_of(request).id,
        "agent": run.agent_version.agent,
        "progress": progress,
        "finished": progress["done"] + progress["null"] + progress["skipped"],
        "spent": progress["cost_micros"] / MICROS,
        "most_money": (run.max_cost_micros or 0) / MICROS,
        "call_money": run.call_cost_micros / MICROS,
        "stop": STOPS.get(run.stopped_by, ""),
        "verdict": verdict,
        "clauses": _rates(verdict, run, request),
        "blind": canaries.beside(verdict),
        "heard": heard,
        "report": report,
        "modes": _modes(report) if report else [],
        "over": over,
        "pace": "" if over else "every 1500ms",
        "seen": _mark(run, progress, heard),
    }


def _hired_by(run: Evaluation) -> Engagement | None:
    """The engagement whose money waits for this run, if any does."""
    return run.deliverable.milestone.engagement if run.deliverable else None


def _mark(run: Evaluation, progress: dict[str, int], heard: Heard | None) -> str:
    words = (heard.open, heard.words, heard.labels) if heard else ()
    return mark_of(run.state, progress, words)


def _rates(
    verdict: Verdict | None, run: Evaluation, request: HttpRequest
) -> list[tuple[ClauseVerdict, Rate]]:
    """Every clause of a verdict with its rate as pages show it."""
    if verdict is None:
        return []
    number, now = run.agent_version.number, now_of(request)
    return [(one, rate_of_clause(one, now=now, version=number)) for one in verdict.clauses.all()]


def _modes(report: FailureReport) -> list[ModeRow]:
    return [ModeRow(mode, report.counts[mode], WHAT[mode]) for mode in MODES if report.counts[mode]]


def evaluation_cancellation(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """Call a run off."""
    run = find(_runs(request), pk=evaluation_id)
    back = reverse("evaluation", args=[run.id])

    def cancel() -> str:
        cancel_evaluation(evaluation=run, by=party_of(request), now=database_now())
        return back

    return attempt_button(request, cancel, back=back)


def evaluation_rerun(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """Check the stored answers again."""
    run = find(_runs(request), pk=evaluation_id)

    def again() -> str:
        made = reruns.rerun_evaluation(
            original=run, requested_by=party_of(request), now=database_now()
        )
        return reverse("evaluation", args=[made.id])

    return attempt_button(request, again, back=reverse("evaluation", args=[run.id]))


def evaluation_bundle(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """The bundle, as a file."""
    run = find(_runs(request).filter(verdict__isnull=False), pk=evaluation_id)
    response = HttpResponse(bundle_of(run), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{run.id}.json"'
    return response
