"""A builder's earnings: sums of the ledger's own entries, equal to what the parties were told."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from settlement import earnings, ledger, settlements
from settlement import escrow as escrows
from settlement.models import Entry
from tests.settlement import hires, metered
from tests.settlement.hires import START

pytestmark = pytest.mark.django_db

outcomes = st.tuples(
    st.sampled_from(["met", "breached", "undetermined"]),
    st.integers(1, 8_000),
    st.integers(0, 10_000),
)


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
        assert all(one.holds for one in earnings.checks(bob))
        (total,) = earnings.totals(bob)
        assert total.released + total.fee + total.refunded == sum(price for _, price, _ in ways)
        account = ledger.party_account(party=bob, currency="USD")
        own = sum(Entry.objects.filter(account=account).values_list("amount", flat=True))
        assert total.released == own
        for groups in (earnings.by_agent(bob), earnings.by_month(bob), earnings.by_hire(bob)):
            assert sum(one.released for one in groups) == total.released
            assert sum(one.fee for one in groups) == total.fee
            assert sum(one.refunded for one in groups) == total.refunded
        assert earnings.expected(bob) == []
        transaction.set_rollback(True)


def test_what_is_set_aside_is_expected_with_its_date_and_what_would_come_of_it() -> None:
    made = hires.funded(price=10_000, fee_bps=500)
    (one,) = earnings.expected(made.bob.party)
    assert (one.amount, one.net, one.state) == (10_000, 9_500, "held")
    assert one.by == made.escrow.next_action_at
    assert earnings.totals(made.bob.party) == []
    assert earnings.expected(made.alice.party) == []


def test_a_buyer_earns_nothing_by_what_returns_to_it() -> None:
    made = hires.funded()
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=2))
    assert earnings.totals(made.alice.party) == []
    (total,) = earnings.totals(made.bob.party)
    assert (total.released, total.fee, total.refunded) == (9_500, 500, 0)


def test_a_bond_that_returns_is_no_earning() -> None:
    made = hires.funded(bond=2_000)
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=2))
    (total,) = earnings.totals(made.bob.party)
    assert total.released == 9_500
    assert all(one.holds for one in earnings.checks(made.bob.party))


def test_a_metered_hire_that_runs_is_a_budget_and_no_escrow() -> None:
    made = metered.running()
    (budget,) = earnings.budgets(made.bob.party)
    assert budget.available > 0
    assert earnings.expected(made.bob.party) == []
    assert all(one.holds for one in earnings.checks(made.bob.party))
