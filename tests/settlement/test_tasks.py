"""Sweeps: what a lost hint forgot is found; two at once do not get in each other's way."""

import pytest
from django.db import connections

from settlement import tasks
from settlement.models import Account, QueuedCredit
from tests.settlement.hires import Hire, funded, hire

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sweep_settles_what_no_hint_spoke_of() -> None:
    made = funded()
    made.judge("met")
    tasks.sweep_settlements()
    assert made.escrow.state == "released"


def test_a_hint_that_comes_twice_or_late_changes_nothing() -> None:
    made = funded()
    made.judge("met")
    for _ in range(3):
        tasks.settle_escrow(made.escrow.pk)
    assert made.balances() == (0, 9_500, 500)


def test_a_second_sweep_at_the_same_time_leaves_the_work_to_the_first() -> None:
    made: Hire = funded()
    made.judge("met")
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('settlement.sweep_settlements'))")
            tasks.sweep_settlements()
            assert made.escrow.state == "held"
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
    tasks.sweep_settlements()
    assert made.escrow.state == "released"


def test_the_roll_up_leaves_no_queue() -> None:
    hire()
    assert QueuedCredit.objects.exists()
    tasks.roll_up_credits()
    assert not QueuedCredit.objects.exists()
    assert Account.objects.get(kind="rail").balance == -10_000


def test_every_scheduled_task_exists() -> None:
    for entry in tasks.SCHEDULE.values():
        assert hasattr(tasks, str(entry["task"]).removeprefix("settlement.tasks."))
