"""Trying an agent before any money moves: a buyer on its own tasks, a builder for a claim."""

from datetime import datetime

from marketplace.models import Listing
from pacts import erasure, evaluation
from pacts.budgets import NO_LIMIT, Budget
from pacts.erasure import Erased
from pacts.evaluation import EvaluationRefused
from pacts.models import AgentVersion, Evaluation, PactVersion, Party, TaskSetVersion
from settlement.models import Escrow


def try_agent(
    *,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    task_set_version: TaskSetVersion,
    party: Party,
    now: datetime,
    budget: Budget = NO_LIMIT,
    full_run: bool = False,
) -> Evaluation:
    """Run the agent over a task set and hold it against its pact; nobody's money waits for it.

    Other people's agents can be tried while they are listed, under the pact they offer or one that
    the party wrote itself. It ends as soon as the verdict is certain, unless a `full_run` is asked
    for. Raises `EvaluationRefused`, or `BudgetRefused`.
    """
    agent = agent_version.agent
    own = agent.builder_id == party.id
    if agent.control_proved_at is None:
        raise EvaluationRefused("prove control of the agent's endpoint first")
    if pact_version.published_at is None:
        raise EvaluationRefused("publish the pact first: a draft may change while trials run")
    if task_set_version.task_set.owner_id not in (None, party.id):
        raise EvaluationRefused("this task set belongs to somebody else; bring your own")
    if task_set_version.task_set.work != agent.work:
        raise EvaluationRefused(
            f"this task set is for “{task_set_version.task_set.work}”, "
            f"the agent does “{agent.work}”; choose a matching set"
        )
    offered = Listing.objects.filter(
        agent=agent, agent_version=agent_version, state=Listing.State.OPEN
    )
    if pact_version.pact.buyer_id != party.id:
        offered = offered.filter(pact_version=pact_version)
    if not own and not offered.exists():
        raise EvaluationRefused("this agent is not offered under this pact at the moment")
    return evaluation.start_evaluation(
        purpose=Evaluation.Purpose.SCREENING if own else Evaluation.Purpose.TRIAL,
        independence=Evaluation.Independence.SELF if own else Evaluation.Independence.BUYER,
        requested_by=party,
        agent_version=agent_version,
        pact_version=pact_version,
        task_set_version=task_set_version,
        deadline_at=evaluation.default_deadline(now),
        budget=budget,
        full_run=full_run,
        now=now,
    )


def erase_answers(*, run: Evaluation, party: Party, now: datetime) -> Erased:
    """Erase what a run kept, at its party's request; never while money or a dispute may need it.

    Raises `EvaluationRefused`.
    """
    held = Escrow.objects.filter(milestone__deliverables__evaluation=run).first()
    if held is not None and not held.is_final:
        raise EvaluationRefused(
            "money still waits for this run, and a dispute may need its answers; "
            "erase them once it is settled"
        )
    return erasure.erase_answers(evaluation=run, by=party, reason="party_request", now=now)
