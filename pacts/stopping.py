"""Stopping early: when every clause has latched, or a critical one is breached, more calls buy
nothing.

Trials finish in any order, and a fast failure would be seen before a slow success, so only the
trials up to the first gap in the order of the run are looked at. Once they decide, nothing after
the last trial that was already claimed is tried (`stop_after`); what is in flight lands and counts.
If everything up to there still decides, the rest is skipped and the verdict falls; if a late answer
undid it, the run goes on. Dropping late answers instead would choose observations after seeing
them.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Q

from pacts.judging import Reckoning
from pacts.models import CanaryDraw, Evaluation, Task, Trial
from pacts.observed import tries_of
from pacts.terms import PactTerms

LOOK = 1_000  # trials read at a time


class Watch:
    """One runner's reading of a run in its order; each look reads only what is new."""

    def __init__(self, evaluation: Evaluation, parsed: PactTerms) -> None:
        self._evaluation = evaluation
        self._keys = [clause.key for clause in parsed.clauses]
        self._reckoning = Reckoning(parsed.clauses)
        self._next = 0
        drawn = Task.objects.filter(
            version__in=CanaryDraw.objects.filter(evaluation=evaluation).values("pool"),
            trials__evaluation=evaluation,
        )
        self._canaries = frozenset(drawn.values_list("pk", flat=True))
        # Tries of one task, where it is not one and the same number for all.
        self._single = evaluation.trials_total == evaluation.task_set_version.size
        self._open: dict[Any, list[Sequence[Any]]] = defaultdict(list)

    def look(self) -> bool:
        """Read on as far as there is no gap; whether the run is decided."""
        while self._read():
            pass
        return self._reckoning.decided

    def _read(self) -> bool:
        """Whether a whole slice was read, so that there may be more."""
        with connection.cursor() as cursor:
            tries = "1" if self._single else _TRIES
            cursor.execute(
                _SLICE.replace("/*tries*/", tries), [self._evaluation.pk, self._next, LOOK]
            )
            rows = cursor.fetchall()
        seen = 0
        for position, group in groupby(rows, key=itemgetter(0)):
            trial = list(group)
            if position != self._next or trial[0][3] not in (Trial.State.DONE, Trial.State.NULL):
                return False
            self._add(trial)
            self._next += 1
            seen += 1
        return seen == LOOK

    def _add(self, trial: list[Sequence[Any]]) -> None:
        """One more try of a task; the task is fed when its last try is in. Canaries are passed."""
        task, expected = trial[0][1], trial[0][7]
        if task in self._canaries:
            return
        tries = self._open[task]
        tries.append([row[1:7] for row in trial])
        if len(tries) == expected:
            rows = [row for one in self._open.pop(task) for row in one]
            self._reckoning.add(tries_of(rows, self._keys))


_SLICE = """
SELECT t.position, t.task_id, t.variant, t.state, o.clause, o.outcome, o.value, /*tries*/
  FROM (SELECT * FROM pacts_trial WHERE evaluation_id = %s AND position >= %s
         ORDER BY position LIMIT %s) t
  LEFT JOIN pacts_observation o ON o.trial_id = t.id
 ORDER BY t.position, o.id
"""


_TRIES = """(SELECT count(*) FROM pacts_trial c
               WHERE c.evaluation_id = t.evaluation_id AND c.task_id = t.task_id)"""


def stop(evaluation: Evaluation) -> bool:
    """Let no trial be claimed any more beyond those that were; whether this call decided so."""
    with transaction.atomic():
        # A claim under way holds this row: what it took is seen by the statement after it.
        held = Evaluation.objects.select_for_update(no_key=True).get(pk=evaluation.pk)
        if held.state != Evaluation.State.RUNNING or held.stop_after is not None:
            return False
        claimed = Q(attempt__gt=0) | ~Q(state=Trial.State.QUEUED)
        found = Trial.objects.filter(claimed, evaluation=held).aggregate(last=Max("position"))
        held.stop_after = found["last"] or 0
        held.save(update_fields=["stop_after"])
    return True


def go_on(evaluation: Evaluation) -> None:
    """A late answer undid the decision: the queue opens again. The caller holds the evaluation."""
    evaluation.stop_after = None
    evaluation.save(update_fields=["stop_after"])
