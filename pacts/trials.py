"""Trials as a queue of rows: claim under a lease, call the agent, record once.

A trial is `queued`, then `running` under a lease that its worker keeps renewing, then `done` or
`null`. A worker that dies lets its leases lapse, `requeue_lapsed` puts them back, and the attempt
number decides whose answer counts: an answer for an earlier attempt finds no row and is dropped.
No transaction is open while an agent is called.
"""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from pacts import terms
from pacts.agents import PROTOCOLS, AgentReply
from pacts.checks import CHECKS, Answer, Call
from pacts.egress import Egress, EgressPolicy
from pacts.models import AgentVersion, Artifact, Evaluation, Observation, Task, Trial
from reputation.canonical import canonical, sha256
from reputation.clock import database_now
from reputation.hints import hint

LEASE = timedelta(seconds=15)
HEARTBEAT_SECONDS = 4.0
WIDTH = 4  # calls in flight per runner
SHIFT_SECONDS = 20.0  # a runner stops claiming after this and leaves the rest to a fresh message
MAX_ATTEMPTS = 3  # of a trial whose fault is not the agent's
MAX_KEPT_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Finished:
    """What one attempt at a trial came to, ready to be recorded."""

    trial: Trial
    reply: AgentReply
    answers: list[tuple[terms.Clause, Answer]]
    input_bytes: bytes


@dataclass(slots=True)
class Runner:
    """One worker's shift on one evaluation."""

    evaluation: Evaluation
    egress: Egress
    clock: Callable[[], float] = time.monotonic
    flights: dict[Future[AgentReply], Trial] = field(default_factory=dict)
    parsed: terms.PactTerms = field(init=False)
    version: AgentVersion = field(init=False)

    def __post_init__(self) -> None:
        self.parsed = terms.parse(self.evaluation.pact_version.terms)
        self.version = self.evaluation.agent_version

    def run(self) -> bool:
        """Work until nothing can be claimed or the shift is over; True when it was the shift."""
        ends = beat = self.clock()
        ends += SHIFT_SECONDS
        with ThreadPoolExecutor(WIDTH) as pool:
            while True:
                if self.clock() < ends:
                    self._take_off(pool)
                if not self.flights:
                    return self.clock() >= ends
                landed, _ = wait(self.flights, timeout=1.0, return_when=FIRST_COMPLETED)
                self._land(landed)
                if self.clock() - beat > HEARTBEAT_SECONDS:
                    renew(list(self.flights.values()))
                    beat = self.clock()

    def _take_off(self, pool: ThreadPoolExecutor) -> None:
        room = WIDTH - len(self.flights)
        if room:
            for trial in claim(self.evaluation, limit=room):
                self.flights[pool.submit(self._call, trial)] = trial

    def _call(self, trial: Trial) -> AgentReply:
        """Runs in a thread: HTTP only, no database."""
        return PROTOCOLS[self.version.protocol].call(
            endpoint=self.version.endpoint,
            call_id=f"{self.evaluation.id}.{trial.position}",  # the same on a retry
            input=trial.task.input,
            egress=self.egress,
            deadline_seconds=self.version.deadline_ms / 1000,
        )

    def _land(self, landed: set[Future[AgentReply]]) -> None:
        finished = []
        for future in landed:
            trial = self.flights.pop(future)
            reply = future.result()
            finished.append(
                Finished(trial, reply, self._check(trial.task, reply), canonical(trial.task.input))
            )
        if finished:
            record(self.evaluation, finished, now=database_now())

    def _check(self, task: Task, reply: AgentReply) -> list[tuple[terms.Clause, Answer]]:
        call = Call(
            input=task.input,
            expected=task.expected,
            in_scope=task.in_scope,
            output=reply.output,
            raw_bytes=len(reply.raw),
            latency_ms=reply.latency_ms,
            fault=reply.fault,
            error=reply.error_message or reply.error_code,
        )
        return [
            (clause, CHECKS[clause.check].answer(clause.params, call))
            for clause in self.parsed.clauses
        ]


def nudge(evaluation: Evaluation) -> None:
    """Hint at the workers that trials are waiting; losing the hint loses nothing."""
    for _ in range(-(-evaluation.agent_version.max_concurrency // WIDTH)):
        hint("pacts.tasks.run_trials", evaluation.id)


@lru_cache(maxsize=1)
def egress() -> Egress:
    """The one way out, with the limits of this installation; its connections are kept alive."""
    return Egress(
        EgressPolicy(
            allow_loopback=settings.EGRESS_ALLOW_LOOPBACK,
            deadline_seconds=settings.EGRESS_DEADLINE_SECONDS,
        )
    )


def claim(evaluation: Evaluation, *, limit: int) -> list[Trial]:
    """Lease up to `limit` queued trials, within what the agent version takes at once."""
    version = evaluation.agent_version
    with transaction.atomic():
        # The lock on the version row makes the count below exact; foreign keys do not wait for it.
        AgentVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        now = database_now()
        running = Trial.objects.filter(
            evaluation__agent_version=version,
            evaluation__state=Evaluation.State.RUNNING,
            state=Trial.State.RUNNING,
            lease_expires_at__gt=now,
        ).count()
        room = min(limit, version.max_concurrency - running)
        if room <= 0:
            return []
        taken = list(
            Trial.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(
                evaluation=evaluation,
                evaluation__state=Evaluation.State.RUNNING,
                state=Trial.State.QUEUED,
            )
            .select_related("task")
            .order_by("position")[:room]
        )
        for trial in taken:
            trial.state = Trial.State.RUNNING
            trial.attempt += 1
            trial.lease_expires_at = now + LEASE
        Trial.objects.bulk_update(taken, ["state", "attempt", "lease_expires_at"])
    return taken


def renew(trials: list[Trial]) -> None:
    """Keep the leases of calls still in flight."""
    Trial.objects.filter(pk__in=[trial.pk for trial in trials], state=Trial.State.RUNNING).update(
        lease_expires_at=database_now() + LEASE
    )


def record(evaluation: Evaluation, finished: list[Finished], *, now: datetime) -> int:
    """Store what came back, once per trial; returns how many counted."""
    by_id = {item.trial.pk: item for item in finished}
    with transaction.atomic():
        held = [
            trial
            for trial in Trial.objects.select_for_update().filter(
                pk__in=by_id, state=Trial.State.RUNNING
            )
            if trial.attempt == by_id[trial.pk].trial.attempt
        ]
        for trial in held:
            _fill(trial, by_id[trial.pk], now)
        Trial.objects.bulk_update(held, _RECORDED)
        done = [trial for trial in held if trial.state == Trial.State.DONE]
        _keep_artifacts([by_id[trial.pk] for trial in done])
        Observation.objects.bulk_create(
            [
                Observation(
                    trial=trial,
                    clause=clause.key,
                    check_kind=answer.check,
                    check_version=answer.version,
                    outcome=answer.outcome,
                    value=answer.value,
                    reason=answer.reason,
                )
                for trial in done
                for clause, answer in by_id[trial.pk].answers
            ]
        )
    return len(held)


_RECORDED = [
    "state",
    "lease_expires_at",
    "fault",
    "error_code",
    "error_message",
    "input_digest",
    "output_digest",
    "latency_us",
    "finished_at",
]


def _fill(trial: Trial, item: Finished, now: datetime) -> None:
    """Turn an attempt into the trial's next state: who was at fault decides."""
    reply = item.reply
    trial.fault = Trial.Fault(reply.fault)
    trial.error_code = reply.error_code[:40]
    trial.error_message = reply.error_message[:200]
    trial.lease_expires_at = None
    trial.input_digest = sha256(item.input_bytes)
    if trial.fault in (Trial.Fault.NONE, Trial.Fault.AGENT):
        trial.state = Trial.State.DONE
        trial.output_digest = sha256(reply.raw) if reply.raw else ""
        trial.latency_us = None if reply.latency_ms is None else int(reply.latency_ms * 1000)
        trial.finished_at = now
    elif trial.attempt >= MAX_ATTEMPTS:
        trial.state = Trial.State.NULL
        trial.finished_at = now
    else:
        trial.state = Trial.State.QUEUED


def _keep_artifacts(items: list[Finished]) -> None:
    bodies = [item.reply.raw for item in items]
    Artifact.objects.bulk_create(
        [
            Artifact(digest=sha256(body), body=body, size=len(body))
            for body in bodies
            if body and len(body) <= MAX_KEPT_BYTES
        ],
        ignore_conflicts=True,
    )


def requeue_lapsed(*, now: datetime) -> list[str]:
    """Put back trials whose worker died; returns the evaluations concerned.

    A trial that took its worker down with it every time becomes null, the platform's fault.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_REQUEUE, {"now": now, "most": MAX_ATTEMPTS + 2})
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
       finished_at = CASE WHEN t.attempt >= %(most)s THEN %(now)s ELSE NULL END,
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


def progress(evaluation: Evaluation) -> dict[str, Any]:
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
