"""Third parties that judge hires: who there is, an offer of one's own, the moment a run begins."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.attempts import attempt_button
from marketplace.pages.visitors import acting_of, find, party_of, user_of
from pacts import evaluators as third_parties
from pacts.evaluators import EvaluatorRefused
from pacts.models import Evaluation, EvaluatorOffer, TaskSetVersion
from reputation.clock import database_now

PER_PAGE = 50


class OfferForm(forms.Form):
    """What both sides read of the tasks before they sign."""

    about = forms.CharField(
        required=False,
        max_length=1000,
        label=_lazy("How the tasks were made"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_lazy("For both sides to read before they sign; never the tasks themselves."),
    )


def evaluators(request: HttpRequest) -> HttpResponse:
    """Everybody whose offer a hire can take."""
    work = request.GET.get("work", "")[:40]
    rows = third_parties.open_offers(work=work or None)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    acting = acting_of(request)
    return render(
        request,
        "evaluators/evaluators.html",
        {"page": page, "work": work, "own": acting.party if acting else None},
    )


def evaluator_offer_new(request: HttpRequest, task_set_version_id: str) -> HttpResponse:
    """Offer one version of a set of one's own."""
    own = TaskSetVersion.objects.filter(task_set__owner=party_of(request))
    version = find(own.select_related("task_set"), pk=task_set_version_id)
    back = reverse("task_set", args=[version.task_set_id])

    def offer() -> str:
        form = OfferForm(request.POST)
        if not form.is_valid():
            raise EvaluatorRefused(_("say how the tasks were made in at most 1,000 characters"))
        third_parties.offer(
            party=party_of(request),
            task_set_version=version,
            by=user_of(request),
            now=database_now(),
            about=form.cleaned_data["about"],
        )
        return back

    return attempt_button(request, offer, back=back)


def evaluator_offer_end(request: HttpRequest, offer_id: str) -> HttpResponse:
    """Take no more hires on it."""
    own = EvaluatorOffer.objects.filter(evaluator=party_of(request))
    found = find(own.select_related("task_set_version"), pk=offer_id)
    back = reverse("task_set", args=[found.task_set_version.task_set_id])

    def end() -> str:
        third_parties.end_offer(offer=found, now=database_now())
        return back

    return attempt_button(request, end, back=back)


def evaluation_beginning(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """Begin a run that waits for its evaluator."""
    run = find(Evaluation.objects.filter(requested_by=party_of(request)), pk=evaluation_id)
    back = reverse("evaluation", args=[run.id])

    def begin() -> str:
        third_parties.begin_evaluation(evaluation=run, by=party_of(request), now=database_now())
        return back

    return attempt_button(request, begin, back=back)
