"""Every trial of a run as a matrix: tasks by tries, each cell a way to what happened there."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, F, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.engagement_view import failures
from marketplace.pages.evaluations import runs_seen
from marketplace.pages.visitors import find, party_of
from pacts.models import Evaluation, Observation, Trial

PER_PAGE = 300
# A sign for each tone, so that colour is not the only one.
SIGNS = {
    "met": ("✓", _lazy("passed")),
    "breached": ("✕", _lazy("a check failed")),
    "null": ("–", _lazy("counts for nobody")),
    "skipped": ("○", _lazy("skipped")),
    "running": ("…", _lazy("under way")),
    "queued": ("·", _lazy("waiting")),
}
SHOWN = {
    "all": _lazy("All"),
    "breached": _lazy("Failed a check"),
    "null": _lazy("Count for nobody"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One trial of one task."""

    position: int
    tone: str
    sign: str
    said: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One task with its tries, in their order."""

    number: int
    cells: tuple[Cell, ...]


def evaluation_trials(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """The matrix of a run, and one trial of it: its contents for whoever brought the tasks."""
    run = find(runs_seen(request), pk=evaluation_id)
    shown = request.GET.get("show", "all")
    if shown not in SHOWN:
        shown = "all"
    chosen = _chosen(request.GET.get("trial", ""))
    own = run.requested_by_id == party_of(request).id
    page = Paginator(_of_tone(_trials(run), shown), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "run": run,
        "agent": run.agent_version.agent,
        "own": own,
        "page": page,
        "columns": columns(page.object_list, chosen=chosen),
        "key": [(tone, *sign) for tone, sign in SIGNS.items()],
        "shown": shown,
        "choices": SHOWN.items(),
        "one": _one(run, chosen, own=own) if chosen is not None else None,
    }
    return render(request, "evaluations/trials.html", context)


def columns(trials: Iterable[dict[str, Any]], *, chosen: int | None) -> list[Column]:
    """Trials task by task. Each has `task`, `position`, `repeat`, `variant`, `state`, `failed`."""
    return [
        Column(number=number + 1, cells=tuple(_cell(one, chosen) for one in tries))
        for number, tries in groupby(trials, key=lambda one: one["task__position"])
    ]


def _cell(trial: dict[str, Any], chosen: int | None) -> Cell:
    tone = tone_of(trial["state"], failed=trial["failed"])
    sign, meaning = SIGNS[tone]
    said = _("Task %(task)s, try %(try)s: %(what)s") % {
        "task": trial["task__position"] + 1,
        "try": trial["repeat"] + 1,
        "what": meaning,
    }
    return Cell(
        position=trial["position"],
        tone=tone,
        sign=sign,
        said=f"{said} ({trial['variant']})" if trial["variant"] else said,
        chosen=trial["position"] == chosen,
    )


def tone_of(state: str, *, failed: bool) -> str:
    """Which of SIGNS a trial is drawn with."""
    if state == Trial.State.DONE:
        return "breached" if failed else "met"
    return state


def _trials(run: Evaluation) -> Any:
    """A queryset of those of the run's own tasks, each with whether it `failed` a check: hidden
    ones of the platform are nobody's to see."""
    failed = Observation.objects.filter(trial=OuterRef("pk"), outcome="fail")
    return Trial.objects.filter(
        evaluation=run, task__version=F("evaluation__task_set_version")
    ).annotate(failed=Exists(failed))


def _of_tone(trials: Any, shown: str) -> Any:
    if shown == "breached":
        trials = trials.filter(failed=True)
    elif shown == "null":
        trials = trials.filter(state=Trial.State.NULL)
    return trials.order_by("task__position", "repeat", "variant").values(
        *("task__position", "position", "repeat", "variant", "state", "failed")
    )


def _chosen(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _one(run: Evaluation, position: int, *, own: bool) -> dict[str, Any]:
    """One trial: what each check answered; task, answer and reasons for whoever brought them."""
    trial = _trials(run).select_related("task").filter(position=position).first()
    if trial is None:
        raise Http404
    tone = tone_of(trial.state, failed=trial.failed)
    sign, meaning = SIGNS[tone]
    return {
        "trial": trial,
        "tone": tone,
        "sign": sign,
        "meaning": meaning,
        "observations": list(trial.observations.order_by("id")),
        "output": failures([trial])[0].output if own else None,
    }
