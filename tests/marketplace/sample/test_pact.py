"""The sample pacts, judged by the real checks and statistics: the pact order of every kind."""

import functools

import pytest

from marketplace.sample.agents import get_agent
from marketplace.sample.kinds import get_kind
from marketplace.sample.tasks import buyer_tasks
from pacts.checks import CHECKS, Call
from pacts.conclusions import CombinedVerdict, combine
from pacts.statistics import ClauseVerdict, judge_clause
from pacts.terms import Clause, clause_from_json
from pacts.units import Try, units


@functools.cache
def judge(slug: str) -> CombinedVerdict:
    """The verdict on one hire of this agent, every answer arriving after 5 ms."""
    kind = get_kind(get_agent(slug).kind)
    clauses = [clause_from_json(clause) for clause in kind.clauses]
    calls = make_calls(slug, repeats=max(clause.repeats for clause in clauses))
    verdicts = [judge_one(clause, calls) for clause in clauses]
    return combine(clauses=clauses, verdicts=verdicts)


def make_calls(slug: str, *, repeats: int) -> list[tuple[str, Call]]:
    agent = get_agent(slug)
    answer = agent.load_answer()
    return [
        (
            str(number),
            Call(
                input=task.input,
                expected=task.expected,
                in_scope=task.in_scope,
                output=answer(task.input),
                latency_ms=5,
            ),
        )
        for number, task in enumerate(buyer_tasks(agent.kind))
        for _ in range(repeats)
    ]


def judge_one(clause: Clause, calls: list[tuple[str, Call]]) -> ClauseVerdict:
    check = CHECKS[clause.check]
    answers = [(task, check.answer(clause.params, call)) for task, call in calls]
    tries = [Try(task=task, outcome=one.outcome, value=one.value) for task, one in answers]
    seen = units(clause=clause, tries=tries)
    return judge_clause(
        clause=clause,
        values=seen.values,
        errors=seen.errors,
        nulls=seen.nulls,
        skipped=seen.skipped,
        not_applicable=seen.not_applicable,
    )


@pytest.mark.parametrize("slug", ["plain-words", "house-rules", "all-or-nothing"])
def test_the_agent_that_declines_keeps_every_clause_and_earns_the_whole_price(slug: str) -> None:
    verdict = judge(slug)
    assert (verdict.status, verdict.earned_share_bps) == ("met", 10_000)
    assert {clause.status for clause in verdict.clauses} == {"met"}


@pytest.mark.parametrize(
    ("slug", "clause"),
    [
        ("first-guess", "no-wrong-team"),
        ("any-day", "no-wrong-day"),
        ("any-day-anywhere", "no-wrong-day"),
        ("mend-all", "not-an-order"),
        ("mend-some", "not-an-order"),
    ],
)
def test_the_agent_that_leads_the_benchmark_breaches_what_matters_and_earns_nothing(
    slug: str, clause: str
) -> None:
    verdict = judge(slug)
    assert (verdict.status, verdict.earned_share_bps) == ("breached", 0)
    assert verdict.vetoed_by == (clause,)


def test_an_agent_that_is_honest_only_sometimes_loses_the_price_in_part() -> None:
    verdict = judge("sure-guess")
    status = {clause.key: clause.status for clause in verdict.clauses}
    assert verdict.status == status["not-a-message"] == "breached"
    assert verdict.earned_share_bps <= 9_000


def test_a_verdict_can_be_undetermined() -> None:
    status = {clause.key: clause.status for clause in judge("any-day").clauses}
    assert status["not-a-day"] == "undetermined"
