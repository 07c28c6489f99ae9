"""LangChain: whatever runs (a model, a chain, an agent) under guard by one callback.

One record per outermost run. Tokens are those of all models within, tool calls those of all tools.
"""

import importlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pacts.guard.captured import Captured, Wrapped
from pacts.guard.clients.reading import model_of, output_of, usage_of
from pacts.guard.guard import PactGuard

Runnable = TypeVar("Runnable")

MOST_RUNS = 10_000


def guard_langchain(guard: PactGuard, runnable: Runnable) -> Runnable:
    """The runnable with the guard's callback: `invoke`, `ainvoke`, `stream`, `batch` and all else.

    In `block` mode a breach is raised when the run ends: what was streamed has been seen by then.
    """
    base = importlib.import_module("langchain_core.callbacks").BaseCallbackHandler
    kind = type("GuardCallback", (Callback, base), {})
    return runnable.with_config(callbacks=[kind(guard)])  # type: ignore[attr-defined, no-any-return]


@dataclass
class Run:
    """An outermost run and what has happened within."""

    captured: Captured | None
    since: int
    model: dict[str, str] = field(default_factory=dict)
    read: int = 0
    written: int = 0
    tools: list[dict[str, Any]] = field(default_factory=list)
    counted: bool = False

    def facts(self, output: Any) -> Mapping[str, Any]:
        return {
            "output": output,
            "usage": usage_of(self.read, self.written) if self.counted else None,
            "model": self.model,
            "tool_calls": self.tools,
        }


class Callback:
    """The callback's own part; LangChain's base class is mixed in where it is installed."""

    run_inline = True

    def __init__(self, guard: PactGuard) -> None:
        super().__init__()
        self.raise_error = guard.blocks
        self._guard = guard
        self._wrapped = Wrapped(name="langchain", labels={})
        self._runs: dict[Any, Run] = {}
        self._roots: dict[Any, Any] = {}
        self._lock = threading.Lock()

    def on_chain_start(self, serialized: Any, inputs: Any, **kw: Any) -> None:
        self._started(kw, inputs)

    def on_chat_model_start(self, serialized: Any, messages: Any, **kw: Any) -> None:
        self._started(kw, [[_said(message) for message in some] for some in messages])

    def on_llm_start(self, serialized: Any, prompts: Any, **kw: Any) -> None:
        self._started(kw, prompts)

    def on_tool_start(self, serialized: Any, input_str: str, **kw: Any) -> None:
        self._started(kw, input_str)
        run = self._run(kw)
        if run is not None:
            name = (serialized or {}).get("name", "tool")
            run.tools.append({"name": str(name), "arguments": kw.get("inputs") or input_str})

    def on_chain_end(self, outputs: Any, **kw: Any) -> None:
        self._ended(kw, outputs)

    def on_tool_end(self, output: Any, **kw: Any) -> None:
        self._ended(kw, output)

    def on_llm_end(self, response: Any, **kw: Any) -> None:
        run, message = self._run(kw), _message(response)
        if run is not None:
            _count(run, message)
        self._ended(kw, message)

    def on_chain_error(self, error: BaseException, **kw: Any) -> None:
        self._ended(kw, None, error)

    def on_llm_error(self, error: BaseException, **kw: Any) -> None:
        self._ended(kw, None, error)

    def on_tool_error(self, error: BaseException, **kw: Any) -> None:
        self._ended(kw, None, error)

    def _started(self, kw: Mapping[str, Any], given: Any) -> None:
        own, parent = kw.get("run_id"), kw.get("parent_run_id")
        with self._lock:
            root = self._roots.get(parent, own)
            self._roots[own] = root
            if root != own or len(self._runs) >= MOST_RUNS:
                return
            kept = self._guard.sampled()
            captured = self._guard.begin(self._wrapped, (_spoken(given),), {}) if kept else None
            self._runs[own] = Run(captured, time.perf_counter_ns())

    def _run(self, kw: Mapping[str, Any]) -> Run | None:
        with self._lock:
            return self._runs.get(self._roots.get(kw.get("run_id")))

    def _ended(
        self, kw: Mapping[str, Any], output: Any, error: BaseException | None = None
    ) -> None:
        own = kw.get("run_id")
        with self._lock:
            self._roots.pop(own, None)
            run = self._runs.pop(own, None)
        if run is None:
            return
        if run.captured is not None:
            run.captured.facts = run.facts(_spoken(output))
        self._guard.finish(run.captured, run.since, error, None)


def _message(response: Any) -> Any:
    try:
        generation = response.generations[0][0]
        return getattr(generation, "message", None) or generation.text
    except (AttributeError, IndexError):
        return None


def _count(run: Run, message: Any) -> None:
    usage = getattr(message, "usage_metadata", None) or {}
    said = getattr(message, "response_metadata", None) or {}
    if usage:
        run.counted = True
        run.read += int(usage.get("input_tokens", 0))
        run.written += int(usage.get("output_tokens", 0))
    name = said.get("model_name") or said.get("model")
    run.model = model_of(name, said.get("system_fingerprint"), "langchain") if name else run.model


def _said(message: Any) -> Any:
    return {"type": getattr(message, "type", ""), "content": getattr(message, "content", message)}


def _spoken(value: Any) -> Any:
    """Messages as what they say, anything else as it is."""
    content = getattr(value, "content", None)
    if isinstance(content, str) and hasattr(value, "type"):
        return output_of(content)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        return value[0]
    return value
