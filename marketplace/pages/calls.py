"""Production calls of an engagement: windows as they stand, drift, one call, and what is kept."""

import json

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import labels
from marketplace.call_view import live_status, public_id, uuid_of
from marketplace.pages import engagement_view
from marketplace.pages.attempts import attempt_button
from marketplace.pages.consequences_view import consequences_of
from marketplace.pages.live import polled
from marketplace.pages.visitors import find, now_of, party_of, user_of
from pacts import calls, calls_kept
from pacts.calls_backlog import backlog
from pacts.models import Call, CallContent, CallObservation, CallPolicy, Engagement

PER_PAGE = 50
MOST_SHOWN = 20_000  # characters of one part of a call
FILTERS = {
    "": _lazy("All"),
    "fail": _lazy("Broke a clause"),
    "error": _lazy("Could not be checked"),
}
PARTS = {
    "input": _lazy("Asked"),
    "output": _lazy("Answered"),
    "tool_calls": _lazy("Tool calls"),
    "labels": _lazy("Labels"),
}


@polled
def engagement_calls(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """Where the calls of an engagement stand right now."""
    engagement, now = _engagement(request, engagement_id), now_of(request)
    policy = CallPolicy.objects.filter(engagement=engagement).first()
    context = {
        "engagement": engagement,
        "status": live_status(engagement, now=now),
        "backlog": backlog(now=now),
        "policy": policy or CallPolicy(engagement=engagement, keep_days=calls.KEEP_DAYS),
        "keeps": labels.choices(CallPolicy.Keeps.choices),
        "is_buyer": engagement.buyer_id == party_of(request).pk,
        "clauses": {
            clause["key"]: clause["title"] for clause in engagement.pact_version.terms["clauses"]
        },
        **consequences_of(engagement, party_of(request)),
    }
    return render(request, "engagements/calls.html", context)


def call_policy(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """Say how long contents are kept."""
    engagement = _engagement(request, engagement_id)
    days, keeps = request.POST.get("keep_days", ""), request.POST.get("keeps", "")
    back = reverse("engagement_calls", args=[engagement.pk])

    def effect() -> str:
        if not (keeps in CallPolicy.Keeps.values and days.isascii() and days.isdigit()):
            raise calls_kept.KeepingRefused(_("choose what is kept, and for how many whole days"))
        calls_kept.set_policy(
            engagement=engagement,
            by=party_of(request),
            user=user_of(request),
            keeps=keeps,
            keep_days=int(days[:6]),
            now=now_of(request),
        )
        messages.success(request, _("Saved. What was kept for longer goes at its new time."))
        return back

    return attempt_button(request, effect, back=back)


def call_erasure(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """Erase what was said in all calls."""
    engagement = _engagement(request, engagement_id)
    back = reverse("engagement_calls", args=[engagement.pk])

    def effect() -> str:
        gone = calls_kept.erase_contents(
            engagement=engagement, by=party_of(request), reason="requested", now=now_of(request)
        )
        messages.success(
            request, _("Erased what was said in %(gone)s calls; digests stay.") % {"gone": gone}
        )
        return back

    return attempt_button(request, effect, back=back)


def engagement_call_list(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """The calls of an engagement, newest first; all, or those that broke something."""
    engagement, wanted = _engagement(request, engagement_id), request.GET.get("show", "")
    rows = Call.objects.filter(stream__engagement=engagement).order_by("-pk")
    if wanted in ("fail", "error"):
        broken = CallObservation.objects.filter(call=OuterRef("pk"), outcome=wanted)
        rows = rows.filter(Exists(broken))
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 18:
        rows = rows.filter(pk__lt=int(before))
    related = rows.select_related("stream__agent_version", "waiting")
    found = list(related.prefetch_related("observations")[: PER_PAGE + 1])
    context = {
        "engagement": engagement,
        "calls": [(public_id(call), call) for call in found[:PER_PAGE]],
        "more": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
        "wanted": wanted,
        "filters": FILTERS,
        "backlog": backlog(now=now_of(request)),
    }
    return render(request, "engagements/call_list.html", context)


def engagement_call(request: HttpRequest, engagement_id: str, call_id: str) -> HttpResponse:
    """One call: what was reported, what every clause says of it, and what was said if kept."""
    engagement = _engagement(request, engagement_id)
    rows = Call.objects.filter(stream__engagement=engagement)
    call = find(
        rows.select_related("stream__agent_version", "waiting"), call_id=str(uuid_of(call_id))
    )
    content = CallContent.objects.filter(call=call).first()
    said = json.loads(bytes(content.body)) if content else {}
    context = {
        "engagement": engagement,
        "call": call,
        "public_id": public_id(call),
        "observations": call.observations.order_by("clause"),
        "hearings": call.hearings.order_by("clause"),
        "kept_until": content.kept_until if content else None,
        "said": [
            (title, json.dumps(said[name], indent=2, ensure_ascii=False)[:MOST_SHOWN])
            for name, title in PARTS.items()
            if name in said
        ],
    }
    return render(request, "engagements/call.html", context)


def _engagement(request: HttpRequest, engagement_id: str) -> Engagement:
    rows = engagement_view.engagements_of(party_of(request))
    return find(rows.select_related("agent_version__agent", "pact_version"), pk=engagement_id)
