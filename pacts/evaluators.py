"""Third parties that judge hires: they offer task sets of their own, and begin the runs.

An offer is a standing word: whoever hires under a pact that wants a third party chooses one, both
sides sign who it is, and the runs of that hire wait for the evaluator to begin them. The platform's
engine makes every run and draws every verdict; the evaluator brings the tasks and the moment, sees
no money, and is paid by nobody here. `pacts.models.separation` keeps it apart in the database.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from pacts import trials
from pacts.evaluation import EvaluationRefused, subjects_of
from pacts.models import Engagement, Evaluation, EvaluatorOffer, Member, Party, TaskSetVersion, User
from reputation import evidence

FEWEST_TASKS = 20  # under twenty units nothing is shown, so nothing could be proved
_BINDING = [Engagement.State.PROPOSED, Engagement.State.ACTIVE]


class EvaluatorRefused(ValueError):
    """The offer cannot be made, ended or taken; the message says why."""


class NotTheEvaluator(PermissionError):
    """Only the agreed evaluator begins the runs of a hire."""


def offer(
    *, party: Party, task_set_version: TaskSetVersion, by: User, now: datetime, about: str = ""
) -> EvaluatorOffer:
    """Offer to judge other people's hires on these tasks, which nobody else will read.

    `about` is at most 1,000 characters for both sides. Raises `EvaluatorRefused`.
    """
    task_set = task_set_version.task_set
    if task_set.owner_id != party.pk:
        raise EvaluatorRefused("an evaluator judges on a task set of its own")
    if task_set.canaries:
        raise EvaluatorRefused("this set is a pool of canaries; offer the tasks themselves")
    if task_set_version.size < FEWEST_TASKS:
        raise EvaluatorRefused(
            f"this set has {task_set_version.size} tasks; on fewer than {FEWEST_TASKS} nothing "
            "can be proved, so add some"
        )
    try:
        with transaction.atomic():
            made = EvaluatorOffer.objects.create(
                evaluator=party,
                task_set_version=task_set_version,
                about=about.strip(),
                opened_at=now,
                opened_by=by,
            )
            _log("evaluator.offered", made, {"tasks": task_set_version.size}, now)
    except IntegrityError as error:
        raise EvaluatorRefused("these tasks are offered already") from error
    return made


def end_offer(*, offer: EvaluatorOffer, now: datetime, by_staff: bool = False) -> EvaluatorOffer:
    """Take no more hires on it; those agreed on are judged all the same. Ending again changes
    nothing."""
    with transaction.atomic():
        found = EvaluatorOffer.objects.select_for_update().get(pk=offer.pk)
        if found.ended_at is None:
            found.ended_at, found.ended_by_staff = now, by_staff
            found.save(update_fields=["ended_at", "ended_by_staff"])
            _log("evaluator.ended", found, {}, now)
    return found


def open_offers(*, work: str | None = None) -> QuerySet[EvaluatorOffer]:
    """Offers a hire can take, the newest first; `work` is the kind of work of the agent."""
    rows = EvaluatorOffer.objects.filter(ended_at=None)
    if work is not None:
        rows = rows.filter(task_set_version__task_set__work=work)
    return rows.select_related("evaluator", "task_set_version__task_set").order_by("-opened_at")


def offers_for(*, buyer: Party, builder: Party, work: str) -> QuerySet[EvaluatorOffer]:
    """Those of them whose evaluator has no interest in a hire between these two."""
    sides = Member.objects.filter(party__in=[buyer, builder]).values("user")
    torn = Member.objects.filter(party=OuterRef("evaluator"), user__in=sides)
    rows = open_offers(work=work).exclude(evaluator__in=[buyer, builder])
    return rows.filter(~Exists(torn))


def refuse_interested(*, evaluator: Party, buyer: Party, builder: Party) -> None:
    """Raises `EvaluatorRefused` for a side of the hire, and where somebody acts for both."""
    if evaluator.pk in (buyer.pk, builder.pk):
        raise EvaluatorRefused("a third party is neither the buyer nor the builder")
    own = Member.objects.filter(party=evaluator).values("user")
    if Member.objects.filter(party__in=[buyer, builder], user__in=own).exists():
        raise EvaluatorRefused(
            "somebody acts for the evaluator and for a side of the hire; choose another evaluator"
        )


def refuse_unoffered(*, evaluator: Party, versions: list[TaskSetVersion]) -> None:
    """Raises `EvaluatorRefused` unless the evaluator offers each of these task sets. The offers are
    locked: one that ends at the same moment ends before or after."""
    wanted = {version.pk for version in versions}
    rows = EvaluatorOffer.objects.filter(evaluator=evaluator, ended_at=None)
    offered = rows.filter(task_set_version__in=wanted).select_for_update(no_key=True)
    if {row.task_set_version_id for row in offered} != wanted:
        raise EvaluatorRefused(
            "the evaluator does not offer these tasks at the moment; choose one of its offers"
        )


def is_torn(*, user: User, party: Party) -> bool:
    """Whether the user, as a member of `party`, would act for an evaluator and for a side of a hire
    that is proposed or in force."""
    own = Member.objects.filter(user=user).values("party")
    judged = Engagement.objects.filter(state__in=_BINDING)
    as_evaluator = judged.filter(evaluator=party)
    as_side = judged.filter(evaluator__in=own)
    return (
        as_evaluator.filter(buyer__in=own).exists()
        or as_evaluator.filter(builder__in=own).exists()
        or as_side.filter(buyer=party).exists()
        or as_side.filter(builder=party).exists()
    )


def begin_evaluation(*, evaluation: Evaluation, by: Party, now: datetime) -> Evaluation:
    """The agreed evaluator begins a run that waits for it; beginning again changes nothing.

    Raises `NotTheEvaluator`, `EvaluationRefused` once its time is over.
    """
    with transaction.atomic():
        evaluation = (
            Evaluation.objects.select_for_update(no_key=True, of=("self",))
            .select_related("agent_version", "pact_version", "deliverable__milestone")
            .get(pk=evaluation.pk)
        )
        if evaluation.requested_by_id != by.pk:
            raise NotTheEvaluator("only the agreed evaluator begins this run")
        if evaluation.state == Evaluation.State.RUNNING:
            return evaluation
        if evaluation.state != Evaluation.State.WAITING or now > evaluation.deadline_at:
            raise EvaluationRefused("this run is over, or the time to begin it has passed")
        evaluation.state, evaluation.started_at = Evaluation.State.RUNNING, now
        evaluation.save(update_fields=["state", "started_at"])
        evidence.append(
            kind="evaluation.begun",
            subjects=subjects_of(evaluation) | {"party": by.pk},
            at=now,
            dedupe_key=f"evaluation.begun:{evaluation.pk}",
        )
        transaction.on_commit(lambda: trials.nudge(evaluation))
    return evaluation


def _log(kind: str, offer: EvaluatorOffer, facts: dict[str, object], now: datetime) -> None:
    evidence.append(
        kind=kind,
        subjects={"party": offer.evaluator_id, "taskset": offer.task_set_version_id},
        facts=facts,
        at=now,
    )
