"""OpenAI's client, and whatever speaks like it: `chat.completions.create`, `responses.create`."""

from collections.abc import Mapping
from typing import Any, TypeVar

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


def guard_openai(guard: PactGuard, client: Client) -> Client:
    """Put a client's own calls under guard, streams and asynchronous ones too; the same client.

    Clients made from it by `with_options` are new ones and want a guard of their own.
    """
    api: Any = client
    completions = api.chat.completions
    completions.create = guard.wrap(
        completions.create,
        name="chat.completions",
        asks=asked,
        reads=read_completion,
        reads_stream=read_chunks,
        streams=is_stream,
        keeps=keep_chunk,
    )
    responses = getattr(api, "responses", None)
    if responses is not None:
        responses.create = guard.wrap(
            responses.create,
            name="responses",
            asks=asked,
            reads=read_response,
            reads_stream=read_events,
            streams=is_stream,
            keeps=keep_event,
        )
    return client


def read_completion(answer: Any) -> Mapping[str, Any]:
    """A whole chat completion: its first choice."""
    message = answer.choices[0].message
    calls = [
        {"name": call.function.name, "arguments": arguments_of(call.function.arguments)}
        for call in message.tool_calls or ()
        if getattr(call, "function", None) is not None
    ]
    return {
        "output": _output(message.content, getattr(message, "refusal", None)),
        "tool_calls": calls,
        "usage": _usage(answer.usage, "prompt_tokens", "completion_tokens"),
        "model": model_of(answer.model, getattr(answer, "system_fingerprint", None), "openai"),
    }


def keep_chunk(chunk: Any) -> dict[str, Any]:
    """What of one chunk is needed to put the answer together."""
    kept: dict[str, Any] = {
        "model": chunk.model,
        "fingerprint": getattr(chunk, "system_fingerprint", None),
        "usage": _usage(getattr(chunk, "usage", None), "prompt_tokens", "completion_tokens"),
    }
    if chunk.choices and chunk.choices[0].index == 0:
        delta = chunk.choices[0].delta
        kept["text"], kept["refusal"] = delta.content, getattr(delta, "refusal", None)
        kept["calls"] = [
            (call.index, call.function.name, call.function.arguments)
            for call in delta.tool_calls or ()
            if call.function is not None
        ]
    return {name: value for name, value in kept.items() if value}


def read_chunks(parts: Any) -> Mapping[str, Any]:
    """The same answer out of its chunks."""
    calls: dict[int, list[str]] = {}
    for part in parts:
        for index, name, arguments in part.get("calls", ()):
            pieces = calls.setdefault(index, ["", ""])
            pieces[0] += name or ""
            pieces[1] += arguments or ""
    return {
        "output": _output(joined(parts, "text"), joined(parts, "refusal")),
        "tool_calls": [
            {"name": name, "arguments": arguments_of(arguments)}
            for _, (name, arguments) in sorted(calls.items())
        ],
        "usage": last(parts, "usage"),
        "model": model_of(last(parts, "model"), last(parts, "fingerprint"), "openai"),
    }


def read_response(answer: Any) -> Mapping[str, Any]:
    """A whole answer of the Responses API."""
    calls = [
        {"name": item.name, "arguments": arguments_of(item.arguments)}
        for item in answer.output
        if item.type == "function_call"
    ]
    return {
        "output": output_of(answer.output_text),
        "tool_calls": calls,
        "usage": _usage(answer.usage, "input_tokens", "output_tokens"),
        "model": model_of(answer.model, None, "openai"),
    }


def keep_event(event: Any) -> dict[str, Any]:
    """Only the last event of the Responses API holds the whole answer."""
    if event.type not in ("response.completed", "response.incomplete"):
        return {}
    return dict(read_response(event.response))


def read_events(parts: Any) -> Mapping[str, Any]:
    """What the last event said."""
    return next((part for part in reversed(parts) if part), {})


def _output(text: Any, refusal: Any) -> dict[str, Any]:
    if refusal:
        return output_of(str(refusal), declined=True)
    return output_of(text if isinstance(text, str) else "")


def _usage(usage: Any, read: str, written: str) -> dict[str, int] | None:
    return usage_of(getattr(usage, read, None), getattr(usage, written, None))
