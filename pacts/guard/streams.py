"""Streamed answers: every part goes through at once, a copy is kept, the end is recorded.

A guarded stream is a generator like the one it stands for: it can be sent to, thrown into and
closed. One that is given up half way is recorded as given up by the caller, with what had come.
Its latency is the time spent waiting for parts: how slowly the caller reads is not the agent's.
"""

import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from pacts.guard.capture import hold, released, weight
from pacts.guard.captured import Captured

MOST_BYTES = 512 * 1024
GIVEN_UP = "the caller gave up before the end"


class Tape:
    """What has come of a stream so far. `finished` hands the call over, once; never raises."""

    __slots__ = ("_captured", "_done", "_finish", "_parts", "_waited", "_weight")

    def __init__(
        self,
        captured: Captured,
        waited_ns: int,
        finish: Callable[[Captured, BaseException | None], None],
    ) -> None:
        self._captured, self._waited, self._finish = captured, waited_ns, finish
        self._parts: list[object] = []
        self._weight = 0
        self._done = False
        captured.streamed = True

    def waited(self, since_ns: int) -> None:
        """The caller has waited since then (`time.perf_counter_ns`)."""
        self._waited += time.perf_counter_ns() - since_ns

    def part(self, value: object) -> None:
        """One part has come."""
        try:
            if self._captured.first_ns is None:
                self._captured.first_ns = self._waited
            keeps = self._captured.wrapped.keeps
            held = hold(value if keeps is None else keeps(value))
            self._weight += weight(held)
            if self._weight <= MOST_BYTES:
                self._parts.append(held)
            else:
                self._captured.truncated = True
        except Exception:
            self._captured.truncated = True

    def finished(self, error: BaseException | None = None) -> None:
        """Nothing more comes."""
        if self._done:
            return
        self._done = True
        try:
            self._captured.took_ns = self._waited
            self._captured.output = [released(part) for part in self._parts]
            self._finish(self._captured, error)
        except Exception:
            return

    def given_up(self) -> None:
        """The caller wants no more."""
        self.finished(GeneratorExit(GIVEN_UP))


class GuardedStream(Generator[Any, Any, Any]):
    """A generator, or any iterator, under guard."""

    def __init__(self, inner: Any, tape: Tape) -> None:
        self._inner, self._tape = inner, tape

    def __next__(self) -> Any:
        return self._step(self._inner.__next__)

    def send(self, value: Any) -> Any:
        return self._step(self._inner.send, value)

    def throw(self, *details: Any) -> Any:
        return self._step(self._inner.throw, *details)

    def close(self) -> None:
        try:
            close = getattr(self._inner, "close", None)
            if close is not None:
                close()
        finally:
            self._tape.given_up()

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self._tape.given_up()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> Any:
        enter = getattr(self._inner, "__enter__", None)
        if enter is not None:
            enter()
        return self

    def __exit__(self, *details: Any) -> Any:
        leave = getattr(self._inner, "__exit__", None)
        try:
            return leave(*details) if leave is not None else self.close()
        finally:
            self._tape.given_up()

    def _step(self, step: Callable[..., Any], *given: Any) -> Any:
        since = time.perf_counter_ns()
        try:
            part = step(*given)
        except StopIteration:
            self._tape.waited(since)
            self._tape.finished()
            raise
        except BaseException as error:
            self._tape.waited(since)
            self._tape.finished(error)
            raise
        self._tape.waited(since)
        self._tape.part(part)
        return part


class GuardedAsyncStream(AsyncGenerator[Any, Any]):
    """An asynchronous generator, or any asynchronous iterator, under guard."""

    def __init__(self, inner: Any, tape: Tape) -> None:
        self._inner, self._tape = inner, tape

    async def __anext__(self) -> Any:
        return await self._step(self._inner.__anext__)

    async def asend(self, value: Any) -> Any:
        return await self._step(self._inner.asend, value)

    async def athrow(self, *details: Any) -> Any:
        return await self._step(self._inner.athrow, *details)

    async def aclose(self) -> None:
        try:
            close = getattr(self._inner, "aclose", None) or getattr(self._inner, "close", None)
            if close is not None:
                await close()
        finally:
            self._tape.given_up()

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self._tape.given_up()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def __aenter__(self) -> Any:
        enter = getattr(self._inner, "__aenter__", None)
        if enter is not None:
            await enter()
        return self

    async def __aexit__(self, *details: Any) -> Any:
        leave = getattr(self._inner, "__aexit__", None)
        try:
            return await leave(*details) if leave is not None else await self.aclose()
        finally:
            self._tape.given_up()

    async def _step(self, step: Callable[..., Any], *given: Any) -> Any:
        since = time.perf_counter_ns()
        try:
            part = await step(*given)
        except StopAsyncIteration:
            self._tape.waited(since)
            self._tape.finished()
            raise
        except BaseException as error:
            self._tape.waited(since)
            self._tape.finished(error)
            raise
        self._tape.waited(since)
        self._tape.part(part)
        return part
