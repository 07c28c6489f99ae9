"""The real clients of models against a model on loopback, one line of guard each."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anthropic
import openai
import pytest

from pacts.guard import PactBreached
from pacts.guard.clients import guard_anthropic, guard_openai
from tests.pacts.guard.conftest import Guards
from tests.pacts.guard.receiving import Receiver

TOOL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q":"x"}'}}
COMPLETION = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "tiny-1",
    "system_fingerprint": "fp_1",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": '{"total": 12}', "tool_calls": [TOOL]},
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
}


def chunk(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "tiny-1"}
    return {**head, "choices": [choice], **more}


CHUNKS = [
    chunk({"role": "assistant", "content": '{"total"'}),
    chunk({"content": ": 12}"}),
    chunk({"tool_calls": [{"index": 0, **TOOL}]}),
    chunk({}, choices=[], usage=COMPLETION["usage"]),
]
MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "tiny-2",
    "content": [
        {"type": "text", "text": "twelve"},
        {"type": "tool_use", "id": "t1", "name": "find", "input": {"q": "x"}},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 7},
}
EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": MESSAGE | {"content": [], "usage": {"input_tokens": 5, "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "twelve"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "t1", "name": "find", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": '{"q":"x"}'},
    },
    {"type": "content_block_stop", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 7},
    },
    {"type": "message_stop"},
]


class Model(BaseHTTPRequestHandler):
    """Says the same to everybody, whole or in parts."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        theirs = self.path.endswith("/messages")
        if asked.get("stream"):
            parts = EVENTS if theirs else CHUNKS
            lines = [f"event: {p.get('type', '')}\ndata: {json.dumps(p)}\n\n" for p in parts]
            done = [] if theirs else ["data: [DONE]\n\n"]
            kind, body = "text/event-stream", "".join(lines + done)
        else:
            kind, body = "application/json", json.dumps(MESSAGE if theirs else COMPLETION)
        self.send_response(500 if asked["model"] == "broken" else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def model() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


ASKED: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "how much?"}]}
TOTALS = {"type": "object", "required": ["total"], "properties": {"total": {"maximum": 10}}}
PACT = [
    {
        "key": "small",
        "check": "json_schema",
        "params": {"schema": TOTALS},
        "severity": "critical",
    }
]


def openai_at(model: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="x", base_url=f"{model}/v1", max_retries=0)


def test_openai_whole(guards: Guards, market: Receiver, model: str) -> None:
    guard = guards(pact=PACT)
    client = guard_openai(guard, openai_at(model))
    answer = client.chat.completions.create(**ASKED)
    assert answer.choices[0].message.content == '{"total": 12}'
    assert guard.flush(5)
    record = market.only()
    assert record["input"] == ASKED
    assert record["output"] == {"total": 12}
    assert record["usage"] == {"input_tokens": 5, "output_tokens": 7}
    assert record["model"] == {"name": "tiny-1", "fingerprint": "fp_1", "provider": "openai"}
    assert record["tool_calls"] == [{"name": "find", "arguments": {"q": "x"}}]
    assert record["checks"][0]["outcome"] == "fail"


def test_openai_streamed(guards: Guards, market: Receiver, model: str) -> None:
    guard = guards()
    client = guard_openai(guard, openai_at(model))
    with client.chat.completions.create(**ASKED, stream=True) as stream:
        said = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
    assert said == '{"total": 12}'
    assert guard.flush(5)
    record = market.only()
    assert record["output"] == {"total": 12}
    assert record["usage"] == {"input_tokens": 5, "output_tokens": 7}
    assert record["tool_calls"] == [{"name": "find", "arguments": {"q": "x"}}]
    assert record["streamed"] is True


def test_openai_asynchronous_whole_and_streamed(
    guards: Guards, market: Receiver, model: str
) -> None:
    guard = guards()

    async def ask() -> None:
        async with openai.AsyncOpenAI(api_key="x", base_url=f"{model}/v1") as plain:
            client = guard_openai(guard, plain)
            await client.chat.completions.create(**ASKED)
            stream = await client.chat.completions.create(**ASKED, stream=True)
            assert len([part async for part in stream]) == 4

    asyncio.run(ask())
    assert guard.flush(5)
    assert [record["output"] for record in market.records] == [{"total": 12}, {"total": 12}]


def test_openai_failing_raises_what_it_always_raised(
    guards: Guards, market: Receiver, model: str
) -> None:
    guard = guards()
    client = guard_openai(guard, openai_at(model))
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**{**ASKED, "model": "broken"})
    assert guard.flush(5)
    assert market.only()["fault"] == "agent"


def test_openai_held_back(guards: Guards, model: str) -> None:
    guard = guards(pact=PACT, mode="block", when_undecided="closed")
    client = guard_openai(guard, openai_at(model))
    with pytest.raises(PactBreached, match="small"):
        client.chat.completions.create(**ASKED)
    with pytest.raises(PactBreached, match="small"):
        list(client.chat.completions.create(**ASKED, stream=True))


def test_anthropic_whole_and_streamed(guards: Guards, market: Receiver, model: str) -> None:
    guard = guards()
    client = guard_anthropic(guard, anthropic.Anthropic(api_key="x", base_url=model))
    asked: dict[str, Any] = {**ASKED, "max_tokens": 9}
    assert client.messages.create(**asked).content[0].type == "text"
    assert len(list(client.messages.create(**asked, stream=True))) == len(EVENTS)
    with client.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == "twelve"
    assert guard.flush(5)
    assert len(market.records) == 3
    for record in market.records:
        assert record["output"] == {"text": "twelve"}
        assert record["usage"] == {"input_tokens": 5, "output_tokens": 7}
        assert record["tool_calls"] == [{"name": "find", "arguments": {"q": "x"}}]
        assert record["model"] == {"name": "tiny-2", "provider": "anthropic"}
        assert record["input"] == asked


def test_a_span_says_what_happened_and_nothing_of_the_content(guards: Guards, model: str) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer = provider.get_tracer("test")
    guard = guards(tracer=tracer, pact=PACT)
    client = guard_openai(guard, openai_at(model))
    with tracer.start_as_current_span("request") as outer:
        client.chat.completions.create(**ASKED)
        with pytest.raises(openai.InternalServerError):
            client.chat.completions.create(**{**ASKED, "model": "broken"})
    assert guard.flush(5)
    good, bad = (s for s in spans.get_finished_spans() if s.name.startswith("invoke_agent"))
    assert good.parent is not None
    assert good.parent.span_id == outer.get_span_context().span_id
    told = dict(good.attributes or {})
    assert told["gen_ai.request.model"] == "tiny-1"
    assert told["gen_ai.usage.output_tokens"] == 7
    assert told["earnest.check.small"] == "fail"
    assert "how much" not in str(told)
    assert (bad.attributes or {})["error.type"] == "InternalServerError"
    assert not bad.status.is_ok
