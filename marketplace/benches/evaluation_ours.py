"""Our engine on the samples: the product's own path from rows to verdict, in worker processes.

Only the agent is not the product's: it answers at once, in the same process, as the yardstick's
does. Trials are claimed under leases, checked, recorded and concluded as in production.
"""

import multiprocessing
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from celery import current_app
from django.db import connection, connections

from marketplace.benches.crowd import Prepare
from marketplace.benches.evaluation_samples import PATTERN, question, reply_to, target
from pacts import evaluation, publishing, registry, runner, tasksets, verdicts
from pacts.agents import PROTOCOLS
from pacts.agents.protocol import Adapter, AgentReply
from pacts.egress import Egress
from pacts.models import Evaluation, Member, Observation, Party, TaskSetVersion, User
from pacts.tasksets import TaskDraft
from pacts.trials import Claim
from reputation.canonical import JsonValue, canonical
from reputation.clock import database_now

CONTENDERS: dict[str, Prepare] = {}
INSTANT = "bench-instant/1"
AT_ONCE = 64
# Hints go nowhere: the bench's workers are at work already.
current_app.conf.update(broker_url="memory://")


def _call(*, input: Any, **_: Any) -> AgentReply:
    return _answer(reply_to(input["text"]))


def _answer(label: str) -> AgentReply:
    output: dict[str, JsonValue] = {"label": label}
    return AgentReply(output=output, raw=canonical({"output": output}), latency_ms=0.05)


PROTOCOLS[INSTANT] = cast(
    Adapter, SimpleNamespace(PROTOCOL=INSTANT, TITLE="Instant", call=_call, read=None)
)


@contextmanager
def meanwhile() -> Iterator[None]:
    yield


def _clause(key: str, check: str, weight: int, **params: Any) -> dict[str, Any]:
    return {
        "key": key,
        "title": f"Answers keep to {key}",
        "dimension": "accuracy",
        "check": check,
        "params": params,
        "promise_bps": 9000,
        "floor_bps": 8000,
        "window": {"kind": "milestone"},
        "weight_bps": weight,
        "consequence": "withhold",
        "owner": "builder",
        "review_cadence_days": 30,
    }


TERMS = {
    "version": "earnest-pact/1",
    "title": "Labels tickets",
    "summary": "Answers with the label of a ticket.",
    "scope": {"in": ["tickets"], "out": ["anything else"]},
    "clauses": [
        _clause("exact", "equality", 4000, field="label", expected_field="label"),
        _clause("includes", "contains", 3000, field="label", expected_field="label"),
        _clause("pattern", "regex", 3000, field="label", pattern=PATTERN),
    ],
    "on_breach": "refund",
    "volume": {"calls_per_milestone": 10_000},
}


def prepare(sizes: list[int]) -> None:
    """A builder with an agent and a pact, a buyer with a task set of every size."""
    user = User.objects.create_user(email="bench@example.org", password=None, name="Bench")
    builder = Party.objects.create(name="Bench builder")
    Member.objects.create(party=builder, user=user, role=Member.Role.OWNER)
    now = database_now()
    version = registry.register_agent(
        builder=builder,
        name="Labeller",
        work="tickets",
        summary="Labels.",
        endpoint="https://agent.example/run",
        protocol=INSTANT,
        max_concurrency=AT_ONCE,
        now=now,
    )
    draft = publishing.draft_pact(agent=version.agent, data=TERMS)
    publishing.publish_pact(version=draft, by=user, authority="owner", now=now)
    for size in sizes:
        tasks = [TaskDraft({"text": question(n)}, {"label": target(n)}) for n in range(size)]
        tasksets.create_task_set(
            owner=builder, name=str(size), work="tickets", tasks=tasks, now=now
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def run(samples: int, workers: int) -> dict[str, Any]:
    """One evaluation of a set of this size by so many worker processes, rows to verdict.

    `{"seconds", "peak_kb": of the largest worker, "grown_kb", "outcome", "passes"}`.
    """
    began = time.monotonic()
    running = _start(samples)
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    told = fork.SimpleQueue()
    crew = [fork.Process(target=_work, args=(running.pk, told)) for _ in range(workers)]
    for worker in crew:
        worker.start()
    peaks = [told.get() for _ in crew]
    for worker in crew:
        worker.join()
    verdict = verdicts.conclude(evaluation_id=running.pk, now=database_now())
    seconds = time.monotonic() - began
    assert verdict is not None, "trials are still out"
    clauses = {clause.key: clause.passes for clause in verdict.clauses.all()}
    seen = Observation.objects.filter(trial__evaluation=running).count()
    assert seen == 3 * samples, f"{seen} observations of {samples} samples"
    return {
        "seconds": seconds,
        "peak_kb": max(peak for peak, _ in peaks),
        "grown_kb": max(grown for _, grown in peaks),
        "right": clauses["exact"] / samples,
    }


def _start(samples: int) -> Evaluation:
    tasks = TaskSetVersion.objects.select_related("task_set__owner").get(size=samples)
    owner = tasks.task_set.owner
    assert owner is not None
    version = owner.agents.get().versions.get()
    now = database_now()
    return evaluation.start_evaluation(
        purpose=Evaluation.Purpose.SCREENING,
        independence=Evaluation.Independence.SELF,
        requested_by=owner,
        agent_version=version,
        pact_version=version.agent.pacts.get().versions.get(),
        task_set_version=tasks,
        deadline_at=now + timedelta(days=1),
        now=now,
    )


def _work(evaluation_id: str, told: Any) -> None:
    """A worker: shift after shift until nothing is left; tells its peak memory and its growth."""
    related = ("agent_version", "pact_version", "task_set_version")
    running = Evaluation.objects.select_related(*related).get(pk=evaluation_id)
    before = _peak()
    while runner.Runner(running, Egress()).run():
        pass
    told.put((_peak(), _peak() - before))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def check(seconds: float) -> dict[str, Any]:
    """Observations per second of one core: a reply is read, checked and made ready to record."""
    shift = runner.Runner(_ready_to_check(), Egress())
    claims = [
        Claim(n, n, 1, {"text": question(n)}, {"label": target(n)}, True) for n in range(1000)
    ]
    replies = [_call(input=claim.input) for claim in claims]
    made = 0
    began = time.process_time()
    while time.process_time() - began < seconds:
        for claim, reply in zip(claims, replies, strict=True):
            made += len(shift.check(claim, reply).answers)
    return {"per_second": made / (time.process_time() - began)}


def _ready_to_check() -> Evaluation:
    related = ("agent_version", "pact_version", "task_set_version")
    return Evaluation.objects.select_related(*related).order_by("-started_at")[0]
