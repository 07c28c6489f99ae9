"""A run's observations as rows, read task by task without holding more than one task."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from pacts.judging import TaskTries
from pacts.models import Evaluation, Task, Trial
from pacts.units import Outcome, Try

Row = tuple[Any, ...]  # task, variant, state, clause, outcome, value

CHUNK = 2_000
_UNOBSERVED: dict[str, Outcome] = {Trial.State.NULL: "null", Trial.State.SKIPPED: "stopped"}


def tasks_of(evaluation: Evaluation, *, last: int | None = None) -> Iterator[TaskTries]:
    """Every task's tries by clause, a task in the place of its last try; canaries are left out.

    With `last`, trials after that position count as never tried. Needs a transaction: the rows come
    through a cursor on the server.
    """
    keys = [clause["key"] for clause in evaluation.pact_version.terms["clauses"]]
    with connection.chunked_cursor() as cursor:
        cursor.itersize = CHUNK  # type: ignore[attr-defined]
        cursor.execute(_TASKS, [last, evaluation.pk])
        yield from by_task(iter(cursor), keys)


# A queued or running trial appears only past `last`, where the run is being cut off.
_TASKS = """
SELECT t.task_id, t.variant,
       CASE WHEN t.state IN ('done', 'null') THEN t.state ELSE 'skipped' END,
       o.clause, o.outcome, o.value
  FROM (SELECT *, max(position) FILTER (WHERE position <= coalesce(%s::int, position))
                      OVER (PARTITION BY task_id) AS place
          FROM pacts_trial WHERE evaluation_id = %s AND task_id NOT IN (
               SELECT k.id FROM pacts_canarydraw d JOIN pacts_task k ON k.version_id = d.pool_id
                WHERE d.evaluation_id = pacts_trial.evaluation_id)) t
  LEFT JOIN pacts_observation o ON o.trial_id = t.id
 ORDER BY t.place NULLS LAST, t.task_id, t.position, o.id
"""


def sessions_of(evaluation: Evaluation) -> dict[str, str]:
    """The session of each task of the set that belongs to one, by the task's id."""
    rows = Task.objects.filter(version_id=evaluation.task_set_version_id).exclude(session="")
    return {str(task): session for task, session in rows.values_list("pk", "session")}


def by_task(rows: Iterable[Row], keys: Sequence[str]) -> Iterator[TaskTries]:
    """Rows of one task after the other as tries; a trial without observations is the same try for
    every clause."""
    for _, group in groupby(rows, key=itemgetter(0)):
        yield tries_of(group, keys)


def tries_of(rows: Iterable[Row], keys: Sequence[str]) -> TaskTries:
    """One task's rows as tries by clause."""
    tries: dict[str, list[Try]] = defaultdict(list)
    for task, variant, state, clause, outcome, value in rows:
        unobserved = _UNOBSERVED.get(state)
        if unobserved is not None:
            for key in keys:
                tries[key].append(Try(task=str(task), outcome=unobserved, variant=variant))
        elif clause is not None:
            tries[clause].append(Try(task=str(task), outcome=outcome, value=value, variant=variant))
    return tries
