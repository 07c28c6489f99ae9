"""Trials as a queue of rows: claim under a lease, within the budget; `pacts.recording` records.

A trial is `queued`, then `running` under a lease that its runner keeps renewing, then `done`,
`null` or `skipped`. A worker that dies lets its leases lapse, `requeue_lapsed` puts them back, and
the attempt number decides whose answer counts: an answer for an earlier attempt finds no row.

Locks are taken in one order: agent version, evaluation, trials. Under the first two a claim reads
what was used, so budgets, concurrency and rate are exact however many runners claim at once.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from pacts import pacing
from pacts.budgets import Budget, Spent, Used, paced, room
from pacts.models import Evaluation, Trial
from pacts.probes import Attack
from pacts.stored import StoredAnswer
from reputation.canonical import JsonValue
from reputation.clock import database_now
from reputation.hints import hint

LEASE = timedelta(seconds=15)
WIDTH = 32  # calls in flight per runner
MAX_LOST = 5  # attempts of a trial that takes its worker down each time


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at one trial, and the task it is about. `stored` is what an earlier run kept,
    where its answers are checked again and no agent is called. `input` is the task's own until the
    runner varies it as `variant` says; `attack` is what was planted then."""

    trial_id: int
    position: int
    attempt: int
    input: JsonValue
    expected: JsonValue
    in_scope: bool
    variant: str = ""
    task_position: int = 0
    paraphrases: Sequence[dict[str, JsonValue]] = ()
    attack: Attack | None = None
    stored: StoredAnswer | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was claimed. With nothing claimed, `wait` says in how many seconds to ask again; None
    means that nothing here waits for this runner."""

    claims: list[Claim] = field(default_factory=list)
    wait: float | None = None


def nudge(evaluation: Evaluation) -> None:
    """Hint at the workers that trials are waiting; losing the hint loses nothing."""
    for _ in range(-(-evaluation.agent_version.max_concurrency // WIDTH)):
        hint("pacts.tasks.run_trials", evaluation.pk)


def claim(evaluation: Evaluation, *, limit: int) -> Taken:
    """Lease up to `limit` queued trials: within the budget, what the agent version takes at once,
    and its rate. A budget that is used up skips whatever is still queued."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(_LOCK, [evaluation.pk])
        row = cursor.fetchone()
        if row is None:
            return Taken()
        state = _State(*row)
        if state.is_rerun:
            return Taken(_take(cursor, evaluation, state, limit))
        return _within_limits(cursor, evaluation, state, limit)


@dataclass(frozen=True, slots=True)
class _State:
    """What the locked rows of an evaluation and its agent version say."""

    stop_after: int | None
    is_rerun: bool
    calls_made: int
    max_calls: int | None
    max_seconds: int | None
    max_cost_micros: int | None
    call_cost_micros: int
    max_concurrency: int
    max_per_minute: int | None
    deadline_ms: int

    @property
    def budget(self) -> Budget:
        return Budget(
            calls=self.max_calls,
            seconds=self.max_seconds,
            cost_micros=self.max_cost_micros,
            call_cost_micros=self.call_cost_micros,
        )


_LOCK = """
SELECT e.stop_after, e.rerun_of_id IS NOT NULL, e.calls_made, e.max_calls, e.max_seconds,
       e.max_cost_micros, e.call_cost_micros, v.max_concurrency, v.max_per_minute, v.deadline_ms
  FROM pacts_evaluation e JOIN pacts_agentversion v ON v.id = e.agent_version_id
 WHERE e.id = %s AND e.state = 'running'
   FOR NO KEY UPDATE OF v, e
"""


def _within_limits(cursor: Any, evaluation: Evaluation, state: _State, limit: int) -> Taken:
    busy, own, spent, elapsed, ahead = _used(cursor, evaluation, state)
    used = Used(calls=state.calls_made, elapsed=elapsed, cost_micros=spent, in_flight=own)
    found = room(
        budget=state.budget, used=used, call_seconds=state.deadline_ms / 1000, wanted=limit
    )
    if found.spent:
        _skip_rest(cursor, evaluation, found.spent)
        return Taken()
    allowed = max(0, min(found.calls, state.max_concurrency - busy))
    wait = None
    if state.max_per_minute is not None:
        allowed, _, wait = paced(
            per_minute=state.max_per_minute, booked_ahead=ahead, wanted=allowed
        )
    claims = _take(cursor, evaluation, state, allowed) if allowed else []
    if claims and state.max_per_minute is not None:
        pacing.book(
            cursor,
            version_id=evaluation.agent_version_id,
            per_minute=state.max_per_minute,
            calls=len(claims),
        )
    return Taken(claims, None if claims else _wait(cursor, evaluation, wait, busy))


def _used(cursor: Any, evaluation: Evaluation, state: _State) -> tuple[int, int, int, float, float]:
    """Calls in flight at the agent and of this run, money spent, seconds gone, seconds booked."""
    cursor.execute(
        _USED if state.max_cost_micros is None else _USED_WITH_MONEY,
        {"evaluation": evaluation.pk, "version": evaluation.agent_version_id},
    )
    busy, own, spent, elapsed, ahead = cursor.fetchone()
    return busy, own, int(spent), float(elapsed), float(ahead or 0)


_USED = f"""
SELECT {pacing.IN_FLIGHT},
       (SELECT count(*) FROM pacts_trial WHERE evaluation_id = %(evaluation)s
         AND state = 'running' AND lease_expires_at > clock_timestamp()), 0,
       (SELECT extract(epoch FROM clock_timestamp() - started_at) FROM pacts_evaluation
         WHERE id = %(evaluation)s),
       {pacing.AHEAD}
"""  # noqa: S608 - texts of our own
# A call whose lease has lapsed may still be under way, and costs what it costs.
_USED_WITH_MONEY = _USED.replace(
    "AND state = 'running' AND lease_expires_at > clock_timestamp()), 0,",
    """AND state = 'running'),
       (SELECT coalesce(sum(cost_micros), 0) FROM pacts_trial
         WHERE evaluation_id = %(evaluation)s),""",
)


def _take(cursor: Any, evaluation: Evaluation, state: _State, limit: int) -> list[Claim]:
    cursor.execute(
        _CLAIM,
        {
            "evaluation": evaluation.pk,
            "limit": limit,
            "lease": LEASE.total_seconds(),
            "last": 2**31 - 1 if state.stop_after is None else state.stop_after,
            "call": 0 if state.is_rerun else 1,
        },
    )
    claims = [
        Claim(
            trial_id=row[0],
            position=row[1],
            attempt=row[2],
            input=json.loads(row[3]),
            expected=_parsed(row[4]),
            in_scope=row[5],
            variant=row[6],
            task_position=row[7],
            paraphrases=json.loads(row[8]),
        )
        for row in cursor.fetchall()
    ]
    claims.sort(key=lambda taken: taken.position)
    return _with_answers(cursor, evaluation, claims) if state.is_rerun else claims


def _parsed(text: str | None) -> JsonValue:
    value: JsonValue = None if text is None else json.loads(text)
    return value


_CLAIM = """
WITH taken AS (
    SELECT t.id FROM pacts_trial t
     WHERE t.evaluation_id = %(evaluation)s AND t.state = 'queued' AND t.position <= %(last)s
       AND (t.lease_expires_at IS NULL OR t.lease_expires_at <= clock_timestamp())
     ORDER BY t.position
       FOR UPDATE OF t SKIP LOCKED
     LIMIT %(limit)s
), leased AS (
    UPDATE pacts_trial t
       SET state = 'running', attempt = t.attempt + 1,
           lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
      FROM taken, pacts_task k
     WHERE t.id = taken.id AND k.id = t.task_id
 RETURNING t.id, t.position, t.attempt, k.input::text, k.expected::text, k.in_scope, t.variant,
           k.position, k.paraphrases::text
), counted AS (
    UPDATE pacts_evaluation
       SET calls_made = calls_made + %(call)s * (SELECT count(*) FROM leased)
     WHERE id = %(evaluation)s AND EXISTS (SELECT FROM leased)
)
SELECT * FROM leased
"""


def _with_answers(cursor: Any, evaluation: Evaluation, claims: list[Claim]) -> list[Claim]:
    """The same claims with what the earlier run kept of each."""
    cursor.execute(
        """SELECT t.position, t.fault, t.error_code, t.error_message, t.latency_us, a.body
             FROM pacts_trial t LEFT JOIN pacts_artifact a ON a.digest = t.output_digest
            WHERE t.evaluation_id = %s AND t.position = ANY(%s)""",
        [evaluation.rerun_of_id, [one.position for one in claims]],
    )
    stored = {
        position: StoredAnswer(
            fault=fault,
            error_code=code,
            error_message=message,
            latency_us=latency,
            body=None if body is None else bytes(body),
        )
        for position, fault, code, message, latency, body in cursor.fetchall()
    }
    return [replace(one, stored=stored[one.position]) for one in claims]


def _wait(cursor: Any, evaluation: Evaluation, paced: float | None, busy: int) -> float | None:
    """How long until there may be something to claim; None when others are at it or all is in."""
    cursor.execute(
        """SELECT extract(epoch FROM min(coalesce(lease_expires_at, clock_timestamp()))
                  - clock_timestamp())
             FROM pacts_trial WHERE evaluation_id = %s AND state = 'queued'
              AND position <= coalesce((SELECT stop_after FROM pacts_evaluation WHERE id = %s),
                                       position)""",
        [evaluation.pk, evaluation.pk],
    )
    (until,) = cursor.fetchone()
    if until is None:
        return None
    if paced is not None and paced > 0:
        return max(paced, float(until))
    return max(0.0, float(until)) if until > 0 or not busy else None


def _skip_rest(cursor: Any, evaluation: Evaluation, why: Spent | str) -> None:
    cursor.execute(_SKIP, {"evaluation": evaluation.pk, "why": why, "after": -1})
    cursor.execute(
        "UPDATE pacts_evaluation SET stopped_by = %s WHERE id = %s", [why, evaluation.pk]
    )


def skip_after(evaluation: Evaluation, *, position: int, why: str) -> int:
    """Skip what is queued after a position; the caller holds the evaluation. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_SKIP, {"evaluation": evaluation.pk, "why": why, "after": position})
        return int(cursor.rowcount)


_SKIP = """
UPDATE pacts_trial SET state = 'skipped', error_code = %(why)s, lease_expires_at = NULL,
       finished_at = clock_timestamp()
 WHERE evaluation_id = %(evaluation)s AND state = 'queued' AND position > %(after)s
"""


def skip_all(evaluation: Evaluation) -> int:
    """Skip whatever is not finished; the caller holds the evaluation. Returns how many.

    A trial that is just being recorded is left to its runner, who may wait for the caller.
    """
    out = Trial.objects.filter(
        evaluation=evaluation, state__in=[Trial.State.QUEUED, Trial.State.RUNNING]
    )
    free = list(out.select_for_update(skip_locked=True).values_list("pk", flat=True))
    return Trial.objects.filter(pk__in=free).update(
        state=Trial.State.SKIPPED,
        error_code=Evaluation.Stop.CANCELLED,
        lease_expires_at=None,
        finished_at=database_now(),
    )


def renew(claims: Sequence[Claim]) -> None:
    """Keep the leases of calls still in flight."""
    ids = [claim.trial_id for claim in claims]
    Trial.objects.filter(pk__in=ids, state=Trial.State.RUNNING).update(
        lease_expires_at=database_now() + LEASE
    )


def requeue_lapsed(*, now: datetime) -> list[str]:
    """Put back trials whose worker died; returns the evaluations concerned.

    A trial that took its worker down with it every time becomes null, the platform's fault. What
    was set aside for the lost call counts as spent: it may have been made.
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
   SET state = CASE WHEN e.state <> 'running' THEN 'skipped'
                    WHEN t.attempt >= %(most)s THEN 'null' ELSE 'queued' END,
       fault = CASE WHEN t.attempt >= %(most)s THEN 'platform' ELSE t.fault END,
       error_code = CASE WHEN t.attempt >= %(most)s THEN 'worker_lost' ELSE t.error_code END,
       finished_at = CASE WHEN t.attempt >= %(most)s OR e.state <> 'running'
                          THEN %(now)s::timestamptz END,
       cost_micros = t.cost_micros + e.call_cost_micros,
       lease_expires_at = NULL
  FROM lapsed, pacts_evaluation e WHERE t.id = lapsed.id AND e.id = t.evaluation_id
RETURNING t.evaluation_id
"""


def idle(*, limit: int) -> list[Evaluation]:
    """Running evaluations with queued trials and nobody at work on them."""
    wanted = Q(evaluation__stop_after=None) | Q(position__lte=F("evaluation__stop_after"))
    queued = Trial.objects.filter(wanted, evaluation=OuterRef("pk"), state=Trial.State.QUEUED)
    running = Trial.objects.filter(evaluation=OuterRef("pk"), state=Trial.State.RUNNING)
    return list(
        Evaluation.objects.filter(Exists(queued), ~Exists(running), state=Evaluation.State.RUNNING)
        .select_related("agent_version")
        .order_by("started_at")[:limit]
    )


def progress(evaluation: Evaluation) -> dict[str, int]:
    """Counts for a live page: `{total, queued, running, done, null, skipped, agent_faults, calls,
    cost_micros}`."""
    with connection.cursor() as cursor:
        cursor.execute(_PROGRESS, [evaluation.pk, evaluation.pk])
        names = [column[0] for column in cursor.description]
        found = dict(zip(names, map(int, cursor.fetchone()), strict=True))
    return {"total": evaluation.trials_total, **found}


_PROGRESS = """
SELECT count(*) FILTER (WHERE state = 'queued') AS queued,
       count(*) FILTER (WHERE state = 'running') AS running,
       count(*) FILTER (WHERE state = 'done') AS done,
       count(*) FILTER (WHERE state = 'null') AS null,
       count(*) FILTER (WHERE state = 'skipped') AS skipped,
       count(*) FILTER (WHERE state = 'done' AND fault = 'agent') AS agent_faults,
       (SELECT calls_made FROM pacts_evaluation WHERE id = %s) AS calls,
       coalesce(sum(cost_micros), 0) AS cost_micros
  FROM pacts_trial WHERE evaluation_id = %s
"""
