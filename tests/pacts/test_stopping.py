"""A run that is decided ends; what is in flight then still counts, and can undo it."""

from typing import Any

import pytest

from pacts import recording, runner, stopping, trials
from pacts.agents import AgentReply
from pacts.models import Evaluation
from reputation.models import Evidence
from tests import cast
from tests.pacts.runs import RELATED, conclude, run_of, states, to_the_end, wrong_from
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def answer_by_hand(running: Evaluation, claims: list[trials.Claim], *, right: bool) -> None:
    """Record answers as a runner does, without calling anybody."""
    shift = runner.Runner(running, runner.egress())
    finished = [
        shift.check(
            claim,
            AgentReply(
                output={"answer": claim.input["number"] * 2 + (not right)},  # type: ignore[index,call-overload,operator]
                raw=b'{"output": {}}',
                latency_ms=1,
            ),
        )
        for claim in claims
    ]
    recording.record(running, finished)


def test_a_kept_promise_ends_the_run_when_it_is_shown() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(cast.echo) as url:
        version = cast.agent_of(bob, url, max_concurrency=2)
        running = run_of(version, bob, alice, tasks=300, full_run=False)
        verdict = to_the_end(running)
    clause = verdict.clauses.get()
    assert (verdict.outcome, clause.first_crossing) == ("met", 22)
    found = states(running)
    assert found["done"] + found["skipped"] == 300
    assert 22 <= found["done"] <= 60
    assert (clause.passes, clause.skipped) == (found["done"], found["skipped"])
    assert running.stopped_by == "latched"
    assert running.calls_made == found["done"]
    facts = Evidence.objects.get(kind="evaluation.concluded").read()["facts"]
    assert (facts["skipped"], facts["reason"]) == (found["skipped"], "latched")


def test_runners_side_by_side_end_a_decided_run_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(wrong_from(0)) as url:
        version = cast.agent_of(bob, url, max_concurrency=16)
        running = run_of(version, bob, alice, tasks=300, full_run=False)
        in_parallel(3, lambda: runner.Runner(running, runner.egress()).run())
        verdict = to_the_end(running)
    assert verdict.outcome == "breached"
    assert states(running)["done"] == running.calls_made < 150


def test_a_full_run_is_never_cut_short() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(cast.echo) as url:
        running = run_of(cast.agent_of(bob, url), bob, alice, tasks=60)
        to_the_end(running)
    assert states(running) == {"done": 60}


def test_a_census_is_never_cut_short() -> None:
    alice, bob = cast.alice(), cast.bob()
    terms = cast.pact_terms(cast.clause(estimand="realized"))
    with cast.agent_service(cast.echo) as url:
        version = cast.agent_of(bob, url)
        running = run_of(version, bob, alice, tasks=60, terms=terms, full_run=False)
        to_the_end(running)
    assert states(running) == {"done": 60}


def test_a_fast_failure_is_not_looked_at_before_the_slow_answers_ahead_of_it() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob, max_concurrency=64)
    running = run_of(version, bob, alice, tasks=60, full_run=False)
    claims = trials.claim(running, limit=40).claims
    watch = stopping.Watch(running, runner.Runner(running, runner.egress()).parsed)
    answer_by_hand(running, claims[10:], right=False)
    assert not watch.look()
    answer_by_hand(running, claims[:10], right=True)
    assert watch.look()


def test_late_answers_to_a_decided_run_count_and_can_undo_it() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob, max_concurrency=64)
    running = run_of(version, bob, alice, tasks=90, full_run=False)
    claims = trials.claim(running, limit=50).claims
    answer_by_hand(running, claims[:22], right=True)
    watch = stopping.Watch(running, runner.Runner(running, runner.egress()).parsed)
    assert watch.look()
    assert stopping.stop(running)
    assert not stopping.stop(running)
    assert trials.claim(running, limit=10).claims == []
    assert conclude(running) is None, "28 calls are still in flight"
    answer_by_hand(running, claims[22:36], right=False)
    answer_by_hand(running, claims[36:], right=True)
    assert conclude(running) is None, "the late answers undid the met: the run goes on"
    running = Evaluation.objects.select_related(*RELATED).get(pk=running.pk)
    assert running.stop_after is None
    assert len(trials.claim(running, limit=10).claims) == 10


def test_a_decided_run_whose_late_answers_agree_skips_the_rest() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob, max_concurrency=64)
    running = run_of(version, bob, alice, tasks=90, full_run=False)
    claims = trials.claim(running, limit=40).claims
    answer_by_hand(running, claims[:22], right=True)
    stopping.stop(running)
    answer_by_hand(running, claims[22:], right=True)
    verdict = conclude(running)
    assert verdict is not None
    assert states(running) == {"done": 40, "skipped": 50}
    assert (verdict.clauses.get().passes, verdict.clauses.get().skipped) == (40, 50)
