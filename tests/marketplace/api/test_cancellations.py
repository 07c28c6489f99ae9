"""Ending by agreement through the API, and hires of several milestones with a bond."""

from typing import Any

import pytest

from pacts.models import Milestone
from settlement.models import Escrow
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.market import Market, one_of_everything

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    return one_of_everything()


@pytest.fixture
def alice(market: Market) -> Program:
    return program_of(market.alice)


@pytest.fixture
def bob(market: Market) -> Program:
    return program_of(market.bob)


def test_bob_offers_alice_accepts_and_the_disputed_money_splits(
    market: Market, alice: Program, bob: Program
) -> None:
    milestone = market.ids["milestone"]
    made = bob.pay(f"milestones/{milestone}/cancellation", {"award_bps": 2_500, "note": "Enough."})
    assert made.status_code == 201, made.content
    offer = made.json()
    assert (offer["state"], offer["award_bps"]) == ("open", 2_500)
    earlier = alice.get(f"cancellations/{market.ids['cancellation']}").json()
    assert earlier["state"] == "superseded"

    own = bob.pay(f"cancellations/{offer['id']}/acceptance")
    assert (own.status_code, own.json()["type"]) == (403, "urn:earnest:problem:not-your-side")
    accepted = alice.pay(f"cancellations/{offer['id']}/acceptance")
    assert (accepted.status_code, accepted.json()["state"]) == (201, "accepted")

    escrow = alice.get(f"milestones/{milestone}").json()["escrow"]
    assert (escrow["state"], escrow["reason"], escrow["agreed_share_bps"]) == (
        "split",
        "agreed",
        2_500,
    )
    again = alice.pay(f"cancellations/{offer['id']}/acceptance")
    assert again.status_code == 409
    closed = alice.get(f"disputes/{market.ids['dispute']}").json()
    assert (closed["state"], closed["outcome"], closed["share_bps"]) == ("closed", "settled", 2_500)
    assert closed["deadlines"] == []


def test_an_offer_is_taken_back_by_its_own_side_alone(
    market: Market, alice: Program, bob: Program
) -> None:
    address = f"cancellations/{market.ids['cancellation']}/withdrawal"
    assert alice.pay(address).status_code == 403
    assert bob.pay(address).json()["state"] == "withdrawn"
    assert [one["state"] for one in alice.get("cancellations").json()["results"]] == ["withdrawn"]


@pytest.mark.parametrize("body", [{"award_bps": 10_001}, {"award_bps": -1}, {"award_bps": "half"}])
def test_a_share_that_is_none_is_refused(
    market: Market, bob: Program, body: dict[str, Any]
) -> None:
    answer = bob.pay(f"milestones/{market.ids['milestone']}/cancellation", body)
    assert answer.status_code == 400


def test_a_hire_of_three_milestones_with_a_bond_shows_the_sum_and_waits_for_the_builder(
    market: Market, alice: Program, bob: Program
) -> None:
    tasks = market.ids["task-set-version"]
    body = {
        "listing": market.ids["listing"],
        "task_set_version": tasks,
        "further_task_set_versions": [tasks, tasks],
        "bond": "250",
    }
    made = alice.pay("engagements", body)
    assert made.status_code == 201, made.content
    engagement = made.json()
    assert (engagement["amount"], engagement["state"]) == ("30000", "proposed")
    assert [one["position"] for one in engagement["milestones"]] == [0, 1, 2]
    assert {one["bond"] for one in engagement["milestones"]} == {"250"}
    assert bob.post(f"engagements/{engagement['id']}/signature").json()["state"] == "active"
    # bob earned 9500 from the settled hire, so each bond is covered.
    milestone = engagement["milestones"][0]["id"]
    assert alice.pay(f"milestones/{milestone}/funding").status_code == 201
    assert Escrow.objects.get(milestone=milestone).bond.amount == 250


def test_before_funding_the_offer_takes_no_share_and_ends_the_engagement(
    market: Market, alice: Program, bob: Program
) -> None:
    body = {
        "listing": market.ids["listing"],
        "task_set_version": market.ids["task-set-version"],
    }
    engagement = alice.pay("engagements", body).json()
    milestone = engagement["milestones"][0]["id"]
    offer = alice.pay(f"milestones/{milestone}/cancellation").json()
    assert bob.pay(f"cancellations/{offer['id']}/acceptance").status_code == 201
    assert alice.get(f"engagements/{engagement['id']}").json()["state"] == "cancelled"
    assert Milestone.objects.get(pk=milestone).cancelled_at
    assert alice.pay(f"milestones/{milestone}/funding").status_code == 409
