"""Production calls: reported in batches, read back, and what their windows say right now."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.call_batches import BatchParser
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.call_view import Draw, LiveStream, Status, live_status, public_id, uuid_of
from pacts import calls, calls_kept
from pacts.calls_backlog import Backlog, backlog, make_room
from pacts.guard.records import MOST_BYTES, RecordRefused, batch_of
from pacts.models import (
    Call,
    CallObservation,
    CallPolicy,
    ClauseWindow,
    DriftAlarm,
    Engagement,
)
from reputation.clock import database_now


class BatchSerializer(serializers.Serializer[Any]):
    """As `earnest-calls/1` says: see the guard's README."""

    format = serializers.CharField()
    guard = serializers.DictField(required=False)
    calls = serializers.ListField(child=serializers.DictField())


class RefusedCallSerializer(serializers.Serializer[calls.Refused]):
    index = serializers.IntegerField()
    call_id = serializers.CharField()
    code = serializers.ChoiceField(choices=["malformed", "unknown", "conflict"])
    problem = serializers.CharField()


class TakenSerializer(serializers.Serializer[calls.Taken]):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    refused = RefusedCallSerializer(many=True)


class CallObservationSerializer(serializers.ModelSerializer[CallObservation]):
    class Meta:
        model = CallObservation
        fields = ["clause", "check_version", "window", "place", "outcome", "value", "reason"]


class CallSerializer(serializers.ModelSerializer[Call]):
    id = serializers.SerializerMethodField()
    engagement = serializers.CharField(source="stream.engagement_id")
    agent_version = serializers.CharField(source="stream.agent_version_id")
    independence = serializers.CharField(source="stream.independence")
    observations = CallObservationSerializer(many=True)

    class Meta:
        model = Call
        fields = [
            "id",
            "call_id",
            "engagement",
            "agent_version",
            "independence",
            "started_at",
            "received_at",
            "clock",
            "latency_us",
            "fault",
            "error",
            "model",
            "model_fingerprint",
            "input_tokens",
            "output_tokens",
            "cost_micros",
            "cost_currency",
            "sample_rate",
            "input_digest",
            "output_digest",
            "observations",
        ]

    def get_id(self, call: Call) -> str:
        return public_id(call)


class CallFilter(django_filters.FilterSet):
    engagement = django_filters.CharFilter(field_name="stream__engagement_id")
    agent_version = django_filters.CharFilter(field_name="stream__agent_version_id")
    fault = django_filters.CharFilter()


class OfCalls(Noun):
    """The calls of one's engagements, whichever side reported them."""

    def calls(self) -> QuerySet[Call]:
        own = Q(stream__engagement__buyer_id=self.own) | Q(stream__engagement__builder_id=self.own)
        rows = Call.objects.filter(own).select_related("stream")
        return rows.prefetch_related("observations")


class Calls(OfCalls, Lists):
    """Production calls. A POST takes a batch as far as it goes and tells every record that does
    not count; 429 with `Retry-After` says that too many calls wait to be checked."""

    gives = CallSerializer
    takes = BatchSerializer
    makes = TakenSerializer
    filterset_class = CallFilter
    parser_classes: Any = (BatchParser,)
    most_bytes = MOST_BYTES

    def get_queryset(self) -> QuerySet[Call]:
        return self.calls()

    def post(self, request: Request) -> Response:
        now = database_now()
        make_room(now=now)
        try:
            _, records = batch_of(request.data)
        except RecordRefused as wrong:
            raise serializers.ValidationError({wrong.path: [wrong.problem]}) from wrong
        acting = self.acting
        taken = calls.take_calls(
            reporter=self.party,
            records=records,
            now=now,
            engagement=acting.engagement if acting else None,
        )
        return Response(TakenSerializer(taken).data, status.HTTP_201_CREATED)


class OneCall(OfCalls, Reads):
    """One call with what its checks said."""

    gives = CallSerializer

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(self.find(self.calls(), call_id=uuid_of(id))))


class WindowSerializer(serializers.ModelSerializer[ClauseWindow]):
    class Meta:
        model = ClauseWindow
        exclude = [
            "id",
            "stream",
            "met_bets",
            "breach_bets",
            "plain_passes",
            "plain_failures",
            "seen",
        ]


class AlarmSerializer(serializers.ModelSerializer[DriftAlarm]):
    class Meta:
        model = DriftAlarm
        exclude = ["stream"]


class DrawSerializer(serializers.Serializer[Draw]):
    """What goes to a jury or people, with which probability; the seed behind the commitment is
    opened in the log when no more calls come."""

    clause = serializers.CharField()
    drawn_bps = serializers.IntegerField(help_text="How likely a call is drawn.")
    read_bps = serializers.IntegerField(help_text="How likely people read a drawn one.")
    drawn = serializers.IntegerField()
    open = serializers.IntegerField(help_text="Not everybody has spoken yet.")
    commitment = serializers.CharField()


class LiveStreamSerializer(serializers.Serializer[LiveStream]):
    id = serializers.CharField(source="stream.pk")
    agent_version = serializers.CharField(source="stream.agent_version_id")
    independence = serializers.CharField(source="stream.independence")
    counted = serializers.IntegerField(source="stream.counted")
    waiting = serializers.IntegerField()
    lag_seconds = serializers.FloatField()
    least_rate = serializers.FloatField(source="stream.least_rate")
    model = serializers.CharField(source="stream.model")
    model_fingerprint = serializers.CharField(source="stream.model_fingerprint")
    last_call_at = serializers.DateTimeField(source="stream.last_call_at", allow_null=True)
    stale = serializers.CharField(help_text="Why what was shown before no longer counts, or empty.")
    windows = WindowSerializer(many=True)
    alarms = AlarmSerializer(many=True)
    draws = DrawSerializer(many=True)
    open_sessions = serializers.IntegerField()


class StatusSerializer(serializers.Serializer[Status]):
    """Where an engagement's production calls stand right now."""

    engagement = serializers.CharField(source="engagement.pk")
    streams = LiveStreamSerializer(many=True)
    unlive = serializers.DictField(
        child=serializers.CharField(), help_text="Clauses single calls say nothing of, and why."
    )


class BacklogSerializer(serializers.Serializer[Backlog]):
    """Of all calls together: how many wait, how long the oldest has, how fast they are checked."""

    waiting = serializers.IntegerField()
    lag_seconds = serializers.FloatField()
    per_second = serializers.FloatField()


class OfLive(Noun):
    """Engagements that the acting party is a side of."""

    def engagement(self) -> Engagement:
        own = Q(buyer_id=self.own) | Q(builder_id=self.own)
        rows = Engagement.objects.filter(own).select_related("pact_version", "agent_version")
        return self.find(rows, pk=self.kwargs["id"])


class LiveVerdicts(OfLive):
    """Every clause's open window, the latest closed ones, alarms, and how far checking lags."""

    gives = StatusSerializer

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(live_status(self.engagement(), now=database_now())))


class PolicySerializer(serializers.ModelSerializer[CallPolicy]):
    set_at = serializers.DateTimeField(read_only=True, allow_null=True)  # null: never set

    class Meta:
        model = CallPolicy
        fields = ["keeps", "keep_days", "set_at"]


class Policy(OfLive):
    """How long what was said in calls is kept: in full for some days, or digests alone."""

    gives = PolicySerializer
    takes = PolicySerializer

    def get(self, request: Request, id: str) -> Response:
        engagement = self.engagement()
        found = CallPolicy.objects.filter(engagement=engagement).first()
        return Response(self.shown(found or CallPolicy(engagement=engagement)))

    def put(self, request: Request, id: str) -> Response:
        given = self.given()
        policy = calls_kept.set_policy(
            engagement=self.engagement(),
            by=self.party,
            user=self.user,
            keeps=given.get("keeps", CallPolicy.Keeps.FULL),
            keep_days=given.get("keep_days", calls.KEEP_DAYS),
            now=database_now(),
        )
        return Response(self.shown(policy))


class ErasingSerializer(serializers.Serializer[Any]):
    call_ids = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=1000,
        help_text="Of these calls alone; of all without.",
    )


class ErasedContentsSerializer(serializers.Serializer[Any]):
    contents = serializers.IntegerField()


class Erasing(OfLive, Makes):
    """Erase what was said in calls; digests, observations and windows stay."""

    gives = ErasedContentsSerializer
    takes = ErasingSerializer

    def create(self, given: dict[str, Any], now: datetime) -> dict[str, int]:
        engagement = self.engagement()
        wanted = given.get("call_ids")
        rows = Call.objects.filter(stream__engagement=engagement, call_id__in=wanted or [])
        gone = calls_kept.erase_contents(
            engagement=engagement,
            by=self.party,
            reason="requested",
            now=now,
            calls=None if wanted is None else list(rows.values_list("pk", flat=True)),
        )
        return {"contents": gone}


class TheBacklog(Noun):
    """How far checking lags behind what came in."""

    gives = BacklogSerializer

    @extend_schema(responses={200: BacklogSerializer})
    def get(self, request: Request) -> Response:
        return Response(self.shown(backlog(now=database_now())))
