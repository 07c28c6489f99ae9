"""Many at once on one escrow: with real connections, it pays exactly once."""

import pytest

from pacts.models import Dispute
from settlement import escrow as escrows
from settlement import ledger
from settlement.audit import audit
from settlement.models import Escrow, Receipt, Transfer
from settlement.settlements import settle, settle_due
from tests.racing import in_parallel
from tests.settlement.hires import ACCEPTANCE, START, TICK, funded, hire

pytestmark = pytest.mark.django_db(transaction=True)
LATER = START + ACCEPTANCE * 3


def test_twenty_clients_racing_to_accept_give_back_dispute_and_sweep_pay_once() -> None:
    made = funded()
    made.judge("met")
    escrow, turns = made.escrow, iter(range(20))

    def act() -> str:
        turn = next(turns) % 4
        if turn == 0:
            escrows.accept(escrow=escrow, by=made.alice.party, now=START + 4 * TICK)
        elif turn == 1:
            escrows.give_back(escrow=escrow, by=made.bob.party, now=START + 4 * TICK)
        elif turn == 2:
            escrows.dispute(
                escrow=escrow,
                party=made.alice.party,
                by=made.alice.user,
                ground=Dispute.Ground.PERFORMANCE,
                statement="These answers are wrong.",
                now=START + 4 * TICK,
            )
        else:
            settle(escrow_id=escrow.pk, now=START + 4 * TICK)
        return "done"

    results = in_parallel(20, act)

    assert not [one for one in results if not isinstance(one, str | escrows.EscrowRefused)]
    paid = Transfer.objects.filter(resolves=made.escrow.hold_id).count()
    assert paid == (0 if made.escrow.state == "frozen" else 1)
    assert paid == Receipt.objects.count()
    assert sum(made.balances()) + (0 if paid else 10_000) == 10_000


def test_two_sweepers_and_a_nudge_settle_each_escrow_once() -> None:
    made = hire(prices=[1_000] * 6, money=6_000)
    for milestone in made.engagement.milestones.all():
        made.milestone = milestone
        made.fund(key=milestone.pk)
        made.judge("met")
    first, turns = Escrow.objects.order_by("pk")[0], iter(range(4))

    def act() -> None:
        if next(turns) == 0:
            settle(escrow_id=first.pk, now=LATER)
        else:
            settle_due(now=LATER)

    assert in_parallel(4, act) == [None] * 4
    settle_due(now=LATER)
    assert set(Escrow.objects.values_list("state", flat=True)) == {"released"}
    assert Receipt.objects.count() == 6
    assert made.balances() == (0, 5_700, 300)
    assert audit(now=LATER) == []


def test_eight_clicks_on_fund_fund_once() -> None:
    made = hire(money=80_000)
    results = in_parallel(8, lambda: made.fund(key="button"))
    assert {one.pk for one in results} == {made.escrow.pk}
    assert made.balances()[0] == 70_000
    assert made.milestone.deliverables.count() == 1


def test_one_balance_funds_only_one_of_two_milestones_at_once() -> None:
    made = hire(prices=[6_000, 6_000], money=10_000)
    milestones = iter(list(made.engagement.milestones.all()))

    def act() -> Escrow:
        milestone = next(milestones)
        return escrows.fund(
            milestone=milestone, by=made.alice.party, idempotency_key=milestone.pk, now=START
        )

    results = in_parallel(2, act)
    assert sum(isinstance(one, ledger.InsufficientFunds) for one in results) == 1
    assert made.balances()[0] == 4_000
