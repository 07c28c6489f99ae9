"""chat-completions/1: agents and models behind an OpenAI-compatible `…/chat/completions` address.

What the builder declares of the version shapes the request: `model` (required), and where given
`instructions` (the system message), `temperature`, `top_p`, `max_tokens`, `seed`, `tools`,
`tool_choice`, `response_format`. A task's input with a list `messages` is sent as that list, one
with a single text member as that text, anything else as JSON text.

The answer is the first choice's message. Content that is a JSON object is the output, any other
text becomes `{"text": …}`; a `refusal` is declining:
`{"declined": true, "text": …}`. Tool calls are reported with their parsed arguments, tokens as
usage; `pricing` (`input_micros_per_million`, `output_micros_per_million`, `currency`) turns tokens
into cost. The model's own name and `system_fingerprint` are kept: a silent change of the model
shows. Source: the API reference of `POST /v1/chat/completions`.
"""

import json
from contextlib import suppress
from typing import Any

from pacts.agents.protocol import (
    NOTHING_DECLARED,
    AgentReply,
    Declared,
    ask,
    counts,
    failure,
)
from pacts.answers import Cost, Facts, Usage, read_facts
from pacts.egress import Egress
from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue, NotCanonical, check

PROTOCOL = "chat-completions/1"
TITLE = "OpenAI-compatible chat completions"

_PASSED_ON = (
    *("temperature", "top_p", "max_tokens", "seed"),
    *("tools", "tool_choice", "response_format"),
)


def call(
    *,
    endpoint: str,
    call_id: str,
    input: JsonValue,
    egress: Egress,
    deadline_seconds: float | None = None,
    declared: Declared = NOTHING_DECLARED,
) -> AgentReply:
    """Ask once. The faults are those of earnest-json/1."""
    try:
        body = _request(call_id, input, declared)
    except NotCanonical as error:
        return failure("buyer", "input_malformed", str(error))
    reply = ask(
        lambda: egress.post(
            endpoint,
            body=body,
            headers={"Content-Type": "application/json", "X-Client-Request-Id": call_id},
            deadline_seconds=deadline_seconds,
        )
    )
    if isinstance(reply, AgentReply):
        return reply
    return read(raw=reply.body, latency_ms=reply.latency_ms, declared=declared)


def _request(call_id: str, task: JsonValue, declared: Declared) -> bytes:
    asked: dict[str, JsonValue] = {
        "model": declared.get("model"),
        "messages": _messages(task, declared),
        **{name: declared[name] for name in _PASSED_ON if name in declared},
    }
    check(asked)
    return json.dumps(asked, ensure_ascii=False, allow_nan=False).encode()


def _messages(task: JsonValue, declared: Declared) -> JsonValue:
    system = declared.get("instructions")
    first: list[JsonValue] = [{"role": "system", "content": system}] if system else []
    if isinstance(task, dict) and isinstance(task.get("messages"), list):
        given = task["messages"]
        assert isinstance(given, list)
        return [*first, *given]
    return [*first, {"role": "user", "content": as_text(task)}]


def as_text(task: JsonValue) -> str:
    """A task as one message: its only text member, or JSON."""
    if isinstance(task, dict) and len(task) == 1:
        (only,) = task.values()
        if isinstance(only, str):
            return only
    return json.dumps(task, ensure_ascii=False)


def read(
    *, raw: bytes, latency_ms: float | None, declared: Declared = NOTHING_DECLARED
) -> AgentReply:
    """What the body of a completion says."""
    try:
        answer = parse_json(raw)
    except MalformedJson as error:
        return failure("agent", error.code, str(error), latency_ms=latency_ms, raw=raw)
    message = _message(answer)
    if message is None or not isinstance(answer, dict):
        said = "it answered without choices[0].message"
        return failure("agent", "no_output", said, latency_ms=latency_ms, raw=raw)
    facts = _facts(message, answer, declared)
    said_of_itself: dict[str, JsonValue] = {
        name: value[:200]
        for name, key in (("model", "model"), ("fingerprint", "system_fingerprint"))
        if isinstance(value := answer.get(key), str)
    }
    return AgentReply(
        output=_output(message),
        raw=raw,
        latency_ms=latency_ms,
        facts=facts,
        reported={**said_of_itself, **counts(facts)},
    )


def _message(answer: JsonValue) -> dict[str, JsonValue] | None:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(message, dict):
        return None
    told = (message.get("content"), message.get("refusal"), message.get("tool_calls"))
    return message if any(told) else None


def _output(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return {"declined": True, "text": refusal}
    return from_text(_content(message.get("content")))


def _content(content: JsonValue) -> str:
    """Text, also where it comes as a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") for part in content if isinstance(part, dict)]
    return "\n".join(part for part in parts if isinstance(part, str))


def from_text(text: str) -> dict[str, JsonValue]:
    """An answer that came as text: the object it is, or `{"text": …}`."""
    try:
        found = parse_json(text.encode())
    except (MalformedJson, UnicodeEncodeError):
        return {"text": text}
    return found if isinstance(found, dict) else {"text": text}


def _facts(
    message: dict[str, JsonValue], answer: dict[str, JsonValue], declared: Declared
) -> Facts:
    """Tool calls, tokens and cost in the platform's own form, read with its own strictness."""
    usage = answer.get("usage")
    told: dict[str, JsonValue] = {}
    if isinstance(usage, dict):
        told["usage"] = {
            "input_tokens": usage.get("prompt_tokens"),
            "output_tokens": usage.get("completion_tokens"),
        }
    calls = message.get("tool_calls")
    told["tool_calls"] = [_tool_call(one) for one in calls] if isinstance(calls, list) else []
    facts = read_facts(told)
    cost = _cost(facts.usage, declared.get("pricing"))
    if cost is None:
        return facts
    return Facts(tool_calls=facts.tool_calls, usage=facts.usage, cost=cost, problems=facts.problems)


def _tool_call(one: JsonValue) -> JsonValue:
    function = one.get("function") if isinstance(one, dict) else None
    if not isinstance(function, dict):
        return None  # read_facts names it as a problem
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        # What is no JSON stays the text it is.
        with suppress(MalformedJson, UnicodeEncodeError):
            arguments = parse_json(arguments.encode())
    return {"name": function.get("name"), "arguments": arguments}


def _cost(usage: Usage | None, pricing: Any) -> Cost | None:
    """Tokens at the declared prices, rounded up to whole millionths."""
    if usage is None or not isinstance(pricing, dict):
        return None
    read: Any = pricing.get("input_micros_per_million")
    written: Any = pricing.get("output_micros_per_million")
    currency = pricing.get("currency")
    whole = all(type(price) is int and price >= 0 for price in (read, written))
    if not isinstance(currency, str) or not whole:
        return None
    micros = usage.input_tokens * read + usage.output_tokens * written
    return Cost(micros=-(-micros // 1_000_000), currency=currency)
