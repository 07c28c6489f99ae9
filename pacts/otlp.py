"""OTLP traces with the GenAI conventions, read as the records of `pacts.guard.records`. Pure.

Sources: opentelemetry-proto 1.x (`ExportTraceServiceRequest`; ids are hex in the JSON encoding),
OpenTelemetry semantic conventions for generative AI (`gen_ai.*`).

A span of a call to a model or an agent (`gen_ai.operation.name` of chat, text_completion,
generate_content or invoke_agent) is one call. Which engagement it belongs to is said by
`earnest.engagement` or `earnest.agent_version` on the span or on its resource; where a key reports
on one engagement alone, nothing needs to be said. The call's id is `earnest.call_id`, else follows
from trace and span ids, so a batch sent again counts once. A sampling rate is read from
`earnest.sample_rate`, or from the threshold `th` of the W3C trace state (OpenTelemetry's consistent
probability sampling).
"""

import base64
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

CALLS = frozenset({"chat", "text_completion", "generate_content", "invoke_agent"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TraceMalformed(ValueError):
    """The body is no OTLP trace export."""


def read_protobuf(body: bytes) -> ExportTraceServiceRequest:
    """Raises TraceMalformed."""
    found = ExportTraceServiceRequest()
    try:
        found.ParseFromString(body)
    except DecodeError as error:
        raise TraceMalformed("the body is no OTLP trace export in protobuf") from error
    return found


def read_json(value: object) -> ExportTraceServiceRequest:
    """Of parsed JSON, whose ids are hex as OTLP says. Raises TraceMalformed."""
    if not isinstance(value, dict):
        raise TraceMalformed("the body is no OTLP trace export in JSON")
    found = ExportTraceServiceRequest()
    try:
        ParseDict(_binary_ids(value), found, ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError) as error:
        raise TraceMalformed("the body is no OTLP trace export in JSON") from error
    return found


def records_of(
    request: ExportTraceServiceRequest, *, named: str | None = None
) -> Iterator[dict[str, Any]]:
    """A record for every span that is a call; other spans are none of ours. `named` is the
    engagement of spans that name none."""
    for resource in request.resource_spans:
        common = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                said = {**common, **_attributes(span.attributes)}
                if said.get("gen_ai.operation.name") in CALLS:
                    yield _record(span, {"earnest.engagement": named, **said})


def _record(span: Span, said: Mapping[str, Any]) -> dict[str, Any]:
    failed = span.status.code == Status.STATUS_CODE_ERROR
    found: dict[str, Any] = {
        "call_id": _call_id(span, said),
        "engagement": said.get("earnest.engagement"),
        "agent_version": said.get("earnest.agent_version"),
        "started_at": _instant(span.start_time_unix_nano),
        "latency_ms": max(0, span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        "fault": "agent" if failed else None,
        "error": str(said.get("error.type") or span.status.message)[:200] if failed else None,
        "model": _model(said),
        "usage": _usage(said),
        "sample_rate": _rate(span, said),
        "labels": _labels(said),
        **_messages(span, said),
    }
    return {name: value for name, value in found.items() if value is not None}


def _call_id(span: Span, said: Mapping[str, Any]) -> str:
    """The guard's own where it made the span, so that a call which comes by both ways counts once.
    Else a UUIDv7 that the span's time and ids decide: milliseconds, then their digest."""
    if isinstance(own := said.get("earnest.call_id"), str):
        return own
    moment = (span.start_time_unix_nano // 1_000_000) & (2**48 - 1)
    drawn = hashlib.sha256(span.trace_id + span.span_id).digest()
    rest = int.from_bytes(drawn[:10], "big")
    high = moment << 16 | 0x7000 | rest >> 68
    low = 0x8000000000000000 | rest & (2**62 - 1)
    digits = f"{high:016x}{low:016x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _instant(nanoseconds: int) -> str:
    moment = EPOCH + timedelta(microseconds=min(nanoseconds // 1000, 253_402_300_799 * 10**6))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _model(said: Mapping[str, Any]) -> dict[str, str] | None:
    name = said.get("gen_ai.response.model") or said.get("gen_ai.request.model")
    found = {
        "name": name,
        "fingerprint": said.get("gen_ai.openai.response.system_fingerprint")
        or said.get("openai.response.system_fingerprint"),
        "provider": said.get("gen_ai.provider.name") or said.get("gen_ai.system"),
    }
    return {key: str(value)[:200] for key, value in found.items() if value} or None


def _usage(said: Mapping[str, Any]) -> dict[str, int] | None:
    read, written = (said.get(f"gen_ai.usage.{side}_tokens") for side in ("input", "output"))
    if isinstance(read, int) and isinstance(written, int) and min(read, written) >= 0:
        return {"input_tokens": read, "output_tokens": written}
    return None


def _rate(span: Span, said: Mapping[str, Any]) -> float | None:
    """The probability with which the span was kept; None where nothing says less than 1."""
    told = said.get("earnest.sample_rate")
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    for member in span.trace_state.split(","):
        name, _, value = member.strip().partition("=")
        if name == "ot":
            return _threshold(value)
    return None


def _threshold(state: str) -> float | None:
    for part in state.split(";"):
        name, _, digits = part.partition(":")
        if name == "th" and 0 < len(digits) <= 14:
            try:
                rejected = int(digits.ljust(14, "0"), 16) / 16**14
            except ValueError:
                return None
            return 1 - rejected if 0 < 1 - rejected <= 1 else None
    return None


def _labels(said: Mapping[str, Any]) -> dict[str, str] | None:
    named = {"session": "gen_ai.conversation.id", "agent": "gen_ai.agent.name"}
    own = {
        key.removeprefix("earnest.label."): str(value)[:200]
        for key, value in said.items()
        if key.startswith("earnest.label.")
    }
    found = {name: str(said[key])[:200] for name, key in named.items() if said.get(key)}
    return dict(list({**found, **own}.items())[:20]) or None


def _messages(span: Span, said: Mapping[str, Any]) -> dict[str, Any]:
    """Input and output, from attributes or from the events that older instrumentations write."""
    places = {**said}
    for event in span.events:
        places.update(_attributes(event.attributes))
    named = {
        "input": ("gen_ai.input.messages", "gen_ai.prompt"),
        "output": ("gen_ai.output.messages", "gen_ai.completion"),
    }
    found = {}
    for part, keys in named.items():
        key = next((key for key in keys if places.get(key) is not None), None)
        if key is not None:
            found[part] = _content(places[key], last=part == "output")
    return found


def _content(value: Any, *, last: bool) -> Any:
    """Messages as JSON; of an output that is one text, the text, read as JSON where it is JSON, so
    that clauses find the fields they name."""
    value = _loaded(value)
    if last and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        parts = value[0].get("parts")
        if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict):
            text = parts[0].get("content")
        else:
            text = value[0].get("content")
        return value if text is None else _loaded(text)
    return value


def _loaded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return _finite(json.loads(value))
    except (ValueError, RecursionError):
        return value


def _finite(value: Any) -> Any:
    """Raises ValueError for what is no JSON: NaN and infinities."""
    json.dumps(value, allow_nan=False).encode()
    return value


def _attributes(pairs: "list[KeyValue] | Any") -> dict[str, Any]:
    return {pair.key: _value(pair.value, 8) for pair in pairs}


def _value(value: AnyValue, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or not depth:
        return None
    if kind == "array_value":
        return [_value(item, depth - 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value, depth - 1) for pair in value.kvlist_value.values}
    found = getattr(value, kind)
    if isinstance(found, bytes):
        return found.hex()
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _binary_ids(value: Any) -> Any:
    """Hex ids in the base64 that protobuf's own JSON form wants. Raises ValueError."""
    if isinstance(value, list):
        return [_binary_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, item in value.items():
        if key in ("traceId", "spanId", "parentSpanId") and isinstance(item, str):
            found[key] = base64.b64encode(bytes.fromhex(item)).decode()
        else:
            found[key] = _binary_ids(item)
    return found
