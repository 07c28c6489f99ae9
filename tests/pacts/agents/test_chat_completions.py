import json
from collections.abc import Iterator
from typing import Any

import pytest

from pacts.agents import PROTOCOLS, AgentReply
from pacts.answers import Cost, Usage
from pacts.egress import Egress, EgressPolicy
from tests.pacts.strangers import http, says, stranger

CHAT = PROTOCOLS["chat-completions/1"]
DECLARED: dict[str, Any] = {
    "model": "m-1",
    "instructions": "Answer in JSON.",
    "temperature": 0,
    "pricing": {
        "input_micros_per_million": 2_000_000,
        "output_micros_per_million": 8_000_000,
        "currency": "USD",
    },
}


@pytest.fixture
def egress() -> Iterator[Egress]:
    out = Egress(EgressPolicy(allow_loopback=True, deadline_seconds=5))
    yield out
    out.close()


def completion(message: Any, **more: Any) -> dict[str, Any]:
    return {
        "model": "m-1-2026-05",
        "system_fingerprint": "fp_77",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107},
    } | more


def ask(
    egress: Egress, body: Any, given: Any = None, declared: Any = None
) -> tuple[AgentReply, dict[str, Any]]:
    with stranger(says(http(json.dumps(body).encode()))) as server:
        reply = CHAT.call(
            endpoint=server.url,
            call_id="c1",
            input={"text": "hi"} if given is None else given,
            egress=egress,
            declared=DECLARED if declared is None else declared,
        )
    return reply, json.loads(server.heard[0].partition(b"\r\n\r\n")[2])


def test_the_declared_model_and_instructions_shape_the_request(egress: Egress) -> None:
    _, sent = ask(egress, completion({"content": "x"}))
    assert sent == {
        "model": "m-1",
        "temperature": 0,
        "messages": [
            {"role": "system", "content": "Answer in JSON."},
            {"role": "user", "content": "hi"},
        ],
    }


def test_a_task_of_messages_is_sent_as_they_are(egress: Egress) -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    _, sent = ask(egress, completion({"content": "x"}), {"messages": messages}, {"model": "m"})
    assert sent["messages"] == messages


@pytest.mark.parametrize(
    ("message", "output"),
    [
        ({"content": '{"label": "a"}'}, {"label": "a"}),
        ({"content": "just text"}, {"text": "just text"}),
        ({"content": "[1]"}, {"text": "[1]"}),
        ({"content": [{"type": "text", "text": "parts"}]}, {"text": "parts"}),
        ({"content": None, "refusal": "I may not."}, {"declined": True, "text": "I may not."}),
    ],
)
def test_a_message_becomes_the_output(
    egress: Egress, message: dict[str, Any], output: dict[str, Any]
) -> None:
    reply, _ = ask(egress, completion(message))
    assert (reply.fault, reply.output) == ("none", output)


def test_tool_calls_tokens_cost_and_fingerprint_are_reported(egress: Egress) -> None:
    calls = [{"id": "1", "function": {"name": "search", "arguments": '{"q": "x"}'}}]
    reply, _ = ask(egress, completion({"content": None, "tool_calls": calls}))
    (call,) = reply.facts.tool_calls or ()
    assert (call.name, call.arguments) == ("search", {"q": "x"})
    assert reply.facts.usage == Usage(input_tokens=100, output_tokens=7)
    assert reply.facts.cost == Cost(micros=256, currency="USD")
    assert reply.reported == {
        "model": "m-1-2026-05",
        "fingerprint": "fp_77",
        "input_tokens": 100,
        "output_tokens": 7,
    }


def test_arguments_that_are_no_json_stay_text(egress: Egress) -> None:
    calls = [{"function": {"name": "search", "arguments": "{broken"}}]
    reply, _ = ask(egress, completion({"tool_calls": calls}))
    assert (reply.facts.tool_calls or ())[0].arguments == "{broken"


def test_usage_that_cannot_be_read_is_a_problem_and_costs_nothing(egress: Egress) -> None:
    reply, _ = ask(egress, completion({"content": "x"}, usage={"prompt_tokens": "many"}))
    assert (reply.facts.usage, reply.facts.cost) == (None, None)
    assert reply.facts.problems


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"message": {}}]},
        {"error": {"message": "no"}},
        [],
    ],
)
def test_an_answer_without_a_message_is_the_agents_fault(egress: Egress, body: Any) -> None:
    reply, _ = ask(egress, body)
    assert (reply.output, reply.fault, reply.error_code) == (None, "agent", "no_output")


def test_a_kept_completion_reads_as_it_did_when_it_came(egress: Egress) -> None:
    reply, _ = ask(egress, completion({"content": '{"label": "a"}'}))
    again = CHAT.read(raw=reply.raw, latency_ms=reply.latency_ms, declared=DECLARED)
    assert again == reply
