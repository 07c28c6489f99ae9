"""A metered hire from the offer to the last unit, over real HTTP, with the guard in alice's code.

Her calls go through the guard to a real server; workers check them in-process; live windows move
her budget. Then the agent gets worse on purpose: the breach of a critical clause stops the money.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from marketplace import hiring
from marketplace.keys import issue_key
from marketplace.models import ApiKey
from pacts import calls_checking, live_windows
from pacts.guard import PactGuard
from pacts.models import Agent
from reputation.clock import database_now
from settlement import deposits, ledger, metering_looks
from settlement.audit import audit
from settlement.models import Meter
from settlement.money import Money
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.settlement.metered import CURE, TICK, TIMERS, WINDOW, clause

pytestmark = pytest.mark.django_db(transaction=True)


class Labeller:
    """Bob's agent: right until it is not."""

    worse = False

    def __call__(self, question: str) -> dict[str, str]:
        return {"label": "NOT A LABEL 1" if self.worse else "fine"}


@pytest.fixture
def hired() -> tuple[cast.Actor, cast.Actor, str]:
    """alice, bob, and bob's listing under a pact about production calls."""
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=database_now())
    version.agent.refresh_from_db()
    terms = cast.pact_terms(clause(severity="critical"))
    listing = hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob, terms),
        price=10_000,
        currency="EUR",
        timers=TIMERS,
        by=bob.user,
        now=database_now(),
    )
    asked = deposits.request_deposit(
        party=alice.party, money=Money(10_000, "EUR"), idempotency_key="d", now=database_now()
    )
    deposits.process_deposit(deposit_id=asked.pk)
    return alice, bob, listing.pk


@pytest.fixture
def guard(
    hired: tuple[cast.Actor, cast.Actor, str], live_server: Any, tmp_path: Path
) -> Iterator[Any]:
    """Alice's guard, once there is an engagement to report on."""
    made: list[PactGuard] = []

    def make(engagement: str) -> PactGuard:
        alice = hired[0]
        secret = issue_key(
            party=alice.party,
            user=alice.user,
            name="guard",
            scopes=[ApiKey.Scope.CALLS],
            now=database_now(),
        ).secret
        made.append(
            PactGuard(
                engagement=engagement,
                base_url=live_server.url,
                api_key=secret,
                spool=tmp_path / "spool",
                linger_seconds=0.001,
                first_pause=0.02,
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close(1)


def the_workers_work() -> None:
    """What beat and the hints start: check calls, close windows, move money."""
    while calls_checking.check_calls(now=database_now()):
        pass
    for stream in live_windows.due(now=database_now()):
        live_windows.close_windows(stream_id=stream, now=database_now())
    metering_looks.look_due(now=database_now())


def offered(alice: Program, bob: Program, listing: str) -> dict[str, Any]:
    """alice offers, bob signs, alice funds: the meter as the API shows it."""
    made = alice.pay(
        "meters",
        {"listing": listing, "budget": "10000", "price": "50", "holdback_bps": 1_000},
    )
    assert made.status_code == 201, made.content
    meter = made.json()
    assert (meter["state"], meter["authorised"]) == ("unfunded", False)
    signed = bob.post(f"engagements/{meter['engagement']}/signature")
    assert signed.json()["state"] == "active"
    funded: dict[str, Any] = alice.pay(f"meters/{meter['id']}/funding").json()
    assert (funded["state"], funded["authorised"], funded["available"]) == (
        "running",
        True,
        "10000",
    )
    return funded


def test_calls_draw_the_budget_down_until_a_critical_breach_returns_the_rest(
    hired: tuple[cast.Actor, cast.Actor, str], guard: Any
) -> None:
    alice, bob, listing = hired
    buyer, builder = program_of(alice), program_of(bob)
    meter = offered(buyer, builder, listing)
    address = f"meters/{meter['id']}"
    agent = Labeller()
    watch = guard(meter["engagement"])
    watched = watch(agent)

    for _ in range(2 * WINDOW + 1):
        watched("what is this?")
    assert watch.flush(20)
    the_workers_work()
    found = buyer.get(address).json()
    assert (found["paid"], found["fees"], found["held_back"]) == ("3420", "180", "400")
    assert found["available"] == "6000"
    assert found["runway"]["calls"] == 119  # the 81st call is in the open window
    assert ledger.balances_of(bob.party) == {"EUR": 3_420}

    agent.worse = True
    for _ in range(30):
        watched("what is this?")
    assert watch.flush(20)
    the_workers_work()
    found = buyer.get(address).json()
    assert (found["state"], found["authorised"]) == ("frozen", False)
    assert found["breached_clause"] == "form"
    assert found["paid"] == "3420"

    metering_looks.look_due(now=database_now() + CURE + timedelta(minutes=1))
    the_workers_work()
    metering_looks.look_due(now=database_now() + CURE + timedelta(hours=3))
    found = buyer.get(address).json()
    assert (found["state"], found["closing_reason"]) == ("ended", "meter_stopped")
    assert (found["paid"], found["fees"], found["returned"]) == ("3420", "180", "6400")
    assert Meter.objects.get().balance == 0
    assert audit(now=database_now() + TICK) == []
    the_statements_add_up(buyer, meter["id"])


def the_statements_add_up(buyer: Program, meter: str) -> None:
    """Every window has a signed statement, and together they are what was paid."""
    windows = buyer.get(f"meter-windows?meter={meter}").json()["results"]
    assert {one["outcome"] for one in windows} == {"met", "breached"}
    paid = fees = 0
    for one in windows:
        statement = buyer.get(f"meter-statements/{one['statement']}").json()
        sums = json.loads(statement["body"])["arithmetic"]
        paid, fees = paid + sums["paid"], fees + sums["fee"]
        paper = buyer.get(f"meter-statements/{one['statement']}.pdf")
        assert paper.content.startswith(b"%PDF")
    assert (paid, fees) == (3_420, 180)
