"""The controls console: what is watched, what fired, and what a person can do about it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace import steering
from marketplace.acting import Acting
from marketplace.pages import control_view
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.control_forms import ControlForm, OverrideForm, written
from marketplace.pages.visitors import acting_of, find, now_of
from pacts import reevaluations
from reputation import controlling
from reputation.clock import database_now
from reputation.models import Control, ControlReview, Firing

PER_PAGE = 25


def _acting(request: HttpRequest) -> Acting:
    acting = acting_of(request)
    assert acting is not None, "the access table lets nobody unknown get here"
    return acting


def controls(request: HttpRequest) -> HttpResponse:
    """What waits for a person, what is in force, and every control with its next review."""
    acting, now = _acting(request), now_of(request)
    fired = steering.firings_seen_by(acting).filter(released_at=None).order_by("-fired_at", "-pk")
    page = Paginator(fired, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "waiting": control_view.waiting_for(acting, now=now),
        "page": page,
        "fired": control_view.fired_of(page.object_list, now=now),
        "rows": control_view.rows_of(
            steering.controls_seen_by(_acting(request)).filter(retired=False), now=now
        ),
    }
    return render(request, "controls/controls.html", context)


def control_new(request: HttpRequest) -> HttpResponse:
    """Set a control."""
    acting = _acting(request)
    asked = {"scope_id": request.GET.get("agent", "")[:40]}
    form = ControlForm(request.POST or None, acting=acting, initial=asked)

    def save() -> str:
        data = form.cleaned_data
        control = steering.set_control(
            acting=acting,
            name=data["name"],
            terms=form.terms,
            owner_user=data["owner_user"],
            now=database_now(),
        )
        return reverse("control_one", args=[control.lineage])

    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, save)
        if done:
            return done
    return render(request, "controls/form.html", {"form": form, "control": None})


def _own(request: HttpRequest, control_id: str) -> Control:
    """A control the visitor may change; any other answers as if it did not exist."""
    mine = steering.steered_by(_acting(request)).values("pk")
    return find(controlling.newest().filter(pk__in=mine), lineage=control_id)


def control_one(request: HttpRequest, control_id: str) -> HttpResponse:
    """One control: what it says, whom it restricts, its versions and reviews."""
    found, now = (
        find(steering.controls_seen_by(_acting(request)), lineage=control_id),
        now_of(request),
    )
    acting = _acting(request)
    fired = steering.firings_seen_by(acting).filter(lineage=control_id)[:PER_PAGE]
    context = {
        "control": found,
        "row": control_view.rows_of([found], now=now)[0],
        "fired": control_view.fired_of(fired, now=now),
        "versions": [
            (one, control_view.sentence_of(one))
            for one in Control.objects.filter(lineage=control_id).order_by("-number")
        ],
        "reviews": ControlReview.objects.filter(lineage=control_id)[:PER_PAGE],
        "may_steer": steering.may_steer(acting, found) and not found.retired,
    }
    return render(request, "controls/control.html", context)


def control_change(request: HttpRequest, control_id: str) -> HttpResponse:
    """The next version of a control."""
    acting, found = _acting(request), _own(request, control_id)
    form = ControlForm(request.POST or None, acting=acting, initial=written(found))

    def save() -> str:
        data = form.cleaned_data
        steering.change_control(
            acting=acting,
            control=found,
            name=data["name"],
            terms=form.terms,
            owner_user=data["owner_user"],
            now=database_now(),
        )
        return reverse("control_one", args=[control_id])

    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, save)
        if done:
            return done
    return render(request, "controls/form.html", {"form": form, "control": found})


def control_retirement(request: HttpRequest, control_id: str) -> HttpResponse:
    """End a control."""
    acting, found = _acting(request), _own(request, control_id)
    back = reverse("control_one", args=[control_id])

    def retire() -> str:
        steering.retire_control(acting=acting, control=found, now=database_now())
        messages.success(request, _("Retired. What it restricts is lifted with the next look."))
        return back

    return attempt_button(request, retire, back=back)


def control_review(request: HttpRequest, control_id: str) -> HttpResponse:
    """Say that one looked at a control, and that it stays."""
    acting, found = _acting(request), _own(request, control_id)
    back = reverse("control_one", args=[control_id])

    def review() -> str:
        note = request.POST.get("note", "")[:2000]
        steering.review_control(acting=acting, control=found, note=note, now=database_now())
        return back

    return attempt_button(request, review, back=back)


def _firing(request: HttpRequest, firing_id: str) -> Firing:
    return find(steering.firings_seen_by(_acting(request)), pk=firing_id)


def firing(request: HttpRequest, firing_id: str) -> HttpResponse:
    """One firing: what was seen, what it changed, who may do what about it."""
    return _show(request, _firing(request, firing_id), OverrideForm())


def _show(request: HttpRequest, found: Firing, form: OverrideForm) -> HttpResponse:
    acting, now = _acting(request), now_of(request)
    fired = control_view.fired_of([found], now=now)[0]
    may_steer = steering.may_steer(acting, found.control)
    builds = acting.party is not None and acting.party.id == fired.agent.builder_id
    is_open = found.released_at is None
    action = found.control.action
    context: dict[str, Any] = {
        "fired": fired,
        "firing": found,
        "sentence": control_view.sentence_of(found.control),
        "runs": reevaluations.firing_runs(found),
        "form": form,
        "may_override": is_open and may_steer and fired.override is None,
        "may_resolve": is_open and may_steer and action == "escalate",
        "may_re_evaluate": is_open and action == "re_evaluate" and (builds or may_steer),
    }
    return render(request, "controls/firing.html", context)


def firing_override(request: HttpRequest, firing_id: str) -> HttpResponse:
    """Suspend a restriction for some days, for a reason."""
    found = _firing(request, firing_id)
    acting, form = _acting(request), OverrideForm(request.POST)

    def suspend() -> str:
        now = database_now()
        steering.override(
            acting=acting,
            firing=found,
            reason=form.cleaned_data["reason"],
            until=now + timedelta(days=form.cleaned_data["days"]),
            now=now,
        )
        return reverse("firing", args=[firing_id])

    if form.is_valid() and (done := attempt(request, form, suspend)):
        return done
    return _show(request, found, form)


def firing_resolution(request: HttpRequest, firing_id: str) -> HttpResponse:
    """A person looked at what was escalated."""
    found = _firing(request, firing_id)
    back = reverse("firing", args=[firing_id])

    def resolve() -> str:
        steering.resolve(acting=_acting(request), firing=found, now=database_now())
        return back

    return attempt_button(request, resolve, back=back)


def firing_re_evaluation(request: HttpRequest, firing_id: str) -> HttpResponse:
    """Start the re-evaluation a control asks for."""
    found = _firing(request, firing_id)
    back = reverse("firing", args=[firing_id])

    def start() -> str:
        steering.re_evaluate(acting=_acting(request), firing=found, now=database_now())
        return back

    return attempt_button(request, start, back=back)
