"""Re-evaluation: what a control may ask for before an agent is engaged again.

The platform runs it, on tasks of the platform's own for that kind of work, else on the ones the
agent was last judged on. It moves no money and counts in no standing; a met verdict lifts the
restriction (`marketplace.oversight`).
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from pacts import evaluation
from pacts.evaluation import EvaluationRefused
from pacts.models import (
    Agent,
    AgentVersion,
    Evaluation,
    PactVersion,
    Party,
    ReEvaluation,
    TaskSetVersion,
    Verdict,
)
from reputation import restrictions
from reputation.models import Firing


class ReEvaluationDue(ValueError):
    """A control asks for a re-evaluation before the agent takes another engagement."""


def refuse_restricted(*, agent_id: str, now: datetime) -> None:
    """Raises ReEvaluationDue while a control asks for a re-evaluation that was not met yet."""
    for one in restrictions.in_force(agent_id=agent_id, now=now):
        if one.action == "re_evaluate":
            raise ReEvaluationDue(
                f"a control asks for a re-evaluation of this agent first. {one.sentence}"
            )


def start_re_evaluation(
    *,
    firing: Firing,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    by: Party,
    now: datetime,
) -> ReEvaluation:
    """Start the evaluation a firing asks for; the one under way is returned as it is.

    Raises EvaluationRefused.
    """
    if firing.control.action != "re_evaluate" or firing.released_at:
        raise EvaluationRefused("no control asks for a re-evaluation here")
    if agent_version.agent_id != firing.agent_id:
        raise EvaluationRefused("this version is of another agent")
    with transaction.atomic():
        Agent.objects.select_for_update(no_key=True).only("pk").get(pk=firing.agent_id)
        running = firing_runs(firing).filter(evaluation__state=Evaluation.State.RUNNING).first()
        if running:
            return running
        started = evaluation.start_evaluation(
            purpose=Evaluation.Purpose.SCREENING,
            independence=Evaluation.Independence.PLATFORM,
            requested_by=by,
            agent_version=agent_version,
            pact_version=pact_version,
            task_set_version=_tasks(agent_version.agent),
            deadline_at=evaluation.default_deadline(now),
            now=now,
        )
        return ReEvaluation.objects.create(firing=firing, evaluation=started)


def firing_runs(firing: Firing) -> QuerySet[ReEvaluation]:
    """The evaluations started for a firing, the newest first."""
    rows = ReEvaluation.objects.filter(firing=firing).select_related("evaluation__verdict")
    return rows.order_by("-pk")


def is_met(firing: Firing) -> bool:
    """Whether an evaluation that answers this firing was met."""
    return ReEvaluation.objects.filter(
        firing=firing, evaluation__verdict__outcome=Verdict.Outcome.MET
    ).exists()


def tasks_for(agent: Agent) -> TaskSetVersion | None:
    """What to re-evaluate an agent on: the platform's largest set, else what judged it last."""
    own = TaskSetVersion.objects.filter(task_set__owner=None, task_set__work=agent.work)
    found = own.order_by("-size", "-pk").first()
    if found:
        return found
    last = Evaluation.objects.filter(
        agent_version__agent=agent, purpose=Evaluation.Purpose.MILESTONE
    ).order_by("-started_at")
    judged = last.select_related("task_set_version").first()
    return judged.task_set_version if judged else None


def _tasks(agent: Agent) -> TaskSetVersion:
    found = tasks_for(agent)
    if found is None:
        raise EvaluationRefused("there are no tasks of this kind of work to evaluate it on")
    return found
