"""Production calls of an engagement: windows as they stand, drift, and what is kept."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from marketplace.call_view import live_status
from marketplace.pages import engagement_view
from marketplace.pages.consequences_view import consequences_of
from marketplace.pages.visitors import find, now_of, party_of, user_of
from pacts import calls, calls_kept
from pacts.calls_backlog import backlog
from pacts.models import CallPolicy, Engagement


def engagement_calls(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """Where the calls of an engagement stand right now."""
    engagement, now = _engagement(request, engagement_id), now_of(request)
    policy = CallPolicy.objects.filter(engagement=engagement).first()
    context = {
        "engagement": engagement,
        "status": live_status(engagement, now=now),
        "backlog": backlog(now=now),
        "policy": policy or CallPolicy(engagement=engagement, keep_days=calls.KEEP_DAYS),
        "keeps": CallPolicy.Keeps.choices,
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
    known = keeps in CallPolicy.Keeps.values and days.isascii() and days.isdigit()
    try:
        if not known:
            raise calls_kept.KeepingRefused("choose what is kept, and for how many whole days")
        calls_kept.set_policy(
            engagement=engagement,
            by=party_of(request),
            user=user_of(request),
            keeps=keeps,
            keep_days=int(days[:6]),
            now=now_of(request),
        )
        messages.success(request, "Saved. What was kept for longer goes at its new time.")
    except calls_kept.KeepingRefused as refused:
        messages.error(request, f"{str(refused).capitalize()}.")
    return redirect("engagement_calls", engagement_id=engagement.pk)


def call_erasure(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """Erase what was said in all calls."""
    engagement = _engagement(request, engagement_id)
    try:
        gone = calls_kept.erase_contents(
            engagement=engagement, by=party_of(request), reason="requested", now=now_of(request)
        )
        messages.success(request, f"Erased what was said in {gone} calls; digests stay.")
    except calls_kept.KeepingRefused as refused:
        messages.error(request, f"{str(refused).capitalize()}.")
    return redirect("engagement_calls", engagement_id=engagement.pk)


def _engagement(request: HttpRequest, engagement_id: str) -> Engagement:
    rows = engagement_view.engagements_of(party_of(request))
    return find(rows.select_related("agent_version__agent", "pact_version"), pk=engagement_id)
