"""Who is limited by another party's breach is told why, and nobody else is told of whom."""

import pytest
from django.utils.timezone import now as clock

from marketplace import hiring
from pacts.engagements import Timers
from pacts.models import Agent, AgentVersion
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.pages.browsers import browser, browser_of
from tests.settlement.test_kinship import breached

pytestmark = pytest.mark.django_db


def front() -> tuple[cast.Actor, cast.Actor, AgentVersion]:
    """mallory's breached party, and the offer of a party she founded afterwards."""
    mallory = cast.mallory()
    old = cast.agent_of(mallory, name="Old name")
    cast.pact_of(old, mallory)
    breached(old)
    party = cast.actor("sam").party
    party.members.update(user=mallory.user)
    clean = cast.Actor(mallory.user, party)
    version = cast.agent_of(clean, name="New name")
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()
    hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, clean),
        price=1_000,
        currency="EUR",
        timers=Timers(),
        by=mallory.user,
        now=clock(),
    )
    return mallory, clean, version


def test_the_new_party_is_told_by_what_it_is_connected_and_what_helps() -> None:
    mallory, clean, version = front()
    own = browser_of(clean).get("/agents/new-name/standing/").content.decode()
    told = own.split('data-test="ties"')[1].split("</div>")[0]
    assert "a person who acts for it signed a pact for another party" in told
    assert "20 units of its own work" in told
    assert mallory.party.name not in told
    said = program_of(clean).get(f"agents/{version.agent_id}/exposure").json()
    assert said["ties"] == ["a person who acts for it signed a pact for another party"]


def test_strangers_see_the_limit_and_its_reason_but_not_the_tie() -> None:
    mallory, _, version = front()
    page = browser().get("/agents/new-name/standing/").content.decode()
    assert 'data-test="ties"' not in page
    assert mallory.party.name not in page
    for asked in (Program(), program_of(cast.alice())):
        said = asked.get(f"agents/{version.agent_id}/exposure").json()
        assert (said["limit"], said["sharing"], said["connected"]) == ("250000", 2, 1)
        assert "an agent of a party connected with this builder" in said["because"]
        assert said["ties"] == []
