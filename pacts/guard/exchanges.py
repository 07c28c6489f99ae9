"""What one HTTP exchange with an agent says, to a record: shared by the WSGI and the ASGI proxy."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from pacts.guard.blocking import PactBreached
from pacts.guard.captured import Captured, Wrapped
from pacts.guard.clients.reading import arguments_of, model_of, output_of, usage_of

MOST_BODY = 512 * 1024


def asked_of(method: str, path: str, query: str, body: bytes) -> Any:
    """The input: the body as JSON or text; without one the query."""
    if body:
        return value_of(body)
    return {"method": method, "path": path, "query": parse_qs(query)}


def value_of(body: bytes) -> Any:
    """A body as JSON where it is, else as text."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def read_parts(parts: Any) -> Mapping[str, Any]:
    """An answer's body, in parts: earnest-json, a chat completion, any JSON, or text."""
    value = value_of(b"".join(parts))
    if not isinstance(value, dict):
        return {"output": {"text": value} if isinstance(value, str) else value}
    if "output" in value:
        beside = ("output", "usage", "cost", "tool_calls")
        return {name: value[name] for name in beside if name in value}
    choices = value.get("choices")
    if isinstance(choices, list) and choices:
        return _completion(value, choices[0].get("message") or {})
    return {"output": value}


def _completion(value: dict[str, Any], message: dict[str, Any]) -> Mapping[str, Any]:
    usage = value.get("usage") or {}
    refusal = message.get("refusal")
    return {
        "output": output_of(str(refusal or message.get("content") or ""), declined=bool(refusal)),
        "usage": usage_of(usage.get("prompt_tokens"), usage.get("completion_tokens")),
        "model": model_of(value.get("model"), value.get("system_fingerprint"), "proxy"),
        "tool_calls": [
            {
                "name": call["function"]["name"],
                "arguments": arguments_of(call["function"].get("arguments")),
            }
            for call in message.get("tool_calls") or ()
        ],
    }


EXCHANGE = Wrapped(name="http", labels={}, reads=read_parts, reads_stream=read_parts)


def blame_status(captured: Captured, status: int) -> None:
    """A status of 400 and more is no answer: the agent's fault, unless it says the request was
    wrong (4xx except 408 and 429)."""
    if status >= 400:
        own = status >= 500 or status in (408, 429)
        captured.fault, captured.error = ("agent" if own else "buyer"), f"HTTP {status}"


def refusal(breach: PactBreached) -> bytes:
    """What a blocked answer's place is taken by (RFC 9457), with status 502."""
    told = {
        "type": "about:blank",
        "title": "The agent's answer was held back by its pact",
        "status": 502,
        "code": "pact_breached",
        "clauses": [check.clause for check in breach.checks],
    }
    return json.dumps(told).encode()
