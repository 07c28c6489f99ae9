"""A sweep of many shares its statements: its cost per escrow is a fraction of a single one's."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from settlement.audit import audit
from settlement.models import Escrow, Receipt
from settlement.receipts import holds
from settlement.settlements import settle, settle_due
from tests.settlement.hires import ACCEPTANCE, START, Hire, hire

pytestmark = pytest.mark.django_db
LATER = START + ACCEPTANCE * 3


def many(count: int, bond: int = 0) -> Hire:
    made = hire(prices=[1_000] * count, money=1_000 * count, bond=bond, stake=bond * count)
    for milestone in made.engagement.milestones.all():
        made.milestone = milestone
        made.fund(key=milestone.pk)
        made.judge("met")
    return made


def statements(count: int) -> int:
    many(count)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert settle_due(now=LATER) == count
    return len(seen)


def test_thirty_escrows_take_the_statements_of_two() -> None:
    # The first sale of a market opens accounts, the platform's key and the first head of the log.
    assert statements(30) <= 50


def test_ten_in_a_batch_end_as_ten_alone_do() -> None:
    made = many(10, bond=50)
    ids = list(Escrow.objects.order_by("pk").values_list("pk", flat=True))
    settle(escrow_id=ids[0], now=LATER)
    alone = Escrow.objects.get(pk=ids[0])
    assert settle_due(now=LATER) == 9
    compared = ("state", "reason", "released", "refunded", "fee", "timeout", "fault", "version")
    for escrow in Escrow.objects.all():
        assert [getattr(escrow, name) for name in compared] == [
            getattr(alone, name) for name in compared
        ]
        assert escrow.bond.state == "returned"
    receipts = Receipt.objects.select_related("key")
    assert receipts.count() == 10
    assert all(holds(receipt) for receipt in receipts)
    assert made.balances() == (0, 9_500 + 500, 500)
    assert audit(now=LATER) == []
    made.engagement.refresh_from_db()
    assert made.engagement.state == "closed"
