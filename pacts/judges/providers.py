"""Who answers for a model: the interface, and the OpenAI-compatible chat protocol over HTTP.

A provider is installed by the operator (name, address, key, prices); a pact names models through it
and never an address. Calls go out through `pacts.egress`, like every other.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pacts.egress import Egress, EgressError, Reply
from pacts.judges.prompt import Message, to_json
from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue, sha256

DEADLINE_SECONDS = 60.0
MOST_TOKENS = 600


class JurorSilent(Exception):
    """A model gave no usable reply; never the agent's fault. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One reply: its text, the model as the provider names it, tokens, cost in millionths of the
    provider's currency, and how long it took. `request_digest` is of the bytes that were sent."""

    text: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    latency_ms: float | None = None
    request_digest: str = ""


class Provider(Protocol):
    """Something that lets a model speak."""

    def ask(self, *, model: str, messages: Sequence[Message]) -> Said:
        """One reply. Raises JurorSilent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiCompatible:
    """`POST <address>/chat/completions`. Prices are micros of the currency per million tokens."""

    address: str
    egress: Egress
    key: str = field(default="", repr=False)
    input_price: int = 0
    output_price: int = 0

    def ask(self, *, model: str, messages: Sequence[Message]) -> Said:
        """One reply at temperature 0. Raises JurorSilent."""
        body = request_body(model=model, messages=messages)
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            reply = self.egress.post(
                f"{self.address.rstrip('/')}/chat/completions",
                body=body,
                headers=headers,
                deadline_seconds=DEADLINE_SECONDS,
            )
        except EgressError as problem:
            raise JurorSilent(problem.code, str(problem)) from problem
        return self._read(reply, sha256(body))

    def _read(self, reply: Reply, request_digest: str) -> Said:
        if reply.status != 200:
            raise JurorSilent(f"http_{reply.status}", f"the provider answered {reply.status}")
        try:
            data = parse_json(reply.body)
        except MalformedJson as problem:
            raise JurorSilent(problem.code, str(problem)) from problem
        if not isinstance(data, dict):
            raise JurorSilent("no_reply", "the provider's answer is not an object")
        read, written = _tokens(data, "prompt_tokens"), _tokens(data, "completion_tokens")
        return Said(
            text=_content(data),
            model=str(data.get("model", ""))[:120],
            input_tokens=read,
            output_tokens=written,
            # Rounded up: a fraction of a millionth is owed all the same.
            cost_micros=-(-(read * self.input_price + written * self.output_price) // 10**6),
            latency_ms=reply.latency_ms,
            request_digest=request_digest,
        )


@dataclass(frozen=True, slots=True)
class Scripted:
    """A provider that answers by a function, for tests: `(model, messages)` to the reply's text."""

    script: Callable[[str, Sequence[Message]], str]

    def ask(self, *, model: str, messages: Sequence[Message]) -> Said:
        """What the script says."""
        body = request_body(model=model, messages=messages)
        text = self.script(model, messages)
        return Said(text=text, model=model, request_digest=sha256(body), output_tokens=len(text))


def request_body(*, model: str, messages: Sequence[Message]) -> bytes:
    """The bytes of one request: fixed settings, so that the same question is the same request."""
    asked: dict[str, JsonValue] = {
        "model": model,
        "messages": to_json(messages),
        "temperature": 0,
        "max_tokens": MOST_TOKENS,
        "response_format": {"type": "json_object"},
    }
    return json.dumps(asked, ensure_ascii=True, sort_keys=True).encode()


def installed(config: Mapping[str, Mapping[str, object]], egress: Egress) -> dict[str, Provider]:
    """The providers an operator configured: name to address, key and prices."""
    return {
        name: OpenAiCompatible(
            address=str(entry["address"]),
            key=str(entry.get("key", "")),
            egress=egress,
            input_price=int(str(entry.get("input_price", 0))),
            output_price=int(str(entry.get("output_price", 0))),
        )
        for name, entry in config.items()
    }


def _content(data: Mapping[str, JsonValue]) -> str:
    choices = data.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str):
        raise JurorSilent("no_reply", "the provider's answer holds no message")
    return content


def _tokens(data: Mapping[str, JsonValue], name: str) -> int:
    usage = data.get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    known = isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**8
    return count if known else 0  # type: ignore[return-value]
