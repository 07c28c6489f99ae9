"""A statement lists what moved a party's balance, what for, and adds up over any period."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pacts.models import Milestone
from reputation.clock import database_now
from reputation.identifiers import new_id
from settlement import escrow as escrows
from settlement import statements
from settlement.statements import period, statement
from tests import cast
from tests.settlement.hires import START, funded, give

DAY = timedelta(days=1)


@pytest.mark.django_db
def test_a_statement_names_what_each_movement_was_for_newest_first() -> None:
    made = funded()
    made.judge("met", share=4_000)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START)
    lines = statement(party=made.alice.party)
    assert [(line.kind, line.amount, line.balance_after) for line in lines] == [
        ("split", 6_000, 6_000),
        ("hold", -10_000, 0),
        ("deposit", 10_000, 10_000),
    ]
    assert [line.subject for line in lines[:2]] == [made.escrow.pk] * 2
    assert [line.amount for line in statement(party=made.bob.party)] == [3_800]


def rows_of(actor: cast.Actor, since: datetime, until: datetime) -> list[list[str]]:
    text = "".join(statements.csv(party=actor.party, since=since, until=until))
    return list(csv.reader(StringIO(text)))


@pytest.mark.django_db(transaction=True)
def test_a_period_opens_where_the_one_before_closed_and_adds_up() -> None:
    alice, marks = cast.alice(), [database_now()]
    for n, amount in enumerate((1_250, 500, 7)):
        give(alice, amount, "USD" if n < 2 else "JPY", key=f"gift {n}")
        marks.append(database_now())
    first, second, third = (
        period(party=alice.party, since=since, until=until) for since, until in pairwise(marks)
    )
    assert [(one.currency, one.opening, one.closing) for one in first] == [("USD", 0, 1_250)]
    assert [(one.currency, one.opening, one.closing) for one in second] == [("USD", 1_250, 1_750)]
    assert [(one.currency, one.closing) for one in third] == [("JPY", 7), ("USD", 1_750)]
    header, *rows = rows_of(alice, marks[1], marks[3])
    assert tuple(header) == statements.COLUMNS
    assert [row[1] for row in rows] == [
        *["opening balance"] * 2,
        *["deposit"] * 2,
        *["closing balance"] * 2,
    ]
    assert [row[4:] for row in rows if row[1] == "deposit"] == [
        ["USD", "5.00", "17.50"],
        ["JPY", "7", "7"],
    ]
    assert [row[4:] for row in rows[-2:]] == [["JPY", "", "7"], ["USD", "", "17.50"]]


@pytest.mark.django_db
def test_a_milestone_named_as_a_formula_stays_a_name() -> None:
    made = funded()
    title = '=HYPERLINK("http://mallory.example";"click")'
    with connection.cursor() as cursor:  # as the builder might have named it
        cursor.execute("SET LOCAL session_replication_role = replica")
        Milestone.objects.filter(pk=made.milestone.pk).update(title=title)
        cursor.execute("SET LOCAL session_replication_role = origin")
    now = database_now()
    rows = rows_of(made.alice, now - DAY, now + DAY)
    held = next(row for row in rows if row[1] == "hold")
    assert held[2] == "'" + title
    assert (held[3], held[5], held[6]) == (made.escrow.pk, "-100.00", "0.00")


@pytest.mark.django_db
def test_a_statement_of_nothing_is_a_header() -> None:
    now = database_now()
    assert rows_of(cast.alice(), now - DAY, now) == [list(statements.COLUMNS)]


@pytest.mark.django_db
def test_a_long_statement_is_read_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, now = cast.alice(), database_now()
    for n in range(12):
        give(alice, 1, key=f"gift {n}")
    monkeypatch.setattr(statements, "CHUNK", 5)
    with CaptureQueriesContext(connection) as asked:
        lines = list(statements.lines(party=alice.party, since=now - DAY, until=now + DAY))
    assert [line.balance_after for line in lines] == list(range(1, 13))
    assert len(asked) <= 2 + 3 * 6  # one question for each kind of thing a movement can be for


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(1, 10**12), max_size=8))
def test_opening_and_every_line_add_up_to_closing(amounts: list[int]) -> None:
    alice = cast.actor(new_id("name"))
    for n, amount in enumerate(amounts):
        give(alice, amount, ["USD", "JPY", "USDC"][n % 3], key=f"{alice.party.pk} {n}")
    now = database_now()
    window: dict[str, Any] = {"party": alice.party, "since": now - DAY, "until": now + DAY}
    lines = list(statements.lines(**window))
    for one in period(**window):
        own = [line for line in lines if line.currency == one.currency]
        assert one.opening + sum(line.amount for line in own) == one.closing
        assert own[-1].balance_after == one.closing
    assert len(lines) == len(amounts)
