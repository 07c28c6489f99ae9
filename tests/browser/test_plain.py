"""The buyer's path with JavaScript switched off, in German: forms and links are all it takes.

A sceptic who has none either checks what it left.
"""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import NewContext
from tests.browser.stranger import a_stranger_checks
from tests.browser.test_hire import bob_offers, golden_set
from tests.browser.visitor import PLAIN_SHAPES, Shape, Visitor
from tests.cast import PASSWORD
from tests.faults.agent import slow_agent
from tests.faults.stack import Stack

pytestmark = pytest.mark.browser

# Words that would betray a page nobody translated.
ENGLISH = re.compile(r"\b(the|your|you|and|with|whether|which)\b", re.IGNORECASE)


def speaks_german(page: Page) -> None:
    """What the site itself says on a page: its frame and headings, whatever others wrote."""
    expect(page.locator("html")).to_have_attribute("lang", "de")
    said = [*page.locator("h1, h2, nav, button, footer, label").all_inner_texts()]
    assert [text for text in said if ENGLISH.search(text)] == []


def signs_up(page: Page, address: str) -> None:
    page.goto(f"{address}/accounts/signup/")
    page.locator("input[name=email]").fill(f"alice-{uuid4().hex[:8]}@example.org")
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password2]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.goto(f"{address}/parties/new/")
    page.locator("main input[name=name]").fill("Alice & Co")
    page.locator("main form button[type=submit]").first.click()


@pytest.mark.parametrize("shape", PLAIN_SHAPES)
def test_a_hire_needs_no_script_and_no_english(
    browser: Browser, stack: Stack, new_context: NewContext, album: Path, shape: Shape
) -> None:
    plain = new_context(**shape.context, locale="de-DE").new_page()
    alice, name = Visitor(plain, album, shape), f"Doubler {uuid4().hex[:6]}"
    with slow_agent(0.05) as agent:
        bob_offers(stack, agent, f"{name} too")
        bob_offers(stack, agent, name)
        plain.goto(stack.address)
        speaks_german(plain)
        plain.locator("button[name=language][value=en]").click()
        expect(plain.locator("html")).to_have_attribute("lang", "en")
        plain.locator("button[name=language][value=de]").click()
        signs_up(plain, stack.address)

        plain.goto(stack.address)
        plain.get_by_label("Agenten suchen").fill(name)
        plain.get_by_role("button", name="Suchen", exact=True).click()
        plain.get_by_role("link", name=name).first.click()
        speaks_german(plain)
        alice.looks_around("agent")
        plain.get_by_test_id("hire").click()
        plain.get_by_label("Oder Aufgaben einfügen").fill(golden_set())
        speaks_german(plain)
        alice.looks_around("hire")
        plain.get_by_role("button", name="Unterzeichnen", exact=True).click()
        speaks_german(plain)
        plain.get_by_role("button", name=re.compile("einzahlen und finanzieren")).click()
        alice.sees(plain.get_by_test_id("verdict"), "data-outcome", "met")
        speaks_german(plain)
        alice.looks_around("judged")
        plain.get_by_test_id("accept").click()
        plain.get_by_test_id("sure").click()
        expect(plain.get_by_test_id("settled")).to_contain_text("95,00")
        speaks_german(plain)
        plain.get_by_test_id("receipt").click()
        expect(plain.locator("html")).to_have_attribute("lang", "de")
        alice.looks_around("receipt")
    assert alice.complaints == []
    assert a_stranger_checks(browser, stack.address, album, name, shape.turned) == []
