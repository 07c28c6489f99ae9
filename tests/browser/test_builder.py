"""A new builder in a real browser, from nothing to earnings, with everything running for real.

With scripts, and again without any.
"""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import NewContext, signs_up
from tests.browser.visitor import SHAPES, Shape, Visitor
from tests.cast import pact_terms
from tests.faults.agent import SlowAgent, slow_agent
from tests.faults.hire import golden_set
from tests.faults.stack import Stack

pytestmark = pytest.mark.browser

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


def makes_a_key(bob: Visitor) -> None:
    """A key for a program, and another secret for it."""
    page = bob.page
    page.get_by_test_id("acting-party").click()
    page.get_by_role("link", name="API keys").click()
    form = page.get_by_test_id("key-form")
    form.get_by_label("Name").fill("The pipeline")
    form.get_by_role("checkbox").first.check()
    form.get_by_role("button", name="Issue").click()
    first = page.get_by_test_id("secret").inner_text()
    bob.looks_around("key")
    page.get_by_role("button", name="Rotate").click()
    expect(page.get_by_test_id("secret")).not_to_have_text(first)


def registers(bob: Visitor, agent: SlowAgent, name: str) -> None:
    """From the desk, by its address; then control is proved."""
    page = bob.page
    bob.opens("Builder’s desk")
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
    """A template, a text of one's own and its review, its forecast, a dry run, and only then the
    signature."""
    page.get_by_test_id("step-pact").get_by_role("link", name="New draft").click()
    page.get_by_test_id("start-from").get_by_role("link").first.click()
    page.locator("#id_text").fill('{"schema": "earnest.pact/1", "title": "Half a promise"}')
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator('[data-test="finding"][data-severity="error"]').first).to_be_visible()
    bob.looks_around("refused")
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
    bob.sees(page.get_by_test_id("rehearsal"), "data-state", "done")
    expect(page.get_by_test_id("clause-seen")).to_contain_text("4 of 4 kept")
    bob.looks_around("dry-run-done")
    page.get_by_role("link", name="The draft").click()
    page.get_by_test_id("publish").click()
    expect(page.get_by_test_id("pact-version")).to_contain_text("published")


def tries_hostile_input(page: Page, bob: Visitor) -> None:
    page.get_by_test_id("to-adversarial").click()
    page.get_by_label("Or paste tasks").fill(SAMPLES)
    page.get_by_role("button", name="Start the run").click()
    bob.sees(page.get_by_test_id("rehearsal"), "data-state", "done")
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


def answers_for_the_run(bob: Visitor) -> None:
    """How it failed, what bob says of it, and what he could do against it."""
    page = bob.page
    page.get_by_test_id("own-run").first.get_by_role("link").click()
    page.get_by_label("Your reply").fill("All forty were doubled.")
    page.get_by_role("button", name="Sign and publish").click()
    expect(page.get_by_test_id("reply")).to_have_text("All forty were doubled.")
    for way in page.get_by_test_id("way").all():
        if way.get_attribute("data-open") == "no":
            expect(way).to_contain_text("Closed:")
    bob.looks_around("run")
    page.get_by_test_id("contest").get_by_role("link", name="Evaluators").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    bob.looks_around("evaluators")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_builder_comes_from_nothing_to_earnings(
    stack: Stack, new_context: NewContext, album: Path, shape: Shape
) -> None:
    bob = Visitor(new_context(**shape.context).new_page(), album, shape)
    page = bob.page
    name = f"Doubler {uuid4().hex[:6]}"
    known = dict(stack.secrets)
    stack.people("alice")
    stack.secrets = known | stack.secrets
    with slow_agent(0.01) as agent:
        careful(agent)
        page.goto(stack.address)
        signs_up(bob, "bob")
        makes_a_key(bob)
        registers(bob, agent, name)
        page.get_by_test_id("to-readiness").click()
        expect(page.get_by_test_id("readiness")).to_have_attribute("data-listable", "no")
        step(page, "alive").get_by_role("button").click()
        bob.sees(page.get_by_test_id("rehearsal"), "data-state", "done")
        expect(page.get_by_test_id("rehearsal")).to_contain_text("it answers")
        page.get_by_role("link", name="Checklist").click()
        page.get_by_role("link", name="The agent’s desk").click()
        drafts(page, bob)
        tries_hostile_input(page, bob)
        lists(page, bob)
        alice_hires(stack, name)

    bob.opens("Builder’s desk")
    page.get_by_test_id("to-earnings").click()
    expect(page.get_by_test_id("total")).to_contain_text("95.00")
    expect(page.get_by_test_id("reconciles")).to_have_attribute("data-holds", "yes")
    bob.looks_around("earnings")
    bob.opens("Builder’s desk")
    page.get_by_role("link", name=name).first.click()
    answers_for_the_run(bob)
    bob.opens("Builder’s desk")
    page.get_by_role("link", name=name).first.click()
    page.get_by_test_id("to-prospects").click()
    expect(page.get_by_test_id("prospect").first).to_be_visible()
    bob.looks_around("prospects")
    assert bob.complaints == []
