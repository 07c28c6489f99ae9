"""Statements of a metered hire, added up, are the ledger: to the minor unit, in any currency."""

import json

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement import metering_statements, meters
from settlement.audit import audit
from settlement.models import Entry, MeterStatement
from settlement.money import exponent_of
from settlement.paper import pdf_of
from tests.settlement.metered import TICK, WINDOW, Metered, clause, running

pytestmark = pytest.mark.django_db

CURRENCIES = {"JPY": 0, "EUR": 2, "KWD": 3, "USDC": 6}


def to_the_end(made: Metered) -> None:
    meters.end(meter=made.meter, by=made.bob.party, now=made.at)
    while (moment := made.look().next_action_at) is not None:
        made.look(at=moment + TICK)


@settings(max_examples=3, deadline=None)
@given(
    currency=st.sampled_from(sorted(CURRENCIES)),
    price=st.integers(1, 999),
    per=st.integers(1, 7),
    holdback=st.integers(0, 5_000),
    fee=st.integers(0, 3_000),
    rule=st.sampled_from(["release", "prorate", "withhold"]),
    calls=st.lists(
        st.tuples(st.integers(0, 2 * WINDOW), st.integers(0, 12)), min_size=1, max_size=3
    ),
)
def test_statements_add_up_to_the_ledger_in_every_currency(
    currency: str,
    price: int,
    per: int,
    holdback: int,
    fee: int,
    rule: str,
    calls: list[tuple[int, int]],
) -> None:
    assert exponent_of(currency) == CURRENCIES[currency]
    with transaction.atomic():
        made = running(
            clause(on_undetermined=rule),
            currency=currency,
            price=price,
            per=per,
            holdback_bps=holdback,
            fee_bps=fee,
            fee_bands=((0, fee), (1_000, fee // 3)),
        )
        for good, bad in calls:
            if made.look().state == "running":  # the budget may be used up by now
                made.report(good=good, bad=bad)
        to_the_end(made)
        statements_are_the_ledger(made)
        transaction.set_rollback(True)


def statements_are_the_ledger(made: Metered) -> None:
    meter = made.now()
    bodies = [json.loads(one.body) for one in MeterStatement.objects.order_by("pk")]
    for body in bodies:
        sums, rows = body["arithmetic"], body["transfers"]
        assert sums["due"] == sums["uncovered"] + sums["unearned"] + sums["earned"]
        assert sums["earned"] == sums["paid"] + sums["fee"] + sums["held_back"]
        moved = [entry["amount"] for row in rows for entry in row["entries"]]
        assert sum(moved) == 0
        assert -min(moved, default=0) == sums["paid"] + sums["fee"]
        assert body["balance"]["balance"] == body["balance"]["available"] + (
            body["balance"]["held_back"] + body["balance"]["withheld"]
        )
        assert (
            sum(body["calls"]["excluded"].values()) + body["calls"]["verified"]
            == (body["calls"]["calls"])
        )
    of_windows = {
        name: sum(body["arithmetic"][name] for body in bodies)
        for name in ("paid", "fee", "held_back")
    }
    last = meter.movements.filter(kind="holdback").first()
    assert of_windows["held_back"] == (last.amount if last else 0)
    assert meter.paid + meter.fees == sum(of_windows.values())
    assert made.balances() == (10_000 - meter.paid - meter.fees, meter.paid, meter.fees)
    assert sum(Entry.objects.filter(account=meter.account).values_list("amount", flat=True)) == 0
    assert audit(now=made.at) == []


def test_a_statement_on_paper_is_always_the_same_bytes_and_holds_every_figure() -> None:
    made = running()
    made.report(good=WINDOW + 1)
    made.look()
    statement = made.window().statement
    assert pdf_of(statement) == pdf_of(statement)
    assert pdf_of(statement).startswith(b"%PDF")


def test_a_statement_that_was_altered_does_not_verify() -> None:
    made = running()
    made.report(good=WINDOW + 1)
    made.look()
    statement = made.window().statement
    assert metering_statements.holds(statement)
    statement.body = statement.body.replace('"paid":1710', '"paid":1711')
    assert not metering_statements.holds(statement)
