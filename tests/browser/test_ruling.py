"""Two disputes in real browsers: one settled by an offer, one ruled, appealed and published.

Both sides, two adjudicators and a stranger each have a browser of their own.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.visitor import Visitor
from tests.cast import PASSWORD
from tests.faults.hire import Hire, hired
from tests.faults.stack import Stack

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000
SMALL_PRICE = 4_000
WORDS = "numbers in words were never part of what the pact promised"
SCRIPT = "<script>document.title = 'taken'</script>"

NewContext = Callable[..., BrowserContext]


class People:
    """Everybody's browser, signed in."""

    def __init__(self, stack: Stack, new_context: NewContext, album: Path) -> None:
        self.stack, self.album = stack, album
        self._new = new_context
        secrets = dict(stack.secrets)
        stack.people("alice", "carol", "dora")
        stack.secrets |= secrets

    def person(self, name: str) -> Visitor:
        """A browser of one of the cast, or of a stranger."""
        page = self._new(base_url=self.stack.address).new_page()
        folder = self.album / name
        folder.mkdir(exist_ok=True)
        visitor = Visitor(page, folder)
        if name != "stranger":
            page.goto("/accounts/login/")
            page.get_by_label("Email").fill(f"{name}@example.org")
            page.get_by_label(re.compile("^Password")).fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("link", name="Sign out").first).to_be_visible()
        return visitor


def judged(stack: Stack, hire: Hire) -> None:
    question = "SELECT 1 FROM pacts_verdict WHERE evaluation_id = %s"
    stack.wait("the verdict", lambda: stack.rows(question, hire.evaluation))


def files(alice: Visitor, milestone: str) -> str:
    """alice says what is wrong; the address of the case."""
    page = alice.page
    page.goto(f"/milestones/{milestone}/dispute/")
    alice.looks_around("filing")
    page.get_by_label("What is it about?").select_option("scope")
    page.get_by_label("Answers are right").check()
    page.get_by_label("What is wrong?").fill("These tasks were outside of the pact.")
    page.get_by_role("button", name="Open the dispute").click()
    expect(page.get_by_test_id("clocks")).to_contain_text("Answer")
    return page.url


def until(page: Page, text: str) -> None:
    """Look again until the case says so: workers and sweeps move it."""
    for _ in range(60):
        if text in (page.get_by_test_id("clocks").text_content() or ""):
            return
        page.wait_for_timeout(1_000)
        page.reload()
    raise AssertionError(f"the case never said {text!r}")


def rules(visitor: Visitor, case: str, share: str, reasons: str) -> None:
    page = visitor.page
    page.goto(case)
    page.locator("#id_share").fill(share)
    form = page.get_by_test_id("ruling-form")
    form.get_by_label("Answers are right").check()
    form.get_by_label("Reasons").fill(reasons)
    page.get_by_role("button", name="Rule", exact=True).click()
    expect(page.get_by_test_id("ruling").last).to_contain_text(share)


def a_small_claim_is_settled(people: People, alice: Visitor, bob: Visitor) -> None:
    with hired(people.stack, tasks=30, seconds=0.02, price=SMALL_PRICE) as hire:
        judged(people.stack, hire)
        case = files(alice, hire.milestone)
        expect(alice.page.get_by_text("Small claim")).to_be_visible()
        alice.looks_around("small-claim")
        bob.page.goto(case)
        bob.page.get_by_label("The builder’s share in percent").fill("40")
        bob.page.get_by_test_id("offer-parting").click()
        expect(bob.page.get_by_test_id("offer")).to_contain_text("You offered")
        alice.page.goto(case)
        alice.looks_around("offered")
        alice.page.get_by_test_id("accept-offer").click()
        alice.page.get_by_test_id("sure").click()
        expect(alice.page.get_by_test_id("clocks")).to_contain_text("Settled")
        alice.looks_around("settled")


def both_are_heard(alice: Visitor, bob: Visitor, case: str) -> None:
    page = bob.page
    page.goto(case)
    page.get_by_label("Your answer").fill("Words are numbers too.")
    page.get_by_test_id("answer-form").get_by_role("button").click()
    page.get_by_label("What it shows").fill(SCRIPT)
    page.get_by_label("As text").fill(f"{SCRIPT} one, two, three")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_test_id("exhibit")).to_contain_text(SCRIPT)
    assert page.title() != "taken"
    bob.looks_around("evidence")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    assert download.value.suggested_filename.endswith(".txt")
    for side in (bob, alice):
        side.page.goto(case)
        side.page.get_by_test_id("rest").click()


def a_full_dispute_is_ruled_and_appealed(people: People, alice: Visitor, bob: Visitor) -> None:
    carol, dora = people.person("carol"), people.person("dora")
    with hired(people.stack, tasks=30, seconds=0.02) as hire:
        judged(people.stack, hire)
        case = files(alice, hire.milestone)
        both_are_heard(alice, bob, case)
        until(alice.page, "Ruling")
        carol.page.goto("/desk/")
        carol.looks_around("queue")
        carol.page.get_by_test_id("case-row").first.get_by_role("link").click()
        carol.looks_around("case")
        carol.page.get_by_test_id("take").click()
        rules(carol, case, "50", f"I hold that {WORDS}, but half of them were plain.")
        alice.page.goto(case)
        alice.looks_around("challenge")
        alice.page.get_by_label("What does the ruling get wrong?").fill(
            "More than half of them were in words."
        )
        alice.page.get_by_role("button", name="Appeal").click()
        for side in (alice, bob):
            side.page.goto(case)
            side.page.get_by_test_id("rest").click()
        rules(dora, case, "25", f"On appeal: {WORDS}, and only a quarter was plain.")
        until(alice.page, "Published as a precedent")
        alice.looks_around("ruled")
        moved = people.stack.rows(
            "SELECT released, fee, refunded FROM settlement_escrow WHERE milestone_id = %s",
            hire.milestone,
        )
        assert moved == [(2_375, 125, 7_500)]
    assert carol.complaints + dora.complaints == []


def the_precedent_is_found(people: People) -> None:
    stranger = people.person("stranger")
    page = stranger.page
    page.goto("/precedents/")
    page.get_by_label("Words").fill("“numbers in words”".replace("“", '"').replace("”", '"'))
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_test_id("precedent")).to_have_count(1)
    stranger.looks_around("precedents")
    page.get_by_test_id("precedent").get_by_role("link").click()
    expect(page.get_by_test_id("reasons")).to_contain_text("only a quarter")
    stranger.looks_around("precedent")
    assert stranger.complaints == []


def test_disputes_are_walked_from_both_sides_and_from_the_desk(
    stack: Stack, new_context: NewContext, album: Path
) -> None:
    people = People(stack, new_context, album)
    alice, bob = people.person("alice"), people.person("bob")
    a_small_claim_is_settled(people, alice, bob)
    a_full_dispute_is_ruled_and_appealed(people, alice, bob)
    the_precedent_is_found(people)
    assert alice.complaints + bob.complaints == []
