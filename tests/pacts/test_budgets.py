"""What a budget allows, and that nobody gets around it: runners racing, calls in flight, rates."""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts import runner, trials
from pacts.budgets import Budget, BudgetRefused, Room, Used, paced, room
from pacts.models import Evaluation, Trial
from tests import cast
from tests.pacts.runs import conclude, run_of, shift, states, to_the_end
from tests.racing import in_parallel


@pytest.fixture
def _loopback(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


LIVE = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_loopback")]


def live(test: Any) -> Any:
    for mark in LIVE:
        test = mark(test)
    return test


# --- the arithmetic --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "used", "expected"),
    [
        (Budget(), Used(calls=10**6, elapsed=10**6), Room(8)),
        (Budget(calls=10), Used(calls=7, elapsed=0), Room(3)),
        (Budget(calls=10), Used(calls=10, elapsed=0), Room(0, "calls")),
        (Budget(seconds=60), Used(calls=0, elapsed=50), Room(8)),
        (Budget(seconds=60), Used(calls=0, elapsed=50.001), Room(0, "time")),
        (
            Budget(cost_micros=100, call_cost_micros=10, currency="USD"),
            Used(calls=0, elapsed=0, cost_micros=61, in_flight=2),
            Room(1),
        ),
        (
            Budget(cost_micros=100, call_cost_micros=10, currency="USD"),
            Used(calls=0, elapsed=0, cost_micros=95, in_flight=1),
            Room(0),
        ),
        (
            Budget(cost_micros=100, call_cost_micros=10, currency="USD"),
            Used(calls=0, elapsed=0, cost_micros=91),
            Room(0, "money"),
        ),
    ],
)
def test_room_is_what_no_limit_forbids(budget: Budget, used: Used, expected: Room) -> None:
    assert room(budget=budget, used=used, call_seconds=10, wanted=8) == expected


@pytest.mark.parametrize(
    "budget",
    [
        Budget(calls=0),
        Budget(seconds=-1),
        Budget(seconds=9),
        Budget(cost_micros=100, call_cost_micros=10),
        Budget(cost_micros=100, currency="USD"),
        Budget(cost_micros=100, call_cost_micros=101, currency="USD"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(budget: Budget) -> None:
    with pytest.raises(BudgetRefused):
        budget.check(call_seconds=10)


@settings(max_examples=60)
@given(
    st.integers(1, 6000),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 64)), max_size=60),
)
def test_a_rate_is_kept_over_every_stretch_of_time(
    per_minute: int, asks: list[tuple[float, int]]
) -> None:
    now, free_at = 0.0, 0.0
    made: list[float] = []
    for pause, wanted in asks:
        now += pause
        taken, ahead, _ = paced(per_minute=per_minute, booked_ahead=free_at - now, wanted=wanted)
        free_at = now + ahead
        made += [now] * taken
    for place, start in enumerate(made):
        for later in range(place, len(made)):
            allowed = (made[later] - start + max(1, 60 / per_minute)) * per_minute / 60
            assert later - place + 1 <= allowed + 1e-6


# --- rows and runners ------------------------------------------------------------------------


@live
def test_runners_racing_for_a_budget_of_exactly_n_make_exactly_n_calls() -> None:
    alice, bob = cast.alice(), cast.bob()
    calls: list[int] = []

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        calls.append(given["number"])
        return cast.echo(given)

    with cast.agent_service(answer) as url:
        version = cast.agent_of(bob, url, max_concurrency=16)
        running = run_of(version, bob, alice, tasks=60, budget=Budget(calls=37))
        in_parallel(4, lambda: shift(running))
        verdict = to_the_end(running)
    assert len(calls) == 37
    assert states(running) == {"done": 37, "skipped": 23}
    assert (running.calls_made, running.stopped_by) == (37, "calls")
    assert sum(running.trials.values_list("attempt", flat=True)) == 37
    clause = verdict.clauses.get()
    assert (clause.passes, clause.skipped) == (37, 23)


@live
def test_the_database_itself_refuses_a_call_beyond_the_budget() -> None:
    alice, bob = cast.alice(), cast.bob()
    running = run_of(cast.agent_of(bob), bob, alice, budget=Budget(calls=3))
    with pytest.raises(Exception, match="evaluation_within_its_calls"):
        Evaluation.objects.filter(pk=running.pk).update(calls_made=4)


@live
def test_money_is_set_aside_for_calls_in_flight() -> None:
    alice, bob = cast.alice(), cast.bob()
    budget = Budget(cost_micros=100, call_cost_micros=30, currency="USD")
    running = run_of(cast.agent_of(bob), bob, alice, budget=budget)
    first = trials.claim(running, limit=8)
    assert len(first.claims) == 3
    assert trials.claim(running, limit=8).claims == []
    assert states(running) == {"running": 3, "queued": 27}


@live
def test_what_a_call_did_not_cost_is_free_for_the_next() -> None:
    alice, bob = cast.alice(), cast.bob()

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        return cast.echo(given)

    with cast.agent_service(answer) as url:
        budget = Budget(cost_micros=100, call_cost_micros=30, currency="USD")
        running = run_of(cast.agent_of(bob, url), bob, alice, budget=budget)
        to_the_end(running)
    # The agent reports no cost, so each call counts as what was set aside for it.
    assert states(running) == {"done": 3, "skipped": 27}
    assert running.stopped_by == "money"
    assert sum(running.trials.values_list("cost_micros", flat=True)) == 90


@live
def test_no_call_is_made_that_could_end_after_the_time() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob, deadline_ms=2_000)
    running = run_of(version, bob, alice, budget=Budget(seconds=3))
    assert trials.claim(running, limit=1).claims
    Evaluation.objects.filter(pk=running.pk).update(
        started_at=running.started_at - timedelta(seconds=2)
    )
    assert trials.claim(running, limit=1).claims == []
    running.refresh_from_db()
    assert running.stopped_by == "time"


@live
def test_a_rate_holds_for_all_runners_and_all_runs_of_an_agent_together() -> None:
    alice, bob = cast.alice(), cast.bob()
    at: list[float] = []

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        at.append(time.monotonic())
        return cast.echo(given)

    with cast.agent_service(answer) as url:
        version = cast.agent_of(bob, url, max_concurrency=16, max_per_minute=600)
        running = run_of(version, bob, alice, tasks=24)
        in_parallel(3, lambda: shift(running))
        to_the_end(running)
    assert len(at) == 24
    # Ten a second at most, and one second's worth at once: 24 calls take 1.4 s at least.
    assert max(at) - min(at) >= 1.2


@live
def test_a_lost_call_counts_as_made_and_as_spent() -> None:
    alice, bob = cast.alice(), cast.bob()
    budget = Budget(calls=2, cost_micros=100, call_cost_micros=30, currency="USD")
    running = run_of(cast.agent_of(bob), bob, alice, budget=budget)
    assert len(trials.claim(running, limit=1).claims) == 1
    trials.requeue_lapsed(now=running.deadline_at)
    assert Trial.objects.get(evaluation=running, position=0).cost_micros == 30
    assert len(trials.claim(running, limit=8).claims) == 1
    assert conclude(running) is None
