"""One hire in a real browser, from search to receipt, and a stranger who checks it."""

import json
import re
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, expect

from tests.browser.stranger import a_stranger_checks
from tests.browser.visitor import Visitor
from tests.cast import PASSWORD
from tests.faults.agent import SlowAgent, slow_agent
from tests.faults.hire import list_agent
from tests.faults.stack import Stack

pytestmark = pytest.mark.browser

TASKS = 40
PATIENCE_MS = 60_000


def bob_offers(stack: Stack, agent: SlowAgent, name: str) -> None:
    """bob's agent is on the market for 100 euros."""
    registered = stack.post(
        "bob",
        "agents",
        {"name": name, "work": "arithmetic", "endpoint": agent.url, "summary": "Doubles numbers."},
    )
    list_agent(stack, agent, registered)


def golden_set() -> str:
    tasks = [{"input": {"number": n}, "expected": {"answer": 2 * n}} for n in range(TASKS)]
    return "\n".join(json.dumps(task) for task in tasks)


def signs_up(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Email").fill(f"alice-{uuid4().hex[:8]}@example.org")
    page.get_by_label(re.compile("^Password"), exact=False).nth(0).fill(PASSWORD)
    page.get_by_label(re.compile("^Password"), exact=False).nth(1).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()


def founds_a_party(page: Page, address: str) -> None:
    page.goto(f"{address}/parties/new/")
    page.get_by_label("Name").fill("Alice & Co")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("link", name="Alice & Co").first).to_be_visible()


def press_twice(page: Page, button: Locator) -> None:
    """As people do; then wait for the page that answers.

    The second press may abort the first one's navigation: only the page at the end counts.
    """
    with suppress(Error), page.expect_navigation():
        button.dblclick()
    page.wait_for_load_state("load")


def looks_at_every_trial(page: Page, visitor: Visitor) -> None:
    """From the verdict to the matrix of its trials, to one of them, and back to the hire."""
    hire = page.url
    page.get_by_role("link", name=re.compile("^How it failed")).first.click()
    page.get_by_test_id("every-trial").click()
    cells = page.get_by_test_id("matrix").get_by_role("link", name=re.compile("passed"))
    expect(cells).to_have_count(TASKS)
    cells.first.click()
    expect(page.get_by_test_id("trial")).to_contain_text("Expected")
    visitor.looks_around("trials")
    page.goto(hire)


# Of the buyer of one hire, and of what is set aside for it: other hires of this stack are others'.
MOVED = """
SELECT transfer.kind, count(DISTINCT transfer.id)
FROM settlement_transfer transfer
JOIN settlement_entry entry ON entry.transfer_id = transfer.id
JOIN settlement_account account ON account.id = entry.account_id
WHERE account.owner_id = (SELECT buyer_id FROM pacts_engagement WHERE id = %s)
   OR account.subject IN (SELECT id FROM pacts_milestone WHERE engagement_id = %s)
GROUP BY transfer.kind ORDER BY transfer.kind
"""


def was_done_once(page: Page, stack: Stack) -> None:
    """Every button was pressed twice in a row: one hire, one deposit, one settlement."""
    page.goto(f"{stack.address}/engagements/")
    expect(page.get_by_test_id("engagement-row")).to_have_count(1)
    link = page.get_by_test_id("engagement-row").get_by_role("link").first
    hire = (link.get_attribute("href") or "").strip("/").split("/")[-1]
    moved = stack.rows(MOVED, hire, hire)
    assert moved == [("deposit", 1), ("hold", 1), ("release", 1)]


def test_a_hire_is_walked_from_search_to_receipt_and_checked_by_a_stranger(
    page: Page, browser: Browser, stack: Stack, album: Path
) -> None:
    alice = Visitor(page, album)
    name = f"Doubler {uuid4().hex[:6]}"
    with slow_agent(0.1) as agent:
        bob_offers(stack, agent, name)
        signs_up(page, stack.address)
        founds_a_party(page, stack.address)

        page.goto(stack.address)
        alice.looks_around("market")
        page.get_by_label("Search agents").fill(name)
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name=name).first.click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        alice.looks_around("agent")

        page.get_by_role("link", name=re.compile("^Hire")).first.click()
        page.get_by_label("Or paste tasks").fill(golden_set())
        alice.looks_around("hire")
        press_twice(page, page.get_by_role("button", name="Sign"))

        alice.looks_around("funding")
        press_twice(page, page.get_by_role("button", name=re.compile("Deposit .*100.* and fund")))
        expect(page.get_by_text("Money set aside")).to_be_visible()
        alice.picture("running")
        verdict = page.get_by_test_id("verdict")
        expect(verdict).to_have_attribute("data-outcome", "met", timeout=PATIENCE_MS)
        assert page.url.endswith("/"), "the page came to the verdict by itself, without a reload"
        alice.looks_around("judged")
        looks_at_every_trial(page, alice)

        page.get_by_test_id("accept").click()
        press_twice(page, page.get_by_test_id("sure"))
        settled = page.get_by_test_id("settled")
        expect(settled).to_contain_text("95.00")
        expect(settled).to_contain_text("5.00")
        alice.looks_around("settled")

        settled.get_by_role("link", name="Receipt").click()
        receipt = page.get_by_test_id("receipt")
        expect(receipt).to_contain_text("95.00")
        expect(receipt).to_contain_text("yes, checked as this page was drawn")
        alice.looks_around("receipt")

    was_done_once(page, stack)
    for path in ("engagements/", "money/", "task-sets/", "evidence/", "builder/", "parties/"):
        page.goto(f"{stack.address}/{path}")
        alice.looks_around(path.strip("/"))
    assert alice.complaints == []
    assert a_stranger_checks(browser, stack.address, album, name) == []
