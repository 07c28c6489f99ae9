"""Juries: who they are, how far people agree with them, and the forms that find that out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.visitors import find, now_of, user_of
from pacts import reviews
from pacts.judges import calibrating, calibration
from pacts.judges.calibration import Figures
from pacts.models import Calibration, Evaluation, Judgement, Jury, ReviewBatch, ReviewLabel
from reputation.clock import database_now

PER_PAGE = 30


class JuryForm(forms.Form):
    """A jury as people type it; `jurors` holds a provider and a model on each line."""

    name = forms.CharField(max_length=80)
    rubric = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_lazy(
            "What makes an answer good. People get the same words when they check the jury."
        ),
    )
    rule = forms.ChoiceField(
        choices=[
            ("majority", _lazy("More than half of all jurors")),
            ("unanimity", _lazy("Every juror")),
        ],
        label=_lazy("The jury speaks when"),
    )
    jurors = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_lazy(
            "One on each line: a provider installed here, a space, and the exact model."
        ),
    )

    def clean_jurors(self) -> list[dict[str, str]]:
        seats = []
        for line in self.cleaned_data["jurors"].splitlines():
            provider, _, model = line.strip().partition(" ")
            if line.strip() and not model.strip():
                raise forms.ValidationError(
                    _("“%(line)s” names no model.") % {"line": line.strip()[:60]}
                )
            if line.strip():
                seats.append({"provider": provider, "model": model.strip()})
        return seats

    @property
    def spec(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"rubric": data["rubric"], "rule": data["rule"], "jurors": data["jurors"]}


class DrawForm(forms.Form):
    """Which run's answers the jury and people read."""

    evaluation = forms.CharField(
        max_length=40, label=_lazy("Concluded run"), help_text=_lazy("Its id: evl_…")
    )
    share = forms.IntegerField(
        min_value=1, max_value=100, initial=100, label=_lazy("Share drawn, in per cent")
    )
    reviewers = forms.IntegerField(
        min_value=1, max_value=5, initial=1, label=_lazy("Labels for each answer")
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """One calibration with its rates."""

    row: Calibration
    figures: Figures


def juries(request: HttpRequest) -> HttpResponse:
    """Every jury with its latest calibration."""
    rows = Jury.objects.prefetch_related("calibrations").order_by("-created_at", "-id")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    shown = [(jury, _measured(list(jury.calibrations.all())[:1])) for jury in page.object_list]
    return render(request, "juries/juries.html", {"page": page, "shown": shown})


def _measured(rows: Sequence[Calibration]) -> list[Measured]:
    return [Measured(row, calibration.figures(calibrating.agreement_of(row))) for row in rows]


def jury(request: HttpRequest, jury_id: str) -> HttpResponse:
    """One jury: its jurors and rubric, its calibrations, its disagreements and its cost."""
    return _show(request, find(Jury.objects.all(), pk=jury_id), DrawForm())


def _show(request: HttpRequest, found: Jury, draw: DrawForm) -> HttpResponse:
    measured = _measured(list(found.calibrations.all()[:20]))
    stale = calibrating.staleness(found, measured[0].row, now=now_of(request)) if measured else None
    labels = ReviewLabel.objects.filter(item__batch__jury=found)
    context = {
        "jury": found,
        "measured": measured,
        "stale": stale,
        "heard": _heard(found),
        "agreement": reviews.agreement(labels),
        "draws": ReviewBatch.objects.filter(jury=found).order_by("-id")[:10],
        "draw_form": draw,
        "least": calibration.LEAST_LABELS,
    }
    return render(request, "juries/jury.html", context)


def _heard(found: Jury) -> dict[str, int]:
    """How many answers were heard, on how many jurors disagreed, and what it all cost."""
    words = Judgement.objects.filter(jury=found, state=Judgement.State.DONE)
    answers = words.values("trial").annotate(
        passes=Count("id", filter=Q(said=Judgement.Said.PASS)),
        fails=Count("id", filter=Q(said=Judgement.Said.FAIL)),
    )
    costs = Judgement.objects.filter(jury=found).aggregate(cost=Sum("cost_micros"))
    return {
        "answers": answers.count(),
        "disagreed": answers.filter(passes__gt=0, fails__gt=0).count(),
        "abstained": words.filter(said=Judgement.Said.ABSTAIN).count(),
        "words": words.count(),
        "cost_micros": costs["cost"] or 0,
    }


def jury_new(request: HttpRequest) -> HttpResponse:
    """Register a jury."""
    form = JuryForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (done := attempt(request, form, lambda: _register(request, form))):
        return done
    context = {"form": form, "providers": sorted(settings.JUDGE_PROVIDERS)}
    return render(request, "juries/new.html", context)


def _register(request: HttpRequest, form: JuryForm) -> str:
    made = calibrating.register_jury(
        name=form.cleaned_data["name"],
        spec=form.spec,
        providers=settings.JUDGE_PROVIDERS,
        by=user_of(request),
        now=database_now(),
    )
    return reverse("jury", args=[made.id])


def jury_draw(request: HttpRequest, jury_id: str) -> HttpResponse:
    """Draw answers of a concluded run for the jury and for people."""
    found = find(Jury.objects.all(), pk=jury_id)
    form = DrawForm(request.POST)
    if form.is_valid() and (done := attempt(request, form, lambda: _draw(found, form))):
        return done
    return _show(request, found, form)


def _draw(found: Jury, form: DrawForm) -> str:
    data = form.cleaned_data
    evaluation = Evaluation.objects.filter(pk=data["evaluation"].strip()).first()
    if evaluation is None:
        raise calibrating.JuryRefused(_("there is no such run; copy its id from the run's page"))
    calibrating.open_calibration(
        jury=found,
        evaluation=evaluation,
        probability_bps=data["share"] * 100,
        reviewers=data["reviewers"],
        now=database_now(),
    )
    return reverse("jury", args=[found.id])


def jury_calibration(request: HttpRequest, jury_id: str) -> HttpResponse:
    """Count the jury's words against people's over every label there is."""
    found = find(Jury.objects.all(), pk=jury_id)
    back = reverse("jury", args=[found.id])

    def count() -> str:
        calibrating.calibrate(jury=found, now=database_now())
        return back

    return attempt_button(request, count, back=back)
