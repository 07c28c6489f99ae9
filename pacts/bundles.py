"""A concluded run as one document that anybody can check again offline (`pacts.verification`).

`earnest-evaluation/1` is canonical JSON (RFC 8785): what was promised, what was asked, what came
back, what every check said, and the verdict. Tasks the platform mixed in are left out: they decide
nothing, and are of no use once seen.
"""

import base64
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction

from pacts.evaluation import EvaluationRefused
from pacts.models import ClauseVerdict, Evaluation, Task, Verdict
from pacts.verification import FORMAT
from reputation.canonical import JsonValue, canonical

CHUNK = 500
_TRIAL = (
    *("position", "task", "repeat", "variant", "state", "attempt", "fault", "error_code"),
    *("error_message", "latency_us", "cost_micros", "reported", "input_digest", "output_digest"),
)
_CLAUSE = (
    *("key", "outcome", "passes", "failures", "errors", "nulls", "skipped"),
    *("estimate", "low", "high", "ln_e_met", "ln_e_breach", "first_crossing"),
    *("marginal", "reason"),
)


def bundle_of(evaluation: Evaluation) -> bytes:
    """The bundle of a run. Raises EvaluationRefused before its verdict."""
    verdict = Verdict.objects.filter(evaluation=evaluation).first()
    if verdict is None:
        raise EvaluationRefused("this run has no verdict, so there is nothing to take along yet")
    with transaction.atomic():
        document: dict[str, Any] = {
            "format": FORMAT,
            "evaluation": _run(evaluation),
            "agent": _agent(evaluation),
            "terms": evaluation.pact_version.terms,
            "terms_digest": evaluation.pact_version.digest,
            "task_set": {
                "version": evaluation.task_set_version_id,
                "digest": evaluation.task_set_version.digest,
                "size": evaluation.task_set_version.size,
            },
            "tasks": [_task(task) for task in evaluation.task_set_version.tasks.iterator()],
            "trials": list(_trials(evaluation)),
            "verdict": _verdict(verdict),
        }
    return canonical(document)


def _run(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": evaluation.pk,
        "purpose": evaluation.purpose,
        "independence": evaluation.independence,
        "requested_by": evaluation.requested_by_id,
        "pact_version": evaluation.pact_version_id,
        "repeats": evaluation.repeats,
        "seed": evaluation.seed,
        "full_run": evaluation.full_run,
        "stopped_by": evaluation.stopped_by,
        "rerun_of": evaluation.rerun_of_id,
        "trials_total": evaluation.trials_total,
        "calls_made": evaluation.calls_made,
        "budget": {
            "calls": evaluation.max_calls,
            "seconds": evaluation.max_seconds,
            "cost_micros": evaluation.max_cost_micros,
            "call_cost_micros": evaluation.call_cost_micros,
            "currency": evaluation.cost_currency,
        },
        "started_at": evaluation.started_at.isoformat(),
        "concluded_at": evaluation.concluded_at and evaluation.concluded_at.isoformat(),
    }


def _agent(evaluation: Evaluation) -> dict[str, Any]:
    version = evaluation.agent_version
    return {
        "agent": version.agent_id,
        "version": version.pk,
        "number": version.number,
        "protocol": version.protocol,
        "declared": version.declared,
        "fingerprint": version.fingerprint,
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "position": task.position,
        "input": task.input,
        "expected": task.expected,
        "in_scope": task.in_scope,
        "stratum": task.stratum,
        "session": task.session,
        "paraphrases": task.paraphrases,
    }


def _trials(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    order = {
        key["key"]: place for place, key in enumerate(evaluation.pact_version.terms["clauses"])
    }
    with connection.chunked_cursor() as cursor:
        cursor.itersize = CHUNK  # type: ignore[attr-defined]
        cursor.execute(_TRIALS, [evaluation.pk])
        for _, group in groupby(cursor, key=itemgetter(0)):
            rows = list(group)
            trial = dict(zip(_TRIAL, rows[0], strict=False))
            trial["output"] = _body(next((row[14] for row in rows if row[14] is not None), None))
            seen = [row[15:] for row in rows if row[15] is not None]
            seen.sort(key=lambda row: (order.get(row[0], len(order)), row[2]))
            trial["observations"] = [
                dict(
                    zip(
                        ("clause", "check", "version", "outcome", "value", "reason"),
                        row,
                        strict=True,
                    )
                )
                for row in seen
            ]
            yield trial


_TRIALS = """
SELECT t.position, k.position AS task, t.repeat, t.variant, t.state, t.attempt, t.fault,
       t.error_code, t.error_message, t.latency_us, t.cost_micros, t.reported, t.input_digest,
       t.output_digest,
       CASE WHEN row_number() OVER (PARTITION BY t.id ORDER BY o.id) = 1 THEN a.body END,
       o.clause, o.check_kind, o.check_version, o.outcome, o.value, o.reason
  FROM pacts_trial t
  JOIN pacts_evaluation e ON e.id = t.evaluation_id
  JOIN pacts_task k ON k.id = t.task_id AND k.version_id = e.task_set_version_id
  LEFT JOIN pacts_observation o ON o.trial_id = t.id
  LEFT JOIN pacts_artifact a ON a.digest = t.output_digest
 WHERE t.evaluation_id = %s
 ORDER BY t.position, o.id
"""


def _body(body: Any) -> JsonValue:
    """A raw answer as text where it is UTF-8, else in base64; None where it is not kept."""
    if body is None:
        return None
    raw = bytes(body)
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "earned_share_bps": verdict.earned_share_bps,
        "undetermined_rule": verdict.undetermined_rule,
        "method": verdict.method,
        "clauses": [_clause(clause) for clause in verdict.clauses.order_by("position")],
    }


def _clause(clause: ClauseVerdict) -> dict[str, Any]:
    return {name: getattr(clause, name) for name in _CLAUSE}
