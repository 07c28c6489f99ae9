"""A hire that a third party judges, by three programs and nothing but the API."""

from typing import Any

import pytest

from pacts import runner
from pacts.models import Agent, TaskSetVersion
from reputation.clock import database_now
from settlement import audit
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.api.test_hire import TOKEN, golden_set, made, read, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def listed(bob: Program, url: str) -> dict[str, Any]:
    """bob's agent, listed under a pact that wants a third party."""
    agent = made(bob.post("agents", {"name": "Doubler", "work": "arithmetic", "endpoint": url}))
    terms = cast.pact_terms(independence="third_party")
    draft = made(bob.post("pacts", {"agent": agent["id"], "terms": terms}))
    pact = made(bob.post(f"pact-versions/{draft['id']}/publication"))
    Agent.objects.filter(pk=agent["id"]).update(control_token=TOKEN)
    read(bob.ask("PUT", f"agents/{agent['id']}/control-proof"))
    body = {"agent_version": agent["latest_version"], "pact_version": pact["id"]}
    return made(bob.post("listings", {**body, "price": "10000", "currency": "EUR"}))


def test_three_programs_hire_judge_and_pay_through_the_api_alone() -> None:
    alice, bob, carol = (
        program_of(who()) for who in (cast.alice, cast.bob, lambda: cast.actor("carol"))
    )
    with cast.agent_service(cast.echo, control_token=TOKEN) as url:
        listing = listed(bob, url)
        body = {"task_set_version": golden_set(carol, 30), "about": "Drawn by lot."}
        offer = made(carol.post("evaluator-offers", body))
        found = read(alice.get("evaluator-offers?work=arithmetic&ended=false"))["results"]
        assert [(one["id"], one["tasks"], one["about"]) for one in found] == [
            (offer["id"], 30, "Drawn by lot.")
        ]
        made(alice.pay("deposits", {"amount": "10000", "currency": "EUR"}))
        hire = {"listing": listing["id"], "evaluator_offer": offer["id"]}
        engagement = made(alice.pay("engagements", hire))
        assert engagement["evaluator"] == offer["evaluator"]
        milestone = engagement["milestones"][0]["id"]
        funded = made(alice.pay(f"milestones/{milestone}/funding"))
        run = funded["deliverables"][0]["evaluation"]
        for side in (alice, bob):
            seen = read(side.get(f"evaluations/{run}"))
            assert (seen["state"], seen["independence"]) == ("waiting", "third_party")
            assert side.post(f"evaluations/{run}/beginning").status_code == 404
            assert side.get(f"evaluations/{run}/bundle").status_code == 404
            assert side.get(f"task-set-versions/{offer['task_set_version']}/tasks").json() == (
                side.get("task-set-versions/tsv_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f/tasks").json()
            )
        assert made(carol.post(f"evaluations/{run}/beginning"))["state"] == "running"
        work(run)
    assert read(carol.get(f"evaluations/{run}"))["verdict"]["outcome"] == "met"
    assert carol.get(f"milestones/{milestone}").status_code == 404
    settled = made(alice.pay(f"milestones/{milestone}/acceptance"))["escrow"]
    assert (settled["state"], settled["released"]) == ("released", "9500")
    assert audit.audit(now=database_now()) == []


def test_tasks_of_ones_own_or_a_third_partys_but_not_both_and_not_neither() -> None:
    alice, bob, carol = (
        program_of(who()) for who in (cast.alice, cast.bob, lambda: cast.actor("carol"))
    )
    with cast.agent_service(cast.echo, control_token=TOKEN) as url:
        listing = listed(bob, url)["id"]
    offer = made(carol.post("evaluator-offers", {"task_set_version": golden_set(carol, 30)}))
    own = golden_set(alice, 30)
    both = {"listing": listing, "task_set_version": own, "evaluator_offer": offer["id"]}
    for hire, sentence in (
        (both, "not both"),
        ({"listing": listing}, "third party"),
        ({"listing": listing, "task_set_version": own}, "third party"),
    ):
        refused = alice.pay("engagements", hire)
        assert refused.status_code == 422, refused.content
        assert sentence in refused.json()["detail"]


def test_an_offer_ends_by_its_evaluator_alone_and_takes_no_hire_afterwards() -> None:
    alice, bob, carol = (
        program_of(who()) for who in (cast.alice, cast.bob, lambda: cast.actor("carol"))
    )
    with cast.agent_service(cast.echo, control_token=TOKEN) as url:
        listing = listed(bob, url)["id"]
    offer = made(carol.post("evaluator-offers", {"task_set_version": golden_set(carol, 30)}))
    absent = alice.ask("DELETE", "evaluator-offers/evo_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f")
    foreign = alice.ask("DELETE", f"evaluator-offers/{offer['id']}")
    assert (foreign.status_code, foreign.content) == (404, absent.content)
    assert read(carol.ask("DELETE", f"evaluator-offers/{offer['id']}"))["ended_at"]
    hire = {"listing": listing, "evaluator_offer": offer["id"]}
    assert alice.pay("engagements", hire).status_code == 404


def test_a_set_of_somebody_else_is_offered_by_nobody() -> None:
    alice, carol = program_of(cast.alice()), program_of(cast.actor("carol"))
    golden_set(carol, 30)
    theirs = TaskSetVersion.objects.get().id
    assert alice.post("evaluator-offers", {"task_set_version": theirs}).status_code == 404
