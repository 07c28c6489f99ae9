"""Traces in OTLP/HTTP: an instrumented agent needs no SDK of ours.

Set `OTEL_EXPORTER_OTLP_ENDPOINT` to `…/api/v1/otlp` and `OTEL_EXPORTER_OTLP_HEADERS` to
`Authorization=Bearer ek_…`; exporters add `/v1/traces`. Both encodings are read.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.call_batches import BatchParser, unpacked
from marketplace.api.nouns import Noun
from pacts import calls, otlp
from pacts.calls_backlog import make_room
from reputation.clock import database_now

PROTOBUF = "application/x-protobuf"
MOST_REFUSALS_TOLD = 5
_NO_SPANS = ExportTraceServiceRequest()


class ProtobufParser(BaseParser):
    """A trace export in protobuf, plain or packed."""

    media_type = PROTOBUF

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return otlp.read_protobuf(unpacked(stream, parser_context))


class TraceJsonParser(BatchParser):
    """A trace export in OTLP's own JSON."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = BytesIO(unpacked(stream, parser_context))
        return otlp.read_json(super(BatchParser, self).parse(body, media_type, parser_context))


class Traces(Noun):
    """Spans that follow the GenAI conventions become production calls; others are passed over.
    What does not count is told as OTLP's partial success, 429 says when to come again."""

    parser_classes: Any = (ProtobufParser, TraceJsonParser)
    gives = None

    @extend_schema(
        request={PROTOBUF: OpenApiTypes.BINARY, "application/json": OpenApiTypes.OBJECT},
        responses={
            (200, PROTOBUF): OpenApiTypes.BINARY,
            (200, "application/json"): OpenApiTypes.OBJECT,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        now = database_now()
        make_room(now=now)
        named = self.acting.engagement if self.acting else None
        # A body of no bytes is an export of no spans, and never reaches a parser.
        sent: object = request.data
        export = sent if isinstance(sent, ExportTraceServiceRequest) else _NO_SPANS
        taken = calls.take_calls(
            reporter=self.party,
            records=list(otlp.records_of(export, named=named)),
            now=now,
            engagement=named,
        )
        return _told(request, taken)


def _told(request: Request, taken: calls.Taken) -> HttpResponse:
    """OTLP's answer, in the encoding that was sent."""
    rejected = len(taken.refused)
    problems = "; ".join(each.problem for each in taken.refused[:MOST_REFUSALS_TOLD])
    if request.content_type == PROTOBUF:
        said = ExportTraceServiceResponse()
        if rejected:
            partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=problems)
            said.partial_success.CopyFrom(partial)
        return HttpResponse(said.SerializeToString(), content_type=PROTOBUF)
    told = {"rejectedSpans": str(rejected), "errorMessage": problems}
    return Response({"partialSuccess": told} if rejected else {})
