"""Versions of a pact: what the log says of each beside the last, and who keeps which."""

import json
from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace import hiring
from pacts import publishing
from pacts.engagements import Timers
from pacts.models import Engagement, PactVersion
from reputation.models import Evidence
from tests import cast

pytestmark = pytest.mark.django_db


def published(bob: cast.Actor, agent: Any, **changes: Any) -> PactVersion:
    data = cast.pact_terms(clauses=[cast.clause(**changes)])
    version = publishing.draft_pact(agent=agent, data=data)
    return publishing.publish_pact(
        version=version, by=bob.user, authority="member:owner", now=clock()
    )


def facts_of(version: PactVersion) -> dict[str, Any]:
    row = Evidence.objects.get(dedupe_key=f"pact.published:{version.id}")
    found: dict[str, Any] = json.loads(row.envelope)["facts"]
    return found


def test_the_first_version_is_compared_with_nothing() -> None:
    bob = cast.bob()
    facts = facts_of(published(bob, cast.agent_of(bob).agent))
    assert "since" not in facts
    assert "weakens" not in facts


@pytest.mark.parametrize(
    ("changes", "weakens", "way"),
    [
        ({"promise_bps": 9500}, False, "stricter"),
        ({"promise_bps": 8500}, True, "weaker"),
        ({"window": {"kind": "calls", "n": 500}}, True, "changed"),
    ],
)
def test_the_log_says_for_ever_whether_a_version_owes_less_than_the_one_before(
    changes: dict[str, Any], weakens: bool, way: str
) -> None:
    bob = cast.bob()
    agent = cast.agent_of(bob).agent
    first = published(bob, agent)
    facts = facts_of(published(bob, agent, **changes))
    assert (facts["since"], facts["weakens"], facts[way]) == (1, weakens, 1)
    newest = Evidence.objects.filter(kind="pact.published").order_by("-id")[0]
    assert json.loads(newest.envelope)["digests"]["since_terms"] == first.digest


def test_a_draft_between_two_versions_is_nobodys_promise() -> None:
    bob = cast.bob()
    agent = cast.agent_of(bob).agent
    published(bob, agent)
    draft = cast.pact_terms(clauses=[cast.clause(promise_bps=9900)])
    publishing.draft_pact(agent=agent, data=draft)
    facts = facts_of(published(bob, agent))
    assert (facts["since"], facts["number"], facts["weakens"]) == (1, 3, False)


def test_a_running_engagement_keeps_the_version_it_signed() -> None:
    alice, bob = cast.alice(), cast.bob()
    agent_version = cast.agent_of(bob)
    agent_version.agent.control_proved_at = clock()
    agent_version.agent.save()
    first = published(bob, agent_version.agent)
    listing = hiring.open_listing(
        agent_version=agent_version,
        pact_version=first,
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    hired = hiring.hire(
        listing=listing,
        buyer=alice.party,
        task_set_version=cast.golden_set(alice, cast.doubling_tasks(3)),
        by=alice.user,
        authority="member:owner",
        now=clock(),
    )
    weaker = published(bob, agent_version.agent, promise_bps=8500)
    hiring.open_listing(
        agent_version=agent_version,
        pact_version=weaker,
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    kept = Engagement.objects.get(pk=hired.pk)
    assert kept.pact_version_id == first.id
    assert kept.pact_version.terms["clauses"][0]["promise_bps"] == 9000
