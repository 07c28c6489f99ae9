"""Alice hires bob's agent under a pact about production calls, and reports on it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import now as clock

from pacts import calls, calls_checking, engagements
from pacts.engagements import MilestoneDraft
from pacts.models import CallStream, ClauseWindow, Engagement
from reputation.identifiers import new_id
from tests import cast

FORMAT = {"field": "label", "pattern": "[a-z]+"}


def called(key: str = "form", **changes: Any) -> dict[str, Any]:
    """A clause over production calls: 95 % promised, 90 % the floor."""
    fields: dict[str, Any] = {
        "check": "regex",
        "params": FORMAT,
        "promise_bps": 9_500,
        "floor_bps": 9_000,
        "window": {"kind": "calls", "n": 400},
    }
    return cast.clause(key, **fields | changes)


def hire(
    *clauses: dict[str, Any], alice: cast.Actor, bob: cast.Actor, **changes: Any
) -> Engagement:
    """An engagement in force under these clauses (one about form, by default)."""
    version = changes.pop("version", None) or cast.agent_of(bob)
    wanted = clauses or (called(),)
    terms = cast.pact_terms(*(each | {"weight_bps": 10_000 // len(wanted)} for each in wanted))
    engagement = engagements.propose(
        buyer=alice.party,
        agent_version=version,
        pact_version=cast.pact_of(version, bob, terms),
        currency="EUR",
        fee_bps=500,
        milestones=[MilestoneDraft("m", 10_000, cast.golden_set(alice, cast.doubling_tasks(3)))],
        by=alice.user,
        now=clock(),
    )
    for actor in (alice, bob):
        engagement = engagements.sign_engagement(
            engagement=engagement, party=actor.party, by=actor.user, authority="owner", now=clock()
        )
    return engagement


def uuid7() -> str:
    digits = new_id("cll").split("_")[1]
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def record(engagement: Engagement | str, **changes: Any) -> dict[str, Any]:
    """One call that keeps the form."""
    fields: dict[str, Any] = {
        "call_id": uuid7(),
        "engagement": engagement if isinstance(engagement, str) else engagement.pk,
        "started_at": clock().isoformat().replace("+00:00", "Z"),
        "latency_ms": 12.5,
        "input": {"text": "a question about the weather in the north of the country"},
        "output": {"label": "fine"},
    }
    return {key: value for key, value in (fields | changes).items() if value is not None}


def wrong(engagement: Engagement | str, **changes: Any) -> dict[str, Any]:
    """One call that breaks the form."""
    return record(engagement, **{"output": {"label": "NO 1"}} | changes)


def take(
    actor: cast.Actor, records: Sequence[Any], now: datetime | None = None, **more: Any
) -> calls.Taken:
    return calls.take_calls(reporter=actor.party, records=records, now=now or clock(), **more)


def check(now: datetime | None = None) -> int:
    """Everything that waits."""
    done = 0
    while found := calls_checking.check_calls(now=now or clock()):
        done += found
    return done


def report(actor: cast.Actor, records: Sequence[Any], now: datetime | None = None) -> None:
    """Taken and checked."""
    taken = take(actor, records, now)
    assert taken.refused == []
    check((now or clock()) + timedelta(microseconds=1))


def stream_of(engagement: Engagement) -> CallStream:
    return CallStream.objects.get(engagement=engagement)


def window_of(engagement: Engagement, clause: str = "form", number: int = 1) -> ClauseWindow:
    return ClauseWindow.objects.get(stream__engagement=engagement, clause=clause, number=number)
