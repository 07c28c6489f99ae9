"""Traces with the GenAI conventions are read as the guard's records, in both encodings."""

import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pacts.guard.records import read_record
from pacts.otlp import TraceMalformed, read_json, read_protobuf, records_of

NANO = 1_780_000_000_123_456_789
ENGAGEMENT = "eng_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f"


def attribute(key: str, value: Any) -> dict[str, Any]:
    kind = {str: "stringValue", int: "intValue", float: "doubleValue"}[type(value)]
    return {"key": key, "value": {kind: value}}


def trace(*, state: str = "", failed: bool = False, **said: Any) -> dict[str, Any]:
    named = {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": "m-1",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]',
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": '{"label": "fine"}'}]}]
        ),
        **{key.replace("__", "."): value for key, value in said.items()},
    }
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "traceState": state,
        "name": "chat m-1",
        "startTimeUnixNano": str(NANO),
        "endTimeUnixNano": str(NANO + 250_000_000),
        "attributes": [attribute(key, value) for key, value in named.items()],
        "status": {"code": 2, "message": "gone"} if failed else {},
    }
    resource = {"attributes": [attribute("earnest.engagement", ENGAGEMENT)]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def only(data: dict[str, Any]) -> dict[str, Any]:
    (record,) = records_of(read_json(data))
    return record


def test_a_span_is_a_record_the_server_reads() -> None:
    found = read_record(only(trace()))
    assert (found.engagement, found.latency_ms, found.fault) == (ENGAGEMENT, 250.0, "none")
    assert found.output == {"label": "fine"}
    assert found.model == {"name": "m-1"}
    assert found.usage == {"input_tokens": 12, "output_tokens": 3}


def test_both_encodings_are_the_same_record() -> None:
    export = read_json(trace())
    assert isinstance(export, ExportTraceServiceRequest)
    again = read_protobuf(export.SerializeToString())
    assert list(records_of(again)) == [only(trace())]
    assert MessageToDict(again) == MessageToDict(export)


def test_a_span_sent_again_has_the_same_call_id() -> None:
    assert only(trace())["call_id"] == only(trace())["call_id"]


def test_a_failed_span_is_the_agents_fault() -> None:
    record = read_record(only(trace(failed=True, error__type="timeout")))
    assert (record.fault, record.error) == ("agent", "timeout")


@pytest.mark.parametrize(
    ("state", "rate"),
    [("", 1.0), ("ot=th:0", 1.0), ("ot=th:8", 0.5), ("a=b,ot=rv:1;th:c", 0.25), ("ot=th:zz", 1.0)],
)
def test_the_sampling_threshold_of_the_trace_state_is_a_rate(state: str, rate: float) -> None:
    assert read_record(only(trace(state=state))).sample_rate == rate


def test_spans_that_are_no_calls_are_passed_over() -> None:
    assert list(records_of(read_json(trace(gen_ai__operation__name="execute_tool")))) == []


@pytest.mark.parametrize(
    "data", [[], 7, {"resourceSpans": 7}, {"resourceSpans": [{"scopeSpans": [{"spans": [7]}]}]}]
)
def test_what_is_no_export_is_refused(data: Any) -> None:
    with pytest.raises(TraceMalformed):
        read_json(data)


def test_bytes_that_are_no_protobuf_are_refused() -> None:
    with pytest.raises(TraceMalformed):
        read_protobuf(b"\xff\xff\xff")
