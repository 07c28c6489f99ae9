"""Answers that wait for people: a queue, and one answer at a time, blind."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.attempts import attempt
from marketplace.pages.visitors import find, user_of
from pacts import reviews as domain
from pacts.models import ReviewItem, ReviewLabel
from reputation.clock import database_now

PER_PAGE = 30


class LabelForm(forms.Form):
    """What a reviewer thinks of one answer."""

    said = forms.ChoiceField(
        choices=[
            ("pass", _lazy("It meets the question")),
            ("fail", _lazy("It does not")),
            ("abstain", _lazy("The question does not decide this case")),
        ],
        widget=forms.RadioSelect,
        label=_lazy("The answer"),
    )
    note = forms.CharField(
        max_length=domain.LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_lazy("For the record. It is shown to nobody who reviews the same answer."),
    )


def reviews(request: HttpRequest) -> HttpResponse:
    """What waits for this reviewer, oldest first, and what they have said lately."""
    user = user_of(request)
    rows = domain.queue_for(user).select_related("batch")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    said = ReviewLabel.objects.filter(reviewer=user)
    context = {"page": page, "labelled": said.count()}
    return render(request, "reviews/reviews.html", context)


def review(request: HttpRequest, review_id: str) -> HttpResponse:
    """One answer, without a word of whose it is."""
    rows = domain.queue_for(user_of(request)).select_related("batch")
    item = find(rows, pk=review_id)
    form = LabelForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (done := attempt(request, form, lambda: _label(request, item, form))):
        return done
    return render(request, "reviews/review.html", {"seen": domain.blinded(item), "form": form})


def _label(request: HttpRequest, item: ReviewItem, form: LabelForm) -> str:
    """Label, and on to the next answer that waits."""
    user = user_of(request)
    domain.label(
        item=item,
        reviewer=user,
        said=form.cleaned_data["said"],
        note=form.cleaned_data["note"],
        now=database_now(),
    )
    following = domain.queue_for(user).first()
    return reverse("review", args=[following.id]) if following else reverse("reviews")
