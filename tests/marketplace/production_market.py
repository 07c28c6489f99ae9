"""One of everything that follows from production, in the market of alice and bob."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from marketplace.hooks import keeping as hooks
from marketplace.incidents import opening
from marketplace.models import Delivery, News, Notice, Replay, RoutedCall, Shadow, ShadowPair
from marketplace.notices import choices
from marketplace.routing import keeping as routes
from marketplace.routing.keeping import Listed, RouteTerms
from pacts.models import AgentVersion, Call, Engagement
from reputation.models import Evidence
from tests import cast


def consequences(
    *, alice: cast.Actor, engagement: Engagement, call: str, now: datetime
) -> dict[str, str]:
    """Ids by noun."""
    logged = Evidence.objects.order_by("id")[0]
    news = News.objects.create(
        party=alice.party,
        evidence=logged,
        index=0,
        kind="window.breached",
        topic="violation",
        grave=True,
        title="Doubler broke the clause “accuracy” on production calls",
        path=f"/engagements/{engagement.pk}/calls/",
        told_at=now,
    )
    notice = Notice.objects.create(news=news, user=alice.user)
    hook = hooks.make_hook(
        party=alice.party, by=alice.user, url="https://receiver.example/told", now=now
    ).hook
    delivery = Delivery.objects.create(
        hook=hook, news=news, message_id=news.pk, due_at=now, queued_at=now
    )
    with transaction.atomic():
        incident = opening.observe(
            kind="window.breached",
            evidence_id=logged.pk,
            subjects={"engagement": engagement.pk},
            facts={"clause": "accuracy", "critical": True, "window": 1},
            now=now,
        )[0]
    reported = Call.objects.get(call_id=UUID(call.partition("_")[2]))
    shadow, replay = _beside(alice, engagement, reported, now)
    return {
        "notice": notice.pk,
        "off-token": choices.off_token(user=alice.user, topic="violation"),
        "hook": hook.pk,
        "delivery": delivery.pk,
        "incident": incident.pk,
        "route": _closed_route(alice, engagement, now),
        "shadow": shadow,
        "replay": replay,
    }


def _closed_route(alice: cast.Actor, engagement: Engagement, now: datetime) -> str:
    """It once answered; a closed one asks nobody while addresses are walked."""
    terms = RouteTerms(name="Doubling", listed=[Listed(engagement=engagement.pk)])
    route = routes.make_route(buyer=alice.party, by=alice.user, wanted=terms, now=now)
    RoutedCall.objects.create(
        route=route, engagement=engagement, why="no evidence yet", latency_ms=12.5, at=now
    )
    return routes.close_route(route=route, now=now).pk


def _beside(
    alice: cast.Actor, engagement: Engagement, call: Call, now: datetime
) -> tuple[str, str]:
    hired = engagement.agent_version
    candidate = AgentVersion.objects.create(
        agent=hired.agent,
        number=hired.number + 1,
        endpoint=hired.endpoint,
        protocol=hired.protocol,
        fingerprint="sha256:" + "1" * 64,
    )
    shadow = Shadow.objects.create(
        buyer=alice.party,
        engagement=engagement,
        candidate=candidate,
        most_calls=100,
        seed=b"0" * 32,
        after_call=0,
        started_by=alice.user,
        started_at=now,
    )
    ShadowPair.objects.create(
        shadow=shadow, call=call, place=1, state="done", values={"accuracy": [1.0, 0.0]}
    )
    replay = Replay.objects.create(
        call=call,
        agent_version=candidate,
        buyer=alice.party,
        asked_by=alice.user,
        asked_at=now,
        due_at=now,
    )
    return shadow.pk, replay.pk
