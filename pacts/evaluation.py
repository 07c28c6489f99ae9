"""Evaluations: started as rows, run trial by trial in `runner.py`, concluded in `verdicts.py`."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from pacts import canaries, panels, terms, trials
from pacts.budgets import NO_LIMIT, Budget
from pacts.models import (
    AgentVersion,
    Deliverable,
    Evaluation,
    PactVersion,
    Party,
    TaskSetVersion,
)
from pacts.plans import plan_for
from pacts.queueing import queue, subject_of
from pacts.tables import MOST_PARAPHRASES
from reputation import evidence
from reputation.confidence import METHOD

SEED_BITS = 53  # JSON numbers stay exact up to here


class EvaluationRefused(ValueError):
    """The evaluation cannot start; the message says why."""


def repeats_of(pact_version: PactVersion) -> int:
    """How often each task is tried as it is: the most any clause of the pact asks for."""
    parsed = terms.parse(pact_version.terms)
    return max(clause.repeats for clause in parsed.clauses)


def trials_needed(*, pact_version: PactVersion, task_set_version: TaskSetVersion) -> int:
    """The most trials a hire's run over these tasks can have: every variant, and the canaries that
    are mixed in where there is a pool for this kind of work."""
    parsed = terms.parse(pact_version.terms)
    plan = plan_for(parsed.clauses)
    tasks = task_set_version.size + canaries.most_among(task_set_version.size)
    return tasks * (repeats_of(pact_version) + plan.most(paraphrases=MOST_PARAPHRASES))


def seconds_needed(*, agent_version: AgentVersion, trials: int) -> int:
    """Seconds until the last answer if every answer takes as long as it may."""
    rounds = -(-trials // agent_version.max_concurrency)
    return -(-rounds * agent_version.deadline_ms // 1000)


def start_evaluation(
    *,
    purpose: Evaluation.Purpose,
    independence: Evaluation.Independence,
    requested_by: Party,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    task_set_version: TaskSetVersion,
    deadline_at: datetime,
    now: datetime,
    deliverable: Deliverable | None = None,
    repeats: int | None = None,
    budget: Budget = NO_LIMIT,
    full_run: bool = True,
) -> Evaluation:
    """Queue every trial and log that the evaluation starts, before anything is known about it.

    Each task is tried as often as the pact asks for, or `repeats` times in a quick screening
    (a clause that asks for more repeats then finds nothing to decide). Without `full_run` it ends
    as soon as more trials could not change the verdict. A third party's run waits until it is begun
    (`pacts.evaluators`). Raises EvaluationRefused, BudgetRefused for a budget nobody can keep.
    """
    _refuse_foreign(pact_version, agent_version, requested_by, deliverable)
    parsed = _fitting(pact_version, independence if deliverable else None)
    budget.check(call_seconds=agent_version.deadline_ms / 1000)
    if not deliverable:  # a hire's clocks were looked at when it was agreed
        _refuse_hurried(parsed, task_set_version.size, deadline_at - now)
    waits = independence == Evaluation.Independence.THIRD_PARTY
    with transaction.atomic():
        evaluation = Evaluation.objects.create(
            purpose=purpose,
            independence=independence,
            requested_by=requested_by,
            deliverable=deliverable,
            agent_version=agent_version,
            pact_version=pact_version,
            task_set_version=task_set_version,
            repeats=repeats or repeats_of(pact_version),
            seed=secrets.randbits(SEED_BITS),
            trials_total=0,
            full_run=full_run,
            state=Evaluation.State.WAITING if waits else Evaluation.State.RUNNING,
            started_at=now,
            deadline_at=deadline_at,
            **_limits(budget),
        )
        _fill(evaluation, parsed, now)
        _announce(evaluation, now)
    return evaluation


def _refuse_foreign(
    pact_version: PactVersion,
    agent_version: AgentVersion,
    requested_by: Party,
    deliverable: Deliverable | None,
) -> None:
    asked_by = deliverable.milestone.engagement.buyer_id if deliverable else requested_by.id
    if not pact_version.pact.may_judge(agent_id=agent_version.agent_id, buyer_id=asked_by):
        raise EvaluationRefused("this pact belongs to another agent")


def _fitting(pact_version: PactVersion, independence: str | None) -> terms.PactTerms:
    """The pact's terms, if they let this evaluator decide about money."""
    parsed = terms.parse(pact_version.terms)
    if independence and not terms.suffices(independence, required=parsed.independence):
        raise EvaluationRefused(
            f"this pact counts only evaluations by {parsed.independence.replace('_', ' ')} "
            f"or somebody more independent, not by {independence}"
        )
    return parsed


def _limits(budget: Budget) -> dict[str, Any]:
    return {
        "max_calls": budget.calls,
        "max_seconds": budget.seconds,
        "max_cost_micros": budget.cost_micros,
        "cost_currency": budget.currency,
        "call_cost_micros": budget.call_cost_micros,
    }


def _refuse_hurried(parsed: terms.PactTerms, tasks: int, window: timedelta) -> None:
    try:
        panels.refuse_hurried(parsed.clauses, tasks=tasks, seconds=int(window.total_seconds()))
    except panels.PanelRefused as problem:
        raise EvaluationRefused(str(problem)) from problem


def _fill(evaluation: Evaluation, parsed: terms.PactTerms, now: datetime) -> None:
    """The rows of the run: trials, canaries among them, and whoever will judge or review."""
    plan = plan_for(parsed.clauses)
    evaluation.trials_total = queue(evaluation, plan)
    evaluation.trials_total += canaries.mix_in(evaluation, plan, subject=subject_of)
    evaluation.save(update_fields=["trials_total"])
    try:
        panels.prepare(evaluation, parsed.clauses, now=now)
    except panels.PanelRefused as problem:
        raise EvaluationRefused(str(problem)) from problem


def _announce(evaluation: Evaluation, now: datetime) -> None:
    """Log it, and tell whoever goes on: the workers, or the third party that begins it."""
    _log_start(evaluation, now)
    if evaluation.state == Evaluation.State.WAITING:
        _log_waiting(evaluation, now)
    else:
        transaction.on_commit(lambda: trials.nudge(evaluation))


def _log_start(evaluation: Evaluation, now: datetime) -> None:
    evidence.append(
        kind="evaluation.started",
        subjects=subjects_of(evaluation),
        facts={
            "tasks": evaluation.task_set_version.size,
            "trials_per_task": evaluation.repeats,
            "independence": evaluation.independence,
            "method": METHOD,
        },
        digests={"terms": evaluation.pact_version.digest},
        at=now,
    )


def _log_waiting(evaluation: Evaluation, now: datetime) -> None:
    """Whoever begins it hears of it from the log."""
    evidence.append(
        kind="evaluation.awaited",
        subjects=subjects_of(evaluation) | {"party": evaluation.requested_by_id},
        at=now,
    )


def subjects_of(evaluation: Evaluation) -> dict[str, str]:
    """Whom an evaluation's evidence names, by role."""
    subjects = {
        "evaluation": evaluation.id,
        "agent": evaluation.agent_version.agent_id,
        "agent_version": evaluation.agent_version_id,
        "pact_version": evaluation.pact_version_id,
        "taskset": evaluation.task_set_version_id,
    }
    if evaluation.deliverable:
        milestone = evaluation.deliverable.milestone
        subjects |= {"milestone": milestone.id, "engagement": milestone.engagement_id}
    return subjects


def default_deadline(now: datetime) -> datetime:
    """When an evaluation nobody's money waits for is given up: after a day."""
    return now + timedelta(days=1)


def cancel_evaluation(*, evaluation: Evaluation, by: Party, now: datetime) -> Evaluation:
    """Call a run off: nothing more is tried, what is in flight counts for nothing, no verdict.

    Raises EvaluationRefused for a run that money waits for, that is over, or that is not theirs.
    """
    with transaction.atomic():
        evaluation = Evaluation.objects.select_for_update(no_key=True, of=("self",)).get(
            pk=evaluation.pk
        )
        if evaluation.requested_by_id != by.pk:
            raise EvaluationRefused("only the party that asked for a run calls it off")
        if evaluation.purpose == Evaluation.Purpose.MILESTONE:
            raise EvaluationRefused("money waits for this run; end the milestone instead")
        if evaluation.state != Evaluation.State.RUNNING:
            raise EvaluationRefused("this run is over already")
        skipped = trials.skip_all(evaluation)
        evaluation.state = Evaluation.State.ABANDONED
        evaluation.stopped_by = Evaluation.Stop.CANCELLED
        evaluation.concluded_at = now
        evaluation.save(update_fields=["state", "stopped_by", "concluded_at"])
        evidence.append(
            kind="evaluation.cancelled",
            subjects=subjects_of(evaluation),
            facts={"calls": evaluation.calls_made, "skipped": skipped},
            at=now,
        )
    return evaluation
