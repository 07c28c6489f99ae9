"""A need with sealed offers, from its pact to a hire both have signed, without any script."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.people import NewContext, People
from tests.browser.test_hire import bob_offers
from tests.browser.visitor import PLAIN_SHAPES, Shape, Visitor
from tests.cast import pact_terms
from tests.faults.agent import slow_agent
from tests.faults.hire import golden_set
from tests.faults.stack import Stack

pytestmark = pytest.mark.browser

TYPED = "%Y-%m-%dT%H:%M"


def writes_a_pact(alice: Visitor) -> None:
    """What she asks of any agent: read once more before she signs it."""
    page = alice.page
    alice.opens("Needs")
    page.get_by_role("link", name="Post a need").first.click()
    page.get_by_role("link", name="Write").first.click()
    page.locator("#id_text").fill(json.dumps(pact_terms()))
    page.get_by_role("button", name="Review it first").click()
    expect(page.get_by_test_id("lint-green")).to_be_visible()
    alice.looks_around("review")
    page.get_by_role("button", name="Sign and keep it").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def posts(alice: Visitor, title: str) -> None:
    page, now = alice.page, datetime.now(UTC)
    alice.opens("Needs")
    page.get_by_role("link", name="Post a need").first.click()
    page.get_by_label("What do you need?").fill(title)
    page.get_by_label("Kind of work").fill("arithmetic")
    page.get_by_label("At most, for one task set").fill("120")
    page.get_by_label("Offers until").fill((now + timedelta(hours=2)).strftime(TYPED))
    page.get_by_label("You choose until").fill((now + timedelta(days=2)).strftime(TYPED))
    alice.looks_around("posting")
    page.get_by_role("button", name="Post it").click()
    expect(page.get_by_test_id("state")).to_have_attribute("data-state", "open")
    alice.looks_around("posted")


def offers(bob: Visitor, title: str, agent: str) -> None:
    page = bob.page
    bob.opens("Needs")
    page.get_by_role("link", name=title).click()
    form = page.get_by_test_id("offer-form")
    form.get_by_label("With which agent").select_option(label=f"{agent}, version 1")
    form.get_by_label("Your price").fill("90")
    form.get_by_label("A note to the buyer").fill("Doubling is what it does.")
    bob.looks_around("offering")
    form.get_by_role("button", name="Seal the offer").click()
    expect(page.get_by_test_id("own-offer")).to_contain_text("90.00")
    bob.looks_around("sealed")


def the_deadline_passes(stack: Stack, title: str) -> None:
    """Two hours go by; its terms are fixed, so that only the database's owner may move them."""
    with stack.database() as rows:
        rows.execute("SET session_replication_role = replica")
        rows.execute("UPDATE pacts_need SET offers_until = now() WHERE title = %s", [title])
    opened = "SELECT 1 FROM pacts_need WHERE title = %s AND state = 'revealed'"
    stack.wait("the offers to be opened", lambda: stack.rows(opened, title))


def picks(alice: Visitor, title: str) -> None:
    page = alice.page
    alice.opens("Needs")
    page.get_by_test_id("mine").click()
    page.get_by_role("link", name=title).click()
    expect(page.get_by_test_id("opened-offer")).to_contain_text("90.00")
    alice.looks_around("opened")
    page.get_by_test_id("pick").click()
    expect(page.get_by_text("Waiting for the other signature")).to_be_visible()
    alice.looks_around("picked")


def signs(bob: Visitor) -> None:
    page = bob.page
    bob.opens("Engagements")
    page.get_by_test_id("engagement-row").first.get_by_role("link").first.click()
    page.get_by_test_id("sign").click()
    expect(page.get_by_text("Waiting for the buyer to fund it")).to_be_visible()
    bob.looks_around("signed")


@pytest.mark.parametrize("shape", PLAIN_SHAPES)
def test_a_need_is_posted_offered_on_opened_and_hired_from(
    stack: Stack, new_context: NewContext, album: Path, shape: Shape
) -> None:
    people = People(stack, new_context, album, shape)
    title, name = f"Numbers doubled {uuid4().hex[:6]}", f"Doubler {uuid4().hex[:6]}"
    with slow_agent(0.02) as agent:
        bob_offers(stack, agent, name)
        golden_set(stack, 40)
        alice, bob = people.person("alice"), people.person("bob")
        writes_a_pact(alice)
        posts(alice, title)
        offers(bob, title, name)
        the_deadline_passes(stack, title)
        picks(alice, title)
        signs(bob)
    assert alice.complaints + bob.complaints == []
