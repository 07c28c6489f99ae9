"""What would move a standing, on its page and through the API: the figures of the fold."""

import pytest
from django.utils.timezone import now as clock

from marketplace.prospects import prospects_for
from pacts.models import AgentVersion
from reputation.sequencer import sequence_batch
from reputation.standings import update_standings
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser_of

pytestmark = pytest.mark.django_db


def test_a_builder_without_a_hire_is_told_what_the_first_would_do() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    cast.pact_of(version, bob)
    page = browser_of(bob).get("/builder/agents/doubler/prospects/").content.decode()
    assert 'data-kind="hire_established"' in page
    assert "No number yet" in page
    body = program_of(bob).ask("GET", f"/api/v1/agents/{version.agent_id}/prospects").json()
    assert body["score_bps"] is None
    assert body["ways"][0]["gain_bps"] > 0
    assert body["ways"][0]["dimensions"][0]["dimension"] == "accuracy"


def test_without_a_pact_there_is_nothing_to_suppose() -> None:
    bob = cast.bob()
    cast.agent_of(bob)
    page = browser_of(bob).get("/builder/agents/doubler/prospects/").content.decode()
    assert "Publish a pact first" in page
    assert "hire_established" not in page


def test_after_a_hire_page_and_program_say_what_the_domain_says() -> None:
    market = one_of_everything()
    sequence_batch()
    update_standings(limit=100_000)
    version = AgentVersion.objects.get(pk=market.ids["agent-version"])
    _, found = prospects_for(agent=version.agent, now=clock())
    page = browser_of(market.bob).get("/builder/agents/doubler/prospects/").content.decode()
    there = f"/api/v1/agents/{version.agent_id}/prospects"
    body = program_of(market.bob).ask("GET", there).json()
    assert [one["kind"] for one in body["ways"]] == [one.kind for one in found.ways]
    for one in [*body["ways"], *body["no_ways"]]:
        assert f'data-kind="{one["kind"]}" data-gain="{one["gain_bps"]}"' in page
    own = next(one for one in body["no_ways"] if one["kind"] == "own_run")
    assert own["gain_bps"] == 0


def test_somebody_elses_prospects_are_no_page_and_no_noun() -> None:
    version = cast.agent_of(cast.bob())
    mallory = cast.mallory()
    there = f"/api/v1/agents/{version.agent_id}/prospects"
    assert program_of(mallory).ask("GET", there).status_code == 404
    assert browser_of(mallory).get("/builder/agents/doubler/prospects/").status_code == 404
