"""A run through the API: asked for with a budget, called off, checked again, taken along."""

from typing import Any

import pytest
from django.utils.timezone import now as clock

from pacts import runner
from pacts.models import Agent, Evaluation
from pacts.verification import verify
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.pacts.agents.a2a_server import a2a_agent
from tests.pacts.runs import RELATED, run_of, to_the_end, wrong_from

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def concluded(alice: cast.Actor, bob: cast.Actor) -> Evaluation:
    with cast.agent_service(wrong_from(25)) as url:
        running = run_of(cast.agent_of(bob, url), bob, alice)
        to_the_end(running)
    return Evaluation.objects.select_related(*RELATED).get(pk=running.pk)


def test_a_run_is_asked_for_with_a_budget_and_shows_it() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    Agent.objects.update(control_proved_at=clock())
    pact = cast.pact_of(version, bob)
    tasks = cast.golden_set(bob, cast.doubling_tasks(3))
    asked = {"agent_version": version.id, "pact_version": pact.id, "task_set_version": tasks.id}
    program = program_of(bob)
    made = program.ask("POST", "evaluations", {**asked, "budget": {"calls": 2}}).json()
    assert (made["max_calls"], made["full_run"], made["state"]) == (2, False, "running")
    refused = program.ask("POST", "evaluations", {**asked, "budget": {"seconds": 1}})
    assert refused.status_code == 422
    assert "give more time" in refused.content.decode()
    off = program.ask("POST", f"evaluations/{made['id']}/cancellation", {})
    assert (off.status_code, off.json()["stopped_by"]) == (201, "cancelled")
    again = program.ask("POST", f"evaluations/{made['id']}/cancellation", {})
    assert again.status_code == 422


def test_a_concluded_run_is_taken_along_checked_again_and_told_apart() -> None:
    alice, bob = cast.alice(), cast.bob()
    run = concluded(alice, bob)
    program = program_of(alice)
    bundle = program.get(f"evaluations/{run.id}/bundle")
    assert verify(bundle.content).holds
    modes = program.get(f"evaluations/{run.id}/failure-modes").json()
    assert (modes["judged"], modes["silent"], modes["sound"]) == (30, 5, 25)
    again = program.ask("POST", f"evaluations/{run.id}/rerun", {}).json()
    assert (again["rerun_of"], again["purpose"], again["trials_total"]) == (run.id, "rerun", 30)
    erased = program.ask("POST", f"evaluations/{run.id}/erasure", {})
    assert erased.json() == {"artifacts": 60, "kept": 0}


def test_the_builder_never_gets_the_buyers_tasks_in_a_bundle() -> None:
    alice, bob = cast.alice(), cast.bob()
    run = concluded(alice, bob)
    absent = program_of(bob).get("evaluations/evl_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f/bundle")
    assert program_of(bob).get(f"evaluations/{run.id}/bundle").content == absent.content


def test_a_card_is_read_and_fills_in_a_registration() -> None:
    bob = program_of(cast.bob())
    with a2a_agent() as origin:
        card = bob.ask("POST", "agent-cards", {"url": origin}).json()
        assert (card["name"], card["protocol"]) == ("Doubler", "a2a/1")
        made = bob.ask("POST", "agents", {**card, "work": "arithmetic"})
        assert made.status_code == 201
        refused = bob.ask("POST", "agent-cards", {"url": origin + "/nothing.json"})
    assert refused.status_code == 422
