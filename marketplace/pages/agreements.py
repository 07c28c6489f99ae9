"""How often people and judges agree, in data that somebody brought: reports, and a form."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _lazy

from marketplace import cases
from marketplace.models import AgreementReport
from marketplace.pages.attempts import attempt
from marketplace.pages.visitors import find, user_of
from pacts.judges import calibration
from reputation.clock import database_now

PER_PAGE = 20


class AgreementForm(forms.Form):
    """A table of labels."""

    name = forms.CharField(max_length=120, label=_lazy("Name"))
    source = forms.CharField(
        max_length=400, required=False, label=_lazy("Where it comes from"), widget=forms.TextInput()
    )
    file = forms.FileField(
        label=_lazy("File"),
        help_text=_lazy(
            "CSV or TSV with a header: item, rater, kind (oracle, expert or judge) and "
            "label; or one row per item and a column for each rater, such as oracle, "
            "expert_1, judge_a. A label is pass or fail; 1 and 0, yes and no are read too."
        ),
    )


def agreements(request: HttpRequest) -> HttpResponse:
    """Every report, and the form to load one more."""
    form = AgreementForm(request.POST or None, request.FILES or None)

    def load() -> str:
        data = form.cleaned_data
        made = cases.load_agreement(
            name=data["name"],
            source=data["source"],
            data=data["file"].read(cases.LARGEST_FILE + 1),
            by=user_of(request),
            now=database_now(),
        )
        return reverse("agreement", args=[made.id])

    sent = request.method == "POST"
    if sent and form.is_valid() and (done := attempt(request, form, load, field="file")):
        return done
    page = Paginator(AgreementReport.objects.all(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "agreements/agreements.html", {"page": page, "form": form})


def agreement(request: HttpRequest, report_id: str) -> HttpResponse:
    """One report: experts against experts, judges against the truth, and what that means."""
    found = find(AgreementReport.objects.all(), pk=report_id)
    context = {"one": found, "report": found.report, "least": calibration.LEAST_LABELS}
    return render(request, "agreements/agreement.html", context)
