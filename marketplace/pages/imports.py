"""Runs brought from elsewhere, and what benchmarks foretold: pages for screening."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace import hiring
from marketplace.models import BenchmarkClaim
from marketplace.pages import builder_view
from marketplace.pages.attempts import attempt
from marketplace.pages.import_forms import ClaimForm, ImportForm
from marketplace.pages.visitors import acting_of, find, party_of, user_of
from marketplace.screening import kinds, screenings
from pacts import imports
from pacts.models import Agent, ImportedRun
from reputation.clock import database_now
from reputation.identifiers import is_id

MOST_TASKS = 200
KINDS_PER_PAGE = 8
AGENTS_OF_A_KIND = 8
FIRST = ("accuracy", "stderr", "utility", "utility_under_attack", "attack_success")


def import_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring a run log: it is counted again, and kept as history for screening."""
    agent = find(builder_view.agents_of(party_of(request)), slug=slug)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _import(request, agent, form))
        if done:
            return done
    titles = imports.titles().values()
    return render(request, "imports/new.html", {"agent": agent, "form": form, "titles": titles})


def _import(request: HttpRequest, agent: Agent, form: ImportForm) -> str:
    file = form.cleaned_data["file"]
    runs = imports.import_runs(
        agent_version=agent.versions.order_by("-number")[0],
        name=file.name or "run",
        data=file.read(),
        format=form.cleaned_data["format"] or None,
        agent=form.cleaned_data["agent_name"],
        benchmark=form.cleaned_data["benchmark"],
        by=user_of(request),
        now=database_now(),
    )
    if len(runs) > 1:
        return reverse("agent", args=[agent.slug]) + "#imported"
    return reverse("imported_run", args=[runs[0].id])


def claim_new(request: HttpRequest, slug: str) -> HttpResponse:
    """State a benchmark's score, from a run on record (`?run=`) or from a source elsewhere."""
    agent = find(builder_view.agents_of(party_of(request)), slug=slug)
    form = ClaimForm(request.POST or None, agent=agent, initial=_start(request, agent))
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _claim(agent, form))
        if done:
            return done
    return render(request, "imports/claim_new.html", {"agent": agent, "form": form})


def _start(request: HttpRequest, agent: Agent) -> dict[str, object]:
    asked = request.GET.get("run", "")
    run = ImportedRun.objects.filter(agent_version__agent=agent, pk=asked).first()
    if not is_id(asked) or run is None or "accuracy" not in run.figures:
        return {}
    return {
        "imported_run": run,
        "agent_version": run.agent_version_id,
        "benchmark": run.benchmark[:120],
        "units": run.tasks,
        "score": f"{float(run.figures['accuracy']) * 100:.2f}",
        "measured_on": run.made_at.date() if run.made_at else None,
    }


def _claim(agent: Agent, form: ClaimForm) -> str:
    data = {name: value for name, value in form.cleaned_data.items() if name != "score"}
    data["ran_by"] = BenchmarkClaim.Runner(data["ran_by"])
    hiring.record_claim(score_bps=form.score_bps, now=database_now(), **data)
    return reverse("agent", args=[agent.slug])


def imported_run(request: HttpRequest, run_id: str) -> HttpResponse:
    """One imported run: its figures, what contradicts them, its tasks."""
    rows = ImportedRun.objects.select_related("agent_version__agent__builder")
    run, acting = find(rows, pk=run_id), acting_of(request)
    context = {
        "run": run,
        "agent": run.agent_version.agent,
        "figures": [(_label(name), run.figures[name]) for name in sorted(run.figures, key=_place)],
        "trials": run.imported_trials.order_by("task", "repeat")[:MOST_TASKS],
        "is_own": bool(
            acting and acting.party and acting.party.id == run.agent_version.agent.builder_id
        ),
    }
    return render(request, "imports/run.html", context)


def _place(name: str) -> tuple[bool, int, str, int, str]:
    """Where a figure stands on the page: the whole before its parts, pass^2 before pass^10."""
    kind, colon, of = name.partition(":")
    family = kind.rstrip("0123456789")
    first = FIRST.index(kind) if kind in FIRST else len(FIRST)
    return bool(colon), first, family, int(kind[len(family) :] or 0), of


def _label(name: str) -> str:
    """A figure as people read it: `group:banking` is “accuracy: banking”."""
    kind, colon, of = name.partition(":")
    kinds = {"group": "accuracy", "score": _("mean score")}
    said = kinds.get(kind, kind) if colon else kind
    spaced = said.replace("_", " ")
    return f"{spaced[:1].upper()}{spaced[1:]}{colon and ': '}{of}"


def screening(request: HttpRequest) -> HttpResponse:
    """Whether benchmark claims foretold who keeps promises, and whom buyers followed.

    All kinds of work by pages, or the one that `?work=` names, with more of its agents.
    """
    of = request.GET.get("work", "")
    page = Paginator([of] if of else kinds(), KINDS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "screenings": screenings(works=page.object_list),
        "page": page,
        "of": of,
        "most": ":" if of else f":{AGENTS_OF_A_KIND}",
        "shown_agents": AGENTS_OF_A_KIND,
    }
    return render(request, "imports/screening.html", context)
