"""a2a/1: agents that speak A2A (Agent2Agent) over JSON-RPC, versions 0.3 and 1.0 of the protocol.

One message is sent; where it starts a task, the task is polled until it ends or the call's deadline
is over. A task's input with a single text member goes as a text part, anything else as a data part.
The output is the first data part of the artifacts (or of the message), or the text parts as
`pacts.agents.chat_completions` reads text. A task that is rejected was declined; one that fails, is
cancelled, or asks back for input or authority is the agent's fault. The protocol has no words for
tool calls, tokens, cost or models: an agent reports them, as earnest-json/1 does beside its output,
in the member `earnest-json/1` of the `metadata` of its task, or of the message it ends with.
Latency runs from the first request to the last answer, polling included. What the builder declares:
`protocol_version` (from the agent's card; 0.3 unless said). Source: the A2A specification,
"JSON-RPC protocol binding".
"""

import json
import time
from dataclasses import replace

from pacts.agents.chat_completions import from_text
from pacts.agents.protocol import (
    NOTHING_DECLARED,
    AgentReply,
    Declared,
    ask,
    failure,
    said_of_itself,
)
from pacts.answers import read_facts
from pacts.egress import Egress, Reply
from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue, NotCanonical, check

PROTOCOL = "a2a/1"
REPORT = "earnest-json/1"
TITLE = "A2A (Agent2Agent) over JSON-RPC"

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
DEADLINE_SECONDS = 20.0
WORKING = {"submitted", "working", "unspecified", "unknown"}
Answer = dict[str, JsonValue]


def call(
    *,
    endpoint: str,
    call_id: str,
    input: JsonValue,
    egress: Egress,
    deadline_seconds: float | None = None,
    declared: Declared = NOTHING_DECLARED,
) -> AgentReply:
    """Send one message and wait for what becomes of it."""
    try:
        body = _sending(call_id, input, declared)
    except NotCanonical as error:
        return failure("buyer", "input_malformed", str(error))
    started = time.monotonic()
    limit = DEADLINE_SECONDS if deadline_seconds is None else deadline_seconds
    pause = FIRST_PAUSE
    while True:
        left = limit - (time.monotonic() - started)
        if left <= 0:
            return _timed_out(started)
        found = _ask_once(endpoint, body, egress, left, declared)
        took = (time.monotonic() - started) * 1000
        if isinstance(found, AgentReply):
            return found if found.latency_ms is None else replace(found, latency_ms=took)
        task = _unfinished(found.body)
        if task is None:
            return read(raw=found.body, latency_ms=took, declared=declared)
        time.sleep(max(0.0, min(pause, limit - (time.monotonic() - started))))
        pause = min(pause * 1.5, LONGEST_PAUSE)
        body = _polling(call_id, task, declared)


def _ask_once(
    endpoint: str, body: bytes, egress: Egress, left: float, declared: Declared
) -> Reply | AgentReply:
    headers = {"Content-Type": "application/json", "A2A-Version": _version(declared)}
    return ask(lambda: egress.post(endpoint, body=body, headers=headers, deadline_seconds=left))


def _timed_out(started: float) -> AgentReply:
    return failure(
        "agent",
        "timeout",
        "the task did not end before the deadline",
        latency_ms=(time.monotonic() - started) * 1000,
    )


def _version(declared: Declared) -> str:
    said = declared.get("protocol_version")
    return "1.0" if isinstance(said, str) and said.startswith("1") else "0.3"


def _sending(call_id: str, task: JsonValue, declared: Declared) -> bytes:
    modern = _version(declared) == "1.0"
    message: Answer = {
        "messageId": call_id,
        "role": "ROLE_USER" if modern else "user",
        "parts": [_part(task, modern=modern)],
    }
    if not modern:
        message["kind"] = "message"
    asked: JsonValue = {
        "jsonrpc": "2.0",
        "id": call_id,
        "method": "SendMessage" if modern else "message/send",
        "params": {"message": message},
    }
    check(asked)
    return json.dumps(asked, ensure_ascii=False, allow_nan=False).encode()


def _part(task: JsonValue, *, modern: bool) -> JsonValue:
    if isinstance(task, dict) and len(task) == 1:
        (only,) = task.values()
        if isinstance(only, str):
            return {"text": only} if modern else {"kind": "text", "text": only}
    return {"data": task} if modern else {"kind": "data", "data": task}


def _polling(call_id: str, task: str, declared: Declared) -> bytes:
    method = "GetTask" if _version(declared) == "1.0" else "tasks/get"
    asked = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": {"id": task}}
    return json.dumps(asked).encode()


def _unfinished(raw: bytes) -> str | None:
    """The id of the task an answer tells of, if it still runs."""
    try:
        found = _result(parse_json(raw))
    except MalformedJson:
        return None
    task = _task(found) if found else None
    named = task.get("id") if task else None
    return named if task and isinstance(named, str) and _state(task) in WORKING else None


def _result(answer: JsonValue) -> Answer | None:
    result = answer.get("result") if isinstance(answer, dict) else None
    return result if isinstance(result, dict) else None


def _task(result: Answer) -> Answer | None:
    """The task in a result: wrapped as 1.0 does, or plain with a status."""
    inner = result.get("task")
    if isinstance(inner, dict):
        return inner
    return result if isinstance(result.get("status"), dict) else None


def _state(task: Answer) -> str:
    status = task.get("status")
    state = status.get("state") if isinstance(status, dict) else None
    if not isinstance(state, str):
        return "unspecified"
    return state.removeprefix("TASK_STATE_").lower().replace("_", "-")


def read(
    *, raw: bytes, latency_ms: float | None, declared: Declared = NOTHING_DECLARED
) -> AgentReply:
    """What a JSON-RPC answer says: a message, or a task that ended."""
    try:
        answer = parse_json(raw)
    except MalformedJson as error:
        return failure("agent", error.code, str(error), latency_ms=latency_ms, raw=raw)
    result = _result(answer)
    if result is None:
        code, message = _error(answer)
        return failure("agent", code, message, latency_ms=latency_ms, raw=raw)
    task = _task(result)
    report = _report(result, task)
    if task is None:
        told = result.get("message")
        parts = _parts(told if isinstance(told, dict) else result)
    else:
        state = _state(task)
        if state not in ("completed", "rejected"):
            said = f"the task ended as {state}"
            code = f"task_{state.replace('-', '_')}"
            return failure("agent", code, said, latency_ms=latency_ms, raw=raw)
        parts = _of_task(task)
        if state == "rejected":
            return _replied({"declined": True, **_output(parts)}, raw, latency_ms, report)
    if not parts:
        said = "it answered without a part"
        return failure("agent", "no_output", said, latency_ms=latency_ms, raw=raw)
    return _replied(_output(parts), raw, latency_ms, report)


def _replied(output: Answer, raw: bytes, latency_ms: float | None, report: Answer) -> AgentReply:
    facts = read_facts(report)
    return AgentReply(
        output=output,
        raw=raw,
        latency_ms=latency_ms,
        facts=facts,
        reported=said_of_itself(report, facts),
    )


def _report(result: Answer, task: Answer | None) -> Answer:
    """What the agent reports beside its answer: of its task, else of the message it ends with."""
    status = task.get("status") if task else None
    ending = status if isinstance(status, dict) else result
    for holder in (task, ending.get("message"), result):
        metadata = holder.get("metadata") if isinstance(holder, dict) else None
        report = metadata.get(REPORT) if isinstance(metadata, dict) else None
        if isinstance(report, dict):
            return {name: _whole(value) for name, value in report.items()}
    return {}


def _whole(value: JsonValue) -> JsonValue:
    """Servers built on Protocol Buffers know no whole numbers in metadata and write 12 as 12.0."""
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _error(answer: JsonValue) -> tuple[str, str]:
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return "no_output", "it answered without a result"
    return "rpc_error", f"it answered error {error.get('code')}: {error.get('message')}"


def _of_task(task: Answer) -> list[Answer]:
    """The parts of all artifacts in their order; without any, those of the last message."""
    artifacts = task.get("artifacts")
    found = [
        part
        for artifact in (artifacts if isinstance(artifacts, list) else [])
        if isinstance(artifact, dict)
        for part in _parts(artifact)
    ]
    status = task.get("status")
    message = status.get("message") if isinstance(status, dict) else None
    return found or (_parts(message) if isinstance(message, dict) else [])


def _parts(holder: Answer) -> list[Answer]:
    parts = holder.get("parts")
    return [part for part in (parts if isinstance(parts, list) else []) if isinstance(part, dict)]


def _output(parts: list[Answer]) -> Answer:
    for part in parts:
        data = part.get("data")
        if isinstance(data, dict):
            return data
    texts = [text for part in parts if isinstance(text := part.get("text"), str)]
    return from_text("\n".join(texts)) if texts else {}
