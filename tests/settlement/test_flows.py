"""What moved in a period adds up to its statement, and what was set aside to where it went."""

from datetime import timedelta

import pytest

from reputation.clock import database_now
from settlement import escrow as escrows
from settlement import flows, statements
from tests.settlement.hires import START, funded

pytestmark = pytest.mark.django_db
ALWAYS = {"since": START - timedelta(days=9_000), "until": START + timedelta(days=9_000)}


def test_what_moved_is_the_difference_between_the_balances() -> None:
    made = funded()
    made.judge("met", share=4_000)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START)
    for actor in (made.alice, made.bob):
        (period,) = statements.period(party=actor.party, **ALWAYS)
        moved = flows.moved(party=actor.party, **ALWAYS)
        assert sum(one.amount for one in moved) == period.closing - period.opening
    assert [(one.kind, one.amount) for one in flows.moved(party=made.alice.party, **ALWAYS)] == [
        ("deposit", 10_000),
        ("split", 6_000),
        ("hold", -10_000),
    ]


def test_what_was_set_aside_waits_and_then_goes_somewhere_to_the_cent() -> None:
    made = funded()
    (before,) = flows.set_aside(party=made.alice.party, **ALWAYS)
    assert (before.side, before.amount, before.waiting) == ("buyer", 10_000, 10_000)
    made.judge("met", share=4_000)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START)
    (bought,) = flows.set_aside(party=made.alice.party, **ALWAYS)
    (built,) = flows.set_aside(party=made.bob.party, **ALWAYS)
    assert (bought.released, bought.fees, bought.refunded, bought.waiting) == (3_800, 200, 6_000, 0)
    assert bought.amount == bought.released + bought.fees + bought.refunded + bought.waiting
    assert (built.side, built.released) == ("builder", 3_800)


def test_a_period_before_everything_moved_nothing() -> None:
    made = funded()
    long_ago = {"since": START - timedelta(days=9_000), "until": START - timedelta(days=8_999)}
    assert flows.moved(party=made.alice.party, **long_ago) == []
    assert flows.set_aside(party=made.alice.party, **long_ago) == []
    later = database_now() + timedelta(days=9_000)
    assert flows.moved(party=made.alice.party, since=later, until=later + timedelta(1)) == []
