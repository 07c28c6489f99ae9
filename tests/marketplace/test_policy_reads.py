"""Reading the policy's history costs the same however long it has become."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now as clock

from marketplace import policy
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.pages.browsers import browser_of

pytestmark = pytest.mark.django_db
WHY = "The desk asked for more time."


@pytest.fixture
def dora() -> cast.Actor:
    return cast.actor("dora", is_staff=True)


def changes(until: int, by: cast.Actor) -> None:
    """Versions up to a number, and as many proposals beside them."""
    held = policy.at(clock()).number
    for number in range(held, until):
        hours = 24 if number % 2 == 0 else 36
        asked: dict[str, Any] = {"reason": WHY, "seen": number, "by": by.user, "now": clock()}
        policy.propose(changes={"fee_bps": 600 + number}, **asked)
        policy.change(changes={"full_negotiation": hours}, **asked)


def queries(ask: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        ask()
    return len(captured)


@pytest.mark.parametrize("noun", ["policy/versions", "policy/proposals"])
def test_a_list_of_the_policys_history_asks_as_little_of_twelve_as_of_three(
    dora: cast.Actor, noun: str
) -> None:
    program: Program = program_of(dora)
    changes(3, dora)
    assert len(program.get(noun).json()["results"]) == 3  # and whatever is asked once, was
    few = queries(lambda: program.get(noun))
    changes(12, dora)
    found: dict[str, Any] = {}
    assert queries(lambda: found.update(program.get(noun).json())) == few
    assert len(found["results"]) == 12
    assert all(len(one["effects"]) == 1 for one in found["results"])


def test_the_console_asks_as_little_of_twelve_versions_and_proposals_as_of_three(
    dora: cast.Actor,
) -> None:
    browser = browser_of(dora)
    changes(3, dora)
    browser.get("/policy/")
    few = queries(lambda: browser.get("/policy/"))
    changes(12, dora)
    for number in range(4):
        asked: dict[str, Any] = {"reason": WHY, "seen": 12, "by": dora.user, "now": clock()}
        policy.propose(changes={"fee_bps": 700 + number}, **asked)
    page: list[str] = []
    assert queries(lambda: page.append(browser.get("/policy/").content.decode())) == few
    assert page[0].count('data-test="policy-version"') == 12
    assert page[0].count('data-test="policy-waiting"') == 4


def test_each_version_is_told_against_the_one_before_and_each_proposal_against_what_it_saw(
    dora: cast.Actor,
) -> None:
    changes(3, dora)
    read = program_of(dora).get
    told = [one["effects"][0] for one in read("policy/versions").json()["results"]]
    said = [(one["before"], one["after"]) for one in told]
    assert said == [("36 hours", "24 hours"), ("24 hours", "36 hours"), ("48 hours", "24 hours")]
    proposals = read("policy/proposals").json()["results"]
    assert [one["may_be_confirmed"] for one in proposals] == [False] * 3
    assert [one["effects"][0]["after"] for one in proposals] == ["6.02 %", "6.01 %", "6 %"]
