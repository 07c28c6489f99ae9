"""A builder's own runs: they call the real agent, and nothing anywhere counts them."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now as clock

from pacts import publishing, rehearsals, rehearsed, rehearsing, runner, trials
from pacts.models import (
    Agent,
    AgentVersion,
    CallPace,
    Evaluation,
    PactVersion,
    Rehearsal,
    Verdict,
)
from pacts.pacing import BUSY_SECONDS, book_calls
from pacts.rehearsals import RehearsalRefused
from pacts.tables import TaskDraft
from reputation.models import Evidence
from tests import cast
from tests.pacts.runs import run_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def built(bob: cast.Actor, url: str = cast.DEAD_END, **fields: Any) -> AgentVersion:
    version = cast.agent_of(bob, url, **fields)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()
    return version


def draft(version: AgentVersion, *clauses: dict[str, Any]) -> PactVersion:
    return publishing.draft_pact(agent=version.agent, data=cast.pact_terms(*clauses))


def work(rehearsal: Rehearsal) -> Rehearsal:
    while rehearsing.rehearse(rehearsal_id=rehearsal.pk, egress=runner.egress()):
        pass
    rehearsal.refresh_from_db()
    return rehearsal


def dry(
    version: AgentVersion, pact: PactVersion, bob: cast.Actor, tasks: int = 5, **more: Any
) -> Rehearsal:
    samples = cast.doubling_tasks(tasks)
    return rehearsals.start_dry_run(
        agent_version=version,
        pact_version=pact,
        samples=samples,
        by=bob.user,
        now=clock(),
        **more,
    )


def wrong_on_three(given: dict[str, Any]) -> dict[str, Any]:
    return {"answer": 7 if given["number"] == 3 else given["number"] * 2}


def test_a_dry_run_calls_the_agent_and_says_of_each_task_why() -> None:
    bob = cast.bob()
    with cast.agent_service(wrong_on_three) as url:
        version = built(bob, url)
        run = work(dry(version, draft(version), bob))
    assert run.state == Rehearsal.State.DONE
    found = rehearsed.dry_run_of(run)
    assert found
    (accuracy,) = found.clauses
    assert (accuracy.verdict.counts.passes, accuracy.verdict.counts.failures) == (4, 1)
    assert found.verdict.status == "undetermined"
    worst = rehearsed.looked_at(run)[0]
    assert worst.failed
    assert worst.input == {"number": 3}
    assert "7" in worst.said[0].reason


def test_a_dry_run_leaves_no_evidence_no_evaluation_and_no_verdict() -> None:
    bob = cast.bob()
    with cast.agent_service(cast.echo) as url:
        version = built(bob, url)
        pact = draft(version)
        before = Evidence.objects.count()
        work(dry(version, pact, bob))
    assert Evidence.objects.count() == before
    assert not Evaluation.objects.exists()
    assert not Verdict.objects.exists()


def test_a_draft_that_changes_during_the_run_changes_nothing_in_it() -> None:
    bob = cast.bob()
    with cast.agent_service(cast.echo) as url:
        version = built(bob, url)
        pact = draft(version)
        run = dry(version, pact, bob)
        other = cast.pact_terms(cast.clause("speed", check="latency", params={"limit_ms": 500}))
        publishing.change_draft(version=pact, data=other)
        work(run)
    found = rehearsed.dry_run_of(run)
    assert found
    assert [seen.clause.key for seen in found.clauses] == ["accuracy"]
    assert run.digest != pact.digest


def test_the_call_budget_is_kept_and_what_it_left_out_is_told() -> None:
    bob, asked = cast.bob(), []

    def count(given: dict[str, Any]) -> dict[str, Any]:
        asked.append(given)
        return cast.echo(given)

    with cast.agent_service(count) as url:
        version = built(bob, url)
        pact = draft(version, cast.clause(unit="task", repeats=3))
        run = work(dry(version, pact, bob, tasks=4, calls=6))
    assert len(asked) == 6
    assert run.left_out == 6


def test_attacks_that_a_clause_asks_for_are_planted_and_seen_in_a_dry_run() -> None:
    bob = cast.bob()
    resists = cast.clause(
        "safe",
        check="attack_resistance",
        params={"pack": "earnest-probes/1", "fields": ["note"], "families": ["injection"]},
    )
    samples = [TaskDraft({"number": 2, "note": "A plain note."}, {"answer": 4})]

    def parrot(given: dict[str, Any]) -> dict[str, Any]:
        return {"answer": given["number"] * 2, "said": given["note"]}

    with cast.agent_service(parrot) as url:
        version = built(bob, url)
        run = work(
            rehearsals.start_dry_run(
                agent_version=version,
                pact_version=draft(version, resists),
                samples=samples,
                by=bob.user,
                now=clock(),
            )
        )
    found = rehearsed.dry_run_of(run)
    assert found
    assert found.clauses[0].verdict.counts.passes == 1
    assert [one.case.variant for one in rehearsed.looked_at(run)] == ["", "safe/injection/0"]


def test_pasted_answers_are_looked_at_and_nobody_is_called() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)  # no control proved, and its address answers nobody
    speed = cast.clause("speed", check="latency", params={"limit_ms": 500}, weight_bps=4000)
    run = work(
        rehearsals.start_pasted(
            agent_version=version,
            pact_version=draft(version, cast.clause(weight_bps=6000), speed),
            samples=cast.doubling_tasks(3),
            answers=['{"answer": 0}', '{"output": {"answer": 2}}', "not json"],
            by=bob.user,
            now=clock(),
        )
    )
    found = rehearsed.dry_run_of(run)
    assert found
    accuracy, timed = found.clauses
    assert (accuracy.verdict.counts.passes, accuracy.verdict.counts.failures) == (2, 1)
    assert "nobody was called" in timed.unseen
    assert not rehearsed.answered(run)


def test_an_adversarial_run_names_its_failing_cases_by_family() -> None:
    bob = cast.bob()

    def careless(given: dict[str, Any]) -> dict[str, Any]:
        return {"answer": str(given.get("text", "")).replace("1337*7919", "10587703")}

    with cast.agent_service(careless) as url:
        version = built(bob, url)
        samples = [TaskDraft({"text": "Where is my parcel?"}, None)]
        run = work(
            rehearsals.start_adversarial(
                agent_version=version, samples=samples, by=bob.user, now=clock()
            )
        )
    assert run.left_out == 5  # there is no number in this task
    families = {one.name: one for one in rehearsed.families_of(run)}
    assert families["language"].fell == 0
    fell = {one.case.key for one in rehearsed.looked_at(run) if one.failed}
    assert {"nothing", "formula"} <= fell
    assert not Evaluation.objects.exists()


def test_a_ping_tells_an_agent_that_answers_from_one_that_does_not() -> None:
    bob = cast.bob()
    with cast.agent_service(lambda given: {"declined": True}) as url:
        alive = work(rehearsals.start_ping(agent_version=built(bob, url), by=bob.user, now=clock()))
    dead = built(bob, name="Dead")
    gone = work(rehearsals.start_ping(agent_version=dead, by=bob.user, now=clock()))
    assert rehearsed.answered(alive)
    assert not rehearsed.answered(gone)
    assert gone.cases.get().error


def test_nobody_is_called_before_control_is_proved() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    with pytest.raises(RehearsalRefused, match="prove control"):
        dry(version, draft(version), bob)


@pytest.mark.parametrize(
    ("tasks", "more", "says"),
    [
        (0, {}, "at least one sample task"),
        (21, {}, "at most 20 tasks"),
        (1, {"calls": 0}, "1 to 80 calls"),
        (1, {"calls": 81}, "1 to 80 calls"),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_to_do(
    tasks: int, more: dict[str, int], says: str
) -> None:
    bob = cast.bob()
    version = built(bob)
    with pytest.raises(RehearsalRefused, match=says):
        dry(version, draft(version), bob, tasks=tasks, **more)


@pytest.mark.django_db(transaction=True)
def test_one_agent_is_tried_by_one_run_at_a_time_even_when_two_start_at_once() -> None:
    bob = cast.bob()
    version = built(bob)
    pact = draft(version)
    results: list[Rehearsal | RehearsalRefused] = []

    def start() -> None:
        try:
            results.append(dry(version, pact, bob))
        except RehearsalRefused as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, Rehearsal) for one in results) == 1


def test_a_run_whose_worker_died_is_found_and_two_workers_do_not_share_one() -> None:
    bob = cast.bob()
    with cast.agent_service(cast.echo) as url:
        version = built(bob, url)
        run = dry(version, draft(version), bob)
        Rehearsal.objects.filter(pk=run.pk).update(lease_expires_at=clock() + timedelta(seconds=9))
        assert not rehearsing.rehearse(rehearsal_id=run.pk, egress=runner.egress())
        assert not run.cases.filter(state="done").exists()
        Rehearsal.objects.filter(pk=run.pk).update(lease_expires_at=clock() - timedelta(seconds=1))
        assert rehearsing.waiting(now=clock(), limit=5) == [run.pk]
        assert work(run).state == Rehearsal.State.DONE


def test_a_run_that_takes_too_long_ends_with_what_it_has() -> None:
    bob = cast.bob()
    version = built(bob)
    run = dry(version, draft(version), bob)
    Rehearsal.objects.filter(pk=run.pk).update(deadline_at=clock() - timedelta(seconds=1))
    assert rehearsing.waiting(now=clock(), limit=5) == []
    run.refresh_from_db()
    assert run.state == Rehearsal.State.STOPPED


def test_a_deleted_run_leaves_nothing_behind() -> None:
    bob = cast.bob()
    version = built(bob)
    run = dry(version, draft(version), bob)
    rehearsals.delete_rehearsal(rehearsal=run)
    assert not Rehearsal.objects.exists()


def test_a_run_that_must_wait_long_for_the_agents_rate_goes_to_the_sweep_and_is_due_only_then() -> (
    None
):
    bob, asked = cast.bob(), []

    def count(given: dict[str, Any]) -> dict[str, Any]:
        asked.append(given)
        return cast.echo(given)

    with cast.agent_service(count) as url:
        run = dry(version := built(bob, url, max_per_minute=2), draft(version), bob, tasks=3)
        again = rehearsing.rehearse(
            rehearsal_id=run.pk,
            egress=runner.egress(),
            pause=lambda seconds: pytest.fail(f"slept {seconds} s in a worker's place"),
        )
    assert not again
    assert len(asked) == 1
    now = clock()
    assert rehearsing.waiting(now=now + timedelta(seconds=25), limit=5) == []
    assert rehearsing.waiting(now=now + timedelta(seconds=31), limit=5) == [run.pk]


def test_a_run_that_must_wait_a_moment_waits_and_goes_on() -> None:
    bob, waits = cast.bob(), []

    def pass_time(seconds: float) -> None:
        waits.append(seconds)
        ago = clock() - timedelta(seconds=60)
        CallPace.objects.filter(agent_version=version).update(free_at=ago)

    with cast.agent_service(cast.echo) as url:
        version = built(bob, url, max_per_minute=15)
        run = dry(version, draft(version), bob, tasks=2)
        assert not rehearsing.rehearse(rehearsal_id=run.pk, egress=runner.egress(), pause=pass_time)
    run.refresh_from_db()
    assert run.state == Rehearsal.State.DONE
    assert waits == [pytest.approx(4, abs=1)]


def test_calls_of_a_rehearsal_count_among_those_the_agent_takes_at_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = built(bob, max_concurrency=4)
    run = dry(version, draft(version), bob, tasks=3)
    leased = clock() + timedelta(seconds=90)
    Rehearsal.objects.filter(pk=run.pk).update(lease_expires_at=leased)
    taken, _ = book_calls(rehearsal=run, wanted=3)
    judged = run_of(version, bob, alice, tasks=5)
    beside = len(trials.claim(judged, limit=5).claims)
    Rehearsal.objects.filter(pk=run.pk).update(calling=0)
    after = len(trials.claim(judged, limit=5).claims)
    assert (taken, beside, after) == (3, 1, 3)


def test_a_rehearsal_takes_what_evaluations_leave_and_asks_the_agent_nothing_beside_them() -> None:
    alice, bob, asked = cast.alice(), cast.bob(), []

    def count(given: dict[str, Any]) -> dict[str, Any]:
        asked.append(given)
        return cast.echo(given)

    with cast.agent_service(count) as url:
        version = built(bob, url, max_concurrency=2)
        judged = run_of(version, bob, alice, tasks=2)
        run = dry(version, draft(version), bob, tasks=3)
        assert len(trials.claim(judged, limit=1).claims) == 1  # the other is queued, and goes first
        assert not rehearsing.rehearse(rehearsal_id=run.pk, egress=runner.egress())
    assert not asked
    assert rehearsing.waiting(now=clock(), limit=5) == []
    assert rehearsing.waiting(now=clock() + timedelta(seconds=BUSY_SECONDS), limit=5) == [run.pk]
