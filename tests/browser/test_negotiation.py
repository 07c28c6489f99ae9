"""Two people in two browsers: terms talked about twice, signed, funded, revised and accepted.

With scripts, and again without any.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.people import NewContext, People
from tests.browser.visitor import SHAPES, Shape, Visitor
from tests.faults.agent import SlowAgent, slow_agent
from tests.faults.hire import list_agent
from tests.faults.stack import Stack

pytestmark = pytest.mark.browser

TASKS = 40


@contextmanager
def learning_agent() -> Iterator[tuple[SlowAgent, threading.Event]]:
    """An agent that answers wrongly until it has learned."""
    learned = threading.Event()
    with slow_agent(0.02) as agent:
        right = agent.answer

        def answer(asked: dict[str, Any]) -> dict[str, Any]:
            return right(asked) if learned.is_set() else {"output": {"answer": -1}}

        agent.answer = answer  # type: ignore[method-assign]
        yield agent, learned


def listed(stack: Stack, agent: SlowAgent, name: str) -> None:
    """bob's agent is on the market for 100 euros."""
    fields = {"name": name, "work": "arithmetic", "endpoint": agent.url, "summary": "Doubles."}
    list_agent(stack, agent, stack.post("bob", "agents", fields))


def golden_set(stack: Stack) -> None:
    tasks = [{"input": {"number": n}, "expected": {"answer": 2 * n}} for n in range(TASKS)]
    stack.post("alice", "task-sets", {"name": "Numbers", "work": "arithmetic", "tasks": tasks})


def alice_offers(alice: Visitor, agent: str) -> str:
    page = alice.page
    alice.opens("Market")
    page.get_by_label("Search agents").fill(agent)
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("link", name=agent).first.click()
    page.get_by_test_id("hire").click()
    alice.looks_around("hire")
    page.get_by_test_id("other-terms").click()
    page.get_by_test_id("milestone-row").first.get_by_label("Price in EUR").fill("80")
    page.get_by_label("Promised, in percent").first.fill("80")
    page.get_by_label("Floor, in percent").first.fill("60")
    page.get_by_label("Note to the other side").fill("Eighty for eighty percent.")
    alice.looks_around("offer")
    page.get_by_role("button", name="Send the offer").click()
    expect(page.get_by_test_id("turn")).to_contain_text("The other side answers.")
    alice.looks_around("waits")
    return page.url


def bob_answers(bob: Visitor, talk: str) -> None:
    page = bob.page
    page.get_by_test_id("bell").click()
    page.get_by_role("link", name=re.compile("offers other terms")).first.click()
    assert page.url == talk
    expect(page.get_by_test_id("turn")).to_contain_text("It is your turn.")
    expect(page.locator("del").first).to_be_visible()
    bob.looks_around("asked")
    page.get_by_test_id("counter").click()
    page.get_by_test_id("milestone-row").first.get_by_label("Price in EUR").fill("90")
    page.get_by_role("button", name="Send these terms").click()
    expect(page.get_by_test_id("round")).to_have_count(2)
    bob.looks_around("countered")


def alice_signs_and_funds(alice: Visitor, talk: str) -> str:
    page = alice.page
    page.get_by_test_id("bell").click()
    page.get_by_role("link", name=re.compile("answers with other terms|offers other")).first.click()
    assert page.url == talk
    expect(page.get_by_test_id("comparison").first).to_contain_text("90.00")
    alice.looks_around("counter")
    page.get_by_test_id("accept").click()
    page.get_by_test_id("accept-sure").click()
    page.wait_for_url(re.compile("/engagements/"))
    expect(page.get_by_test_id("turn")).to_contain_text("Your turn")
    ways = page.get_by_test_id("ways")
    expect(ways.locator('[data-way="met_silence"]')).to_contain_text("85.50")
    expect(ways.locator('[data-way="breached"]')).to_contain_text("90.00")
    alice.looks_around("read-before-funding")
    page.get_by_test_id("fund").click()  # with what is missing deposited, if anything is
    expect(page.get_by_text("Money set aside")).to_be_visible()
    return page.url


def bob_revises(bob: Visitor, engagement: str) -> None:
    page = bob.page
    bob.opens("Engagements")
    page.locator(f'main a[href="{urlsplit(engagement).path}"]').first.click()
    bob.sees(page.get_by_test_id("verdict").nth(0), "data-outcome", "breached")
    expect(page.get_by_test_id("turn")).to_have_attribute("data-whose", "you")
    expect(page.get_by_test_id("flow")).to_have_attribute("data-at", "withheld")
    bob.looks_around("breached")
    page.get_by_test_id("revise").click()
    expect(page.get_by_test_id("revision-cost")).to_contain_text("last revision")
    bob.looks_around("revision")
    page.get_by_role("button", name="Deliver and evaluate").click()


def alice_accepts(alice: Visitor) -> None:
    page = alice.page
    alice.sees(page.get_by_test_id("verdict").nth(1), "data-outcome", "met")
    page.reload()
    expect(page.get_by_test_id("turn")).to_contain_text("Otherwise silence accepts")
    page.get_by_test_id("accept").click()
    expect(page.get_by_text("This moves")).to_contain_text("85.50")
    alice.looks_around("sure")
    page.get_by_test_id("sure").first.click()
    expect(page.get_by_test_id("settled")).to_contain_text("85.50")
    expect(page.get_by_test_id("flow")).to_have_attribute("data-at", "ended")
    alice.looks_around("settled")


@pytest.mark.parametrize("shape", SHAPES)
def test_terms_are_talked_about_signed_funded_revised_and_accepted(
    stack: Stack, new_context: NewContext, album: Path, shape: Shape
) -> None:
    people = People(stack, new_context, album, shape)
    with learning_agent() as (agent, learned):
        name = f"Learner {uuid4().hex[:6]}"
        listed(stack, agent, name)
        golden_set(stack)
        alice, bob = people.person("alice"), people.person("bob")
        talk = alice_offers(alice, name)
        bob_answers(bob, talk)
        engagement = alice_signs_and_funds(alice, talk)
        alice.sees(alice.page.get_by_test_id("verdict").nth(0), "data-outcome", "breached")
        learned.set()
        bob_revises(bob, engagement)
        alice_accepts(alice)
    assert alice.complaints + bob.complaints == []
