"""In the middle of a hire something dies. The hire is finished and the books balance all the same.

Each test makes a real hire through the API on real servers, kills with SIGKILL while the agent is
at work, and ends with verdict, settlement, receipt, standing, and an independent look at every row.
"""

import signal
import time
from typing import Any

import pytest

from tests.faults.checker import problems
from tests.faults.hire import Hire, everything_is_sequenced, hired
from tests.faults.payer import Payer
from tests.faults.reader import Reader
from tests.faults.stack import Stack


def is_finished(hire: Hire) -> None:
    """Money paid once, and every trial counted once, whatever the agent was asked twice."""
    escrow = hire.conclude()
    paid = (escrow["state"], escrow["released"], escrow["refunded"], escrow["fee"])
    assert paid == ("released", "9500", "0", "500")
    assert hire.trials() == [(n, "done", "none", 1) for n in range(hire.tasks)]
    asked = hire.agent.calls_of(hire.evaluation)
    assert set(asked) == {f"{hire.evaluation}.{n}" for n in range(hire.tasks)}
    receipts = hire.stack.get("alice", "receipts?limit=100")["results"]
    assert [r["escrow"] for r in receipts].count(escrow["id"]) == 1
    assert standing_of(hire) == [("accuracy", 1, hire.tasks, 0)]


def everything_balances(stack: Stack) -> None:
    """An independent look at every row finds nothing wrong."""
    stack.wait("log and standing", lambda: everything_is_sequenced(stack))
    with stack.database() as connection:
        assert problems(connection) == []


def standing_of(hire: Hire) -> list[tuple[Any, ...]]:
    return hire.stack.rows(
        """SELECT dimension, verdicts, passes, failures FROM reputation_standing
            WHERE version_id = %s""",
        hire.agent_version,
    )


def test_a_killed_worker_is_replaced_and_its_trials_are_tried_again(
    stack: Stack, reader: Reader
) -> None:
    with hired(stack) as hire:
        hire.reach_the_middle()
        stack.kill("worker")
        hire.must_resume(hire.finished())
        is_finished(hire)
    everything_balances(stack)


def test_a_broker_that_dies_and_forgets_every_message_loses_no_work(
    stack: Stack, reader: Reader
) -> None:
    with hired(stack) as hire:
        hire.reach_the_middle()
        stack.kill("valkey")
        stack.forget_messages()
        hire.must_resume(hire.finished())
        is_finished(hire)
    everything_balances(stack)


def test_a_killed_database_comes_back_with_everything_it_acknowledged(
    stack: Stack, reader: Reader
) -> None:
    with hired(stack) as hire:
        before = hire.reach_the_middle()
        with stack.outage("postgres"):
            answers = [stack.ask("", "GET", path) for path in ("/", "/readyz", "listings")]
            answers.append(stack.ask("alice", "GET", "balances"))
            answers.append(stack.ask("alice", "POST", "deposits", {}, key="during the outage"))
            assert stack.ask("", "GET", "/healthz").status == 200
        stack.wait("the database", lambda: hire.finished() >= before)
        assert stack.get("", "/readyz")["database"] == "ok"
        hire.must_resume(hire.finished())
        is_finished(hire)
    everything_balances(stack)
    assert [answer.status for answer in answers] == [503] * 5
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)


def test_a_killed_whole_is_finished_by_the_next_start(stack: Stack, reader: Reader) -> None:
    with hired(stack) as hire, Payer(stack, first=1_000_000) as payer:
        before = hire.reach_the_middle()
        stack.kill_everything()
        stack.start()
        hire.must_resume(max(before, hire.finished()))
        is_finished(hire)
    assert payer.acknowledged
    payer.settle()
    everything_balances(stack)


@pytest.mark.slow
def test_killed_pool_children_lose_no_trial_silently(stack: Stack, reader: Reader) -> None:
    with hired(stack) as hire:
        hire.reach_the_middle()
        assert stack.kill_children("worker")
        hire.must_resume(hire.finished())
        is_finished(hire)
    everything_balances(stack)


@pytest.mark.slow
def test_a_hire_funded_while_the_broker_is_away_begins_once_it_is_back(
    stack: Stack, reader: Reader
) -> None:
    with stack.outage("valkey"), hired(stack) as hire:
        assert hire.finished() == 0
        assert stack.process
        stack.process.send_signal(signal.SIGCONT)
        hire.must_resume(0)
        is_finished(hire)
    everything_balances(stack)


@pytest.mark.slow
def test_two_hires_survive_one_fault_after_another(stack: Stack, reader: Reader) -> None:
    with (
        hired(stack, tasks=120) as first,
        hired(stack, tasks=120) as second,
        Payer(stack, first=2_000_000) as payer,
    ):
        first.reach_the_middle()
        for hurt in ("worker", "valkey", "postgres"):
            stack.kill(hurt)
            stack.forget_messages() if hurt == "valkey" else None
            time.sleep(3)
        stack.wait("the database", first.finished)
        stack.kill_children("worker")
        for hire in (first, second):
            is_finished(hire)
    payer.settle()
    everything_balances(stack)
