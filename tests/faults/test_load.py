"""Everything dies, one after the other, while twenty clients act on many escrows.

Real servers, web, worker and beat, a second worker and a second beat beside them. What must come
out: nothing lost, nothing doubled, and no escrow past its deadline a minute after the last fault.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import pytest
import redis

from tests.faults.agent import slow_agent
from tests.faults.checker import problems
from tests.faults.crowd import Crowd
from tests.faults.hire import PRICE, everything_is_sequenced, golden_set, list_agent
from tests.faults.reader import Reader
from tests.faults.stack import ROOT, Stack, clean_environment

# CI runs test_faults.py and test_load_races.py instead: the same faults, and the same races.
pytestmark = pytest.mark.slow

SETTLED_WITHIN_SECONDS = 60.0
QUEUE = "celery"
SHORT_SECONDS = 8


@dataclass(frozen=True, slots=True)
class Market:
    """Milestones whose evaluation is through, and the version of the agent that did the work."""

    milestones: list[str]
    agent_version: str


@contextmanager
def market(stack: Stack, escrows: int) -> Iterator[Market]:
    """That many hires of one quick agent, judged; every second one is accepted by silence soon."""
    with slow_agent(0.0) as agent:
        # Several tests share one stack, and an agent's name is taken once.
        offer = {"name": f"Quick {uuid4().hex}", "work": "arithmetic", "endpoint": agent.url}
        registered = stack.post("bob", "agents", offer)
        listing = list_agent(stack, agent, registered)
        deposit = {"amount": str(PRICE * escrows), "currency": "EUR"}
        stack.post("alice", "deposits", deposit)
        tasks = golden_set(stack, 3)
        made = [hire(stack, listing, tasks, short=n % 2 == 0) for n in range(escrows)]
        stack.wait("the verdicts", lambda: judged(stack, made) == escrows)
        yield Market(made, registered["latest_version"])


def hire(stack: Stack, listing: str, tasks: str, *, short: bool) -> str:
    """One funded milestone. The API lets nobody agree on seconds, so a superuser does."""
    asked = {"listing": listing, "task_set_version": tasks}
    engagement = stack.post("alice", "engagements", asked)
    if short:
        with stack.database() as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(
                "UPDATE pacts_engagement SET acceptance_seconds = %s WHERE id = %s",
                (SHORT_SECONDS, engagement["id"]),
            )
    milestone = str(engagement["milestones"][0]["id"])
    stack.post("alice", f"milestones/{milestone}/funding")
    return milestone


def judged(stack: Stack, milestones: list[str]) -> int:
    question = """SELECT count(*) FROM pacts_verdict v
                    JOIN pacts_evaluation e ON e.id = v.evaluation_id
                    JOIN pacts_deliverable d ON d.id = e.deliverable_id
                   WHERE d.milestone_id = ANY(%s)"""
    return sum(count for (count,) in stack.rows(question, milestones))


# --- more of everything -------------------------------------------------------------------------


@contextmanager
def twins(stack: Stack) -> Iterator[None]:
    """A second beat and a second worker on the same rows and the same queue."""
    celery = [sys.executable, "-m", "celery", "-A", "marketplace.celery"]
    schedule = str(stack.folder / "second-beat")
    commands = [
        [*celery, "beat", "--schedule", schedule, "--pidfile="],
        [*celery, "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"],
    ]
    environment = clean_environment() | stack.urls
    environment |= {
        "EARNEST_DEVELOPMENT": "1",
        "EARNEST_EGRESS_ALLOW_LOOPBACK": "1",
        "EARNEST_SECRET_KEY": (stack.folder / "secret-key").read_text(),
    }
    running = [
        subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def send_every_message_thrice(stack: Stack, seconds: float) -> int:
    """Let hints pile up, then deliver each three times in any order; how many there were."""
    worker = stack.pid("worker")
    os.killpg(worker, signal.SIGSTOP)
    try:
        time.sleep(seconds)
        with redis.Redis.from_url(stack.urls["REDIS_URL"]) as line:
            waiting = line.lrange(QUEUE, 0, -1)
            assert isinstance(waiting, list)
            thrice = [copy for message in waiting for copy in copies(message)]
            random.shuffle(thrice)
            line.delete(QUEUE)
            if thrice:
                line.rpush(QUEUE, *thrice)
    finally:
        os.killpg(worker, signal.SIGCONT)
    return len(waiting)


def copies(message: bytes) -> list[bytes]:
    """Three deliveries; each has a tag of its own, or the broker would take them for one."""
    found = json.loads(message)
    made = []
    for number in range(3):
        found["properties"]["delivery_tag"] = f"{found['properties']['delivery_tag']}-{number}"
        made.append(json.dumps(found).encode())
    return made


# --- what must come out -------------------------------------------------------------------------


def must_settle_in_time(stack: Stack) -> float:
    """No escrow is past its deadline a minute after the fault; how long it took."""
    question = """SELECT count(*) FROM settlement_escrow
                   WHERE next_action_at < clock_timestamp() - interval '3 seconds'"""
    return stack.wait(
        "every escrow past its deadline to be settled",
        lambda: stack.rows(question) == [(0,)],
        seconds=SETTLED_WITHIN_SECONDS,
    )


def everything_came_out(stack: Stack, crowd: Crowd, found: Market) -> None:
    must_settle_in_time(stack)
    assert crowd.wrong == []
    assert crowd.without_a_hint == []
    for order in crowd.unsure:
        stack.wait("an answer to a repeated request", partial(crowd.send, order))
    crowd.nothing_acknowledged_is_missing()
    resolved = stack.rows(
        """SELECT count(*) FROM settlement_transfer t JOIN settlement_escrow s
               ON s.hold_id = t.resolves_id WHERE s.milestone_id = ANY(%s)
            GROUP BY s.id HAVING count(*) > 1""",
        found.milestones,
    )
    assert resolved == []
    stack.wait("log and standing", lambda: everything_is_sequenced(stack))
    with stack.database() as connection:
        assert problems(connection) == []


def let_everything_die(stack: Stack, *, pause: float, outage: float) -> None:
    """One fault after the other, each while the crowd goes on."""
    send_every_message_thrice(stack, pause)
    time.sleep(pause)
    stack.kill_children("worker")
    for name in ("web", "worker", "valkey"):
        time.sleep(pause)
        stack.kill(name)
    stack.forget_messages()
    time.sleep(pause)
    with stack.outage("postgres"):
        time.sleep(outage)
    stack.wait("the database", lambda: stack.rows("SELECT 1"))


def test_twenty_clients_and_every_fault_leave_the_books_in_order(
    stack: Stack, reader: Reader
) -> None:
    with ExitStack() as during:
        found = during.enter_context(market(stack, 8))
        during.enter_context(twins(stack))
        with Crowd(stack, found.milestones, found.agent_version) as crowd:
            let_everything_die(stack, pause=1.5, outage=4)
        everything_came_out(stack, crowd, found)
    assert crowd.statuses[201] > 5
    assert crowd.statuses[503] > 0


def test_a_minute_without_a_database_and_twice_every_fault(stack: Stack, reader: Reader) -> None:
    with ExitStack() as during:
        found = during.enter_context(market(stack, 30))
        during.enter_context(twins(stack))
        with Crowd(stack, found.milestones, found.agent_version) as crowd:
            let_everything_die(stack, pause=5, outage=60)
            let_everything_die(stack, pause=3, outage=5)
        everything_came_out(stack, crowd, found)
