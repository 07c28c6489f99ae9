"""Trying several agents at once: choose, see what it takes, start, watch, see where they differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace.models import Tryout
from marketplace.pages import tryout_view
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.live import mark_of, unless_seen
from marketplace.pages.press import token_of
from marketplace.pages.tryout_forms import ChoiceForm, PlanForm
from marketplace.pages.visitors import authority_of, find, now_of, party_of, user_of
from marketplace.tryouts import boards, forecasts, starting
from reputation.clock import database_now

PER_PAGE = 25
TASKS_PER_PAGE = 20
PACE, SLOW_PACE, MANY = "every 2s", "every 6s", 2_000


def tryouts(request: HttpRequest) -> HttpResponse:
    """The party's, newest first."""
    rows = (
        _own(request)
        .select_related("task_set_version__task_set", "started_by")
        .prefetch_related("agents__listing__agent")
    )
    page = Paginator(rows.order_by("-started_at", "-id"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    return render(request, "tryouts/tryouts.html", {"page": page})


def _own(request: HttpRequest) -> QuerySet[Tryout]:
    return Tryout.objects.filter(party=party_of(request))


def tryout_new(request: HttpRequest) -> HttpResponse:
    """Which agents, which tasks, whose pact; then the forecast and the two ways to begin."""
    form = PlanForm(request.POST or None)
    choice = ChoiceForm(request.POST or request.GET, party=party_of(request))
    ready = choice.is_valid() and choice.is_complete
    if request.method == "POST" and ready and form.is_valid():
        done = attempt(request, form, lambda: _start(request, choice, form))
        if done:
            return done
    return render(request, "tryouts/new.html", _plan(choice, form, ready))


def _plan(choice: ChoiceForm, form: PlanForm, ready: bool) -> dict[str, Any]:
    found, problem = [], ""
    if ready:
        try:
            starting.refuse_unfit(choice.listings, choice.tasks, choice.wish, choice.party)
            found = forecasts.forecasts_of(
                listings=choice.listings, task_set_version=choice.tasks, pact_version=choice.wish
            )
        except starting.TryoutRefused as error:
            problem = str(error)
    return {
        "choice": choice,
        "form": form,
        "forecasts": [tryout_view.forecast_text(one) for one in found],
        "sums": forecasts.sums_of(found),
        "problem": problem,
        "most": starting.MOST,
        "judged": any(
            one.independence == "third_party" for one in map(tryout_view.terms_of, found)
        ),
    }


def _start(request: HttpRequest, choice: ChoiceForm, form: PlanForm) -> str:
    made = starting.start(
        party=party_of(request),
        listings=choice.listings,
        task_set_version=choice.tasks,
        pact_version=choice.wish,
        budget=form.budget,
        full_run=form.cleaned_data["full_run"],
        by=user_of(request),
        now=database_now(),
    )
    return reverse("tryout", args=[made.id])


def tryout_hires(request: HttpRequest) -> HttpResponse:
    """Hire each at its price on these tasks, and set the money aside, in one press."""
    choice = ChoiceForm(request.POST, party=party_of(request))
    back = reverse("tryout_new") + choice.query

    def hire() -> str:
        if not (choice.is_valid() and choice.is_complete):
            raise starting.TryoutRefused("choose the agents and the tasks first")
        made = starting.hire_all(
            party=party_of(request),
            listings=choice.listings,
            task_set_version=choice.tasks,
            by=user_of(request),
            authority=authority_of(request),
            idempotency_key=f"tryout:{token_of(request)}",
            now=database_now(),
        )
        return reverse("tryout", args=[made.id])

    return attempt_button(request, hire, back=back)


def tryout(request: HttpRequest, tryout_id: str) -> HttpResponse:
    """The board: agents by clauses, live."""
    return render(request, "tryouts/tryout.html", _context(request, tryout_id, look=True))


def tryout_live(request: HttpRequest, tryout_id: str) -> HttpResponse:
    """The part of the board that changes; nothing (204) while it has not."""
    cheap = _context(request, tryout_id, look=False)

    def draw() -> HttpResponse:
        return render(request, "tryouts/live.html", _context(request, tryout_id, look=True))

    return unless_seen(request, cheap["seen"], draw)


def _context(request: HttpRequest, tryout_id: str, *, look: bool) -> dict[str, Any]:
    rows = _own(request).select_related("task_set_version__task_set", "pact_version")
    made = find(rows, pk=tryout_id)
    seats = boards.seats_of(made, look=look)
    over = all(seat.state in ("concluded", "called_off") for seat in seats)
    trials = sum(seat.progress.get("total", 0) for seat in seats)
    words = [(seat.state, sorted(seat.progress.items())) for seat in seats]
    return {
        "tryout": made,
        "seats": seats,
        "clauses": tryout_view.clause_rows(seats, now=now_of(request)) if look else [],
        "over": over,
        "stoppable": [one for one in seats if one.state == "running" and not made.paid],
        "pace": "" if over else SLOW_PACE if trials > MANY else PACE,
        "seen": mark_of(words),
    }


@dataclass(frozen=True, slots=True)
class _Shown:
    name: str
    title: str
    count: int


def tryout_tasks(request: HttpRequest, tryout_id: str) -> HttpResponse:
    """Task by task: input, expected answer, what each agent answered, and why it failed."""
    made = find(_own(request).select_related("task_set_version__task_set"), pk=tryout_id)
    entries, runs = boards.entries_of(made), starting.runs_of(made)
    marked = boards.marks_of(made, runs, len(entries))
    groups = boards.groups_of(marked)
    asked = request.GET.get("only", "")
    only: boards.Group = next((one for one in boards.GROUPS if one == asked), "all")
    page = Paginator(groups[only], TASKS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tryout": made,
        "entries": entries,
        "rows": boards.rows_of(list(page.object_list), runs, len(entries)),
        "page": page,
        "only": only,
        "query": f"only={only}&",
        "shown": [
            _Shown(name, str(title), len(groups[name]))
            for name, title in tryout_view.GROUPS.items()
        ],
    }
    return render(request, "tryouts/tasks.html", context)


def tryout_cancellation(request: HttpRequest, tryout_id: str) -> HttpResponse:
    """Call off one run, or all that are not over."""
    made = find(_own(request), pk=tryout_id)
    position = _position(request.POST.getlist("position"))
    back = reverse("tryout", args=[made.id])

    def end() -> str:
        starting.call_off(made=made, party=party_of(request), position=position, now=database_now())
        return back

    return attempt_button(request, end, back=back)


def _position(sent: Sequence[str]) -> int | None:
    """Which agent's run; None is all of them."""
    if not sent:
        return None
    text = sent[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else -1
