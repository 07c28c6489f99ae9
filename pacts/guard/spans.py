"""OpenTelemetry spans of guarded calls, after the GenAI conventions, through any tracer given.

Attributes: gen_ai.operation.name, gen_ai.provider.name, gen_ai.request.model,
gen_ai.usage.input_tokens, gen_ai.usage.output_tokens, error.type, and under `earnest.` what the
guard adds. No content leaves by this way. Source: OpenTelemetry semantic conventions, GenAI spans.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from pacts.guard.captured import Captured
from pacts.guard.records import JsonValue


def current_context() -> Any:
    """The context the span of a call belongs into, or None without OpenTelemetry."""
    try:
        return importlib.import_module("opentelemetry.context").get_current()
    except Exception:
        return None


def emit(tracer: Any, captured: Captured, record: Mapping[str, JsonValue]) -> None:
    """One span from the call's start to its end; never raises."""
    try:
        span = tracer.start_span(
            f"invoke_agent {captured.wrapped.name}",
            context=captured.context,
            start_time=captured.started_ns,
            attributes=attributes(captured, record),
        )
        if captured.fault != "none":
            _mark(span, str(record.get("error", "")))
        span.end(end_time=captured.started_ns + captured.took_ns)
    except Exception:
        return


def attributes(
    captured: Captured, record: Mapping[str, JsonValue]
) -> dict[str, str | int | float | bool]:
    """The span's attributes, by the conventions' names."""
    model: Any = record.get("model") or {}
    usage: Any = record.get("usage") or {}
    found = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.id": record.get("agent_version") or record.get("engagement"),
        "gen_ai.agent.name": captured.wrapped.name,
        "gen_ai.provider.name": model.get("provider"),
        "gen_ai.request.model": model.get("name"),
        "gen_ai.usage.input_tokens": usage.get("input_tokens"),
        "gen_ai.usage.output_tokens": usage.get("output_tokens"),
        "earnest.call_id": record.get("call_id"),
        "earnest.agent_version": record.get("agent_version"),
        "earnest.engagement": record.get("engagement"),
        "earnest.sample_rate": record.get("sample_rate"),
        "earnest.fault": record.get("fault"),
        "earnest.blocked": record.get("blocked"),
        "error.type": captured.error.split(":")[0] or None,
    }
    for check in record.get("checks") or ():  # type: ignore[union-attr]
        if isinstance(check, dict):
            found[f"earnest.check.{check['clause']}"] = check["outcome"]
    return {k: v for k, v in found.items() if isinstance(v, str | int | float | bool)}


def _mark(span: Any, error: str) -> None:
    status = importlib.import_module("opentelemetry.trace")
    span.set_status(status.Status(status.StatusCode.ERROR, error))
