"""The policy console: every number the platform sets, who changed it, when, why and to what effect.

A change is looked at before it is made. What is about money waits for a second person.
"""

from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace import labels, policy
from marketplace.models import PolicyProposal
from marketplace.pages.attempts import attempt
from marketplace.pages.visitors import find, now_of, user_of
from marketplace.policy_effects import effects_of, shown
from marketplace.policy_terms import SETTINGS, Setting, faults, needs_second
from pacts.models import Engagement
from reputation import controlling
from reputation.clock import database_now

MOST_VERSIONS = 20
_RUNNING = (Engagement.State.PROPOSED, Engagement.State.ACTIVE)


class PolicyForm(forms.Form):
    """One whole number for each setting, and why. `agreed` is set once the change was looked at."""

    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    agreed = forms.BooleanField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        min_length=policy.LEAST_REASON,
        max_length=policy.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Why it changes"),
    )

    def __init__(self, *args: Any, held: policy.Policy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = held
        self.fields["seen"].initial = held.number
        for key, one in SETTINGS.items():
            self.fields[key] = _field(key, one, held.values[key])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if all(key in data for key in SETTINGS):
            for key, why in faults({key: data[key] for key in SETTINGS}).items():
                self.add_error(key, why[:1].upper() + why[1:] + ".")
        return data

    @property
    def changes(self) -> dict[str, int]:
        data = self.cleaned_data
        return {key: data[key] for key in SETTINGS if data[key] != self.held.values[key]}

    @property
    def groups(self) -> list[dict[str, Any]]:
        found = groupby(SETTINGS.items(), key=lambda item: item[1].group)
        groups = [(group, [self[key] for key, _one in items]) for group, items in found]
        return [
            {
                "title": labels.said(group),
                "fields": fields,
                "alone": len(fields) % 2,  # the first stands over the pairs behind it
                "wrong": any(field.errors for field in fields),
                "money": needs_second({field.name: 0 for field in fields}),
            }
            for group, fields in groups
        ]


def _field(key: str, one: Setting, value: int) -> forms.IntegerField:
    said = {
        "now": shown(key, value),
        "least": shown(key, one.least),
        "most": shown(key, one.most),
        "default": shown(key, one.default),
    }
    text = _("Now %(now)s; from %(least)s to %(most)s, by default %(default)s.") % said
    if one.unit == "bps":
        text += " " + _("In hundredths of a percent.")
    return forms.IntegerField(
        min_value=one.least,
        max_value=one.most,
        initial=value,
        label=labels.said(one.title),
        help_text=text,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


def policies(request: HttpRequest) -> HttpResponse:
    """The policy in force, its versions, and the form that makes the next one."""
    held = policy.at(now_of(request))
    form = PolicyForm(request.POST or None, held=held)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["seen"] != held.number:
            form.add_error(None, _("Somebody changed the policy since you opened it; look again."))
        elif not form.changes:
            form.add_error(None, _("Nothing would change: this is the policy already."))
        elif not form.cleaned_data["agreed"]:
            return _look(request, form)
        elif done := attempt(request, form, lambda: _change(request, form)):
            return done
    context = {
        "form": form,
        "held": held,
        "versions": _versions(),
        "proposals": [_of_proposal(row) for row in _waiting(request)],
        "running": Engagement.objects.filter(state__in=_RUNNING).count(),
        "controls": controlling.present(),
    }
    return render(request, "policies/policies.html", context)


def _look(request: HttpRequest, form: PolicyForm) -> HttpResponse:
    """What would change, before anything does."""
    context = {
        "form": form,
        "kept": [
            (key, value) for key, value in form.cleaned_data.items() if key not in ("agreed",)
        ],
        "effects": effects_of(form.held.values, form.changes),
        "needs_second": needs_second(form.changes),
        "running": Engagement.objects.filter(state__in=_RUNNING).count(),
        "lives": policy.PROPOSAL_LIVES.days,
    }
    return render(request, "policies/look.html", context)


def _change(request: HttpRequest, form: PolicyForm) -> str:
    data = form.cleaned_data
    asked: dict[str, Any] = {
        "changes": form.changes,
        "reason": data["reason"],
        "seen": data["seen"],
        "by": user_of(request),
        "now": database_now(),
    }
    if needs_second(form.changes):
        return reverse("policy_proposal", args=[policy.propose(**asked).pk])
    policy.change(**asked)
    return reverse("policies")


def policy_proposal(request: HttpRequest, policy_id: str) -> HttpResponse:
    """A change that waits for a second person, with what it would do; confirmed or declined."""
    rows = policy.proposals(now=now_of(request)).select_related("proposed_by")
    row = find(rows, pk=policy_id)
    form = forms.Form(request.POST or None)

    def decide() -> str:
        asked: dict[str, Any] = {"proposal": row, "by": user_of(request), "now": database_now()}
        if "confirm" in request.POST:
            policy.confirm(**asked)
        else:
            policy.decline(**asked)
        return reverse("policies")

    if request.method == "POST" and form.is_valid() and (done := attempt(request, form, decide)):
        return done
    context = {
        "form": form,
        "waits": policy.waiting(now=now_of(request)).filter(pk=row.pk).exists(),
        "own": row.proposed_by_id == user_of(request).pk,
        "running": Engagement.objects.filter(state__in=_RUNNING).count(),
        **_of_proposal(row),
    }
    return render(request, "policies/proposal.html", context)


def _waiting(request: HttpRequest) -> list[PolicyProposal]:
    return list(policy.waiting(now=now_of(request)).select_related("proposed_by"))


def _of_proposal(row: PolicyProposal) -> dict[str, Any]:
    return {"row": row, "effects": policy.effects_of_proposal(row)}


def _versions() -> list[dict[str, Any]]:
    """Newest first, each with what it changed against the one before."""
    rows = policy.versions().select_related("changed_by", "seconded_by")[:MOST_VERSIONS]
    return [{"row": row, "effects": policy.effects_of_version(row)} for row in rows]
