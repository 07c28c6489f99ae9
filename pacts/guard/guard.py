"""PactGuard: one line around a call. Observes at once, works behind, never stands in the way."""

import atexit
import functools
import inspect
import logging
import os
import random
import time
import types
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pacts.guard.behind import Behind
from pacts.guard.blocking import Gate, PactBreached
from pacts.guard.capture import hold
from pacts.guard.captured import (
    Captured,
    Reader,
    Wrapped,
    nothing_more,
    signature_of,
    told,
)
from pacts.guard.records import Fault
from pacts.guard.settings import Settings
from pacts.guard.spans import current_context
from pacts.guard.streams import GuardedAsyncStream, GuardedStream, Tape

log = logging.getLogger("pacts.guard")

F = TypeVar("F", bound=Callable[..., Any])

# Asked of the type: `isinstance` would ask the answer itself, which may be anything.
_STREAMS = (types.GeneratorType, types.AsyncGeneratorType, types.CoroutineType)
_guards: "weakref.WeakSet[PactGuard]" = weakref.WeakSet()


class PactGuard:
    """Guards calls of one agent.

    >>> guard = PactGuard(agent_version="agv_0190f3c2", base_url=None, spool=None)
    >>> answer = guard(len)("four")

    `guard(function)` is the function under guard, whatever it is: plain, coroutine, generator or
    asynchronous generator; so is `@guard`. Settings are keyword arguments: `settings.Settings`.
    Raises GuardMisconfigured here; afterwards nothing of the guard's own ever reaches the caller,
    except `PactBreached` in `block` mode, which is what that mode is for.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = Settings(**settings)
        self._clauses = self._settings.clauses()
        self._server = self._settings.server()
        self._gate = Gate(self._settings, self._clauses)
        self._rate = self._settings.sample_rate
        self._open()
        _guards.add(self)
        atexit.register(_at_exit, weakref.ref(self))

    def __call__(self, function: F) -> F:
        """The function under guard."""
        return self.wrap(function)

    def wrap(
        self,
        function: F,
        *,
        name: str = "",
        labels: Mapping[str, str] | None = None,
        in_scope: bool | None = None,
        reads: Reader = nothing_more,
        reads_stream: Reader | None = None,
        asks: Callable[[tuple[Any, ...], dict[str, Any]], Any] | None = None,
        streams: Callable[[Any], bool] | None = None,
        keeps: Callable[[Any], Any] | None = None,
    ) -> F:
        """The function under guard, with labels for its records and readers of its answers
        (`captured.Wrapped`)."""
        wrapped = Wrapped(
            name=name or getattr(function, "__name__", type(function).__name__),
            labels=dict(labels or {}),
            in_scope=in_scope,
            reads=reads,
            reads_stream=reads_stream or nothing_more,
            asks=asks,
            parameters=signature_of(function) if asks is None else None,
            streams=streams,
            keeps=keeps,
        )
        if inspect.iscoroutinefunction(function):
            return self._wrap_coroutine(function, wrapped)  # type: ignore[return-value]
        return self._wrap_plain(function, wrapped)  # type: ignore[return-value]

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function once, under guard."""
        return self.wrap(function)(*args, **kwargs)

    @property
    def blocks(self) -> bool:
        """Whether answers that break the pact are held back."""
        return self._gate.closed

    def flush(self, seconds: float = 10.0) -> bool:
        """Wait until the server has everything seen so far; whether it has."""
        return self._behind.flush(seconds)

    def close(self, seconds: float | None = None) -> None:
        """Send what can be sent in that time and stop. What is left stays in the spool."""
        self._behind.close(self._settings.exit_seconds if seconds is None else seconds)

    def status(self) -> dict[str, int | str]:
        """Counts: seen, kept, dropped, pending, accepted, duplicates, refused, unreadable, torn;
        and `problem`, the last one with the server, in words."""
        return self._behind.status()

    def __enter__(self) -> "PactGuard":
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def _open(self) -> None:
        self._random = random.Random().random  # noqa: S311 - seeded by the system, per process
        self._behind = Behind(self._settings, self._clauses, self._settings.server())

    def _reopen(self) -> None:
        """In the child of a fork: the parent sends what it holds, the child begins anew. A guard
        that was closed stays so."""
        with suppress(Exception):  # one guard's trouble must not keep the others from going on
            self._behind.abandon()
        if not self._behind.closed:
            self._open()

    def _wrap_plain(self, function: Callable[..., Any], wrapped: Wrapped) -> Callable[..., Any]:
        begin, finish, sampled, streams = self.begin, self.finish, self.sampled, wrapped.streams

        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not sampled():
                return function(*args, **kwargs)
            captured = begin(wrapped, args, kwargs)
            since = time.perf_counter_ns()
            try:
                answer = function(*args, **kwargs)
            except BaseException as error:
                finish(captured, since, error)
                raise
            if issubclass(type(answer), _STREAMS) or (streams is not None and streams(answer)):
                return self._continued(answer, captured, since)
            return finish(captured, since, None, answer)

        return guarded

    def _wrap_coroutine(self, function: Callable[..., Any], wrapped: Wrapped) -> Callable[..., Any]:
        @functools.wraps(function)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            if not self.sampled():
                return await function(*args, **kwargs)
            captured = self.begin(wrapped, args, kwargs)
            since = time.perf_counter_ns()
            return await self._awaited(function(*args, **kwargs), captured, since)

        return guarded

    def _continued(self, answer: Any, captured: Captured | None, since: int) -> Any:
        """An answer that is yet to come: a stream, or something to await."""
        if isinstance(answer, types.CoroutineType):
            return self._awaited(answer, captured, since)
        return self.stream(answer, captured, since)

    async def _awaited(self, answer: Any, captured: Captured | None, since: int) -> Any:
        try:
            found = await answer
        except BaseException as error:
            self.finish(captured, since, error)
            raise
        streams = captured.wrapped.streams if captured is not None else None
        if issubclass(type(found), _STREAMS) or (streams is not None and streams(found)):
            return self._continued(found, captured, since)
        return self.finish(captured, since, None, found)

    def stream(self, inner: Any, captured: Captured | None, since_ns: int) -> Any:
        """A stream under guard; in `block` mode it is read whole and checked first."""
        if captured is None:
            return inner
        tape = Tape(captured, time.perf_counter_ns() - since_ns, self.taped)
        later = hasattr(inner, "__anext__")
        if later:
            guarded: Any = GuardedAsyncStream(inner, tape)
            return self._gate.held_async(guarded, captured) if self._gate.closed else guarded
        guarded = GuardedStream(inner, tape)
        return self._gate.held(guarded, captured) if self._gate.closed else guarded

    def sampled(self) -> bool:
        """Whether to keep the next call: a coin that knows nothing of it."""
        return self._rate >= 1 or self._random() < self._rate

    def begin(self, wrapped: Wrapped, args: Any, kwargs: Any) -> Captured | None:
        """A call begins that is no function's; `finish` ends it. Never raises."""
        try:
            context = current_context() if self._settings.tracer is not None else None
            return Captured(wrapped, hold((args, kwargs)), time.time_ns(), context)
        except Exception:
            log.debug("a call could not be captured", exc_info=True)
            return None

    def finish(
        self,
        captured: Captured | None,
        since: int,
        error: BaseException | None,
        answer: Any = None,
    ) -> Any:
        """Hand a call over that began at `since` (`time.perf_counter_ns`); gives the answer, or
        in `block` mode what stands in for it. Raises PactBreached, in that mode only."""
        took = time.perf_counter_ns() - since
        if captured is None:
            return answer
        try:
            captured.took_ns = took
            if error is None:
                captured.output = hold(answer)
                if self._gate.closed:
                    self._gate.judge(captured)
            else:
                self._blame(captured, error)
            self._behind.offer(captured)
        except Exception:
            log.debug("a call could not be handed over", exc_info=True)
        return self._gate.through(captured, answer) if self._gate.closed else answer

    def taped(self, captured: Captured, error: BaseException | None) -> None:
        """Hand over a call whose stream has ended. Never raises what `block` would."""
        if error is not None:
            self._blame(captured, error)
        elif self._gate.closed:
            self._gate.judge(captured)
        self._behind.offer(captured)

    def _blame(self, captured: Captured, error: BaseException) -> None:
        captured.error = told(error)
        captured.fault = _fault_of(error, self._settings.blame)


def _fault_of(error: BaseException, blame: Callable[[BaseException], Fault] | None) -> Fault:
    """Whose fault an exception was: the caller's where it gave up (interrupts, cancellations and
    closed generators are no `Exception`), else what `blame` says, else the agent's."""
    if not isinstance(error, Exception):
        return "buyer"
    try:
        return blame(error) if blame is not None else "agent"
    except Exception:
        return "agent"


def _at_exit(held: "weakref.ref[PactGuard]") -> None:
    guard = held()
    if guard is not None:
        guard.close()


def _after_fork() -> None:
    for guard in list(_guards):
        guard._reopen()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

__all__ = ["PactBreached", "PactGuard"]
