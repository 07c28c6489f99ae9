"""Agents of bob's on offer, and a tryout of them taken to its end."""

from typing import Any

from django.utils.timezone import now as clock

from marketplace import hiring
from marketplace.models import Listing, Tryout
from marketplace.tryouts import starting
from pacts.engagements import Timers
from pacts.models import Agent, Evaluation
from tests import cast
from tests.pacts.runs import RELATED, to_the_end


def offered(
    bob: cast.Actor, name: str, url: str = cast.DEAD_END, *, price: int = 10_000, **terms: Any
) -> Listing:
    """One of bob's agents, listed under a pact of its own."""
    version = cast.agent_of(bob, url, name=name)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()
    return hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob, cast.pact_terms(**terms)),
        price=price,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )


def finish(made: Tryout) -> None:
    """Every run to its verdict."""
    for run in starting.runs_of(made).values():
        to_the_end(Evaluation.objects.select_related(*RELATED).get(pk=run.pk))
