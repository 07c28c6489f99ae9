"""What follows from the calls of one engagement, for the page of its calls."""

from typing import Any

from marketplace.models import Incident, Route, Shadow
from pacts.models import Call, CallContent, Engagement, Party

LATEST = 8


def consequences_of(engagement: Engagement, party: Party) -> dict[str, Any]:
    """Open incidents; for the buyer also its routes and shadow runs over it, and the latest calls
    that can be made again."""
    open_ones = Incident.objects.filter(engagement=engagement, resolved_at=None)
    found: dict[str, Any] = {"incidents": open_ones.select_related("owner_party", "owner")[:20]}
    if engagement.buyer_id != party.pk:
        return found
    return found | {
        "routes": Route.objects.filter(entries__engagement=engagement, closed_at=None)[:5],
        "shadows": Shadow.objects.filter(engagement=engagement).select_related("candidate__agent")[
            :5
        ],
        "latest": _latest(engagement),
    }


def _latest(engagement: Engagement) -> list[dict[str, Any]]:
    rows = Call.objects.filter(stream__engagement=engagement).prefetch_related("observations")
    calls = list(rows.order_by("-pk")[:LATEST])
    kept = CallContent.objects.filter(call__in=calls).values_list("call_id", flat=True)
    with_contents = set(kept)
    return [
        {
            "call": call,
            "id": f"cll_{call.call_id.hex}",
            "failed": [one.clause for one in call.observations.all() if one.outcome == "fail"],
            "checked": bool(call.observations.all()),
            "kept": call.pk in with_contents,
        }
        for call in calls
    ]
