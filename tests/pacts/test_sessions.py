"""A clause that counts sessions: tasks of one session are one unit, whatever became of each."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacts import terms
from pacts.bundles import bundle_of
from pacts.judging import TaskTries, judge
from pacts.lint import lint
from pacts.models import ClauseVerdict, Evaluation, Observation
from pacts.tasksets import TaskDraft
from pacts.tries import Outcome, Try
from pacts.verification import verify
from tests import cast
from tests.pacts.runs import RELATED, run_of, to_the_end, wrong_from

BY_SESSION = cast.clause(unit="session", promise_bps=7000, floor_bps=5000)
CLAUSES = terms.parse(cast.pact_terms(BY_SESSION)).clauses


def one(task: int, outcome: Outcome = "pass") -> TaskTries:
    return {"accuracy": [Try(task=str(task), outcome=outcome)]}


def counts(tasks: list[TaskTries], sessions: Mapping[str, str]) -> tuple[float, float]:
    (found,) = judge(CLAUSES, tasks, sessions=sessions).clauses
    return found.counts.passes, found.counts.failures


def test_a_session_is_one_observation_with_the_mean_of_its_tasks() -> None:
    tasks = [one(0), one(1, "fail"), one(2), one(3), one(4)]
    sessions = {"0": "a", "1": "a", "2": "a", "3": "a"}
    assert counts(tasks, sessions) == (1.75, 0.25)  # three of four, and task 4 by itself


def test_ten_tasks_of_one_session_prove_no_more_than_one() -> None:
    (found,) = judge(
        CLAUSES, [one(n) for n in range(200)], sessions=dict.fromkeys(map(str, range(200)), "a")
    ).clauses
    assert (found.counts.units, found.status) == (1, "undetermined")
    (apart,) = judge(CLAUSES, [one(n) for n in range(200)]).clauses
    assert (apart.counts.units, apart.status) == (200, "met")


def test_a_session_in_which_nothing_was_decided_counts_once_as_its_gravest_outcome() -> None:
    tasks = [one(0, "error"), one(1, "null"), one(2, "error"), one(3, "error")]
    (found,) = judge(CLAUSES, tasks, sessions={"0": "a", "1": "a", "2": "b", "3": "b"}).clauses
    assert (found.counts.nulls, found.counts.errors, found.counts.units) == (1, 1, 0)


def test_what_was_decided_in_a_session_counts_beside_what_was_not() -> None:
    tasks = [one(0, "error"), one(1), one(2, "fail")]
    assert counts(tasks, dict.fromkeys("012", "a")) == (0.5, 0.5)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["pass", "fail", "error", "null"])),
        min_size=1,
        max_size=40,
    )
)
def test_no_more_units_are_counted_than_there_are_sessions(drawn: list[Any]) -> None:
    tasks = [one(n, outcome) for n, (_, outcome) in enumerate(drawn)]
    sessions = {str(n): session for n, (session, _) in enumerate(drawn)}
    (found,) = judge(CLAUSES, tasks, sessions=sessions).clauses
    heard = found.counts.units + found.counts.errors + found.counts.nulls
    assert heard == len({session for session, _ in drawn})


def test_a_clause_beside_it_still_counts_tasks() -> None:
    both = terms.parse(
        cast.pact_terms(cast.clause("each", weight_bps=5000), BY_SESSION | {"weight_bps": 5000})
    ).clauses
    tasks = [
        {key: [Try(task=str(n), outcome="pass")] for key in ("each", "accuracy")} for n in range(6)
    ]
    each, whole = judge(both, tasks, sessions=dict.fromkeys(map(str, range(6)), "a")).clauses
    assert (each.counts.units, whole.counts.units) == (6, 1)


@pytest.mark.parametrize("kind", ["invariance", "worst_variant", "variant_drop"])
def test_a_check_on_the_wordings_of_one_task_cannot_count_sessions(kind: str) -> None:
    params = {
        "check": "equality",
        "params": {"field": "answer"},
        "fields": ["text"],
        "families": ["typos"],
    }
    pact = terms.parse(cast.pact_terms(cast.clause(check=kind, params=params, unit="session")))
    assert ("repeats", "error") in {(one.code, one.severity) for one in lint(pact)}


def test_the_linter_promises_no_more_sessions_than_there_may_be() -> None:
    pact = terms.parse(cast.pact_terms(BY_SESSION, volume={"calls_per_milestone": 5}))
    said = [one.message for one in lint(pact) if one.code == "unenforceable"]
    assert said
    assert "at most 5 sessions" in said[0]


# --- a whole run -------------------------------------------------------------------------------


def in_sessions(count: int, of: int) -> list[TaskDraft]:
    """So many tasks, each session one after the other."""
    return [
        TaskDraft({"number": n}, {"answer": 2 * n}, session=f"s{n // of}") for n in range(count)
    ]


@pytest.mark.django_db(transaction=True)
def test_a_run_observes_every_task_and_counts_every_session_once(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    monkeypatch.setattr(cast, "doubling_tasks", lambda count: in_sessions(count, 4))
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(wrong_from(30)) as url:
        version = cast.agent_of(bob, url)
        running = run_of(
            version, bob, alice, tasks=32, terms=cast.pact_terms(BY_SESSION), full_run=False
        )
        to_the_end(running)
    found = ClauseVerdict.objects.get()
    assert (found.unit, found.passes, found.failures) == ("session", 7.5, 0.5)
    assert Observation.objects.count() == 32, "no session is cut short"
    run = Evaluation.objects.select_related(*RELATED).get(pk=running.pk)
    assert verify(bundle_of(run)).holds
