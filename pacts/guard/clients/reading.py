"""What answers of models have in common, in the form the server's own adapters give them."""

import json
from collections.abc import Iterable
from typing import Any


def output_of(text: str, *, declined: bool = False) -> dict[str, Any]:
    """Text that is a JSON object is the output; any other text is `{"text": …}`."""
    if declined:
        return {"declined": True, "text": text}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {"text": text}
    return found if isinstance(found, dict) else {"text": text}


def arguments_of(text: Any) -> Any:
    """A tool's arguments: parsed where they are JSON, else as they came."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def usage_of(read: Any, written: Any) -> dict[str, int] | None:
    """Tokens, where both are counted."""
    if isinstance(read, int) and isinstance(written, int):
        return {"input_tokens": read, "output_tokens": written}
    return None


def model_of(name: Any, fingerprint: Any, provider: str) -> dict[str, str]:
    """The model as it names itself."""
    named = {"name": name, "fingerprint": fingerprint, "provider": provider}
    return {key: value for key, value in named.items() if isinstance(value, str)}


def is_stream(answer: Any) -> bool:
    """Whether a client's answer is to be iterated over."""
    kind = type(answer)
    return hasattr(kind, "__next__") or hasattr(kind, "__anext__")


def asked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What was asked of a client: its named arguments, without what is not the question."""
    hidden = ("extra_headers", "extra_query", "timeout", "stream", "stream_options")
    named = {k: v for k, v in kwargs.items() if k not in hidden and _said(v)}
    return {**{str(i): value for i, value in enumerate(args)}, **named}


def _said(value: Any) -> bool:
    return type(value).__name__ not in ("NotGiven", "Omit")


def joined(parts: Iterable[Any], name: str) -> str:
    """One member of all parts, put together."""
    return "".join(part.get(name) or "" for part in parts)


def last(parts: Iterable[Any], name: str) -> Any:
    """The last value of a member among the parts."""
    found = [part[name] for part in parts if part.get(name) is not None]
    return found[-1] if found else None
