"""A bond is asked for, read before anybody signs, and followed to its end, here and by programs."""

from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace import hiring
from marketplace.models import Listing
from pacts.engagements import Timers
from pacts.models import Engagement, Milestone
from settlement import escrow
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser_of, token_in
from tests.settlement.hires import give

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture
def listing(bob: cast.Actor) -> Listing:
    version = cast.agent_of(bob)
    version.agent.control_proved_at = clock()
    version.agent.save()
    return hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob),
        price=10_000,
        currency="KWD",
        timers=Timers(),
        bond=2_500,
        by=bob.user,
        now=clock(),
    )


def task_sets(alice: cast.Actor, count: int) -> list[str]:
    return [cast.golden_set(alice, cast.doubling_tasks(3)).id for _ in range(count)]


def page_of(actor: cast.Actor, path: str) -> str:
    text: str = browser_of(actor).get(path).content.decode()
    return text.replace("\u00a0", " ")


def hired_on_the_page(alice: cast.Actor, listing: Listing, **fields: Any) -> Any:
    client, page = browser_of(alice), f"/agents/{listing.agent.slug}/hire/"
    return client.post(page, {"idempotency_key": token_in(client.get(page))} | fields)


def test_what_is_staked_who_gets_it_and_when_it_returns_is_read_before_signing(
    alice: cast.Actor, listing: Listing
) -> None:
    task_sets(alice, 1)
    for path in (f"/agents/{listing.agent.slug}/", f"/agents/{listing.agent.slug}/hire/"):
        text = page_of(alice, path)
        assert "KWD 2.500" in text
        assert "critical clause" in text
        assert "returns it to the builder" in text or "returns to the builder" in text
    assert "KWD 2.500" in page_of(alice, "/")
    told = program_of(alice).get(f"listings/{listing.id}").json()
    assert (told["bond"], told["fee_bps"], told["fee_bands"]) == ("2500", 500, [])


def test_the_offers_own_bond_is_agreed_without_being_asked_for(
    alice: cast.Actor, listing: Listing
) -> None:
    (tasks,) = task_sets(alice, 1)
    assert hired_on_the_page(alice, listing, task_set_version=tasks).status_code == 302
    engagement = Engagement.objects.get()
    assert engagement.state == "active"
    assert engagement.milestones.get().bond == 2_500


@pytest.mark.parametrize(
    ("asked", "bond", "state"), [("2", 2_500, "active"), ("4", 4_000, "proposed")]
)
def test_more_than_the_offer_stakes_waits_for_the_builders_own_signature(
    alice: cast.Actor, listing: Listing, asked: str, bond: int, state: str
) -> None:
    (tasks,) = task_sets(alice, 1)
    assert hired_on_the_page(alice, listing, task_set_version=tasks, bond=asked).status_code == 302
    engagement = Engagement.objects.get()
    assert (engagement.state, engagement.milestones.get().bond) == (state, bond)


def test_several_milestones_are_hired_on_the_page_each_at_the_price(
    alice: cast.Actor, listing: Listing
) -> None:
    first, *further = task_sets(alice, 3)  # the newest is offered first
    sent = {"task_set_version": first, "further": further}
    assert hired_on_the_page(alice, listing, **sent).status_code == 302
    amounts = Milestone.objects.values_list("amount", "bond", "task_set_version")
    assert list(amounts) == [(10_000, 2_500, tasks) for tasks in [first, *reversed(further)]]


def test_a_set_is_not_two_milestones_by_mistake(alice: cast.Actor, listing: Listing) -> None:
    first, second = task_sets(alice, 2)
    sent = {"task_set_version": first, "further": [first, second]}
    answer = hired_on_the_page(alice, listing, **sent)
    assert "untick it" in answer.content.decode()
    assert not Engagement.objects.exists()


@pytest.mark.parametrize("bond", ["-1", "1.2345", "lots", "1e3"])
def test_a_bond_that_is_no_amount_comes_back_as_typed(
    alice: cast.Actor, listing: Listing, bond: str
) -> None:
    (tasks,) = task_sets(alice, 1)
    answer = hired_on_the_page(alice, listing, task_set_version=tasks, bond=bond)
    assert answer.status_code == 200
    assert f'value="{bond}"' in answer.content.decode()
    assert not Engagement.objects.exists()


def test_a_program_lists_with_a_bond_and_follows_it_to_its_end(
    alice: cast.Actor, bob: cast.Actor, listing: Listing
) -> None:
    (tasks,) = task_sets(alice, 1)
    offer = {
        "agent_version": listing.agent_version_id,
        "pact_version": listing.pact_version_id,
        "price": "10000",
        "currency": "KWD",
        "bond": "3000",
    }
    assert program_of(bob).post("listings", offer).json()["bond"] == "3000"
    asked = {"listing": listing.id, "task_set_version": tasks}
    made = program_of(alice).pay("engagements", asked).json()
    milestone = made["milestones"][0]
    assert (milestone["bond"], made["funding_seconds"]) == ("3000", Timers().funding_seconds)
    for who in (alice, bob):
        give(who, 10_000, "KWD")
    funded = program_of(alice).pay(f"milestones/{milestone['id']}/funding").json()
    assert funded["escrow"]["bond"]["state"] == "held"
    back = program_of(bob).pay(f"milestones/{milestone['id']}/return").json()
    assert (back["escrow"]["state"], back["escrow"]["bond"]["state"]) == ("refunded", "returned")


def test_the_page_of_the_work_and_the_money_of_both_name_the_bond(
    alice: cast.Actor, bob: cast.Actor, listing: Listing
) -> None:
    (tasks,) = task_sets(alice, 1)
    hired_on_the_page(alice, listing, task_set_version=tasks)
    milestone = Milestone.objects.get()
    for who in (alice, bob):
        give(who, 10_000, "KWD")
    escrow.fund(milestone=milestone, by=alice.party, idempotency_key="f", now=clock())
    work = f"/engagements/{milestone.engagement_id}/"
    for who in (alice, bob):
        assert "The builder’s bond, set aside with it" in page_of(who, work)
    assert "KWD 2.500" in page_of(bob, "/money/")
    escrow.give_back(escrow=milestone.escrow, by=bob.party, now=clock())
    assert "The bond returned to the builder" in page_of(alice, work)
    assert milestone.title in page_of(bob, "/money/")
