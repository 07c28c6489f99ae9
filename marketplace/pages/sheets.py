"""Bringing a table of tasks: a file or a paste, then what each column is, then a task set."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.models import TaskSheet
from marketplace.pages.attempts import attempt, sentence
from marketplace.pages.sheet_forms import MappingForm, SheetForm
from marketplace.pages.visitors import find, party_of, user_of
from marketplace.tryouts import bringing
from pacts.sheets import Problem, Sheet, refuse_unusable
from pacts.tables import TaskDraft, TaskSetRefused
from reputation.clock import database_now

SHOWN = 5


def task_sheet_new(request: HttpRequest) -> HttpResponse:
    """Upload or paste; what cannot be read at all is said, and nothing typed is lost."""
    initial = {"work": request.GET.get("work", "")[:40]}
    form = SheetForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _bring(request, form))
        if done:
            return done
    return render(request, "tryouts/sheet_new.html", {"form": form})


def _bring(request: HttpRequest, form: SheetForm) -> str:
    row = bringing.bring(
        party=party_of(request),
        name=form.cleaned_data["name"],
        work=form.cleaned_data["work"],
        data=form.data_brought,
        by=user_of(request),
        now=database_now(),
    )
    return reverse("task_sheet", args=[row.id]) + onwards(request)


def onwards(request: HttpRequest, **more: str) -> str:
    """The agents that wait to be tried on these tasks, as the next address names them."""
    agents = [("agent", slug) for slug in request.GET.getlist("agent")[:8]]
    query = urlencode([*agents, *more.items()])
    return f"?{query}" if query else ""


def task_sheet(request: HttpRequest, sheet_id: str) -> HttpResponse:
    """What each column is for, the first tasks as they would be, and every line's problem."""
    row = find(TaskSheet.objects.filter(party=party_of(request)), pk=sheet_id)
    if row.task_set_version:
        return redirect("task_set", task_set_id=row.task_set_version.task_set_id)
    if not row.rows:
        messages.info(request, _("This table was forgotten after a week; bring it again."))
        return redirect("task_sheet_new")
    typed = bringing.lines_of(request.POST.get("text", row.text))
    row, wrong = _corrected(request, row, typed)
    sheet = bringing.sheet_of(row)
    initial = {"name": row.name, "work": row.work}
    form = MappingForm(request.POST or None, initial=initial, sheet=sheet)
    readable = not form.is_bound or form.is_valid()
    if readable and not wrong and request.POST.get("do") == "keep":
        done = attempt(request, form, lambda: _keep(request, row, form))
        if done:
            return done
    context = _context(row, sheet, form, readable) | {"text": typed, "wrong": wrong}
    return render(request, "tryouts/sheet.html", context)


def _corrected(request: HttpRequest, row: TaskSheet, typed: str) -> tuple[TaskSheet, str]:
    """The table with what was typed in the place of its text, whichever button was pressed; what
    cannot be read changes nothing, and the second of the two says why."""
    if typed == bringing.lines_of(row.text):
        return row, ""
    try:
        row = bringing.bring_again(row=row, data=typed)
    except TaskSetRefused as error:
        return row, sentence(error)
    messages.success(request, _("The corrected text was read."))
    return row, ""


def _keep(request: HttpRequest, row: TaskSheet, form: MappingForm) -> str:
    row.name, row.work = form.cleaned_data["name"], form.cleaned_data["work"]
    row.save(update_fields=["name", "work"])
    version = bringing.keep(
        row=row,
        uses=form.uses,
        leave_out=form.cleaned_data["leave_out"],
        now=database_now(),
        seen=request.POST.get("seen", ""),
    )
    if request.GET.getlist("agent"):
        return reverse("tryout_new") + onwards(request, set=version.id)
    return reverse("task_set", args=[version.task_set_id])


def _context(row: TaskSheet, sheet: Sheet, form: MappingForm, readable: bool) -> dict[str, Any]:
    drafts, problems, unusable = _preview(row, form, readable)
    return {
        "row": row,
        "seen": bringing.fingerprint(row),
        "form": form,
        "columns": [
            (name, column, [str(one.values.get(name, ""))[:80] for one in sheet.rows[:3]])
            for name, column in form.columns
        ],
        "drafts": drafts[:SHOWN],
        "good": len(drafts),
        "problems": problems,
        "unusable": unusable,
    }


def _preview(
    row: TaskSheet, form: MappingForm, readable: bool
) -> tuple[list[TaskDraft], list[Problem], str]:
    if not readable:
        return [], list(bringing.sheet_of(row).problems), ""
    try:
        refuse_unusable(form.uses)
        return *bringing.mapped(row, form.uses), ""
    except TaskSetRefused as error:
        return [], [], sentence(error)
