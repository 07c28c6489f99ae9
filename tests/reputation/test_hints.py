"""Hints: at once when the broker answers, and never in anybody's way when it does not."""

import os
import time
from typing import Any

import pytest
from celery import current_app

from reputation import hints


def wait_for(found: list[Any], count: int) -> None:
    ends = time.monotonic() + 10
    while len(found) < count and time.monotonic() < ends:
        time.sleep(0.01)


def test_a_hint_reaches_the_broker(settings: Any) -> None:
    with current_app.connection_for_write() as connection:
        queue = connection.SimpleQueue(current_app.conf.task_default_queue)
        queue.clear()
        hints.hint("pacts.tasks.run_trials", "evl_1")
        message = queue.get(timeout=10)
        message.ack()
    assert message.headers["task"] == "pacts.tasks.run_trials"


def test_whoever_hints_never_waits_for_a_dead_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def dead(task: str, **_: Any) -> None:
        tried.append(task)
        time.sleep(0.2)
        raise ConnectionError("nobody there")

    monkeypatch.setattr(current_app, "send_task", dead)
    outbox = hints.Outbox()
    monkeypatch.setitem(hints._outboxes, os.getpid(), outbox)
    for number in range(hints.MOST_WAITING + 10):
        hints.hint("x", number)
    wait_for(tried, 1)
    assert len(tried) < 5


def test_a_broker_that_comes_back_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    outages = iter([True, False])

    def flaky(task: str, **_: Any) -> None:
        if next(outages):
            raise ConnectionError("nobody there")
        told.append(task)

    monkeypatch.setattr(current_app, "send_task", flaky)
    outbox = hints.Outbox()
    monkeypatch.setitem(hints._outboxes, os.getpid(), outbox)
    hints.hint("first")
    time.sleep(0.1)
    hints.hint("second")
    wait_for(told, 1)
    assert told == ["second"]


def test_a_forked_child_posts_for_itself() -> None:
    hints.hint("parent")
    child = os.fork()
    if child == 0:
        said = 1
        try:
            said = 0 if hints._outbox() is not hints._outboxes[os.getppid()] else 1
        finally:
            os._exit(said)
    assert os.waitpid(child, 0)[1] == 0
