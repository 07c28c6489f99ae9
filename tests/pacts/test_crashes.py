"""A worker is killed in the middle of a run: nothing is lost, doubled, or paid for in secret."""

import multiprocessing
import os
import signal
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils.timezone import now as clock

from pacts import runner, trials
from pacts.budgets import Budget
from pacts.models import Evaluation, Observation
from tests import cast
from tests.pacts.runs import RELATED, run_of, shift, states, to_the_end

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def work(evaluation_id: str) -> None:
    """A worker of its own process, with connections of its own."""
    connections.close_all()
    runner.egress.cache_clear()
    running = Evaluation.objects.select_related(*RELATED).get(pk=evaluation_id)
    shift(running)


def killed_mid_run(running: Evaluation, calls: list[int], *, after: int) -> None:
    connections.close_all()
    worker = multiprocessing.get_context("fork").Process(target=work, args=(running.pk,))
    worker.start()
    until = time.monotonic() + 20
    while len(calls) < after and time.monotonic() < until:
        time.sleep(0.01)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    assert worker.exitcode == -signal.SIGKILL


def test_a_run_whose_worker_was_killed_goes_on_and_counts_every_trial_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    calls: list[int] = []

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        calls.append(given["number"])
        time.sleep(0.03)
        return cast.echo(given)

    with cast.agent_service(answer) as url:
        running = run_of(cast.agent_of(bob, url, max_concurrency=8), bob, alice, tasks=60)
        killed_mid_run(running, calls, after=20)
        left = states(running)
        assert left["running"] > 0
        assert trials.requeue_lapsed(now=clock() + timedelta(seconds=16)) == [running.pk]
        verdict = to_the_end(running)
    assert states(running) == {"done": 60}
    assert Observation.objects.count() == 60
    assert verdict.clauses.get().passes == 60
    assert set(Counter(calls)) == set(range(60))
    assert sum(running.trials.values_list("attempt", flat=True)) == running.calls_made


def test_a_budget_is_kept_across_a_killed_worker() -> None:
    alice, bob = cast.alice(), cast.bob()
    calls: list[int] = []

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        calls.append(given["number"])
        time.sleep(0.03)
        return cast.echo(given)

    with cast.agent_service(answer) as url:
        version = cast.agent_of(bob, url, max_concurrency=8)
        running = run_of(version, bob, alice, tasks=60, budget=Budget(calls=30))
        killed_mid_run(running, calls, after=12)
        trials.requeue_lapsed(now=clock() + timedelta(seconds=16))
        to_the_end(running)
    assert len(calls) <= 30
    assert running.calls_made == 30
    found = states(running)
    assert found["done"] + found["skipped"] == 60
    assert Observation.objects.count() == found["done"]
