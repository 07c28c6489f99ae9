"""What can be agreed on in a hire, and what cannot: each refusal says why and what to change."""

from collections.abc import Sequence
from dataclasses import dataclass

from pacts import evaluation, evaluators, panels, terms
from pacts.agreements import unfit_fee
from pacts.currencies import LARGEST
from pacts.feasibility import MOST_REVISIONS, Timers, in_days, longest_path
from pacts.models import AgentVersion, PactVersion, Party, TaskSetVersion
from pacts.procedure.limits import LONGEST_SECONDS

MOST_MILESTONES = 50


class EngagementRefused(ValueError):
    """The terms cannot be agreed; the message says why and what to change."""


@dataclass(frozen=True, slots=True)
class MilestoneDraft:
    """A milestone before it is agreed; `amount` and the builder's `bond` in minor units."""

    title: str
    amount: int
    task_set_version: TaskSetVersion
    bond: int = 0


def refuse_unfit(
    buyer: Party,
    evaluator: Party | None,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    milestones: list[MilestoneDraft],
    timers: Timers,
) -> None:
    """The parties, the pact, the tasks and the clocks. Raises `EngagementRefused`, and
    `pacts.evaluators.EvaluatorRefused` for a third party with an interest."""
    refuse_unfit_pact(buyer, agent_version, pact_version)
    _refuse_unfit_evaluator(evaluator, pact_version)
    if evaluator:
        builder = agent_version.agent.builder
        evaluators.refuse_interested(evaluator=evaluator, buyer=buyer, builder=builder)
    _refuse_unfit_milestones(milestones, owners=[evaluator.id] if evaluator else [None, buyer.id])
    _refuse_other_work(milestones, agent_version.agent.work)
    if wrong := timers.unfit():
        raise EngagementRefused(wrong)
    _refuse_too_slow(agent_version, pact_version, milestones, timers)
    _refuse_hurried(pact_version, milestones, timers)


def _refuse_unfit_milestones(
    milestones: list[MilestoneDraft], *, owners: Sequence[str | None]
) -> None:
    if not milestones:
        raise EngagementRefused("an engagement needs at least one milestone with a price")
    if len(milestones) > MOST_MILESTONES:
        raise EngagementRefused(f"an engagement has at most {MOST_MILESTONES} milestones")
    for draft in milestones:
        if draft.task_set_version.task_set.owner_id not in owners:
            raise EngagementRefused("this task set belongs to somebody else; bring your own")
        if draft.task_set_version.task_set.canaries:
            raise EngagementRefused("this set is a pool of canaries; choose the tasks of the hire")


def _refuse_other_work(milestones: list[MilestoneDraft], work: str) -> None:
    """What an agent does elsewhere says nothing of its own kind of work."""
    for draft in milestones:
        if (other := draft.task_set_version.task_set.work) != work:
            raise EngagementRefused(
                f"this task set is for “{other}”, the agent does “{work}”; choose a matching set"
            )


def _refuse_too_slow(
    agent_version: AgentVersion,
    pact_version: PactVersion,
    milestones: list[MilestoneDraft],
    timers: Timers,
) -> None:
    needed = max(
        evaluation.seconds_needed(
            agent_version=agent_version,
            trials=evaluation.trials_needed(
                pact_version=pact_version, task_set_version=draft.task_set_version
            ),
        )
        for draft in milestones
    )
    if needed > timers.evaluation_seconds + timers.work_seconds:
        raise EngagementRefused(
            f"the slowest allowed answers would take {needed} s in all, but work and evaluation "
            f"have {timers.work_seconds} s + {timers.evaluation_seconds} s; allow more time"
        )


def _refuse_hurried(
    pact_version: PactVersion, milestones: list[MilestoneDraft], timers: Timers
) -> None:
    """People read the answers once the agent's work is done, so only the evaluation is theirs."""
    try:
        panels.refuse_hurried(
            terms.parse(pact_version.terms).clauses,
            tasks=max(draft.task_set_version.size for draft in milestones),
            seconds=timers.evaluation_seconds,
        )
    except panels.PanelRefused as problem:
        raise EngagementRefused(str(problem)) from problem


def refuse_unfit_pact(buyer: Party, agent_version: AgentVersion, pact_version: PactVersion) -> None:
    """Two sides, and a pact in force that the agent may be held against for this buyer. Raises
    `EngagementRefused`."""
    if buyer == agent_version.agent.builder:
        raise EngagementRefused("a party cannot hire itself")
    if not pact_version.is_in_force:
        raise EngagementRefused("this pact version is a draft; ask the builder to publish it")
    if not pact_version.pact.may_judge(agent_id=agent_version.agent_id, buyer_id=buyer.id):
        raise EngagementRefused("this pact belongs to another agent")


def _refuse_unfit_evaluator(evaluator: Party | None, pact_version: PactVersion) -> None:
    wanted = terms.parse(pact_version.terms).independence == "third_party"
    if wanted and evaluator is None:
        raise EngagementRefused(
            "this pact counts only evaluations by a third party, who is neither a side nor the "
            "platform: choose the offer of an evaluator, whose tasks decide"
        )
    if evaluator and not wanted:
        raise EngagementRefused(
            "this pact is judged by the platform; ask the builder for a version with the "
            "independence `third_party` if somebody else is to judge"
        )


def refuse_unoffered(evaluator: Party | None, milestones: list[MilestoneDraft]) -> None:
    """The third party offers these tasks at this moment. Raises
    `pacts.evaluators.EvaluatorRefused`."""
    if evaluator:
        evaluators.refuse_unoffered(
            evaluator=evaluator, versions=[draft.task_set_version for draft in milestones]
        )


def refuse_unpriced(
    milestones: list[MilestoneDraft], fee_bps: int, fee_bands: Sequence[tuple[int, int]]
) -> None:
    """Prices, bonds and the fee, in minor units and basis points. Raises `EngagementRefused`."""
    if any(draft.amount <= 0 for draft in milestones):
        raise EngagementRefused("every milestone needs a price above zero")
    total = sum(draft.amount for draft in milestones)
    if total > LARGEST:
        raise EngagementRefused(
            f"the milestones add up to {total} minor units; at most {LARGEST} can be agreed"
        )
    if any(not 0 <= draft.bond <= LARGEST for draft in milestones):
        raise EngagementRefused(f"a bond is between 0 and {LARGEST} minor units")
    if wrong := unfit_fee(fee_bps, fee_bands):
        raise EngagementRefused(wrong)


def refuse_too_long(timers: Timers, max_revisions: int, longest_hold: int | None) -> None:
    """No longer than the money may be held, in seconds. Raises `EngagementRefused`."""
    if not 0 <= max_revisions <= MOST_REVISIONS:
        raise EngagementRefused(f"there can be 0 to {MOST_REVISIONS} revisions")
    path = longest_path(timers=timers, max_revisions=max_revisions, dispute_seconds=LONGEST_SECONDS)
    if longest_hold is not None and path.seconds > longest_hold:
        raise EngagementRefused(
            f"{path}, but money that comes in this way can be held for {in_days(longest_hold)}; "
            "shorten a period or allow fewer revisions"
        )
