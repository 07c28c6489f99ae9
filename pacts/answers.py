"""What an agent reports beside its answer: tool calls, tokens, cost, and the state it left.

`earnest-json/1` carries these as optional members beside `output`:

    {"output": {…},
     "tool_calls": [{"name": "search", "arguments": {…}, "result": …}],
     "usage": {"input_tokens": 812, "output_tokens": 96},
     "cost": {"micros": 1800, "currency": "USD"},
     "final_state": {…}}

Other protocols map their own forms onto `Facts`. All of it is the agent's own report. A member
that is missing is None; one that cannot be read is None as well and named in `problems`, so that a
malformed report never reads as a clean one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from reputation.canonical import LARGEST_INTEGER, JsonValue

MOST_TOOL_CALLS = 1_000
LONGEST_NAME = 200

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool: its name, the arguments (as a rule an object), what came back."""

    name: str
    arguments: JsonValue = None
    result: JsonValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens read and written, as the agent or its model's provider counts them."""

    input_tokens: int
    output_tokens: int

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the call cost its builder: millionths of one unit of an ISO 4217 currency."""

    micros: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything reported beside an answer. An empty `tool_calls` says that no tool was called;
    None says nothing. `problems` names the members that could not be read."""

    tool_calls: tuple[ToolCall, ...] | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    final_state: Mapping[str, JsonValue] | None = None
    problems: tuple[str, ...] = ()


NOTHING_REPORTED = Facts()


class _Unreadable(ValueError):
    """A member is there and is not what it must be."""


def read_facts(envelope: Mapping[str, JsonValue]) -> Facts:
    """The facts beside `output` in a reply's top-level object; never raises."""
    if not any(name in envelope for name in ("tool_calls", "usage", "cost", "final_state")):
        return NOTHING_REPORTED
    problems: list[str] = []

    def read(name: str, reader: Callable[[JsonValue], T]) -> T | None:
        value = envelope.get(name)
        if value is None:
            return None
        try:
            return reader(value)
        except _Unreadable as problem:
            problems.append(f"{name}: {problem}")
            return None

    return Facts(
        tool_calls=read("tool_calls", _tool_calls),
        usage=read("usage", _usage),
        cost=read("cost", _cost),
        final_state=read("final_state", _state),
        problems=tuple(problems),
    )


def _tool_calls(value: JsonValue) -> tuple[ToolCall, ...]:
    if not isinstance(value, list):
        raise _Unreadable("not a list")
    if len(value) > MOST_TOOL_CALLS:
        raise _Unreadable(f"more than {MOST_TOOL_CALLS} calls")
    return tuple(_tool_call(item) for item in value)


def _tool_call(value: JsonValue) -> ToolCall:
    name = value.get("name") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str):
        raise _Unreadable("a call without a name")
    if not 0 < len(name) <= LONGEST_NAME:
        raise _Unreadable(f"a name of {len(name)} characters")
    return ToolCall(name=name, arguments=value.get("arguments"), result=value.get("result"))


def _usage(value: JsonValue) -> Usage:
    if not isinstance(value, dict):
        raise _Unreadable("not an object")
    return Usage(
        input_tokens=_count(value.get("input_tokens")),
        output_tokens=_count(value.get("output_tokens")),
    )


def _cost(value: JsonValue) -> Cost:
    currency = value.get("currency") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(currency, str):
        raise _Unreadable("not an object with a currency")
    if len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        raise _Unreadable("the currency is not three capital letters")
    return Cost(micros=_count(value.get("micros")), currency=currency)


def _state(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise _Unreadable("not an object")
    return value


def _count(value: JsonValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_INTEGER:
        raise _Unreadable("not a whole number from 0 up")
    return value
