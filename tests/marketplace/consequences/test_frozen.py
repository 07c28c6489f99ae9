"""A broken critical clause freezes the budget: told, on the incident, and off the route."""

import pytest

from marketplace.models import Incident, News, RouteEntry
from marketplace.routing.keeping import Listed, RouteTerms, candidates, entries_of, make_route
from tests.marketplace.consequences.lately import told
from tests.settlement.metered import clause, hire

pytestmark = pytest.mark.django_db


def test_a_frozen_budget_is_told_joins_the_incident_and_keeps_the_agent_off_the_route() -> None:
    story = hire(clause(severity="critical"))
    route = make_route(
        buyer=story.alice.party,
        by=story.alice.user,
        wanted=RouteTerms(name="r", listed=[Listed(engagement=story.engagement.pk)]),
        now=story.at,
    )
    assert not RouteEntry.objects.get(route=route).unfunded
    (waiting,) = candidates(entries_of(route), now=story.at)
    assert waiting.against == "no money is set aside for it"
    story.fund()
    (running,) = candidates(entries_of(route), now=story.at)
    assert running.against == ""
    story.report(bad=25)
    assert story.look().state == "frozen"
    told(story.at)
    (stopped,) = candidates(entries_of(route), now=story.at)
    assert stopped.against == "its money is frozen"
    incident = Incident.objects.get()
    assert (incident.clause, incident.severity) == ("form", "critical")
    lines = list(incident.timeline.values_list("says", flat=True))
    assert "the promise was shown broken in window 1" in lines
    assert "the budget is frozen: nothing more is paid" in lines
    titles = News.objects.filter(party=story.alice.party, kind="meter.frozen")
    assert [one.title for one in titles] == ["The budget of Doubler is frozen: it broke “form”"]
    assert {one.path for one in titles} == {f"/meters/{story.meter.pk}/"}
