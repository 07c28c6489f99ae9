"""A statement lists what moved a party's balance, and what each movement was for."""

import pytest

from settlement import escrow as escrows
from settlement.statements import statement
from tests.settlement.hires import START, funded

pytestmark = pytest.mark.django_db


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
