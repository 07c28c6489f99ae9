"""Production calls sent to the product's own web server, and the workers that check them."""

import gzip
import json
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import connection, connections

from marketplace.benches.crowd import Prepare
from marketplace.keys import issue_key
from marketplace.models import ApiKey
from pacts import calls_checking, engagements, publishing, registry, tasksets
from pacts.engagements import MilestoneDraft
from pacts.guard.uploading import Server
from pacts.models import CallObservation, Engagement, Member, Party, User, WaitingCall
from pacts.tasksets import TaskDraft
from reputation.clock import database_now
from reputation.identifiers import new_id

PATIENCE_SECONDS = 60.0
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


def prepare() -> str:
    """A buyer and a builder under a signed engagement; the secret of the buyer's key to it."""
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
    scopes = [ApiKey.Scope.CALLS]
    return issue_key(party=buyer, user=user, name="bench", scopes=scopes, now=now).secret


def run(
    samples: int, batch: int, senders: int, workers: int, number: int, port: int, secret: str
) -> dict[str, Any]:
    """All batches sent over HTTP while others check them: `{"seconds", "observations"}`."""
    hired = Engagement.objects.get()
    bodies = [
        _packed(hired.pk, min(batch, samples - begun), number) for begun in range(0, samples, batch)
    ]
    before = CallObservation.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    sent = fork.Event()
    crew = [fork.Process(target=_check, args=(sent,)) for _ in range(workers)]
    began = time.monotonic()
    for worker in crew:
        worker.start()
    with ThreadPoolExecutor(senders) as pool:
        list(pool.map(partial(_send, port, secret), [bodies[n::senders] for n in range(senders)]))
    sent.set()
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


def _send(port: int, secret: str, bodies: list[bytes]) -> None:
    """With the guard's own client: batch after batch over one connection, obeying a busy server."""
    server = Server(f"http://127.0.0.1:{port}", secret)
    for body in bodies:
        while (answer := server.post(body, PATIENCE_SECONDS)).status == 429:
            time.sleep(answer.retry_after or 1)
        assert answer.status == 201, f"{answer.status}: {answer.problem}"
        assert not answer.body["refused"], answer.body
    server.close()


def _check(sent: Any) -> None:
    """A worker's part, until everything was sent and nothing waits."""
    while True:
        over = sent.is_set()
        while calls_checking.check_calls(now=database_now()):
            pass
        if over and not WaitingCall.objects.exists():
            return
        time.sleep(0.005)
