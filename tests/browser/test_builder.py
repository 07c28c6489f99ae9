"""A new builder in a real browser, from nothing to earnings, with everything running for real."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import Visitor
from tests.cast import PASSWORD, pact_terms
from tests.faults.agent import SlowAgent, slow_agent
from tests.faults.hire import golden_set
from tests.faults.stack import Stack

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000
SAMPLES = "\n".join(
    json.dumps({"input": {"number": n}, "expected": {"answer": 2 * n}}) for n in range(4)
)


def careful(agent: SlowAgent) -> None:
    """It doubles numbers, and declines whatever is none."""

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        number = asked["input"].get("number")
        if not isinstance(number, int) or isinstance(number, bool):
            return {"output": {"declined": True}}
        return {"output": {"answer": number * 2}}

    agent.answer = answer  # type: ignore[method-assign]


def arrives(page: Page, address: str) -> None:
    """bob signs up and founds a party."""
    page.goto(f"{address}/accounts/signup/")
    page.get_by_label("Email").fill(f"bob-{uuid4().hex[:8]}@example.org")
    page.get_by_label(re.compile("^Password")).nth(0).fill(PASSWORD)
    page.get_by_label(re.compile("^Password")).nth(1).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.goto(f"{address}/parties/new/")
    page.get_by_label("Name").fill("Bob & Co")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("link", name="Bob & Co").first).to_be_visible()


def registers(page: Page, address: str, agent: SlowAgent, name: str) -> None:
    """From the desk, by its address; then control is proved."""
    page.goto(f"{address}/builder/")
    page.get_by_role("link", name="Register an agent").first.click()
    form = page.get_by_test_id("agent-form")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Kind of work").fill("arithmetic")
    form.get_by_label("Summary").fill("Doubles numbers.")
    form.get_by_label("Address").fill(agent.url)
    form.get_by_role("button", name="Register").click()
    agent.control_token = page.get_by_test_id("control-token").inner_text().strip()
    page.get_by_test_id("prove").click()
    expect(page.get_by_test_id("step-control")).to_contain_text("proved")


def step(page: Page, key: str) -> Any:
    return page.locator(f'[data-test="step"][data-step="{key}"]')


def drafts(page: Page, bob: Visitor) -> None:
    """A text, its forecast, a dry run, and only then the signature."""
    page.get_by_test_id("step-pact").get_by_role("link", name="New draft").click()
    page.locator("#id_text").fill(json.dumps(pact_terms()))
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_test_id("before-publishing")).to_be_visible()
    bob.looks_around("draft")
    page.get_by_role("link", name="What a verdict takes").click()
    page.get_by_label("One call costs you").fill("0.01")
    page.get_by_role("button", name="Forecast").click()
    expect(page.get_by_test_id("total").first).to_contain_text("0.22")
    bob.looks_around("forecast")
    page.get_by_role("link", name="Back to the draft").click()
    page.get_by_test_id("dry-run").click()
    page.get_by_label("Or paste tasks").fill(SAMPLES)
    bob.looks_around("dry-run")
    page.get_by_role("button", name="Start the dry run").click()
    run = page.get_by_test_id("rehearsal")
    expect(run).to_have_attribute("data-state", "done", timeout=PATIENCE_MS)
    expect(page.get_by_test_id("clause-seen")).to_contain_text("4 of 4 kept")
    bob.looks_around("dry-run-done")
    page.get_by_role("link", name="The draft").click()
    page.get_by_test_id("publish").click()
    expect(page.get_by_test_id("pact-version")).to_contain_text("published")


def tries_hostile_input(page: Page, bob: Visitor) -> None:
    page.get_by_test_id("to-adversarial").click()
    page.get_by_label("Or paste tasks").fill(SAMPLES)
    page.get_by_role("button", name="Start the run").click()
    run = page.get_by_test_id("rehearsal")
    expect(run).to_have_attribute("data-state", "done", timeout=PATIENCE_MS)
    expect(page.get_by_test_id("family").first).to_be_visible()
    bob.looks_around("adversarial-done")
    page.get_by_role("link", name="Checklist").click()


def lists(page: Page, bob: Visitor) -> None:
    """The checklist says that nothing required is missing, and the market agrees."""
    expect(page.get_by_test_id("readiness")).to_have_attribute("data-listable", "yes")
    for key in ("control", "pact", "alive", "dry_run", "adversarial"):
        expect(step(page, key)).to_have_attribute("data-state", "done")
    bob.looks_around("readiness")
    step(page, "listing").get_by_role("link").click()
    form = page.get_by_test_id("listing-form")
    form.get_by_label("Price for one task set").fill("100")
    form.get_by_role("button").click()
    expect(page.get_by_test_id("step-listing")).to_contain_text("100.00")


def alice_hires(stack: Stack, name: str) -> None:
    """By program: forty tasks, paid and accepted."""
    (listing,) = stack.rows(
        "SELECT l.id FROM marketplace_listing l JOIN pacts_agent a ON a.id = l.agent_id"
        " WHERE a.name = %s",
        name,
    )
    stack.post("alice", "deposits", {"amount": "10000", "currency": "EUR"})
    body = {"listing": listing[0], "task_set_version": golden_set(stack, 40)}
    milestone = stack.post("alice", "engagements", body)["milestones"][0]["id"]
    funded = stack.post("alice", f"milestones/{milestone}/funding")
    run = funded["deliverables"][0]["evaluation"]
    judged = "SELECT 1 FROM pacts_verdict WHERE evaluation_id = %s"
    stack.wait("the verdict", lambda: stack.rows(judged, run))
    stack.insist("alice", f"milestones/{milestone}/acceptance")


def test_a_builder_comes_from_nothing_to_earnings(page: Page, stack: Stack, album: Path) -> None:
    bob = Visitor(page, album)
    name = f"Doubler {uuid4().hex[:6]}"
    known = dict(stack.secrets)
    stack.people("alice")
    stack.secrets = known | stack.secrets
    with slow_agent(0.01) as agent:
        careful(agent)
        arrives(page, stack.address)
        registers(page, stack.address, agent, name)
        page.get_by_test_id("to-readiness").click()
        expect(page.get_by_test_id("readiness")).to_have_attribute("data-listable", "no")
        step(page, "alive").get_by_role("button").click()
        expect(page.get_by_test_id("rehearsal")).to_contain_text("it answers", timeout=PATIENCE_MS)
        page.go_back()
        page.get_by_role("link", name="The agent’s desk").click()
        drafts(page, bob)
        tries_hostile_input(page, bob)
        lists(page, bob)
        alice_hires(stack, name)

    page.goto(f"{stack.address}/builder/")
    page.get_by_test_id("to-earnings").click()
    expect(page.get_by_test_id("total")).to_contain_text("95.00")
    expect(page.get_by_test_id("reconciles")).to_have_attribute("data-holds", "yes")
    bob.looks_around("earnings")
    page.goto(f"{stack.address}/builder/")
    page.get_by_role("link", name=name).first.click()
    page.get_by_test_id("to-prospects").click()
    expect(page.get_by_test_id("prospect").first).to_be_visible()
    bob.looks_around("prospects")
    assert bob.complaints == []
