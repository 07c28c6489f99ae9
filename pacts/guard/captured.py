"""What is kept of one call in the caller's thread, and of the function it was a call of."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pacts.guard.records import Fault, LocalCheck

Reader = Callable[[Any], Mapping[str, Any]]


def nothing_more(answer: Any) -> Mapping[str, Any]:
    """The answer is the output; there is nothing to read beside it."""
    return {"output": answer}


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One function under guard: how its arguments are called and what its answers hold.

    `reads` turns an answer (of a stream: the list of its parts) into members of a record: `output`
    and where known `model`, `usage`, `cost`, `tool_calls`. `asks` turns (args, kwargs) into the
    input; None: the arguments by their names. `streams` says that an answer is a stream although
    it is no generator, `keeps` what of each part to keep (at once, so it should be quick).
    """

    name: str
    labels: Mapping[str, str]
    in_scope: bool | None = None
    reads: Reader = nothing_more
    reads_stream: Reader = nothing_more
    asks: Callable[[tuple[Any, ...], dict[str, Any]], Any] | None = None
    parameters: inspect.Signature | None = None
    streams: Callable[[Any], bool] | None = None
    keeps: Callable[[Any], Any] | None = None

    def input_of(self, args: Any, kwargs: Any) -> Any:
        """What was asked: one argument as it is, several by name."""
        if self.asks is not None:
            return self.asks(tuple(args), dict(kwargs))
        named = self._named(args, kwargs)
        return next(iter(named.values())) if len(named) == 1 else named

    def _named(self, args: Any, kwargs: Any) -> dict[str, Any]:
        if self.parameters is not None:
            try:
                named = dict(self.parameters.bind(*args, **kwargs).arguments)
            except TypeError:
                named = {}
            if named:
                first = next(iter(named))
                if first in ("self", "cls"):
                    del named[first]
                return named
        return {**{str(i): value for i, value in enumerate(args)}, **kwargs}


def signature_of(function: Callable[..., Any]) -> inspect.Signature | None:
    """How a function's arguments are called, where that can be known."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


class Captured:
    """One call as it was seen; `input` and `output` as `capture.hold` holds them. Nanoseconds."""

    __slots__ = (
        "blocked",
        "checks",
        "context",
        "error",
        "facts",
        "fault",
        "first_ns",
        "input",
        "output",
        "started_ns",
        "streamed",
        "took_ns",
        "truncated",
        "wrapped",
    )

    def __init__(self, wrapped: Wrapped, held: object, started_ns: int, context: Any) -> None:
        self.wrapped = wrapped
        self.input = held
        self.started_ns = started_ns
        self.context = context
        self.output: object = None
        self.took_ns = 0
        self.first_ns: int | None = None
        self.fault: Fault = "none"
        self.error = ""
        self.streamed = self.blocked = self.truncated = False
        self.checks: tuple[LocalCheck, ...] | None = None
        self.facts: Mapping[str, Any] | None = None


def told(error: BaseException) -> str:
    """An exception in a line, without its traceback, which would keep the caller's frames."""
    try:
        return f"{type(error).__name__}: {error}"[:2_000]
    except Exception:
        return type(error).__name__
