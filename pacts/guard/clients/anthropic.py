"""Anthropic's client: `messages.create`, whole or streamed, and `messages.stream`."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pacts.guard.captured import Captured, Wrapped
from pacts.guard.clients.reading import (
    arguments_of,
    asked,
    is_stream,
    joined,
    last,
    model_of,
    output_of,
    usage_of,
)
from pacts.guard.guard import PactGuard

Client = TypeVar("Client")


def guard_anthropic(guard: PactGuard, client: Client) -> Client:
    """Put a client's own calls under guard, asynchronous ones too; the same client."""
    messages: Any = client.messages  # type: ignore[attr-defined]
    messages.create = guard.wrap(
        messages.create,
        name="messages",
        asks=asked,
        reads=read_message,
        reads_stream=read_events,
        streams=is_stream,
        keeps=keep_event,
    )
    messages.stream = _managed(guard, messages.stream)
    return client


def read_message(answer: Any) -> Mapping[str, Any]:
    """A whole message: its texts are the answer, its tool uses the tool calls."""
    text = "".join(block.text for block in answer.content if block.type == "text")
    calls = [
        {"name": block.name, "arguments": block.input}
        for block in answer.content
        if block.type == "tool_use"
    ]
    return {
        "output": output_of(text, declined=answer.stop_reason == "refusal"),
        "tool_calls": calls,
        "usage": usage_of(answer.usage.input_tokens, answer.usage.output_tokens),
        "model": model_of(answer.model, None, "anthropic"),
    }


def keep_event(event: Any) -> dict[str, Any]:
    """What of one event is needed to put the message together."""
    if event.type == "message_start":
        return {"model": event.message.model, "read": event.message.usage.input_tokens}
    if event.type == "content_block_start" and event.content_block.type == "tool_use":
        return {"block": event.index, "tool": event.content_block.name}
    if event.type == "content_block_delta":
        kept = {"text": "text", "partial_json": "arguments"}
        found = {name: getattr(event.delta, member, None) for member, name in kept.items()}
        return {"block": event.index} | {name: value for name, value in found.items() if value}
    if event.type == "message_delta":
        return {"written": event.usage.output_tokens, "stopped": event.delta.stop_reason}
    return {}


def read_events(parts: Any) -> Mapping[str, Any]:
    """The same message out of its events."""
    tools = {part["block"]: part["tool"] for part in parts if "tool" in part}
    calls = [
        {
            "name": name,
            "arguments": arguments_of(
                joined((part for part in parts if part.get("block") == block), "arguments") or "{}"
            ),
        }
        for block, name in tools.items()
    ]
    return {
        "output": output_of(joined(parts, "text"), declined=last(parts, "stopped") == "refusal"),
        "tool_calls": calls,
        "usage": usage_of(last(parts, "read"), last(parts, "written")),
        "model": model_of(last(parts, "model"), None, "anthropic"),
    }


def _managed(guard: PactGuard, stream: Callable[..., Any]) -> Callable[..., Any]:
    wrapped = Wrapped(name="messages.stream", labels={}, asks=asked, reads=read_message)

    @functools.wraps(stream)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        captured = guard.begin(wrapped, args, kwargs) if guard.sampled() else None
        since = time.perf_counter_ns()
        return Managed(guard, stream(*args, **kwargs), captured, since)

    return guarded


class Managed:
    """The stream helper of the client: the stream within is the client's own, and what it has put
    together is recorded when it is left. In `block` mode a breach is raised there, not before."""

    def __init__(self, guard: PactGuard, inner: Any, captured: Captured | None, since: int) -> None:
        self._guard, self._inner, self._captured, self._since = guard, inner, captured, since
        self._stream: Any = None

    def __enter__(self) -> Any:
        self._stream = self._inner.__enter__()
        return self._stream

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> Any:
        try:
            return self._inner.__exit__(kind, error, trace)
        finally:
            self._left(error)

    async def __aenter__(self) -> Any:
        self._stream = await self._inner.__aenter__()
        return self._stream

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> Any:
        try:
            return await self._inner.__aexit__(kind, error, trace)
        finally:
            self._left(error)

    def _left(self, error: BaseException | None) -> None:
        if error is None:
            try:
                answer = self._stream.current_message_snapshot
            except Exception:  # left before anything had come
                error, answer = GeneratorExit("left before anything had come"), None
        else:
            answer = None
        self._guard.finish(self._captured, self._since, error, answer)
