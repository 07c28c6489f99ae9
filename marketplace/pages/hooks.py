"""Webhooks of a party: made, tried, given new secrets, ended, with every delivery."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.hooks import delivering, keeping
from marketplace.hooks.keeping import MadeHook
from marketplace.models import Delivery, Hook
from marketplace.notices.topics import TOPICS
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.engagement_view import engagements_of
from marketplace.pages.visitors import find, party_of, user_of
from reputation.clock import database_now

SECRET = "hook_secret"  # noqa: S105 - where the session carries one to the next page, once


class HookForm(forms.Form):
    """A new webhook."""

    url = forms.CharField(
        max_length=2000, label=_lazy("Address"), help_text=_lazy("An https:// address of yours.")
    )
    topics = forms.MultipleChoiceField(
        choices=[(key, one.title) for key, one in TOPICS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_lazy("None chosen: everything."),
    )
    engagement = forms.ChoiceField(required=False, label=_lazy("Only about"))

    def __init__(self, *args: Any, hires: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["engagement"]
        field.choices = [("", _("everything of the party")), *hires]  # type: ignore[attr-defined]


def hooks(request: HttpRequest) -> HttpResponse:
    """Where the party's programs are told what happens."""
    party = party_of(request)
    rows = engagements_of(party).filter(state="active").select_related("agent_version__agent")
    running = {one.pk: one for one in rows[:100]}
    named = [(key, f"{one.agent_version.agent.name}, …{key[-6:]}") for key, one in running.items()]
    form = HookForm(request.POST or None, hires=named)

    def make() -> str:
        made = keeping.make_hook(
            party=party,
            by=user_of(request),
            url=form.cleaned_data["url"].strip(),
            topics=form.cleaned_data["topics"],
            engagement=running.get(form.cleaned_data["engagement"]),
            now=database_now(),
        )
        return _show_once(request, made)

    if request.method == "POST" and form.is_valid() and (done := attempt(request, form, make)):
        return done
    context = {"hooks": keeping.hooks_of(party), "form": form, "topics": TOPICS}
    return render(request, "hooks/hooks.html", context)


def hook(request: HttpRequest, hook_id: str) -> HttpResponse:
    """One webhook with its deliveries."""
    found = _hook(request, hook_id)
    told = request.session.pop(SECRET, None)
    context = {
        "hook": found,
        "topics": [TOPICS[one].title for one in found.topics if one in TOPICS],
        "deliveries": delivering.log_of(found),
        "secret": told[1] if told and told[0] == found.pk else "",
    }
    return render(request, "hooks/hook.html", context)


def hook_end(request: HttpRequest, hook_id: str) -> HttpResponse:
    """Nothing is sent to it any more."""
    found, back = _hook(request, hook_id), reverse("hook", args=[hook_id])

    def end() -> str:
        keeping.end_hook(hook=found, because=Hook.Off.BY_PARTY, now=database_now())
        return back

    return attempt_button(request, end, back=back)


def hook_secret(request: HttpRequest, hook_id: str) -> HttpResponse:
    """A new secret."""
    found = _hook(request, hook_id)

    def rotate() -> str:
        return _show_once(request, keeping.rotate_secret(hook=found, now=database_now()))

    return attempt_button(request, rotate, back=reverse("hook", args=[hook_id]))


def hook_trial(request: HttpRequest, hook_id: str) -> HttpResponse:
    """Send a test message."""
    found, back = _hook(request, hook_id), reverse("hook", args=[hook_id])

    def send() -> str:
        keeping.try_hook(hook=found, now=database_now())
        messages.success(request, _("Queued. Look at this page again in a few seconds."))
        return back

    return attempt_button(request, send, back=back)


def delivery_repeat(request: HttpRequest, delivery_id: str) -> HttpResponse:
    """Send the same message again."""
    rows = Delivery.objects.filter(hook__party=party_of(request)).select_related("hook")
    found = find(rows, pk=delivery_id)
    back = reverse("hook", args=[found.hook_id])

    def send() -> str:
        keeping.repeat(delivery=found, now=database_now())
        return back

    return attempt_button(request, send, back=back)


def _hook(request: HttpRequest, hook_id: str) -> Hook:
    return find(keeping.hooks_of(party_of(request)), pk=hook_id)


def _show_once(request: HttpRequest, made: MadeHook) -> str:
    """The secret goes to the next page and nowhere else."""
    request.session[SECRET] = [made.hook.pk, made.secret]
    return reverse("hook", args=[made.hook.pk])
