"""The rows of a run: every task as often as the pact asks for, then every variant of every task."""

from collections.abc import Iterator
from itertools import islice

from django.db import connection

from pacts.models import Evaluation, Task, Trial
from pacts.variants import Subject, VariantPlan

CHUNK = 500


def queue(evaluation: Evaluation, plan: VariantPlan) -> int:
    """Queue every trial; returns how many. Tasks are queued in the database and varied in chunks,
    so that a large set costs no memory here."""
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE,
            {
                "evaluation": evaluation.pk,
                "version": evaluation.task_set_version_id,
                "size": evaluation.task_set_version.size,
                "repeats": evaluation.repeats,
            },
        )
        queued = int(cursor.rowcount)
    if not plan.variations:
        return queued
    rows = _varied(evaluation, plan, first=queued)
    while chunk := list(islice(rows, CHUNK)):
        Trial.objects.bulk_create(chunk)
        queued += len(chunk)
    return queued


def subject_of(task: Task) -> Subject:
    """A task as its variants depend on it."""
    return Subject(
        position=task.position,
        input=task.input,
        expected=task.expected,
        paraphrases=task.paraphrases,
    )


def _varied(evaluation: Evaluation, plan: VariantPlan, *, first: int) -> Iterator[Trial]:
    tasks = Task.objects.filter(version_id=evaluation.task_set_version_id).order_by("position")
    position = first
    for task in tasks.iterator(chunk_size=CHUNK):
        for variant in plan.names(subject_of(task), seed=evaluation.seed):
            yield Trial(evaluation=evaluation, task=task, position=position, variant=variant)
            position += 1


_QUEUE = """
INSERT INTO pacts_trial (evaluation_id, task_id, position, repeat, variant, state, attempt, fault,
                         error_code, error_message, input_digest, output_digest, cost_micros)
SELECT %(evaluation)s, k.id, r * %(size)s + row_number() OVER (PARTITION BY r ORDER BY k.position)
       - 1, r, '', 'queued', 0, 'none', '', '', '', '', 0
  FROM pacts_task k CROSS JOIN generate_series(0, %(repeats)s - 1) AS r
 WHERE k.version_id = %(version)s
"""
