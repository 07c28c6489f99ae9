"""Canaries: as many as agreed, indistinguishable, blind, beside the verdict and never in it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock

from pacts import canaries, evaluation, runner, tasksets, verdicts
from pacts.canaries import Comparison
from pacts.engagements import EngagementRefused, MilestoneDraft, propose
from pacts.models import (
    AgentVersion,
    CanaryDraw,
    Evaluation,
    Party,
    TaskSetVersion,
    Trial,
    Verdict,
)
from pacts.tables import TaskDraft
from reputation.models import Evidence
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def pool(
    owner: Party | None, tasks: list[TaskDraft] | None = None, work: str = "arithmetic"
) -> str:
    drafts = tasks or [TaskDraft({"number": n}, {"answer": 2 * n}) for n in range(1_000, 1_020)]
    made = tasksets.create_task_set(
        owner=owner, name="Canaries", work=work, tasks=drafts, now=clock(), canaries=True
    )
    return made.id


def start(
    alice: cast.Actor, bob: cast.Actor, version: AgentVersion, tasks: int = 40, **pact: Any
) -> Evaluation:
    golden = cast.golden_set(alice, cast.doubling_tasks(tasks))
    return evaluation.start_evaluation(
        purpose=Evaluation.Purpose.TRIAL,
        independence=Evaluation.Independence.BUYER,
        requested_by=alice.party,
        agent_version=version,
        pact_version=cast.pact_of(version, bob, cast.pact_terms(**pact) if pact else None),
        task_set_version=golden,
        deadline_at=clock() + timedelta(days=1),
        now=clock(),
    )


def run(running: Evaluation) -> Verdict:
    runner.Runner(running, runner.egress()).run()
    verdict = verdicts.conclude(evaluation_id=running.id, now=clock())
    assert verdict is not None
    return verdict


def facts_of(verdict: Verdict) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Evidence.objects.get(pk=verdict.evidence_id).envelope)
    facts: dict[str, Any] = found["facts"]
    return facts


def blind(running: Evaluation) -> list[Trial]:
    own = running.task_set_version_id
    rows = Trial.objects.filter(evaluation=running).select_related("task").order_by("position")
    return [trial for trial in rows if trial.task.version_id != own]


def test_a_twentieth_is_mixed_in_and_every_place_is_taken_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    pool(None)
    running = start(alice, bob, cast.agent_of(bob))
    rows = Trial.objects.filter(evaluation=running)
    assert sorted(rows.values_list("position", flat=True)) == list(range(42))
    assert running.trials_total == 42
    assert len(blind(running)) == 2
    assert CanaryDraw.objects.get(evaluation=running).count == 2


def test_canaries_are_repeated_as_the_tasks_around_them() -> None:
    alice, bob = cast.alice(), cast.bob()
    pool(None)
    consistent = cast.clause(check="consistency", unit="task", repeats=3)
    volume = {"calls_per_milestone": 2_000}
    running = start(alice, bob, cast.agent_of(bob), clauses=[consistent], volume=volume)
    assert running.trials_total == 126
    found = blind(running)
    assert [trial.repeat for trial in found] == [0, 0, 1, 1, 2, 2]
    assert all(42 * trial.repeat <= trial.position < 42 * (trial.repeat + 1) for trial in found)


def test_their_places_follow_from_the_seed_and_from_nothing_else() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob)
    pool(None)
    places = {tuple(t.position for t in blind(start(alice, bob, version))) for _ in range(6)}
    assert len(places) > 1


def test_the_verdict_is_on_the_buyers_tasks_and_the_canaries_stand_beside_it() -> None:
    """A leaked set: everything known by heart is right, everything new is wrong."""
    alice, bob = cast.alice(), cast.bob()
    pool(None)

    def by_heart(given: dict[str, Any]) -> dict[str, Any]:
        return {"answer": given["number"] * 2 if given["number"] < 1_000 else 0}

    with cast.agent_service(by_heart) as url:
        running = start(alice, bob, cast.agent_of(bob, url), tasks=200)
        verdict = run(running)
    clause = verdict.clauses.get()
    assert (verdict.outcome, clause.passes, clause.failures) == ("met", 200, 0)
    facts = facts_of(verdict)
    assert (facts["canaries"], facts["canary_passes"]) == (10, 0)
    found = canaries.compare(running)
    assert (found.own, found.own_passes, found.canaries, found.canary_passes) == (200, 200, 10, 0)
    assert found.leaked


def test_an_honest_agent_does_as_well_on_what_nobody_has_seen() -> None:
    alice, bob = cast.alice(), cast.bob()
    pool(None)
    with cast.agent_service(cast.echo) as url:
        running = start(alice, bob, cast.agent_of(bob, url), tasks=40)
        facts = facts_of(run(running))
    assert (facts["canaries"], facts["canary_passes"]) == (2, 2)
    assert not canaries.compare(running).leaked


def test_the_buyers_own_pool_comes_before_the_platforms() -> None:
    alice, bob = cast.alice(), cast.bob()
    pool(None)
    hers = pool(alice.party)
    running = start(alice, bob, cast.agent_of(bob))
    assert CanaryDraw.objects.get(evaluation=running).pool_id == hers


@pytest.mark.parametrize(
    "tasks",
    [
        [TaskDraft({"word": "x"}, {"answer": 1})],
        [TaskDraft({"number": "7"}, {"answer": 1})],
        [TaskDraft({"number": 7, "hint": 1}, {"answer": 1})],
    ],
)
def test_a_canary_of_another_shape_would_be_told_apart_and_stays_out(
    tasks: list[TaskDraft],
) -> None:
    alice, bob = cast.alice(), cast.bob()
    pool(None, tasks)
    assert blind(start(alice, bob, cast.agent_of(bob))) == []


def test_without_a_pool_and_in_a_builders_own_screening_there_are_none() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob)
    running = start(alice, bob, version)
    assert blind(running) == []
    pool(None)
    running.purpose = Evaluation.Purpose.SCREENING
    assert canaries.pool_for(running) is None
    pool(cast.mallory().party)
    assert canaries.pool_for(start(alice, bob, version)).task_set.owner_id is None  # type: ignore[union-attr]


def test_a_pool_is_nobodys_milestone() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob)
    hers = pool(alice.party)
    with pytest.raises(EngagementRefused, match="pool of canaries"):
        propose(
            buyer=alice.party,
            agent_version=version,
            pact_version=cast.pact_of(version, bob),
            currency="EUR",
            fee_bps=0,
            milestones=[MilestoneDraft("All", 100, TaskSetVersion.objects.get(pk=hers))],
            by=alice.user,
            now=clock(),
        )


def test_the_builder_reads_nothing_of_a_buyers_tasks_or_pools() -> None:
    alice, bob = cast.alice(), cast.bob()
    golden = cast.golden_set(alice, cast.doubling_tasks(3))
    hidden = pool(alice.party)
    platforms = pool(None)
    program = program_of(bob)
    for version in (golden.id, hidden, platforms):
        assert program.get(f"task-set-versions/{version}").status_code == 404
        assert program.get(f"task-set-versions/{version}/tasks").status_code == 404
    assert program.get("task-sets").json()["results"] == []


def test_a_trial_of_a_canary_looks_like_any_other_to_programs() -> None:
    alice, bob = cast.alice(), cast.bob()
    pool(None)
    with cast.agent_service(cast.echo) as url:
        running = start(alice, bob, cast.agent_of(bob, url), tasks=20)
        run(running)
    listed = program_of(alice).get(f"evaluations/{running.id}/trials").json()["results"]
    assert len(listed) == 21
    assert len({tuple(sorted(trial)) for trial in listed}) == 1
    assert not any("task" in trial or "canary" in trial for trial in listed)


@pytest.mark.parametrize(
    ("own", "blind", "leaked"),
    [((200, 200), (0, 10), True), ((190, 200), (9, 10), False), ((0, 0), (0, 5), False)],
)
def test_a_set_counts_as_leaked_only_where_both_rates_cannot_be_one(
    own: tuple[int, int], blind: tuple[int, int], leaked: bool
) -> None:
    found = Comparison(own_passes=own[0], own=own[1], canary_passes=blind[0], canaries=blind[1])
    assert found.leaked is leaked


def test_nothing_is_told_of_canaries_before_the_verdict_and_everything_beside_it() -> None:
    alice, bob = cast.alice(), cast.bob()
    pool(alice.party)
    with cast.agent_service(cast.echo) as url:
        running = start(alice, bob, cast.agent_of(bob, url), tasks=40)
        program = program_of(alice)
        assert program.get(f"evaluations/{running.id}").json()["canaries"] is None
        run(running)
    told = program.get(f"evaluations/{running.id}").json()["canaries"]
    assert told == {
        "own_passes": 40,
        "own": 40,
        "canary_passes": 2,
        "canaries": 2,
        "leaked": False,
    }
    page = browser_of(alice).get(f"/evaluations/{running.id}/").content.decode()
    assert 'data-test="canaries" data-leaked="no"' in page


def test_the_room_a_hire_needs_counts_its_canaries() -> None:
    alice, bob = cast.alice(), cast.bob()
    pool(alice.party)
    running = start(alice, bob, cast.agent_of(bob), tasks=40)
    needed = evaluation.trials_needed(
        pact_version=running.pact_version, task_set_version=running.task_set_version
    )
    assert needed == running.trials_total == 42
