"""The server's side of production calls, from packed batches to observations, in processes."""

import gzip
import json
import multiprocessing
import time
from io import BytesIO
from typing import Any, cast
from uuid import UUID

from celery import current_app
from django.db import connection, connections
from rest_framework.request import Request

from marketplace.api.call_batches import BatchParser
from marketplace.benches.crowd import Prepare
from pacts import calls, calls_checking, engagements, publishing, registry, tasksets
from pacts.engagements import MilestoneDraft
from pacts.guard.records import batch_of
from pacts.models import CallObservation, Engagement, Member, Party, User, WaitingCall
from pacts.tasksets import TaskDraft
from reputation.clock import database_now
from reputation.identifiers import new_id

CONTENDERS: dict[str, Prepare] = {}
current_app.conf.update(broker_url="memory://")  # the bench's workers are at work already


def _clause(key: str, check: str, weight: int, **params: Any) -> dict[str, Any]:
    return {
        "key": key,
        "title": f"Answers keep to {key}",
        "dimension": "accuracy",
        "check": check,
        "params": params,
        "promise_bps": 9000,
        "floor_bps": 8000,
        "window": {"kind": "calls", "n": 5_000},
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
        _clause("form", "regex", 4000, field="label", pattern="[a-z]+"),
        _clause("in-time", "latency", 3000, limit_ms=500, clock="guard"),
        _clause("short", "length", 3000, field="label", most=40, unit="characters"),
    ],
    "on_breach": "refund",
    "volume": {"calls_per_milestone": 100_000},
}


def prepare() -> None:
    """A buyer and a builder under a signed engagement."""
    user = User.objects.create_user(email="bench@example.org", password=None, name="Bench")
    buyer, builder = (Party.objects.create(name=f"Bench {side}") for side in ("buyer", "builder"))
    for party in (buyer, builder):
        Member.objects.create(party=party, user=user, role=Member.Role.OWNER)
    now = database_now()
    version = registry.register_agent(
        builder=builder,
        name="Labeller",
        work="tickets",
        summary="Labels.",
        endpoint="https://agent.example/run",
        now=now,
    )
    draft = publishing.draft_pact(agent=version.agent, data=TERMS)
    pact = publishing.publish_pact(version=draft, by=user, authority="owner", now=now)
    tasks = tasksets.create_task_set(
        owner=buyer, name="t", work="tickets", tasks=[TaskDraft({"n": 1}, {"n": 1})], now=now
    )
    offered = engagements.propose(
        buyer=buyer,
        agent_version=version,
        pact_version=pact,
        currency="EUR",
        fee_bps=0,
        milestones=[MilestoneDraft("m", 10_000, tasks)],
        by=user,
        now=now,
    )
    for party in (buyer, builder):
        engagements.sign_engagement(
            engagement=offered, party=party, by=user, authority="owner", now=now
        )


def run(samples: int, batch: int, workers: int, number: int) -> dict[str, Any]:
    """All batches taken and checked by so many processes: `{"seconds", "observations"}`."""
    hired = Engagement.objects.get()
    bodies = [
        _packed(hired.pk, min(batch, samples - begun), number) for begun in range(0, samples, batch)
    ]
    before = CallObservation.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connections.close_all()
    began = time.monotonic()
    fork = multiprocessing.get_context("fork")
    crew = [fork.Process(target=_work, args=(bodies[n::workers],)) for n in range(workers)]
    for worker in crew:
        worker.start()
    for worker in crew:
        worker.join()
    seconds = time.monotonic() - began
    assert not WaitingCall.objects.exists(), "calls still wait"
    made = CallObservation.objects.count() - before
    assert made == 3 * samples, f"{made} observations of {samples} calls"
    return {"seconds": seconds, "observations": made}


def _packed(engagement: str, size: int, number: int) -> bytes:
    records = [
        {
            "call_id": str(UUID(new_id("cll").partition("_")[2])),
            "engagement": engagement,
            "started_at": "2026-01-01T00:00:00.000000Z",
            "latency_ms": 120.5,
            "input": {"text": f"Ticket {n} of round {number}: the parcel has not arrived yet."},
            "output": {"label": "delivery" if n % 50 else "NOT SURE"},
            "model": {"name": "m-1", "fingerprint": "fp-1"},
            "usage": {"input_tokens": 20, "output_tokens": 3},
        }
        for n in range(size)
    ]
    return gzip.compress(json.dumps({"format": "earnest-calls/1", "calls": records}).encode())


class _Asked:
    """As much of a request as the parser reads."""

    headers = {"Content-Encoding": "gzip"}


def _work(bodies: list[bytes]) -> None:
    """A server's and a worker's part in turns, until nothing waits."""
    reporter = Engagement.objects.select_related("buyer").get().buyer
    parser, context = BatchParser(), {"request": cast(Request, _Asked())}
    for body in bodies:
        _, records = batch_of(parser.parse(BytesIO(body), None, context))
        taken = calls.take_calls(reporter=reporter, records=records, now=database_now())
        assert not taken.refused, taken.refused[:1]
        calls_checking.check_calls(now=database_now())
    while calls_checking.check_calls(now=database_now()):
        pass
