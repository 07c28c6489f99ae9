"""What came of the calls, written once: trials moved on, observations, raw inputs and answers.

One prepared statement by arrays, whatever number of trials landed together: nothing of it is kept
in Python, and only the trials that are still at the attempt that was made take anything in.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection, transaction

from pacts.checks import Answer
from pacts.models import Evaluation, Trial
from pacts.trials import Claim
from reputation.canonical import sha256

MAX_ATTEMPTS = 3  # of a trial whose fault is the platform's
MAX_KEPT_BYTES = 1_000_000
# How long the platform waits before it tries again what went wrong on its own side.
PAUSES = (timedelta(seconds=1), timedelta(seconds=4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What one attempt came to: whose fault it was, the raw input and answer, and what the checks
    said. `retries` is False where every clause wants an error to count as null at once."""

    claim: Claim
    input: bytes
    raw: bytes
    fault: str
    error_code: str
    error_message: str
    latency_us: int | None
    answers: Sequence[tuple[str, Answer]]  # by clause key
    cost_micros: int = 0
    reported: dict[str, Any] | None = None
    retries: bool = True
    input_digest: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_digest", sha256(self.input))

    @property
    def state(self) -> Trial.State:
        """Who was at fault decides: the agent answers for its own; the platform's is tried again,
        the buyer's is not, because the same input goes wrong the same way."""
        if self.fault in (Trial.Fault.NONE, Trial.Fault.AGENT):
            return Trial.State.DONE
        again = self.fault == Trial.Fault.PLATFORM and self.retries
        return Trial.State.QUEUED if again and self.attempts_left else Trial.State.NULL

    @property
    def attempts_left(self) -> bool:
        return self.claim.attempt < MAX_ATTEMPTS and self.claim.stored is None


def record(evaluation: Evaluation, finished: Sequence[Finished]) -> int:
    """Store what came back, once per trial; returns how many counted."""
    if not finished:
        return 0
    values = [*_moves(finished), *_observations(finished), *_artifacts(finished)]
    # A plain cursor: its arrays go to the server as they are, and the statement is prepared.
    with transaction.atomic(savepoint=False), psycopg.Cursor(connection.connection) as cursor:
        row = cursor.execute(_RECORD, values, prepare=True).fetchone()
    assert row
    return int(row[0])


def _columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]


def _moves(finished: Sequence[Finished]) -> list[list[Any]]:
    return _columns(
        (
            (
                item.claim.trial_id,
                item.claim.attempt,
                item.state.value,
                item.fault,
                item.error_code[:40],
                item.error_message[:200].replace("\x00", " "),
                item.input_digest,
                sha256(item.raw) if item.raw else "",
                item.latency_us,
                item.cost_micros,
                json.dumps(item.reported) if item.reported else None,
                _pause(item),
            )
            for item in finished
        ),
        12,
    )


def _pause(item: Finished) -> float | None:
    """Seconds until it is tried again."""
    if item.state != Trial.State.QUEUED:
        return None
    return PAUSES[min(item.claim.attempt, len(PAUSES)) - 1].total_seconds()


def _observations(finished: Sequence[Finished]) -> list[list[Any]]:
    return _columns(
        (
            (
                item.claim.trial_id,
                clause,
                answer.check,
                answer.version,
                answer.outcome,
                answer.value,
                answer.reason.replace("\x00", " "),
            )
            for item in finished
            if item.state == Trial.State.DONE
            for clause, answer in item.answers
        ),
        7,
    )


def _artifacts(finished: Sequence[Finished]) -> list[list[Any]]:
    """Each distinct body once, with a trial that brought it."""
    found: dict[str, tuple[int, str, bytes, int]] = {}
    for item in finished:
        # A run over stored answers brings nothing that is not there, or was erased.
        if item.state == Trial.State.DONE and item.claim.stored is None:
            for body in (item.input, item.raw):
                if body and len(body) <= MAX_KEPT_BYTES:
                    digest = item.input_digest if body is item.input else sha256(body)
                    found[digest] = (item.claim.trial_id, digest, body, len(body))
    return _columns(found.values(), 4)


_RECORD = """
WITH came AS (
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[],
                         %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::jsonb[],
                         %s::float8[])
        AS f (id, attempt, state, fault, code, message, input, output, latency, cost, reported,
              pause)
), held AS (
    SELECT f.* FROM pacts_trial t JOIN came f ON f.id = t.id
     WHERE t.state = 'running' AND t.attempt = f.attempt
     ORDER BY t.id FOR NO KEY UPDATE OF t
), moved AS (
    UPDATE pacts_trial t
       SET state = f.state, fault = f.fault, error_code = f.code, error_message = f.message,
           input_digest = f.input, output_digest = f.output, latency_us = f.latency,
           cost_micros = t.cost_micros + f.cost, reported = f.reported,
           lease_expires_at = clock_timestamp() + make_interval(secs => f.pause),
           finished_at = CASE WHEN f.state <> 'queued' THEN clock_timestamp() END
      FROM held f
     WHERE t.id = f.id AND t.state = 'running' AND t.attempt = f.attempt
 RETURNING t.id
), seen AS (
    INSERT INTO pacts_observation
           (trial_id, clause, check_kind, check_version, outcome, value, reason)
    SELECT o.* FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[], %s::text[],
                           %s::float8[], %s::text[])
        AS o (trial, clause, kind, version, outcome, value, reason)
      JOIN moved ON moved.id = o.trial
), bodies AS (
    SELECT b.* FROM unnest(%s::bigint[], %s::text[], %s::bytea[], %s::int[])
        AS b (trial, digest, body, size)
      JOIN moved ON moved.id = b.trial
), kept AS (
    INSERT INTO pacts_artifact (digest, body, size, created_at)
    SELECT digest, body, size, now() FROM bodies ORDER BY digest
        ON CONFLICT (digest) DO NOTHING
), brought_again AS (
    UPDATE pacts_artifact a SET body = b.body, erased_at = NULL
      FROM bodies b WHERE a.digest = b.digest AND a.erased_at IS NOT NULL
)
SELECT count(*) FROM moved
"""
