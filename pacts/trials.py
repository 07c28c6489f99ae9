"""Trials as a queue of rows: claim under a lease, record once.

A trial is `queued`, then `running` under a lease that its runner keeps renewing, then `done` or
`null`. A worker that dies lets its leases lapse, `requeue_lapsed` puts them back, and the attempt
number decides whose answer counts: an answer for an earlier attempt finds no row and is dropped.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from pacts.checks import Answer
from pacts.models import AgentVersion, Artifact, Evaluation, Observation, Trial
from reputation.canonical import JsonValue, sha256
from reputation.clock import database_now
from reputation.hints import hint

LEASE = timedelta(seconds=15)
WIDTH = 8  # calls in flight per runner
MAX_ATTEMPTS = 3  # of a trial whose fault is not the agent's
MAX_LOST = 5  # attempts of a trial that takes its worker down each time
MAX_KEPT_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at one trial, and the task it is about."""

    trial_id: int
    position: int
    attempt: int
    input: JsonValue
    expected: JsonValue
    in_scope: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What one attempt came to: whose fault it was, the raw answer, and the checks' answers."""

    claim: Claim
    input_digest: str
    raw: bytes
    fault: str
    error_code: str
    error_message: str
    latency_us: int | None
    answers: Sequence[tuple[str, Answer]]  # by clause key

    @property
    def state(self) -> Trial.State:
        """Who was at fault decides: the agent answers for its own, others' is tried again."""
        if self.fault in (Trial.Fault.NONE, Trial.Fault.AGENT):
            return Trial.State.DONE
        return Trial.State.NULL if self.claim.attempt >= MAX_ATTEMPTS else Trial.State.QUEUED


def nudge(evaluation: Evaluation) -> None:
    """Hint at the workers that trials are waiting; losing the hint loses nothing."""
    for _ in range(-(-evaluation.agent_version.max_concurrency // WIDTH)):
        hint("pacts.tasks.run_trials", evaluation.id)


def turn(evaluation: Evaluation, *, finished: Sequence[Finished], limit: int) -> list[Claim]:
    """Record what landed and claim up to `limit` more, in one transaction."""
    with transaction.atomic():
        if finished:
            record(evaluation, finished, now=database_now())
        return claim(evaluation, limit=limit) if limit else []


def claim(evaluation: Evaluation, *, limit: int) -> list[Claim]:
    """Lease up to `limit` queued trials, within what the agent version takes at once."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The lock on the version row makes the count exact; foreign keys do not wait for it.
        AgentVersion.objects.select_for_update(no_key=True).get(pk=evaluation.agent_version_id)
        cursor.execute(
            _CLAIM,
            {"evaluation": evaluation.pk, "limit": limit, "lease": LEASE.total_seconds()},
        )
        return sorted(
            (
                Claim(row[0], row[1], row[2], json.loads(row[3]), _parsed(row[4]), row[5])
                for row in cursor.fetchall()
            ),
            key=lambda taken: taken.position,
        )


def _parsed(text: str | None) -> JsonValue:
    value: JsonValue = None if text is None else json.loads(text)
    return value


_CLAIM = """
WITH taken AS (
    SELECT t.id FROM pacts_trial t
      JOIN pacts_evaluation e ON e.id = t.evaluation_id AND e.state = 'running'
     WHERE t.evaluation_id = %(evaluation)s AND t.state = 'queued'
     ORDER BY t.position
       FOR UPDATE OF t SKIP LOCKED
     LIMIT (
        SELECT greatest(0, least(%(limit)s, v.max_concurrency - (
            SELECT count(*) FROM pacts_trial r JOIN pacts_evaluation o ON o.id = r.evaluation_id
             WHERE r.state = 'running' AND r.lease_expires_at > now()
               AND o.agent_version_id = v.id AND o.state = 'running')))
          FROM pacts_agentversion v JOIN pacts_evaluation e ON e.agent_version_id = v.id
         WHERE e.id = %(evaluation)s)
)
UPDATE pacts_trial t
   SET state = 'running', attempt = t.attempt + 1,
       lease_expires_at = now() + make_interval(secs => %(lease)s)
  FROM taken, pacts_task k
 WHERE t.id = taken.id AND k.id = t.task_id
RETURNING t.id, t.position, t.attempt, k.input::text, k.expected::text, k.in_scope
"""


def renew(claims: Sequence[Claim]) -> None:
    """Keep the leases of calls still in flight."""
    ids = [claim.trial_id for claim in claims]
    Trial.objects.filter(pk__in=ids, state=Trial.State.RUNNING).update(
        lease_expires_at=database_now() + LEASE
    )


def record(evaluation: Evaluation, finished: Sequence[Finished], *, now: datetime) -> int:
    """Store what came back, once per trial; returns how many counted."""
    with transaction.atomic():
        held = _mark(finished, now)
        done = [
            item
            for item in finished
            if item.claim.trial_id in held and item.state == Trial.State.DONE
        ]
        _keep_artifacts(done)
        Observation.objects.bulk_create(
            [
                Observation(
                    trial_id=item.claim.trial_id,
                    clause=clause,
                    check_kind=answer.check,
                    check_version=answer.version,
                    outcome=answer.outcome,
                    value=answer.value,
                    reason=answer.reason,
                )
                for item in done
                for clause, answer in item.answers
            ]
        )
    return len(held)


def _mark(finished: Sequence[Finished], now: datetime) -> set[int]:
    """Move the trials on, if they are still at the attempt that was made; returns which were."""
    columns: list[list[Any]] = [
        [item.claim.trial_id for item in finished],
        [item.claim.attempt for item in finished],
        [item.state.value for item in finished],
        [item.fault for item in finished],
        [item.error_code[:40] for item in finished],
        [item.error_message[:200] for item in finished],
        [item.input_digest for item in finished],
        [sha256(item.raw) if item.raw else "" for item in finished],
        [item.latency_us for item in finished],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [now, *columns])
        return {trial_id for (trial_id,) in cursor.fetchall()}


_RECORD = """
UPDATE pacts_trial t
   SET state = f.state, fault = f.fault, error_code = f.code, error_message = f.message,
       input_digest = f.input, output_digest = f.output, latency_us = f.latency,
       lease_expires_at = NULL,
       finished_at = CASE WHEN f.state = 'queued' THEN NULL ELSE %s::timestamptz END
  FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[],
              %s::text[], %s::text[], %s::bigint[])
       AS f (id, attempt, state, fault, code, message, input, output, latency)
 WHERE t.id = f.id AND t.state = 'running' AND t.attempt = f.attempt
RETURNING t.id
"""


def _keep_artifacts(items: Sequence[Finished]) -> None:
    bodies = {sha256(item.raw): item.raw for item in items}
    Artifact.objects.bulk_create(
        [
            Artifact(digest=digest, body=body, size=len(body))
            for digest, body in sorted(bodies.items())  # in one order, so that two never deadlock
            if body and len(body) <= MAX_KEPT_BYTES
        ],
        ignore_conflicts=True,
    )


def requeue_lapsed(*, now: datetime) -> list[str]:
    """Put back trials whose worker died; returns the evaluations concerned.

    A trial that took its worker down with it every time becomes null, the platform's fault.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_REQUEUE, {"now": now, "most": MAX_LOST})
        return sorted({evaluation for (evaluation,) in cursor.fetchall()})


_REQUEUE = """
WITH lapsed AS (
    SELECT id FROM pacts_trial
     WHERE state = 'running' AND lease_expires_at < %(now)s
     ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE pacts_trial t
   SET state = CASE WHEN t.attempt >= %(most)s THEN 'null' ELSE 'queued' END,
       fault = CASE WHEN t.attempt >= %(most)s THEN 'platform' ELSE t.fault END,
       error_code = CASE WHEN t.attempt >= %(most)s THEN 'worker_lost' ELSE t.error_code END,
       finished_at = CASE WHEN t.attempt >= %(most)s THEN %(now)s::timestamptz END,
       lease_expires_at = NULL
  FROM lapsed WHERE t.id = lapsed.id
RETURNING t.evaluation_id
"""


def idle(*, limit: int) -> list[Evaluation]:
    """Running evaluations with queued trials and nobody at work on them."""
    queued = Trial.objects.filter(evaluation=OuterRef("pk"), state=Trial.State.QUEUED)
    running = Trial.objects.filter(evaluation=OuterRef("pk"), state=Trial.State.RUNNING)
    return list(
        Evaluation.objects.filter(Exists(queued), ~Exists(running), state=Evaluation.State.RUNNING)
        .select_related("agent_version")
        .order_by("started_at")[:limit]
    )


def progress(evaluation: Evaluation) -> dict[str, int]:
    """Counts for a live page: `{total, queued, running, done, null, agent_faults}`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FILTER (WHERE state = 'queued'),
                      count(*) FILTER (WHERE state = 'running'),
                      count(*) FILTER (WHERE state = 'done'),
                      count(*) FILTER (WHERE state = 'null'),
                      count(*) FILTER (WHERE state = 'done' AND fault = 'agent')
                 FROM pacts_trial WHERE evaluation_id = %s""",
            [evaluation.pk],
        )
        queued, running, done, null, faults = cursor.fetchone()
    return {
        "total": evaluation.trials_total,
        "queued": queued,
        "running": running,
        "done": done,
        "null": null,
        "agent_faults": faults,
    }
