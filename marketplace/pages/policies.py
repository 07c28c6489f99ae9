"""The policy console: every number the platform sets, who changed it, when and why."""

from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace import policy
from marketplace.pages.attempts import attempt
from marketplace.pages.visitors import now_of, user_of
from marketplace.policy_terms import SETTINGS, Setting
from pacts.models import PolicyVersion
from reputation import controlling
from reputation.clock import database_now

MOST_VERSIONS = 50


class PolicyForm(forms.Form):
    """One whole number for each setting, and why."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    reason = forms.CharField(
        min_length=policy.LEAST_REASON,
        max_length=policy.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Why it changes",
    )

    def __init__(self, *args: Any, held: policy.Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = held
        self.fields["seen"].initial = held.number
        for key, one in SETTINGS.items():
            self.fields[key] = _field(one, held.values[key])

    @property
    def changes(self) -> dict[str, int]:
        data = self.cleaned_data
        return {key: data[key] for key in SETTINGS if data[key] != self.held.values[key]}

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        found = groupby(SETTINGS.items(), key=lambda item: item[1].group)
        return [(group, [self[key] for key, _ in items]) for group, items in found]


def _field(one: Setting, value: int) -> forms.IntegerField:
    return forms.IntegerField(
        min_value=one.least,
        max_value=one.most,
        initial=value,
        label=one.title,
        help_text=f"{one.least} to {one.most} {one.unit}; by default {one.default}",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


def policies(request: HttpRequest) -> HttpResponse:
    """The policy in force, its versions, and the form that makes the next one."""
    held = policy.at(now_of(request))
    form = PolicyForm(request.POST or None, held=held)

    def change() -> str:
        data = form.cleaned_data
        policy.change(
            changes=form.changes,
            reason=data["reason"],
            seen=data["seen"],
            by=user_of(request),
            now=database_now(),
        )
        return reverse("policies")

    if request.method == "POST" and form.is_valid() and (done := attempt(request, form, change)):
        return done
    context = {
        "form": form,
        "held": held,
        "versions": _versions(),
        "controls": controlling.present(),
    }
    return render(request, "policies/policies.html", context)


def _versions() -> list[dict[str, Any]]:
    """Newest first, each with what it changed against the one before."""
    rows = list(PolicyVersion.objects.select_related("changed_by")[: MOST_VERSIONS + 1])
    before = [*rows[1:], None]
    found = []
    for row, last in zip(rows[:MOST_VERSIONS], before, strict=False):
        was = last.values if last else {}
        changed = [
            (SETTINGS[key].title, was.get(key, SETTINGS[key].default), value)
            for key, value in row.values.items()
            if key in SETTINGS and was.get(key) != value
        ]
        found.append({"row": row, "changed": changed})
    return found
