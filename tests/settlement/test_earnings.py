"""A builder's earnings: sums of the ledger's own entries, equal to what the parties were told."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pacts.models import Party
from settlement import earnings, ledger, settlements
from settlement import escrow as escrows
from settlement.earnings import Earned, Expected
from settlement.models import Entry, Escrow
from tests.settlement import hires, metered
from tests.settlement.hires import START

pytestmark = pytest.mark.django_db

outcomes = st.tuples(
    st.sampled_from(["met", "breached", "undetermined"]),
    st.integers(1, 8_000),
    st.integers(0, 10_000),
)


def by_hire(party: Party) -> list[Earned]:
    return earnings.of_hires(party, earnings.hires(party))


def expected(party: Party) -> list[Expected]:
    return earnings.expected(earnings.undecided(party))


def ends(made: hires.Hire, ways: list[tuple[str, int, int]]) -> None:
    """Each milestone is funded, judged and left to the clock."""
    for number, (outcome, _, share) in enumerate(ways):
        made.milestone = made.engagement.milestones.order_by("position")[number]
        made.fund(key=f"m{number}")
        rule = "prorate" if outcome == "undetermined" else ""
        made.judge(outcome, share=share if outcome != "met" else 10_000, rule=rule)
    for later in (1, 2, 3, 5, 8, 40):
        settlements.settle_due(now=START + timedelta(days=later))


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    ways=st.lists(outcomes, min_size=1, max_size=3),
    fee_bps=st.integers(0, 2_000),
    banded=st.booleans(),
)
def test_whatever_hires_come_to_the_sums_reconcile_to_the_unit(
    ways: list[tuple[str, int, int]], fee_bps: int, banded: bool
) -> None:
    with transaction.atomic():
        made = hires.hire(
            prices=[price for _, price, _ in ways],
            money=sum(price for _, price, _ in ways),
            fee_bps=fee_bps,
            fee_bands=[(0, fee_bps), (5_000, fee_bps // 3)] if banded else (),
        )
        ends(made, ways)
        bob = made.bob.party
        books = earnings.books_of(bob)
        assert all(one.holds for one in earnings.checks(bob, books))
        (total,) = books.totals
        assert total.released + total.fee + total.refunded == sum(price for _, price, _ in ways)
        account = ledger.party_account(party=bob, currency="USD")
        own = sum(Entry.objects.filter(account=account).values_list("amount", flat=True))
        assert total.released == own
        for groups in (books.by_agent, books.by_month, by_hire(bob)):
            assert sum(one.released for one in groups) == total.released
            assert sum(one.fee for one in groups) == total.fee
            assert sum(one.refunded for one in groups) == total.refunded
        assert expected(bob) == []
        transaction.set_rollback(True)


def test_what_is_set_aside_is_expected_with_its_date_and_what_would_come_of_it() -> None:
    made = hires.funded(price=10_000, fee_bps=500)
    (one,) = expected(made.bob.party)
    assert (one.amount, one.net, one.state) == (10_000, 9_500, "held")
    assert one.by == made.escrow.next_action_at
    assert earnings.books_of(made.bob.party).totals == []
    assert by_hire(made.bob.party) == []
    assert expected(made.alice.party) == []


def test_a_buyer_earns_nothing_by_what_returns_to_it() -> None:
    made = hires.funded()
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=2))
    assert earnings.books_of(made.alice.party).totals == []
    (total,) = earnings.books_of(made.bob.party).totals
    assert (total.released, total.fee, total.refunded) == (9_500, 500, 0)


def test_a_bond_that_returns_is_no_earning() -> None:
    made = hires.funded(bond=2_000)
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=2))
    books = earnings.books_of(made.bob.party)
    assert [one.released for one in books.totals] == [9_500]
    assert all(one.holds for one in earnings.checks(made.bob.party, books))


def test_a_metered_hire_that_runs_is_a_budget_and_no_escrow() -> None:
    made = metered.running()
    made.report(good=metered.WINDOW + 1)
    made.look()
    bob, books = made.bob.party, earnings.books_of(made.bob.party)
    (budget,) = earnings.budgets(bob, limit=5)
    assert budget.available > 0
    assert expected(bob) == []
    checks = earnings.checks(bob, books)
    assert checks
    assert all(one.holds for one in checks)
    (one,) = by_hire(bob)
    assert (one.key, one.name) == (made.engagement.pk, made.engagement.agent_version.agent.name)
    assert [(agent.released, agent.fee) for agent in books.by_agent] == [(one.released, one.fee)]


def test_hires_are_added_up_for_those_that_are_asked_about_and_for_their_builder_alone() -> None:
    made = hires.funded()
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=2))
    asked = earnings.hires(made.bob.party)
    assert [row.pk for row in asked] == [made.engagement.pk]
    assert [one.released for one in earnings.of_hires(made.bob.party, asked)] == [9_500]
    assert earnings.of_hires(made.bob.party, []) == []
    assert earnings.of_hires(made.alice.party, asked) == []


def test_everything_of_the_books_is_read_in_one_pass_over_the_entries(
    django_assert_num_queries: Any,
) -> None:
    made = hires.funded()
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=2))
    with django_assert_num_queries(2):  # what ended escrows, and what budgets paid
        books = earnings.books_of(made.bob.party)
        assert books.totals
        assert books.by_agent
        assert books.by_month
    with django_assert_num_queries(2):  # what escrows and meters told
        assert earnings.checks(made.bob.party, books)


def test_the_next_decision_comes_first() -> None:
    made = hires.hire(prices=[4_000, 6_000], money=10_000)
    for number, milestone in enumerate(made.engagement.milestones.order_by("position")):
        made.milestone = milestone
        made.fund(key=f"m{number}")
    first, last = earnings.undecided(made.bob.party)
    later = START + timedelta(days=9)
    Escrow.objects.filter(pk=first.pk).update(next_action_at=later, version=F("version") + 1)
    assert [one.pk for one in earnings.undecided(made.bob.party)] == [last.pk, first.pk]
    assert [one.by for one in expected(made.bob.party)] == [last.next_action_at, later]
