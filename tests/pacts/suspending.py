"""The platform takes an agent off the market, as a control of its own does."""

from datetime import datetime, timedelta

from django.db import transaction

from pacts.models import AgentVersion
from reputation import controlling, firings
from reputation.controlling import Owner
from reputation.controls import Place, Reading, Surroundings, Terms
from reputation.models import Firing


def suspend(version: AgentVersion, *, now: datetime) -> Firing:
    """The agent's lower bound is read far below what a control set the day before asks for."""
    control = controlling.set_control(
        name="Suspend",
        terms=Terms(
            metric="lower_bound",
            threshold=8_000,
            recover_at=8_200,
            scope="platform",
            scope_id="",
            action="suspend",
            cadence_days=30,
        ),
        around=Surroundings(members=None, largest_limit=1),
        owner=Owner("usr_1"),
        by="usr_1",
        now=now - timedelta(days=1),
    )
    agent = version.agent
    with transaction.atomic():
        firing = firings.look(
            control=control,
            place=Place(agent_id=agent.pk, builder_id=agent.builder_id, category=agent.work),
            reading=Reading(100, "1"),
            effect=lambda _: {"suspend": [False, True]},
            now=now,
        )
    assert firing
    return firing
