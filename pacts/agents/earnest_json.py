"""earnest-json/1: one POST of JSON per call.

Request: `{"protocol": "earnest-json/1", "call_id": "<id>", "input": <the task's input>}`.
Answer: status 200 and `{"output": {…}}`, where the output is an object. An agent that declines
answers `{"output": {"declined": true}}`. Beside `output` it may report tool calls, tokens, cost and
the state it left (`pacts.answers`), and `model` and `fingerprint` as text; other members are
ignored. Any other status, and JSON the platform does not accept (`pacts.strict_json`), is the
agent's fault.
"""

import json

from pacts.agents.protocol import (
    NOTHING_DECLARED,
    AgentReply,
    Declared,
    ask,
    failure,
    said_of_itself,
)
from pacts.answers import read_facts
from pacts.egress import Egress
from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue, NotCanonical, check

PROTOCOL = "earnest-json/1"
TITLE = "Plain JSON over HTTP"


def call(
    *,
    endpoint: str,
    call_id: str,
    input: JsonValue,
    egress: Egress,
    deadline_seconds: float | None = None,
    declared: Declared = NOTHING_DECLARED,
) -> AgentReply:
    """Ask once. An input that is not JSON is the buyer's fault; an exception of ours the
    platform's; what the agent does or fails to do its own."""
    try:
        body = _request(call_id, input)
    except NotCanonical as error:
        return failure("buyer", "input_malformed", str(error))
    reply = ask(
        lambda: egress.post(
            endpoint,
            body=body,
            headers={"Content-Type": "application/json"},
            deadline_seconds=deadline_seconds,
        )
    )
    if isinstance(reply, AgentReply):
        return reply
    return read(raw=reply.body, latency_ms=reply.latency_ms, declared=declared)


def _request(call_id: str, task: JsonValue) -> bytes:
    asked: JsonValue = {"protocol": PROTOCOL, "call_id": call_id, "input": task}
    check(asked)
    return json.dumps(asked, ensure_ascii=False, allow_nan=False).encode()


def read(
    *, raw: bytes, latency_ms: float | None, declared: Declared = NOTHING_DECLARED
) -> AgentReply:
    """What the body of an answer says."""
    try:
        answer = parse_json(raw)
    except MalformedJson as error:
        return failure("agent", error.code, str(error), latency_ms=latency_ms, raw=raw)
    output = answer.get("output") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(output, dict):
        message = 'it answered without {"output": {…}}'
        return failure("agent", "no_output", message, latency_ms=latency_ms, raw=raw)
    facts = read_facts(answer)
    return AgentReply(
        output=output,
        raw=raw,
        latency_ms=latency_ms,
        facts=facts,
        reported=said_of_itself(answer, facts),
    )
