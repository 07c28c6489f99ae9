"""Golden sets: the buyer's own tasks, which no builder sees."""

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace.pages.attempts import attempt
from marketplace.pages.evaluators import OfferForm
from marketplace.pages.tasks_in import TaskSetForm, TasksForm
from marketplace.pages.visitors import find, party_of
from pacts import tasksets
from pacts.evaluators import FEWEST_TASKS
from pacts.models import TaskSet, TaskSetVersion
from reputation.clock import database_now
from reputation.models import Evidence

PER_PAGE = 50


def task_sets(request: HttpRequest) -> HttpResponse:
    """The party's sets, newest first."""
    rows = (
        TaskSet.objects.filter(owner=party_of(request))
        .prefetch_related(Prefetch("versions", TaskSetVersion.objects.order_by("-number")))
        .order_by("-created_at")
    )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "tasksets/task_sets.html", {"page": page})


def task_set_new(request: HttpRequest) -> HttpResponse:
    """Paste or upload; the first line that does not fit is named and nothing is lost."""
    initial = {"work": request.GET.get("work", "")[:40]}
    form = TaskSetForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _create(request, form))
        if done:
            return done
    return render(request, "tasksets/new.html", {"form": form})


def _create(request: HttpRequest, form: TaskSetForm) -> str:
    version = tasksets.create_task_set(
        owner=party_of(request),
        name=form.cleaned_data["name"],
        work=form.cleaned_data["work"],
        note=form.cleaned_data["note"],
        tasks=form.drafts or [],
        canaries=form.cleaned_data["canaries"],
        now=database_now(),
    )
    return reverse("task_set", args=[version.task_set_id])


def task_set_version_new(request: HttpRequest, task_set_id: str) -> HttpResponse:
    """The next version of a set; hires and runs keep the one they were agreed on."""
    found = find(TaskSet.objects.filter(owner=party_of(request)), pk=task_set_id)
    form = TasksForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _add_version(found, form))
        if done:
            return done
    return render(request, "tasksets/version_new.html", {"form": form, "task_set": found})


def _add_version(task_set: TaskSet, form: TasksForm) -> str:
    tasksets.add_version(task_set=task_set, tasks=form.drafts or [], now=database_now())
    return reverse("task_set", args=[task_set.id])


def task_set(request: HttpRequest, task_set_id: str) -> HttpResponse:
    """One set, task by task: its newest version, or the one asked for."""
    found = find(TaskSet.objects.filter(owner=party_of(request)), pk=task_set_id)
    versions = list(found.versions.order_by("-number"))
    asked = request.GET.get("version", "")
    version = next((one for one in versions if str(one.number) == asked), versions[0])
    page = Paginator(version.tasks.order_by("position"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "task_set": found,
        "version": version,
        "versions": versions,
        "strata": [row for row in tasksets.strata_of(version) if row["stratum"]],
        "commitment": _commitment(version),
        "page": page,
        "has_sessions": version.tasks.exclude(session="").exists(),
        "offer": version.evaluator_offers.filter(ended_at=None).first(),
        "offer_form": OfferForm(),
        "enough": version.size >= FEWEST_TASKS,
    }
    return render(request, "tasksets/task_set.html", context)


def _commitment(version: TaskSetVersion) -> Evidence | None:
    """The entry of the log that commits to this version."""
    rows = Evidence.objects.filter(kind="taskset.committed", subjects__subject_id=version.id)
    return rows.order_by("id").first()
