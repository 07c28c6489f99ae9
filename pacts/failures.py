"""The report of failure modes of a run, read from its rows and its raw answers in chunks."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction

from pacts.agents import PROTOCOLS, Adapter
from pacts.failure_modes import (
    FailureReport,
    Mode,
    Seen,
    SeenTrial,
    mode_of,
    report,
)
from pacts.models import Evaluation

CHUNK = 500


def failure_report(evaluation: Evaluation) -> FailureReport:
    """Every trial of the set's own tasks, told apart; answers are read where a check failed."""
    with transaction.atomic():
        return report(_modes(evaluation), total=evaluation.trials_total)


def _modes(evaluation: Evaluation) -> Iterator[tuple[int, Mode]]:
    version = evaluation.agent_version
    adapter = PROTOCOLS.get(version.protocol)
    with connection.chunked_cursor() as cursor:
        cursor.itersize = CHUNK  # type: ignore[attr-defined]
        cursor.execute(_SEEN, [evaluation.pk])
        for position, group in groupby(cursor, key=itemgetter(0)):
            rows = list(group)
            yield position, mode_of(_trial(rows, adapter, version.declared))


# The answer comes with the first row of a trial only: it may be large, and a trial has many rows.
_SEEN = """
SELECT t.position, t.state, t.fault, k.in_scope, o.check_kind, o.outcome, o.value,
       CASE WHEN o.outcome = 'fail' AND t.fault = 'none'
             AND row_number() OVER (PARTITION BY t.id, o.outcome ORDER BY o.id) = 1
            THEN a.body END
  FROM pacts_trial t
  JOIN pacts_evaluation e ON e.id = t.evaluation_id
  JOIN pacts_task k ON k.id = t.task_id AND k.version_id = e.task_set_version_id
  LEFT JOIN pacts_observation o ON o.trial_id = t.id
  LEFT JOIN pacts_artifact a ON a.digest = t.output_digest AND o.outcome = 'fail'
 WHERE t.evaluation_id = %s AND t.state IN ('done', 'null', 'skipped')
 ORDER BY t.position, o.id
"""


def _trial(rows: list[Any], adapter: Adapter | None, declared: dict[str, Any]) -> SeenTrial:
    position, state, fault, in_scope = rows[0][:4]
    body = next((row[7] for row in rows if row[7] is not None), None)
    output: dict[str, Any] = {}
    if body is not None and adapter is not None:
        read = adapter.read(raw=bytes(body), latency_ms=None, declared=declared)
        output = read.output or {}
    return SeenTrial(
        position=position,
        state=state,
        fault=fault,
        in_scope=in_scope,
        seen=[Seen(kind=row[4], outcome=row[5], value=row[6]) for row in rows if row[4]],
        declined=output.get("declined") is True,
        confidence=_confidence(output.get("confidence")),
    )


def _confidence(claimed: object) -> float | None:
    if isinstance(claimed, bool) or not isinstance(claimed, int | float) or not 0 <= claimed <= 1:
        return None
    return float(claimed)
