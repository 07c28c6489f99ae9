"""An agent's standing over time, as a picture and as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.pages.history_chart import Reading, history
from pacts.models import Agent
from reputation import indicators
from reputation.models import StandingPoint

MOST_DRAWN = 120


def way_of(agent: Agent) -> dict[str, Any]:
    """What `agents/way.html` shows of an agent whose versions are at hand."""
    points = indicators.points_of(agent_id=agent.id, limit=MOST_DRAWN)
    return drawn(points, numbers={one.id: one.number for one in agent.versions.all()})


def drawn(points: Sequence[StandingPoint], *, numbers: Mapping[str, int]) -> dict[str, Any]:
    """The same from points that are at hand, newest first."""
    readings = [
        Reading(
            at=one.at,
            version=numbers.get(one.version_id),
            lower=one.score_bps,
            measured=one.shown_bps,
            breached=one.status == "breached",
        )
        for one in points
        if one.score_bps is not None and one.shown_bps is not None
    ]
    return {"way": history(readings[::-1]), "way_readings": readings}
