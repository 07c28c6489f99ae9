"""What the database refuses of metered budgets, and what an audit finds once it was forced."""

import pytest
from django.db import connection

from settlement.audit import audit
from settlement.models import MeterPause
from tests.faults.checker import problems
from tests.settlement.metered import TICK, WINDOW, Metered, running
from tests.settlement.test_audit import tamper
from tests.settlement.test_guards import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> Metered:
    """A budget of which one window was paid."""
    hired = running()
    hired.report(good=WINDOW + 1)
    hired.look()
    assert audit(now=hired.at) == []
    return hired


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("paid = paid + 1, version = version + 1", "meter_says_its_balance"),
        ("funded = funded - 1, version = version + 1", "meter_says_its_balance"),
        ("reason = 'x'", "meter_version_follows"),
        ("currency = 'EUR', version = version + 1", "meter_terms_are_fixed"),
        ("terms = '{}', version = version + 1", "meter_terms_are_fixed"),
        ("withheld = withheld + 9000, version = version + 1", "meter_spends_what_it_has"),
        ("next_action_at = NULL, version = version + 1", "meter_waits_for_a_moment"),
    ],
)
def test_a_budget_that_says_something_else_is_refused(
    made: Metered, change: str, rule: str
) -> None:
    refused(f"UPDATE settlement_meter SET {change}", rule)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM settlement_meter",
        "TRUNCATE settlement_meter CASCADE",
        "UPDATE settlement_meterwindow SET verified = verified + 1, calls = calls + 1",
        "DELETE FROM settlement_meterwindow",
        "UPDATE settlement_metermovement SET amount = amount + 1",
        "DELETE FROM settlement_metermovement",
        "UPDATE settlement_meterstatement SET body = '{}'",
        "TRUNCATE settlement_meterstatement CASCADE",
    ],
)
def test_what_happened_to_a_budget_is_never_changed(made: Metered, sql: str) -> None:
    refused(sql, "")


def test_a_pause_that_ended_is_never_changed(made: Metered) -> None:
    MeterPause.objects.create(
        meter=made.meter, cause="buyer", began_at=made.at, ended_at=made.at + TICK
    )
    refused("UPDATE settlement_meterpause SET ended_at = began_at", "")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (
            "UPDATE settlement_meter SET paid = paid + 1, fees = fees - 1",
            "every metered budget says what the entries of its account say",
        ),
        (
            "UPDATE settlement_meterwindow SET paid = paid - 1, fee = fee + 1",
            "every window of a metered budget was paid what it earned, once",
        ),
        (
            "UPDATE settlement_meter SET held_back = held_back + 1",
            "what a metered budget keeps back and withholds is what its windows say",
        ),
        (
            "DELETE FROM settlement_meterstatement",
            "every settled window has a signed statement and one record in the log",
        ),
        (
            "DELETE FROM settlement_metermovement",
            "every draw of a metered budget is one window's, and every movement has its row",
        ),
    ],
)
def test_the_audit_names_what_was_tampered_with(made: Metered, change: str, rule: str) -> None:
    tamper(change)
    assert rule in {finding.rule for finding in audit(now=made.at)}


def test_an_independent_look_finds_the_same(made: Metered) -> None:
    connection.ensure_connection()
    ours = [one for one in problems(connection.connection, settled=False) if "budget" in one]
    assert ours == []
    tamper("UPDATE settlement_meter SET paid = paid + 1, fees = fees - 1")
    found = problems(connection.connection, settled=False)
    assert any(f"4: budget {made.meter.pk} says" in one for one in found)
