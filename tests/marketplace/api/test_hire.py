"""A whole hire by two programs and nothing but the API: from an endpoint to a receipt."""

from datetime import timedelta
from typing import Any

import pytest

from pacts import runner, verdicts
from pacts.models import Agent, Dispute, Evaluation
from pacts.procedure.clocks import FULL
from reputation.clock import database_now
from settlement import audit, settlements
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.pacts.cases import checked_again

TOKEN = "what bob serves at /.well-known/earnest-control"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def made(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = answer.json()
    return body


def read(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


def offer(bob: Program, url: str, price: str = "10000") -> dict[str, Any]:
    """bob registers an agent, proves control, publishes a pact and lists it."""
    agent = made(bob.post("agents", {"name": "Doubler", "work": "arithmetic", "endpoint": url}))
    draft = made(bob.post("pacts", {"agent": agent["id"], "terms": cast.pact_terms()}))
    lint = read(bob.get(f"pact-versions/{draft['id']}/lint"))
    assert lint["publishable"], lint
    pact = made(bob.post(f"pact-versions/{draft['id']}/publication"))
    Agent.objects.filter(pk=agent["id"]).update(control_token=TOKEN)
    proof = bob.ask("PUT", f"agents/{agent['id']}/control-proof")
    assert read(proof)["proved_at"] is not None
    return made(
        bob.post(
            "listings",
            {
                "agent_version": agent["latest_version"],
                "pact_version": pact["id"],
                "price": price,
                "currency": "EUR",
            },
        )
    )


def golden_set(alice: Program, count: int) -> str:
    tasks = [{"input": {"number": n}, "expected": {"answer": 2 * n}} for n in range(count)]
    body = {"name": "Numbers", "work": "arithmetic", "tasks": tasks}
    task_set = made(alice.post("task-sets", body))
    versions = read(alice.get(f"task-sets/{task_set['id']}/versions"))["results"]
    return str(versions[0]["id"])


def work(evaluation_id: str) -> None:
    """What the workers do."""
    running = Evaluation.objects.get(pk=evaluation_id)
    runner.Runner(running, runner.egress()).run()
    verdicts.conclude(evaluation_id=evaluation_id, now=database_now())


def test_two_programs_hire_work_and_pay_through_the_api_alone() -> None:
    alice, bob = program_of(cast.alice()), program_of(cast.bob())
    with cast.agent_service(cast.echo, control_token=TOKEN) as url:
        listing = offer(bob, url)
        tasks = golden_set(alice, 30)

        deposit = made(alice.pay("deposits", {"amount": "25000", "currency": "EUR"}))
        assert read(alice.get(f"deposits/{deposit['id']}"))["state"] == "succeeded"
        assert read(alice.get("balances"))["results"] == [{"currency": "EUR", "available": "25000"}]

        hire = {"listing": listing["id"], "task_set_version": tasks}
        engagement = made(alice.pay("engagements", hire))
        assert engagement["state"] == "active"
        milestone = engagement["milestones"][0]["id"]
        funded = made(alice.pay(f"milestones/{milestone}/funding"))
        assert funded["escrow"]["state"] == "held"
        evaluation = funded["deliverables"][0]["evaluation"]
        assert read(alice.get(f"evaluations/{evaluation}"))["progress"]["queued"] == 30
        work(evaluation)

    verdict = read(bob.get(f"evaluations/{evaluation}/verdict"))
    assert (verdict["outcome"], verdict["earned_share_bps"]) == ("met", 10_000)
    page = read(bob.get(f"evaluations/{evaluation}/trials?limit=5"))
    assert [trial["position"] for trial in page["results"]] == [0, 1, 2, 3, 4]
    assert page["results"][0]["observations"][0]["outcome"] == "pass"

    settled = made(alice.pay(f"milestones/{milestone}/acceptance"))["escrow"]
    assert (settled["state"], settled["released"], settled["fee"]) == ("released", "9500", "500")
    assert read(bob.get("balances"))["results"] == [{"currency": "EUR", "available": "9500"}]
    receipt = read(bob.get("receipts"))["results"][0]
    assert read(alice.get(f"receipts/{receipt['id']}")) == receipt
    moved = read(alice.get("statement"))["results"]
    assert [entry["kind"] for entry in moved] == ["hold", "deposit"]
    assert [entry["subject"] for entry in moved] == [funded["escrow"]["id"], deposit["id"]]
    assert [bool(entry["about"]) for entry in moved] == [True, False]

    payout = made(bob.pay("payouts", {"amount": "9500", "currency": "EUR"}))
    assert read(bob.get("balances"))["results"] == [{"currency": "EUR", "available": "0"}]
    assert made(bob.pay(f"payouts/{payout['id']}/cancellation"))["state"] == "cancelled"
    log = read(Program().get(f"evidence?subject={engagement['id']}"))["results"]
    assert {"escrow.funded", "escrow.settled"} <= {entry["kind"] for entry in log}
    assert audit.audit(now=database_now()) == []


def test_a_breach_is_disputed_answered_and_ruled_through_the_api_alone() -> None:
    alice, bob, carol = (program_of(who()) for who in (cast.alice, cast.bob, cast.carol))
    with cast.agent_service(lambda given: {"answer": 0}, control_token=TOKEN) as url:
        listing = offer(bob, url)
        hire = {"listing": listing["id"], "task_set_version": golden_set(alice, 30)}
        made(alice.pay("deposits", {"amount": "10000", "currency": "EUR"}))
        milestone = made(alice.pay("engagements", hire))["milestones"][0]["id"]
        funded = made(alice.pay(f"milestones/{milestone}/funding"))
        work(funded["deliverables"][0]["evaluation"])
    settlements.settle_due(now=database_now())
    assert read(alice.get(f"milestones/{milestone}"))["escrow"]["state"] == "withheld"

    words = {"ground": "invalid_input", "statement": "The tasks were not doubling at all."}
    dispute = made(bob.pay(f"milestones/{milestone}/dispute", words))
    assert read(alice.get(f"milestones/{milestone}"))["escrow"]["state"] == "frozen"
    answered = alice.pay(f"disputes/{dispute['id']}/answer", {"answer": "They were."})
    assert made(answered)["answer"] == "They were."
    for side in (alice, bob):
        made(side.pay(f"disputes/{dispute['id']}/rest"))
    checked_again(Dispute.objects.get(), now=database_now())
    decision = {
        "award_bps": 2_500,
        "clauses": ["accuracy"],
        "reasons": "A quarter of the tasks were not whole numbers.",
    }
    assert made(carol.pay(f"disputes/{dispute['id']}/ruling", decision))["award_bps"] == 2_500
    settlements.settle_due(now=database_now())
    assert read(alice.get(f"milestones/{milestone}"))["escrow"]["state"] == "frozen"
    settlements.settle_due(now=database_now() + FULL.challenge + timedelta(seconds=5))
    escrow = read(alice.get(f"milestones/{milestone}"))["escrow"]
    assert (escrow["state"], escrow["released"], escrow["refunded"]) == ("split", "2375", "7500")
