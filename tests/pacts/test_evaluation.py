"""An evaluation end to end: rows, a real agent over HTTP, observations, a verdict."""

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now as clock

from pacts import evaluation, recording, runner, trials, verdicts
from pacts.models import AgentVersion, Artifact, Evaluation, Observation, Trial, Verdict
from reputation.models import Evidence
from tests import cast
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def start(version: AgentVersion, builder: cast.Actor, tasks: int = 30, **pact: Any) -> Evaluation:
    buyer = cast.alice()
    return evaluation.start_evaluation(
        purpose=Evaluation.Purpose.TRIAL,
        independence=Evaluation.Independence.BUYER,
        requested_by=buyer.party,
        agent_version=version,
        pact_version=cast.pact_of(version, builder, cast.pact_terms(**pact) if pact else None),
        task_set_version=cast.golden_set(buyer, cast.doubling_tasks(tasks)),
        deadline_at=clock() + timedelta(days=1),
        now=clock(),
    )


def run(running: Evaluation) -> Verdict | None:
    runner.Runner(running, runner.egress()).run()
    return verdicts.conclude(evaluation_id=running.id, now=clock())


def test_an_agent_that_keeps_its_promise_is_met_and_earns_everything() -> None:
    builder = cast.bob()
    with cast.agent_service(cast.echo) as url:
        verdict = run(start(cast.agent_of(builder, url), builder))
    assert verdict is not None
    assert (verdict.outcome, verdict.earned_share_bps) == ("met", 10_000)
    clause = verdict.clauses.get()
    assert (clause.passes, clause.failures, clause.first_crossing) == (30, 0, 22)


def test_an_agent_that_breaks_its_promise_is_breached_and_earns_nothing() -> None:
    builder = cast.bob()
    with cast.agent_service(lambda given: {"answer": given["number"] % 3}) as url:
        verdict = run(start(cast.agent_of(builder, url), builder))
    assert verdict is not None
    assert (verdict.outcome, verdict.earned_share_bps) == ("breached", 0)


def test_too_few_tasks_to_tell_are_undetermined() -> None:
    builder = cast.bob()
    with cast.agent_service(cast.echo) as url:
        verdict = run(start(cast.agent_of(builder, url), builder, tasks=5))
    assert verdict is not None
    assert (verdict.outcome, verdict.undetermined_rule) == ("undetermined", "human_review")


def test_the_raw_answer_is_kept_under_its_digest() -> None:
    builder = cast.bob()
    with cast.agent_service(cast.echo) as url:
        running = start(cast.agent_of(builder, url), builder, tasks=3)
        run(running)
    trial = running.trials.get(position=2)
    kept = Artifact.objects.get(digest=trial.output_digest)
    assert json.loads(bytes(kept.body or b"")) == {"output": {"answer": 4}}


def test_an_agent_that_is_gone_is_charged_with_every_trial() -> None:
    builder = cast.bob()
    verdict = run(start(cast.agent_of(builder, cast.DEAD_END), builder))
    assert verdict is not None
    assert verdict.outcome == "breached"
    assert set(Trial.objects.values_list("fault", flat=True)) == {"agent"}


def test_a_verdict_waits_for_the_last_trial() -> None:
    builder = cast.bob()
    with cast.agent_service(cast.echo) as url:
        running = start(cast.agent_of(builder, url), builder)
        claimed = trials.claim(running, limit=1)
        runner.Runner(running, runner.egress()).run()
        assert verdicts.conclude(evaluation_id=running.id, now=clock()) is None
        Trial.objects.filter(pk=claimed.claims[0].trial_id).update(lease_expires_at=clock())
        assert trials.requeue_lapsed(now=clock() + timedelta(seconds=1)) == [running.id]
        assert run(running) is not None


def test_trials_still_out_at_the_deadline_are_nobodys_failure() -> None:
    builder = cast.bob()
    running = start(cast.agent_of(builder), builder)
    verdict = verdicts.conclude(
        evaluation_id=running.id, now=running.deadline_at + timedelta(microseconds=1)
    )
    assert verdict is not None
    assert verdict.outcome == "undetermined"
    assert verdict.clauses.get().nulls == 30
    assert set(Trial.objects.values_list("state", "fault")) == {("null", "platform")}


def test_an_evaluation_exactly_at_its_deadline_may_still_go_on() -> None:
    builder = cast.bob()
    running = start(cast.agent_of(builder), builder)
    assert verdicts.conclude(evaluation_id=running.id, now=running.deadline_at) is None


def test_an_evaluation_is_concluded_once() -> None:
    builder = cast.bob()
    with cast.agent_service(cast.echo) as url:
        running = start(cast.agent_of(builder, url), builder)
        runner.Runner(running, runner.egress()).run()
    found = in_parallel(4, lambda: verdicts.conclude(evaluation_id=running.id, now=clock()))
    assert sum(verdict is not None for verdict in found) == 1
    assert Verdict.objects.count() == 1
    assert Evidence.objects.filter(kind="evaluation.concluded").count() == 1


def test_runners_side_by_side_try_every_task_once() -> None:
    builder = cast.bob()
    calls: list[int] = []

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        calls.append(given["number"])
        return cast.echo(given)

    with cast.agent_service(answer) as url:
        running = start(cast.agent_of(builder, url, max_concurrency=16), builder, tasks=60)
        in_parallel(4, lambda: runner.Runner(running, runner.egress()).run())
    assert sorted(calls) == list(range(60))
    assert Observation.objects.count() == 60


def test_an_agent_never_sees_more_calls_at_once_than_it_allows() -> None:
    builder = cast.bob()
    inside, most = threading.Semaphore(0), []

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        inside.release()
        most.append(inside._value)
        time.sleep(0.01)
        inside.acquire(blocking=False)
        return cast.echo(given)

    with cast.agent_service(answer) as url:
        running = start(cast.agent_of(builder, url, max_concurrency=3), builder, tasks=40)
        in_parallel(3, lambda: runner.Runner(running, runner.egress()).run())
    assert max(most) <= 3


def test_an_answer_that_comes_after_its_lease_was_given_away_counts_for_nothing() -> None:
    builder = cast.bob()
    with cast.agent_service(cast.echo) as url:
        running = start(cast.agent_of(builder, url), builder, tasks=1)
        shift = runner.Runner(running, runner.egress())
        (late,) = trials.claim(running, limit=1).claims
        trials.requeue_lapsed(now=clock() + timedelta(minutes=1))
        (again,) = trials.claim(running, limit=1).claims
        reply = shift.call(late)
        assert recording.record(running, [shift.check(late, reply)]) == 0
        assert recording.record(running, [shift.check(again, reply)]) == 1
        assert recording.record(running, [shift.check(again, reply)]) == 0
    assert Observation.objects.count() == 1


def test_a_trial_that_kills_every_worker_becomes_null_for_the_platform() -> None:
    builder = cast.bob()
    running = start(cast.agent_of(builder), builder, tasks=1)
    for _ in range(trials.MAX_LOST):
        assert trials.claim(running, limit=1).claims
        trials.requeue_lapsed(now=clock() + timedelta(minutes=1))
    trial = running.trials.get()
    assert (trial.state, trial.fault, trial.error_code) == ("null", "platform", "worker_lost")


def test_a_finished_trial_cannot_be_rewritten() -> None:
    builder = cast.bob()
    with cast.agent_service(cast.echo) as url:
        running = start(cast.agent_of(builder, url), builder, tasks=1)
        run(running)
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        Trial.objects.update(fault="agent")
