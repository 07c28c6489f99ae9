"""earnest-json/1: one POST of JSON per call.

Request: `{"protocol": "earnest-json/1", "call_id": "<id>", "input": <the task's input>}`.
Answer: status 200 and `{"output": {…}}`, where the output is an object. An agent that declines
answers `{"output": {"declined": true}}`. Beside `output` it may report tool calls, tokens, cost and
the state it left (`pacts.answers`); other members are ignored. Any other status, and JSON the
platform does not accept (`pacts.strict_json`), is the agent's fault.
"""

import json

from pacts.agents.protocol import AgentReply
from pacts.answers import read_facts
from pacts.egress import Egress, EgressError, Reply
from pacts.faults import Fault
from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue, NotCanonical, check

PROTOCOL = "earnest-json/1"


def call(
    *,
    endpoint: str,
    call_id: str,
    input: JsonValue,
    egress: Egress,
    deadline_seconds: float | None = None,
) -> AgentReply:
    """Ask once. An input that is not JSON is the buyer's fault; an exception of ours the
    platform's; what the agent does or fails to do its own."""
    try:
        body = _request(call_id, input)
    except NotCanonical as error:
        return _nothing("buyer", "input_malformed", str(error))
    try:
        reply = egress.post(
            endpoint,
            body=body,
            headers={"Content-Type": "application/json"},
            deadline_seconds=deadline_seconds,
        )
    except EgressError as error:
        return _nothing(error.fault, error.code, str(error), latency_ms=error.latency_ms)
    except Exception as error:
        return _nothing("platform", "egress_broke", f"the call broke here: {type(error).__name__}")
    return _read(reply)


def _request(call_id: str, task: JsonValue) -> bytes:
    asked: JsonValue = {"protocol": PROTOCOL, "call_id": call_id, "input": task}
    check(asked)
    return json.dumps(asked, ensure_ascii=False, allow_nan=False).encode()


def _read(reply: Reply) -> AgentReply:
    if reply.status != 200:
        return _unusable(reply, f"http_{reply.status}", f"it answered {reply.status}, not 200")
    try:
        answer = parse_json(reply.body)
    except MalformedJson as error:
        return _unusable(reply, error.code, str(error))
    output = answer.get("output") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(output, dict):
        return _unusable(reply, "no_output", 'it answered without {"output": {…}}')
    return AgentReply(
        output=output, raw=reply.body, latency_ms=reply.latency_ms, facts=read_facts(answer)
    )


def _unusable(reply: Reply, code: str, message: str) -> AgentReply:
    return _nothing("agent", code, message, latency_ms=reply.latency_ms, raw=reply.body)


def _nothing(
    fault: Fault, code: str, message: str, *, latency_ms: float | None = None, raw: bytes = b""
) -> AgentReply:
    return AgentReply(
        output=None,
        raw=raw,
        latency_ms=latency_ms,
        fault=fault,
        error_code=code,
        error_message=message[:200],
    )
