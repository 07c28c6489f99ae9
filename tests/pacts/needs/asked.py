"""A need of alice's, and agents of builders who may offer on it."""

from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import now as clock

from pacts import asking, needs
from pacts.models import Agent, AgentVersion, Need, SealedOffer
from pacts.needs import NeedDraft
from tests import cast

HOUR = timedelta(hours=1)


def need_of(alice: cast.Actor, **changes: Any) -> Need:
    """Posted now, open for offers for an hour, chosen within the hour after it."""
    now: datetime = clock()
    asked = asking.ask(
        buyer=alice.party,
        data=cast.pact_terms(title="What alice asks for"),
        by=alice.user,
        authority="member:owner",
        now=now,
    )
    fields: dict[str, Any] = {
        "title": "Numbers doubled",
        "work": "arithmetic",
        "pact_version": asked,
        "ceiling": 20_000,
        "currency": "EUR",
        "offers_until": now + HOUR,
        "choose_until": now + 2 * HOUR,
    }
    return needs.post(
        buyer=alice.party, draft=NeedDraft(**fields | changes), by=alice.user, now=now
    )


def agent_for(builder: cast.Actor, name: str = "Doubler", url: str = cast.DEAD_END) -> AgentVersion:
    """An agent whose control is proved."""
    version = cast.agent_of(builder, url, name=name)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()
    return version


def offered(need: Need, builder: cast.Actor, version: AgentVersion, **changes: Any) -> SealedOffer:
    fields: dict[str, Any] = {
        "price": 12_345,
        "work_seconds": 3_600,
        "note": "We have done this before.",
        "now": clock(),
    }
    return needs.offer(
        need=need,
        builder=builder.party,
        agent_version=version,
        by=builder.user,
        **fields | changes,
    )
