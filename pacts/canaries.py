"""Blind canaries: tasks mixed into a run that neither the agent nor its builder can tell apart.

An agent that has seen a task set does better on it than on tasks nobody has seen. Canaries come
from a pool of the buyer, else of the platform, for the same kind of work; they have the same shape
as the tasks around them, are tried as often and varied the same way, and their places follow from
the seed of the run. They decide no clause: their passes stand beside the verdict, in its evidence,
so that a verdict on a leaked set can be told from one on a blind one.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from pacts.models import CanaryDraw, Evaluation, Task, TaskSetVersion, Trial, Verdict
from pacts.variants import Subject, VariantPlan
from reputation.confidence import confidence_sequence

SHARE_BPS = 500
MOST = 50
_ASIDE = 10**9  # positions move by way of a range that no run reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Trials that passed every clause, on the set's own tasks and on the canaries; `leaked` says
    that the two rates cannot be one: their 95 % confidence sequences do not meet."""

    own_passes: int
    own: int
    canary_passes: int
    canaries: int

    @property
    def leaked(self) -> bool:
        own_low, _ = confidence_sequence(
            passes=self.own_passes, failures=self.own - self.own_passes
        )
        _, blind_high = confidence_sequence(
            passes=self.canary_passes, failures=self.canaries - self.canary_passes
        )
        return own_low > blind_high

    def facts(self) -> dict[str, object]:
        """What the log says of them; nothing where there were none."""
        if not self.canaries:
            return {}
        return {"canaries": self.canaries, "canary_passes": self.canary_passes}


def most_among(tasks: int) -> int:
    """How many canaries a run over so many tasks draws at most: a twentieth, from 1 to 50."""
    return min(MOST, max(1, tasks * SHARE_BPS // 10_000))


def pool_for(evaluation: Evaluation) -> TaskSetVersion | None:
    """The pool a run draws from: the newest version of the requester's own, else the platform's;
    None for a builder's own screening, and where there is no pool for this kind of work."""
    if evaluation.purpose not in (Evaluation.Purpose.TRIAL, Evaluation.Purpose.MILESTONE):
        return None
    work = evaluation.task_set_version.task_set.work
    pools = TaskSetVersion.objects.filter(task_set__canaries=True, task_set__work=work)
    for owner in (evaluation.requested_by_id, None):
        newest = pools.filter(task_set__owner=owner).order_by("-created_at", "-number").first()
        if newest:
            return newest
    return None


def mix_in(evaluation: Evaluation, plan: VariantPlan, *, subject: Any) -> int:
    """Put canaries among the queued trials of a run that nobody has claimed from yet; returns how
    many trials came on top. `subject` makes a task's variants' subject of a row."""
    pool = pool_for(evaluation)
    chosen = _chosen(evaluation, pool) if pool else []
    if pool is None or not chosen:
        return 0
    size, queued = evaluation.task_set_version.size, evaluation.repeats
    total = Trial.objects.filter(evaluation=evaluation).count()
    areas = [(size, [(task, repeat, "") for task in chosen]) for repeat in range(queued)] + [
        (total - size * queued, list(_varied(evaluation, plan, chosen, subject)))
    ]
    with transaction.atomic():
        rows = _placed(evaluation, areas)
        _make_room(evaluation, [row.position for row in rows])
        Trial.objects.bulk_create(rows, batch_size=1000)
        CanaryDraw.objects.create(evaluation=evaluation, pool=pool, count=len(chosen))
    return len(rows)


def compare(evaluation: Evaluation) -> Comparison:
    """How the tasks as they are went, those of the set and those that nobody had seen."""
    with connection.cursor() as cursor:
        cursor.execute(_PASSES, [evaluation.task_set_version_id, evaluation.pk])
        found = {bool(own): (int(passes), int(decided)) for own, passes, decided in cursor}
    own, blind = found.get(True, (0, 0)), found.get(False, (0, 0))
    return Comparison(own_passes=own[0], own=own[1], canary_passes=blind[0], canaries=blind[1])


def beside(verdict: Verdict | None) -> Comparison | None:
    """What stands beside a verdict: how the run's canaries went, or None where there were none.
    Nobody is told before the verdict."""
    if verdict is None or not is_blind(verdict.evaluation):
        return None
    return compare(verdict.evaluation)


def is_blind(evaluation: Evaluation) -> bool:
    """Whether canaries were mixed into this run."""
    return CanaryDraw.objects.filter(evaluation=evaluation).exists()


# A trial counts when some clause decided it, and passes when none failed it.
_PASSES = """
SELECT own, count(*) FILTER (WHERE NOT failed), count(*) FROM (
    SELECT k.version_id = %s AS own, bool_or(o.outcome = 'fail') AS failed
      FROM pacts_trial t JOIN pacts_task k ON k.id = t.task_id
      JOIN pacts_observation o ON o.trial_id = t.id AND o.outcome IN ('pass', 'fail')
     WHERE t.evaluation_id = %s AND t.state = 'done' AND t.variant = ''
     GROUP BY t.id, k.version_id) each_trial
 GROUP BY own
"""


def _chosen(evaluation: Evaluation, pool: TaskSetVersion) -> list[Task]:
    """Canaries of the shapes the set has, so many of each that they are as common as in it."""
    shapes = [_shape(task) for task in evaluation.task_set_version.tasks.order_by("position")]
    wanted = most_among(len(shapes))
    fitting = [task for task in pool.tasks.order_by("position") if _shape(task) in set(shapes)]
    chance = random.Random(f"canaries {evaluation.seed}")  # noqa: S311 - re-made from the seed
    return chance.sample(fitting, min(wanted, len(fitting)))


def _shape(task: Task) -> tuple[object, ...]:
    """What an agent could tell a task by: the names and types of its input's fields."""
    return tuple(sorted((name, type(value).__name__) for name, value in task.input.items()))


def _varied(
    evaluation: Evaluation, plan: VariantPlan, chosen: Sequence[Task], subject: Any
) -> Iterator[tuple[Task, int, str]]:
    if not plan.variations:
        return
    for task in chosen:
        made: Subject = subject(task)
        for name in plan.names(made, seed=evaluation.seed):
            yield task, 0, name


def _placed(
    evaluation: Evaluation, areas: Sequence[tuple[int, list[tuple[Task, int, str]]]]
) -> list[Trial]:
    """The canaries' trials at random places within each repeat, and among the variants."""
    chance = random.Random(f"places {evaluation.seed}")  # noqa: S311 - re-made from the seed
    rows, start = [], 0
    for length, entries in areas:
        chance.shuffle(entries)
        places = sorted(chance.sample(range(length + len(entries)), len(entries)))
        for place, (task, repeat, variant) in zip(places, entries, strict=True):
            rows.append(
                Trial(
                    evaluation=evaluation,
                    task=task,
                    position=start + place,
                    repeat=repeat,
                    variant=variant,
                )
            )
        start += length + len(entries)
    return rows


def _make_room(evaluation: Evaluation, places: Sequence[int]) -> None:
    """Move every queued trial past the places before it, by way of positions nobody uses."""
    before = [place - index for index, place in enumerate(places)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pacts_trial SET position = position + %s WHERE evaluation_id = %s",
            [_ASIDE, evaluation.pk],
        )
        cursor.execute(
            """UPDATE pacts_trial t SET position = t.position - %(aside)s + (
                   SELECT count(*) FROM unnest(%(before)s::int[]) AS b
                    WHERE b <= t.position - %(aside)s)
                WHERE t.evaluation_id = %(evaluation)s""",
            {"aside": _ASIDE, "before": before, "evaluation": evaluation.pk},
        )
