"""What people file and send back, through both faces: receipts, statements, refunds."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now as clock

from marketplace.periods import DAY, PeriodMalformed, days_of, window_of
from settlement.models import Payout, Receipt
from settlement.paper import pdf_of
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.market import Market, one_of_everything
from tests.settlement.hires import give

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 31, tzinfo=UTC)
LONG = "since=2020-01-01&until=2100-01-01"  # all of a test happens in one moment


@pytest.fixture
def market() -> Market:
    return one_of_everything()


def browser_of(actor: cast.Actor) -> Client:
    browser = Client()
    browser.force_login(actor.user)
    return browser


def streamed(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(StringIO(text)))


def test_both_sides_get_the_same_paper_and_nobody_else_does(market: Market) -> None:
    receipt = Receipt.objects.get(pk=market.ids["receipt"])
    for side in (market.alice, market.bob):
        by_key = program_of(side).get(f"receipts/{receipt.pk}.pdf")
        page = browser_of(side).get(f"/receipts/{receipt.pk}/pdf/")
        assert by_key["Content-Type"] == page["Content-Type"] == "application/pdf"
        assert by_key.content == page.content == pdf_of(receipt)
    mallory = cast.mallory()
    foreign = program_of(mallory).get(f"receipts/{receipt.pk}.pdf")
    absent = program_of(mallory).get("receipts/rcp_1.pdf")
    assert (foreign.status_code, foreign.content) == (404, absent.content)
    assert browser_of(mallory).get(f"/receipts/{receipt.pk}/pdf/").status_code == 404


def test_a_statement_is_the_same_for_a_page_and_a_program_and_adds_up(market: Market) -> None:
    program, browser = program_of(market.alice), browser_of(market.alice)
    (total,) = program.get(f"statement/period?{LONG}").json()["results"]
    moved = int(total["came_in"]) - int(total["went_out"])
    assert int(total["closing"]) == int(total["opening"]) + moved
    rows = streamed(program.get(f"statement.csv?{LONG}"))
    amounts = [int(row[5].replace(".", "")) for row in rows[1:] if row[5]]
    assert sum(amounts) == moved
    assert rows == streamed(browser.get(f"/money/statement.csv?{LONG}"))
    page = browser.get(f"/money/statement/?{LONG}")
    assert page.status_code == 200
    assert b"Closing" in page.content


def test_a_statement_of_another_is_another(market: Market) -> None:
    rows = streamed(program_of(cast.mallory()).get(f"statement.csv?{LONG}"))
    assert len(rows) == 1
    assert len(streamed(program_of(market.bob).get(f"statement.csv?{LONG}"))) > 1


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"since": "2026-04-01", "until": "2026-04-01"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"since": "2026-13-01"},
        {"since": "=1+1"},
    ],
)
def test_a_period_that_is_none_is_refused_everywhere(asked: dict[str, str]) -> None:
    with pytest.raises(PeriodMalformed):
        window_of(asked, now=NOW)
    alice = cast.alice()
    program, browser = program_of(alice), browser_of(alice)
    query = "&".join(f"{key}={value}" for key, value in asked.items())
    assert program.get(f"statement/period?{query}").status_code == 400
    assert program.get(f"statement.csv?{query}").status_code == 400
    assert browser.get(f"/money/statement/?{query}").status_code == 400
    assert browser.get(f"/money/statement.csv?{query}").status_code == 400


def test_a_page_asks_for_whole_days_and_shows_the_very_days_it_counted(market: Market) -> None:
    usual = days_of({}, now=NOW)
    assert (usual.since, usual.until) == (MIDNIGHT - 29 * DAY, MIDNIGHT + DAY)
    assert usual.last_day == NOW.date()
    again = {"since": f"{usual.since:%Y-%m-%d}", "through": f"{usual.last_day}"}
    assert days_of(again, now=NOW + 5 * DAY) == usual
    assert days_of({"since": "2026-03-01", "through": "2026-03-01"}, now=NOW).name == (
        "2026-03-01-2026-03-02"
    )
    with pytest.raises(PeriodMalformed):
        days_of({"since": "2026-03-02", "through": "2026-03-01"}, now=NOW)
    today = f"{clock():%Y-%m-%d}"
    page = browser_of(market.alice).get("/money/statement/").content.decode()
    assert f'name="through" value="{today}"' in page
    shown = browser_of(market.alice).get(f"/money/statement/?since={today}&through={today}")
    assert "Set aside for work" in shown.content.decode()


def test_a_period_is_the_last_thirty_days_or_what_is_asked_for_in_utc() -> None:
    assert window_of({}, now=NOW).since == NOW - timedelta(days=30)
    asked = {"since": "2026-03-01", "until": "2026-03-31T01:00+02:00"}
    window = window_of(asked, now=NOW)
    assert (window.since.isoformat(), window.until.isoformat()) == (
        "2026-03-01T00:00:00+00:00",
        "2026-03-30T23:00:00+00:00",
    )


@pytest.mark.django_db(transaction=True)
def test_a_deposit_goes_back_once_per_key_and_never_beyond_itself() -> None:
    alice = cast.alice()
    program: Program = program_of(alice)
    made = program.pay("deposits", {"amount": "1000", "currency": "EUR"}).json()
    address = f"deposits/{made['id']}/refund"
    first = program.pay(address, {"amount": "600"}, "k")
    assert (first.status_code, first.json()["refund_of"]) == (201, made["id"])
    assert program.pay(address, {"amount": "600"}, "k").json()["id"] == first.json()["id"]
    refused = program.pay(address, {"amount": "401"}, "other")
    assert (refused.status_code, refused.json()["detail"]) == (
        422,
        "EUR 4.00 is left of this deposit.",
    )
    assert program_of(cast.mallory()).pay(address, {"amount": "1"}).status_code == 404
    assert Payout.objects.count() == 1


def test_a_payout_says_when_it_leaves() -> None:
    alice = cast.alice()
    program = program_of(alice)
    give(alice, 1_000, "EUR")
    made = program.pay("payouts", {"amount": "400", "currency": "EUR"}).json()
    asked = datetime.fromisoformat(made["requested_at"])
    assert datetime.fromisoformat(made["not_before_at"]) - asked == timedelta(days=10)
    assert made["state"] == "pending"
