"""What an escrow's case is when it is only told: nothing waits, is locked or written."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pacts.models import Evaluation, Verdict
from settlement.escrow import why_undisputable
from settlement.settlements import settle_due
from tests.settlement.hires import ACCEPTANCE, EVALUATED_BY, TICK, funded

pytestmark = pytest.mark.django_db


def test_asking_whether_one_may_dispute_concludes_no_overdue_run_and_locks_nothing() -> None:
    made = funded()
    with CaptureQueriesContext(connection) as asked:
        why = why_undisputable(escrow=made.escrow, now=EVALUATED_BY + TICK)
    assert why == "there is no verdict on the last delivery yet"
    assert made.delivery.evaluation.state == Evaluation.State.RUNNING
    assert not Verdict.objects.exists()
    said = [query["sql"].split(None, 1)[0] for query in asked.captured_queries]
    assert set(said) == {"SELECT"}, said
    assert not [query["sql"] for query in asked.captured_queries if " FOR " in query["sql"]]


def test_the_answer_is_the_rules_own_up_to_the_end_of_the_window() -> None:
    made = funded()
    fell = made.judge("met").concluded_at
    assert why_undisputable(escrow=made.escrow, now=fell + ACCEPTANCE) is None
    closed = why_undisputable(escrow=made.escrow, now=fell + ACCEPTANCE + TICK)
    assert closed == "the window for this has closed; the outcome follows"


def test_of_settled_money_it_says_that() -> None:
    made = funded()
    fell = made.judge("met").concluded_at
    settle_due(now=fell + ACCEPTANCE + TICK)
    late = fell + ACCEPTANCE + 2 * TICK
    assert why_undisputable(escrow=made.escrow, now=late) == "this escrow was released already"
