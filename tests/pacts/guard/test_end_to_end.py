"""The guard against the market's own endpoint: a real server, real keys, real checks."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now as clock
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from marketplace.keys import issue_key
from pacts import calls_backlog, calls_kept
from pacts.guard import PactGuard
from pacts.models import Call, CallContent, CallObservation, Engagement
from tests import cast
from tests.pacts.live import hired

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Hire:
    """An engagement of alice's, its key, and the market's address."""

    engagement: Engagement
    alice: cast.Actor
    bob: cast.Actor
    key: str
    address: str

    def guard(self, spool: Path | None = None, **settings: Any) -> PactGuard:
        told: dict[str, Any] = {
            "engagement": self.engagement.pk,
            "base_url": self.address,
            "api_key": self.key,
            "spool": spool,
            "linger_seconds": 0.001,
            "first_pause": 0.02,
        }
        return PactGuard(**(told | settings))

    def outputs(self) -> list[Any]:
        """What the server keeps of every call, in the order of the calls' ids."""
        rows = CallContent.objects.order_by("call__call_id").values_list("body", flat=True)
        return [json.loads(bytes(body)).get("output") for body in rows]


@pytest.fixture
def hire(live_server: Any, settings: Any) -> Hire:
    settings.EGRESS_ALLOW_LOOPBACK = True
    alice, bob = cast.alice(), cast.bob()
    engagement = hired.hire(alice=alice, bob=bob)
    key = issue_key(
        party=alice.party,
        user=alice.user,
        name="guard",
        scopes=["calls"],
        now=clock(),
        engagement=engagement,
    )
    return Hire(engagement, alice, bob, key.secret, live_server.url)


def test_calls_of_every_shape_arrive_are_checked_and_count(hire: Hire, tmp_path: Path) -> None:
    with hire.guard(tmp_path) as guard:

        @guard
        def plain(text: str) -> dict[str, str]:
            return {"label": text}

        @guard
        async def later(text: str) -> dict[str, str]:
            return {"label": text}

        @guard
        def parts(text: str) -> Iterator[str]:
            yield from text

        plain("fine")
        asyncio.run(later("good"))
        assert "".join(parts("well")) == "well"
        assert guard.flush(20)
        assert guard.status()["accepted"] == 3
    assert hired.check() == 3
    found = CallObservation.objects.order_by("place").values_list("outcome", flat=True)
    assert sorted(found) == ["fail", "pass", "pass"]  # a stream of text has no field `label`
    assert hired.window_of(hire.engagement).units == 3


def test_kill_9_after_the_spool_acknowledged_loses_no_call_and_counts_none_twice(
    hire: Hire, tmp_path: Path
) -> None:
    script = """
        import sys, time
        from pacts.guard import PactGuard
        guard = PactGuard(engagement=sys.argv[1], base_url=sys.argv[2], api_key=sys.argv[3],
                          spool=sys.argv[4], linger_seconds=0.001, batch_calls=5)
        agent = guard(lambda i: {"label": "fine", "n": i})
        for i in range(100_000):
            agent(i)
            time.sleep(0.002)
            if i % 10 == 0:
                print(guard.status()["kept"], flush=True)
    """
    told = (hire.engagement.pk, hire.address, hire.key, str(tmp_path / "spool"))
    host = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *told],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert host.stdout is not None
    acknowledged = 0
    while acknowledged < 60:
        acknowledged = int(host.stdout.readline())
    os.kill(host.pid, signal.SIGKILL)
    rest = [int(line) for line in host.stdout.read().splitlines() if line.isdigit()]
    acknowledged = max([acknowledged, *rest])
    host.wait()
    with hire.guard(tmp_path / "spool") as successor:
        successor(lambda: {"label": "next", "n": -1})()
        assert successor.flush(30)
    numbers = sorted(one["n"] for one in hire.outputs())
    assert numbers == [-1, *range(len(numbers) - 1)]
    assert len(numbers) - 1 >= acknowledged
    assert hired.check() == Call.objects.count() == len(numbers)


def test_a_market_that_is_behind_is_obeyed_and_loses_nothing(
    hire: Hire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_backlog, "MOST_WAITING", 1)
    monkeypatch.setattr(calls_backlog, "LONGEST", 1)
    hired.take(hire.alice, [hired.record(hire.engagement)])
    with hire.guard(tmp_path) as guard:
        guard(lambda: {"label": "fine"})()
        began = time.monotonic()
        assert not guard.flush(0.5)
        assert guard.status()["requests"] == 1  # 429 with Retry-After: 1, and nothing before then
        hired.check()
        assert guard.flush(20)
        assert time.monotonic() - began >= 0.9
    assert Call.objects.count() == 2


def test_what_was_redacted_never_reached_the_server(hire: Hire) -> None:
    with hire.guard() as guard:
        guard(lambda text: {"label": "fine", "to": "a@example.org"})("my card is 4111111111111111")
        assert guard.flush(20)
    body = bytes(CallContent.objects.get().body).decode()
    assert "4111111111111111" not in body
    assert "a@example.org" not in body


def test_digests_alone_leave_the_process_and_the_guards_own_finding_counts(hire: Hire) -> None:
    form = {"key": "form", "check": "regex", "params": hired.FORMAT}
    with hire.guard(content="digests", digest_key=b"k" * 32, pact=[form]) as guard:
        guard(lambda: {"label": "NO 1"})()
        assert guard.flush(20)
    hired.check()
    call = Call.objects.get()
    assert call.output_digest.startswith("hmac-sha256:")
    assert b"NO 1" not in bytes(CallContent.objects.get().body)
    assert CallObservation.objects.get().reason == "found by the guard"


def test_a_policy_of_digests_keeps_nothing_once_it_is_checked(hire: Hire) -> None:
    calls_kept.set_policy(
        engagement=hire.engagement,
        by=hire.alice.party,
        user=hire.alice.user,
        keeps="digests",
        keep_days=30,
        now=clock(),
    )
    with hire.guard() as guard:
        guard(lambda: {"label": "fine"})()
        assert guard.flush(20)
    hired.check()
    assert (CallContent.objects.count(), CallObservation.objects.get().outcome) == (0, "pass")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_worker_reports_its_own_calls_once(hire: Hire, tmp_path: Path) -> None:
    script = """
        import os, sys
        from pacts.guard import PactGuard
        guard = PactGuard(engagement=sys.argv[1], base_url=sys.argv[2], api_key=sys.argv[3],
                          spool=sys.argv[4], linger_seconds=0.05)
        agent = guard(lambda who: {"label": who})
        agent("parent")
        child = os.fork()
        if not child:
            agent("child")
            os._exit(0 if guard.flush(20) else 1)
        sent = guard.flush(20)
        sys.exit(os.waitpid(child, 0)[1] or not sent)
    """
    told = (hire.engagement.pk, hire.address, hire.key, str(tmp_path))
    host = [sys.executable, "-c", textwrap.dedent(script), *told]
    assert subprocess.run(host, cwd=ROOT, check=False, timeout=60).returncode == 0
    assert sorted(one["label"] for one in hire.outputs()) == ["child", "parent"]


def test_a_key_of_another_engagement_is_refused_record_by_record(hire: Hire) -> None:
    carol = cast.carol()
    version = hire.engagement.agent_version
    other = hired.hire(alice=carol, bob=hire.bob, version=version)
    with hire.guard(engagement=other.pk) as guard:
        guard(lambda: {"label": "fine"})()
        assert guard.flush(20)
        assert guard.status()["refused"] == 1
    assert not Call.objects.exists()


def test_the_guards_spans_come_back_through_our_own_trace_endpoint_and_count_once(
    hire: Hire,
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("agent")
    with hire.guard(tracer=tracer) as guard:
        guard(lambda: {"label": "fine"})()
        assert guard.flush(20)
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert _export(hire, span)["partialSuccess"]["rejectedSpans"] == "1"  # it came already
    Call.objects.get()
    alone = hire.guard(base_url=None, tracer=tracer)  # spans are all that leaves
    alone(lambda: {"label": "fine"})()
    assert alone.flush(20)
    alone.close()
    assert _export(hire, exporter.get_finished_spans()[-1]) == {}
    assert Call.objects.count() == 2


def _export(hire: Hire, span: ReadableSpan) -> Any:
    """As an exporter of OTLP/HTTP sends it, in JSON."""
    assert span.context is not None
    assert span.attributes is not None
    proto = ProtoSpan(
        name=span.name,
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
    )
    said = MessageToDict(proto) | {
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        "attributes": [
            {"key": key, "value": {"stringValue": value}}
            for key, value in span.attributes.items()
            if isinstance(value, str)
        ],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [said]}]}]}
    request = urllib.request.Request(
        f"{hire.address}/api/v1/otlp/v1/traces",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {hire.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())
