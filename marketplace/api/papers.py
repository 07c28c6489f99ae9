"""What a person files: receipts as PDF, and statements of a period, as JSON totals and as CSV."""

from typing import Any, ClassVar

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.money import SignedAmountField, receipts_of
from marketplace.api.nouns import Noun
from marketplace.files import receipt_file, statement_file
from marketplace.periods import window_of
from reputation.clock import database_now
from settlement import flows, statements

PERIOD = [
    OpenApiParameter("since", str, description="An ISO 8601 date or moment; 30 days back."),
    OpenApiParameter("until", str, description="The first moment after the period; now."),
]


class PeriodSerializer(serializers.Serializer[Any]):
    """One currency: `closing` is `opening` plus `came_in` less `went_out`."""

    currency = serializers.CharField()
    opening = SignedAmountField()
    came_in = SignedAmountField()
    went_out = SignedAmountField()
    closing = SignedAmountField()


class MovedSerializer(serializers.Serializer[Any]):
    """All transfers of one kind in one direction; below zero for what left the balance."""

    currency = serializers.CharField()
    kind = serializers.CharField()
    amount = SignedAmountField()


class SetAsideSerializer(serializers.Serializer[Any]):
    """Milestones funded in the period, as a buyer or a builder, and what became of them."""

    currency = serializers.CharField()
    side = serializers.CharField()
    amount = SignedAmountField()
    released = SignedAmountField()
    fees = SignedAmountField()
    refunded = SignedAmountField()
    waiting = SignedAmountField()


class PeriodsSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    results = PeriodSerializer(many=True)
    moved = MovedSerializer(many=True)
    set_aside = SetAsideSerializer(many=True)


class Paper(Noun):
    """A GET that answers with a file; what goes wrong is still JSON."""

    produces: ClassVar[str]

    def perform_content_negotiation(
        self, request: Request, force: bool = False
    ) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), JSONRenderer.media_type


class ReceiptPaper(Paper):
    """One receipt as PDF: the signed body, its signature and key; always the same bytes."""

    produces = "application/pdf"

    def get(self, request: Request, id: str) -> HttpResponse:
        return receipt_file(self.find(receipts_of(self.own), pk=id))


class StatementPeriod(Noun):
    """Balances at both ends of a period, and what moved between; the lines are the CSV's."""

    gives = PeriodsSerializer

    @extend_schema(parameters=PERIOD)
    def get(self, request: Request) -> Response:
        window = window_of(request.query_params, now=database_now())
        limits = {"since": window.since, "until": window.until}
        found = {
            "results": statements.period(party=self.party, **limits),
            "moved": flows.moved(party=self.party, **limits),
            "set_aside": flows.set_aside(party=self.party, **limits),
        }
        return Response(self.shown(limits | found))


class StatementFile(Paper):
    """A period's statement as CSV, safe to open in a spreadsheet; streamed, however long."""

    produces = "text/csv"

    @extend_schema(parameters=PERIOD)
    def get(self, request: Request) -> StreamingHttpResponse:
        return statement_file(self.party, window_of(request.query_params, now=database_now()))
