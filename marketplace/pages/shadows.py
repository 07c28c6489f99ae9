"""Shadow runs and replays: a candidate on the same calls, and one call again, side by side."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.models import Listing, Replay, Shadow
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.live import polled
from marketplace.pages.visitors import find, party_of, user_of
from marketplace.shadows import replaying, running
from marketplace.shadows.running import Budget
from pacts.models import AgentVersion, Call, Engagement, Party
from reputation.clock import database_now

PER_CENT = 100


class ShadowForm(forms.Form):
    """A shadow run."""

    engagement = forms.ChoiceField(label=_lazy("Beside"))
    candidate = forms.ChoiceField(
        help_text=_lazy("On offer, or another version of the agent hired.")
    )
    most_calls = forms.IntegerField(
        min_value=1, max_value=running.MOST_CALLS, initial=500, label=_lazy("Calls at the most")
    )
    most_cost = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=2,
        required=False,
        label=_lazy("Cost at the most"),
        help_text=_lazy("As the candidate reports it; empty where it reports none."),
    )
    cost_currency = forms.RegexField("^[A-Z]{3}$", required=False, label=_lazy("In"), initial="EUR")
    share = forms.DecimalField(
        min_value=0,
        max_value=PER_CENT,
        initial=PER_CENT,
        label=_lazy("Share of calls copied, in %"),
    )
    tolerance = forms.DecimalField(
        min_value=0, max_value=99, initial=2, label=_lazy("A drop that would not matter, in %")
    )

    def __init__(self, *args: Any, buyer: Party, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hires = _hires(buyer)
        self.fields["engagement"].choices = [  # type: ignore[attr-defined]
            (one.pk, f"{one.agent_version} (…{one.pk[-6:]})") for one in hires
        ]
        self.fields["candidate"].choices = [  # type: ignore[attr-defined]
            (one.pk, str(one)) for one in _candidates(hires)
        ]


def _hires(buyer: Party) -> list[Engagement]:
    rows = Engagement.objects.filter(buyer=buyer, state=Engagement.State.ACTIVE)
    return list(rows.select_related("agent_version__agent")[:100])


def _candidates(hires: list[Engagement]) -> list[AgentVersion]:
    """What is on offer for the same kinds of work, and every version of what is hired."""
    works = {one.agent_version.agent.work for one in hires}
    offers = Listing.objects.filter(state=Listing.State.OPEN, agent__work__in=works)
    ids = set(offers.values_list("agent_version_id", flat=True)[:200])
    agents = {one.agent_version.agent_id for one in hires}
    ids |= set(AgentVersion.objects.filter(agent__in=agents).values_list("pk", flat=True)[:200])
    rows = AgentVersion.objects.filter(pk__in=ids).select_related("agent")
    return list(rows.order_by("agent__name", "-number"))


def shadows(request: HttpRequest) -> HttpResponse:
    """The buyer's shadow runs and replays."""
    buyer = party_of(request)
    context = {
        "shadows": running.shadows_of(buyer)[:50],
        "replays": replaying.replays_of(buyer)[:50],
    }
    return render(request, "shadows/shadows.html", context)


def shadow_new(request: HttpRequest) -> HttpResponse:
    """Start a shadow run."""
    buyer = party_of(request)
    named = {"engagement": request.GET.get("engagement", "")[:40]}
    form = ShadowForm(request.POST or None, buyer=buyer, initial=named)

    def start() -> str:
        made = _start(form.cleaned_data, buyer, request)
        return reverse("shadow", args=[made.pk])

    if request.method == "POST" and form.is_valid() and (done := attempt(request, form, start)):
        return done
    return render(request, "shadows/form.html", {"form": form})


def _start(data: dict[str, Any], buyer: Party, request: HttpRequest) -> Shadow:
    cost = data["most_cost"]
    rows = Engagement.objects.select_related("agent_version", "pact_version")
    return running.start_shadow(
        engagement=rows.get(pk=data["engagement"]),
        candidate=AgentVersion.objects.select_related("agent").get(pk=data["candidate"]),
        buyer=buyer,
        by=user_of(request),
        budget=Budget(
            most_calls=data["most_calls"],
            most_cost_micros=int(cost * 1_000_000) if cost else None,
            cost_currency=data["cost_currency"] if cost else "",
        ),
        share_bps=int(data["share"] * PER_CENT),
        tolerance_bps=int(data["tolerance"] * PER_CENT),
        now=database_now(),
    )


@polled
def shadow(request: HttpRequest, shadow_id: str) -> HttpResponse:
    """What a shadow run has found so far."""
    found = _shadow(request, shadow_id)
    titles = {one["key"]: one["title"] for one in found.engagement.pact_version.terms["clauses"]}
    context = {
        "shadow": found,
        "findings": [
            {
                **one,
                "title": titles.get(one["clause"], one["clause"]) or _("All clauses together"),
                "bps": [round(one[name] * 10_000) for name in ("hired", "candidate")],
                "points": [one[name] * PER_CENT for name in ("difference", "low", "high")],
            }
            for one in found.findings
        ],
        "copied": found.pairs.count(),
        "nulls": found.pairs.filter(state="null").count(),
        "pairs": found.pairs.select_related("call").order_by("-place")[:20],
    }
    return render(request, "shadows/shadow.html", context)


def shadow_stop(request: HttpRequest, shadow_id: str) -> HttpResponse:
    """Stop it; what it has found stays."""
    found, back = _shadow(request, shadow_id), reverse("shadow", args=[shadow_id])

    def stop() -> str:
        running.stop_shadow(shadow=found, now=database_now())
        return back

    return attempt_button(request, stop, back=back)


def _shadow(request: HttpRequest, shadow_id: str) -> Shadow:
    rows = running.shadows_of(party_of(request)).select_related("engagement__pact_version")
    return find(
        rows.select_related(
            "engagement__pact_version", "engagement__agent_version__agent", "candidate__agent"
        ),
        pk=shadow_id,
    )


def replay_new(request: HttpRequest, call_id: str) -> HttpResponse:
    """Put one captured call to the version on offer."""
    buyer = party_of(request)
    rows = Call.objects.filter(stream__engagement__buyer=buyer).select_related(
        "stream__engagement__agent_version", "stream__agent_version"
    )
    found = find(rows, call_id=str(running.uuid_of(call_id)))
    back = reverse("engagement_calls", args=[found.stream.engagement_id])

    def ask() -> str:
        made = replaying.replay(call=found, buyer=buyer, by=user_of(request), now=database_now())
        return reverse("replay", args=[made.pk])

    return attempt_button(request, ask, back=back)


@polled
def replay(request: HttpRequest, replay_id: str) -> HttpResponse:
    """Both answers, and what the same checks say of each."""
    found: Replay = find(replaying.replays_of(party_of(request)), pk=replay_id)
    then, now_said = replaying.side_by_side(found)
    context = {
        "replay": found,
        "input": then.get("input"),
        "kept": bool(then),
        "before": then.get("output"),
        "after": now_said,
        "hired": found.call.stream.engagement,
    }
    return render(request, "shadows/replay.html", context)
