"""Three disputes in real browsers: one settled by an offer, one ruled, appealed and published, and
one above the limit, confirmed by a second person.

Both sides, three adjudicators and a stranger each have a browser of their own; with scripts, and
again without any.
"""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import NewContext, People
from tests.browser.visitor import SHAPES, Shape, Visitor
from tests.faults.hire import Hire, hired
from tests.faults.stack import Stack

pytestmark = pytest.mark.browser

SMALL_PRICE, LARGE_PRICE = 4_000, 600_000
SCRIPT = "<script>document.title = 'taken'</script>"


def judged(stack: Stack, hire: Hire) -> None:
    question = "SELECT 1 FROM pacts_verdict WHERE evaluation_id = %s"
    stack.wait("the verdict", lambda: stack.rows(question, hire.evaluation))


def files(alice: Visitor) -> str:
    """alice says what is wrong with her latest hire; the address of the case."""
    page = alice.page
    alice.opens("Engagements")
    page.get_by_test_id("engagement-row").first.get_by_role("link").first.click()
    page.get_by_test_id("dispute").click()
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


def finds(visitor: Visitor, case: str) -> None:
    """One's own case, among one's disputes."""
    page = visitor.page
    visitor.opens("Your disputes")
    page.locator(f'main a[href="{urlsplit(case).path}"]').first.click()


def takes_up(visitor: Visitor, case: str) -> None:
    """A case of the desk's queue."""
    visitor.opens("Disputes")
    row = visitor.page.get_by_test_id("case-row")
    row.locator(f'a[href="{urlsplit(case).path}"]').first.click()


def rules(visitor: Visitor, share: str, reasons: str) -> None:
    """Works out what the share comes to, then rules it."""
    page = visitor.page
    page.get_by_test_id("calculator").get_by_role("textbox").fill(share)
    page.get_by_role("button", name="Work it out").click()
    expect(page.locator("#id_share")).to_have_value(share)
    form = page.get_by_test_id("ruling-form")
    form.get_by_label("Answers are right").check()
    form.get_by_label("Reasons").fill(reasons)
    page.get_by_role("button", name="Rule", exact=True).click()
    expect(page.get_by_test_id("ruling").last).to_contain_text(share)


def a_small_claim_is_settled(people: People, alice: Visitor, bob: Visitor) -> None:
    with hired(people.stack, tasks=30, seconds=0.02, price=SMALL_PRICE) as hire:
        judged(people.stack, hire)
        case = files(alice)
        expect(alice.page.get_by_text("Small claim")).to_be_visible()
        alice.looks_around("small-claim")
        finds(bob, case)
        bob.page.get_by_label("The builder’s share in percent").fill("40")
        bob.page.get_by_test_id("offer-parting").click()
        expect(bob.page.get_by_test_id("offer")).to_contain_text("You offered")
        finds(alice, case)
        alice.looks_around("offered")
        alice.page.get_by_test_id("accept-offer").click()
        alice.page.get_by_test_id("sure").click()
        expect(alice.page.get_by_test_id("clocks")).to_contain_text("Settled")
        alice.looks_around("settled")


def both_rest(one: Visitor, other: Visitor, case: str) -> None:
    for side in (one, other):
        finds(side, case)
        side.page.get_by_test_id("rest").click()


def answers(bob: Visitor, case: str) -> None:
    finds(bob, case)
    bob.page.get_by_label("Your answer").fill("Words are numbers too.")
    bob.page.get_by_test_id("answer-form").get_by_role("button").click()


def both_are_heard(alice: Visitor, bob: Visitor, case: str) -> None:
    page = bob.page
    answers(bob, case)
    page.get_by_label("What it shows").fill(SCRIPT)
    page.get_by_label("As text").fill(f"{SCRIPT} one, two, three")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_test_id("exhibit")).to_contain_text(SCRIPT)
    assert page.title() != "taken"
    bob.looks_around("evidence")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    assert download.value.suggested_filename.endswith(".txt")
    both_rest(bob, alice, case)


def steps_back(people: People, case: str) -> None:
    """erin takes the case and finds that it is not hers to rule."""
    erin = people.person("erin")
    takes_up(erin, case)
    erin.page.get_by_test_id("take").click()
    erin.page.get_by_text("Step back from this case").click()
    erin.page.get_by_label("Why you step back").fill("I know one of them.")
    erin.page.get_by_role("button", name="Step back for good").click()
    erin.looks_around("stepped-back")
    assert erin.complaints == []


def a_full_dispute_is_ruled_and_appealed(
    people: People, alice: Visitor, bob: Visitor, carol: Visitor, dora: Visitor
) -> None:
    with hired(people.stack, tasks=30, seconds=0.02) as hire:
        judged(people.stack, hire)
        case = files(alice)
        both_are_heard(alice, bob, case)
        until(alice.page, "Ruling")
        steps_back(people, case)
        carol.opens("Disputes")
        carol.looks_around("queue")
        takes_up(carol, case)
        carol.looks_around("case")
        carol.page.get_by_test_id("take").click()
        rules(carol, "50", f"I hold that {people.words} were not promised, half of them were.")
        finds(alice, case)
        alice.looks_around("challenge")
        alice.page.get_by_label("What does the ruling get wrong?").fill(
            "More than half of them were in words."
        )
        alice.page.get_by_role("button", name="Appeal").click()
        both_rest(alice, bob, case)
        takes_up(dora, case)
        rules(dora, "25", f"On appeal: {people.words} were not promised, only a quarter was.")
        until(alice.page, "Published as a precedent")
        alice.looks_around("ruled")
        moved = people.stack.rows(
            "SELECT released, fee, refunded FROM settlement_escrow WHERE milestone_id = %s",
            hire.milestone,
        )
        assert moved == [(2_375, 125, 7_500)]


def a_large_one_is_confirmed_by_a_second_person(
    people: People, alice: Visitor, bob: Visitor, carol: Visitor, dora: Visitor
) -> None:
    with hired(people.stack, tasks=30, seconds=0.02, price=LARGE_PRICE) as hire:
        judged(people.stack, hire)
        case = files(alice)
        answers(bob, case)
        both_rest(bob, alice, case)
        until(alice.page, "Ruling")
        takes_up(carol, case)
        carol.page.get_by_test_id("take").click()
        rules(carol, "12.5", "I hold that none of these was promised, save for one in eight.")
        takes_up(dora, case)
        dora.looks_around("to-confirm")
        form = dora.page.get_by_test_id("confirmation-form")
        form.get_by_label("I confirm this ruling").check()
        form.get_by_role("button", name="Decide").click()
        expect(form).to_have_count(0)
        finds(alice, case)
        expect(alice.page.get_by_test_id("ruling").last).to_contain_text("12.5")


def the_precedent_is_found(people: People) -> None:
    stranger = people.stranger()
    page = stranger.page
    page.goto("/")
    stranger.opens("Precedents")
    page.get_by_label("Words").fill(f'"{people.words}"')
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_test_id("precedent")).to_have_count(1)
    stranger.looks_around("precedents")
    page.get_by_test_id("precedent").get_by_role("link").click()
    expect(page.get_by_test_id("reasons")).to_contain_text("only a quarter")
    stranger.looks_around("precedent")
    assert stranger.complaints == []


@pytest.mark.parametrize("shape", SHAPES)
def test_disputes_are_walked_from_both_sides_and_from_the_desk(
    stack: Stack, new_context: NewContext, album: Path, shape: Shape
) -> None:
    people = People(stack, new_context, album, shape)
    alice, bob = people.person("alice"), people.person("bob")
    a_small_claim_is_settled(people, alice, bob)
    carol, dora = people.person("carol"), people.person("dora")
    a_full_dispute_is_ruled_and_appealed(people, alice, bob, carol, dora)
    a_large_one_is_confirmed_by_a_second_person(people, alice, bob, carol, dora)
    the_precedent_is_found(people)
    assert alice.complaints + bob.complaints == []
    assert carol.complaints + dora.complaints == []
