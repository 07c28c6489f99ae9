"""Golden sets: the buyer's own tasks, which no builder sees."""

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace.pages.attempts import attempt
from marketplace.pages.forms import TaskSetForm
from marketplace.pages.visitors import find, party_of
from pacts import tasksets
from pacts.models import TaskSet, TaskSetVersion
from reputation.clock import database_now

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
        tasks=form.drafts,
        now=database_now(),
    )
    return reverse("task_set", args=[version.task_set_id])


def task_set(request: HttpRequest, task_set_id: str) -> HttpResponse:
    """One set's newest version, task by task."""
    found = find(TaskSet.objects.filter(owner=party_of(request)), pk=task_set_id)
    version = found.versions.order_by("-number")[0]
    page = Paginator(version.tasks.order_by("position"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"task_set": found, "version": version, "page": page}
    return render(request, "tasksets/task_set.html", context)
