"""A control withholds: silence pays nothing for a while, the buyer may, and time ends it."""

from datetime import timedelta

import pytest
from django.db import transaction

from reputation import controlling, firings
from reputation.controlling import Owner
from reputation.controls import Place, Reading, Surroundings, Terms
from reputation.models import Firing
from settlement import escrow as escrows
from settlement import settlements
from tests.settlement.hires import ACCEPTANCE, START, TICK, Hire, funded

pytestmark = pytest.mark.django_db
JUDGED = START + timedelta(hours=1)
SILENCE = JUDGED + ACCEPTANCE
HOLD = timedelta(days=5)


def withheld() -> tuple[Hire, Firing]:
    """A met verdict on an agent that a control withholds money from."""
    hire = funded()
    hire.judge("met")
    terms = Terms(
        metric="lower_bound",
        threshold=8_000,
        recover_at=8_200,
        scope="platform",
        scope_id="",
        action="withhold",
        hold_days=5,
        cadence_days=30,
    )
    control = controlling.set_control(
        name="Hold",
        terms=terms,
        around=Surroundings(members=None, largest_limit=1),
        owner=Owner("usr_1"),
        by="usr_1",
        now=START,
    )
    version = hire.engagement.agent_version
    place = Place(agent_id=version.agent_id, builder_id=hire.bob.party.pk, category="arithmetic")
    with transaction.atomic():
        firing = firings.look(
            control=control,
            place=place,
            reading=Reading(100, "1"),
            effect=lambda _: {"withhold": [False, True]},
            now=START,
        )
    assert firing is not None
    return hire, firing


def test_silence_pays_nothing_while_a_control_withholds_and_pays_when_its_time_is_over() -> None:
    hire, _ = withheld()
    settlements.settle_due(now=SILENCE + TICK)
    assert (hire.escrow.state, hire.escrow.reason) == ("withheld", "control_withholds")
    assert hire.escrow.next_action_at == SILENCE + HOLD
    settlements.settle_due(now=SILENCE + HOLD)
    assert hire.escrow.state == "withheld"
    settlements.settle_due(now=SILENCE + HOLD + TICK)
    assert hire.escrow.state == "released"


def test_the_buyer_may_accept_while_a_control_withholds() -> None:
    hire, _ = withheld()
    settlements.settle_due(now=SILENCE + TICK)
    escrows.accept(escrow=hire.escrow, by=hire.alice.party, now=SILENCE + 2 * TICK)
    assert hire.escrow.state == "released"


def test_a_control_that_clears_lets_the_money_go_with_the_next_sweep() -> None:
    hire, firing = withheld()
    settlements.settle_due(now=SILENCE + TICK)
    with transaction.atomic():
        firings.lift(
            firing=firing, release=Firing.Release.RECOVERED, basis="", now=SILENCE + 2 * TICK
        )
    settlements.settle_due(now=SILENCE + 3 * TICK)
    assert hire.escrow.state == "released"


def test_an_override_lets_the_money_go_and_its_end_takes_nothing_back() -> None:
    hire, firing = withheld()
    settlements.settle_due(now=SILENCE + TICK)
    firings.override(
        firing=firing,
        by="usr_1",
        reason="the outage was ours",
        until=SILENCE + timedelta(days=1),
        now=SILENCE + 2 * TICK,
    )
    settlements.settle_due(now=SILENCE + 3 * TICK)
    assert hire.escrow.state == "released"
