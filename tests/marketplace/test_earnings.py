"""A builder's earnings as pages, programs and spreadsheets read them: some at a time, and all."""

from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.db.models import F

from marketplace import earned
from marketplace.api import earnings as api
from marketplace.pages import earnings as pages
from settlement import escrow as escrows
from settlement.models import Escrow
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.pages.browsers import browser_of
from tests.settlement import hires, metered
from tests.settlement.hires import START, Hire, give
from tests.settlement.metered import Metered

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _same_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hire of a test is between the same alice and the same bob, of an agent of its own."""
    names = iter(("Doubler", "Second"))
    agent_of = cast.agent_of
    monkeypatch.setattr(cast, "alice", cache(cast.alice))
    monkeypatch.setattr(cast, "bob", cache(cast.bob))
    monkeypatch.setattr(cast, "agent_of", lambda *by: agent_of(*by, name=next(names)))


def paid_and_open() -> Hire:
    """Of three milestones one is paid and two are funded, of which the last is decided first."""
    made = hires.hire(prices=[1_000, 2_000, 3_000], money=6_000)
    paid, *held = made.engagement.milestones.order_by("position")
    for milestone in (paid, *held):
        made.milestone = milestone
        made.fund(key=milestone.pk)
    made.milestone = paid
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=2))
    Escrow.objects.filter(milestone=held[0]).update(
        next_action_at=START + timedelta(days=9), version=F("version") + 1
    )
    return made


def drawn() -> Metered:
    """A metered hire that paid for a window."""
    made = metered.hire(money=0)
    give(made.alice, 10_000, key="for the meter")
    made.fund()
    made.report(good=metered.WINDOW + 1)
    made.look()
    return made


def hires_of(program: Program, address: str) -> list[dict[str, Any]]:
    """Everything behind an address, a row at a time."""
    found: list[dict[str, Any]] = []
    there = f"{address}?limit=1"
    while there:
        body = program.ask("GET", there.removeprefix("http://testserver")).json()
        assert len(body["results"]) <= 1
        found += body["results"]
        there = body["next"] or ""
    return found


def test_a_program_reads_every_expected_escrow_by_pages_the_next_decision_first() -> None:
    made = paid_and_open()
    found = hires_of(program_of(made.bob), "/api/v1/earnings/expected")
    assert [one["amount"] for one in found] == ["3000", "2000"]
    assert found == program_of(made.bob).get("earnings").json()["expected"]
    assert hires_of(program_of(made.alice), "/api/v1/earnings/expected") == []


def test_a_program_reads_every_hire_by_pages_the_newest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = paid_and_open()
    second = drawn()
    program = program_of(made.bob)
    found = hires_of(program, "/api/v1/earnings/hires")
    assert [one["id"] for one in found] == [second.engagement.pk, made.engagement.pk]
    assert (found[1]["released"], found[1]["fee"]) == ("950", "50")
    whole = program.get("earnings").json()
    assert whole["hires"] == found
    monkeypatch.setattr(api, "NEWEST", 1)
    assert program.get("earnings").json()["hires"] == found[:1]
    assert program.get("earnings").json()["totals"] == whole["totals"]


def test_the_table_holds_every_hire_however_few_are_added_up_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = paid_and_open()
    second = drawn()
    monkeypatch.setattr(earned, "AT_A_TIME", 1)
    _, *lines = earned.earnings_csv(made.bob.party)
    assert [line.split(",")[0] for line in lines] == [
        f'"{second.engagement.pk}"',
        f'"{made.engagement.pk}"',
    ]


def test_a_page_shows_some_hires_and_some_decisions_and_leads_to_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = paid_and_open()
    monkeypatch.setattr(pages, "PER_PAGE", 1)
    browser = browser_of(made.bob)
    first = browser.get("/builder/earnings/").content.decode()
    assert first.count('data-test="expected"') == 1
    assert 'href="?open_page=2"' in first
    later = browser.get("/builder/earnings/?open_page=2").content.decode()
    assert later.count('data-test="expected"') == 1
    assert "?open_page=1" in later
