"""An agent's prospects, with what its pact on offer promises for dimensions nobody measured yet."""

from datetime import datetime

from marketplace.models import Listing
from pacts import terms
from pacts.models import Agent, AgentVersion, PactVersion
from reputation.prospecting import prospects_of
from reputation.prospects import Prospects, Rates


def prospects_for(
    *, agent: Agent, version: AgentVersion | None = None, now: datetime
) -> tuple[AgentVersion, Prospects]:
    """What would move the standing of a version: by default of the one on offer, else the newest.
    The version comes with it."""
    listing = Listing.objects.filter(agent=agent).select_related("agent_version").first()
    chosen = version or (
        listing.agent_version if listing else agent.versions.order_by("-number")[0]
    )
    found = prospects_of(
        agent_id=agent.id,
        version_id=chosen.id,
        builder_id=agent.builder_id,
        promised=_promised(agent, listing),
        now=now,
    )
    return chosen, found


def _promised(agent: Agent, listing: Listing | None) -> dict[str, Rates]:
    """The strictest rates per dimension of the pact on offer, else of the one published last."""
    published = PactVersion.objects.filter(pact__agent=agent, published_at__isnull=False)
    pact = listing.pact_version if listing else published.order_by("-published_at").first()
    promised: dict[str, Rates] = {}
    for clause in terms.parse(pact.terms).clauses if pact else ():
        held = promised.get(clause.dimension, Rates(0, 0))
        promised[clause.dimension] = Rates(
            max(held.promise_bps, clause.promise_bps), max(held.floor_bps, clause.floor_bps)
        )
    return promised
