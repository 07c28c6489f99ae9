"""Runs of other harnesses, and what benchmarks foretold: screening input, never settlement."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import Base64Field, IdField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.screening import Choices, Screened, Screening, screenings
from pacts import imports
from pacts.models import AgentVersion, ImportedRun, ImportedTrial

MOST_BYTES = 64_000_000


class ImportedRunSerializer(serializers.ModelSerializer[ImportedRun]):
    agent_version = serializers.CharField(source="agent_version_id")
    figures = serializers.DictField(child=serializers.CharField())
    contradictions = serializers.ListField(child=serializers.CharField())
    notes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ImportedRun
        fields = [
            "id",
            "agent_version",
            "format",
            "benchmark",
            "agent_name",
            "model_name",
            "made_at",
            "file_name",
            "file_digest",
            "tasks",
            "trials",
            "passes",
            "failures",
            "nulls",
            "figures",
            "contradictions",
            "notes",
            "imported_at",
        ]


class NewImportedRunSerializer(serializers.Serializer[ImportedRun]):
    agent_version = IdField()
    file_name = serializers.CharField(max_length=200)
    content = Base64Field(help_text="The file or archive, in base64.")
    format = serializers.ChoiceField(
        choices=list(imports.titles().items()), required=False, allow_null=True, default=None
    )
    agent_name = serializers.CharField(
        max_length=200,
        allow_blank=True,
        default="",
        help_text="Whose run is meant, where the file holds several.",
    )
    benchmark = serializers.CharField(max_length=200, allow_blank=True, default="")


class ImportedTrialSerializer(serializers.ModelSerializer[ImportedTrial]):
    class Meta:
        model = ImportedTrial
        fields = [
            "task",
            "repeat",
            "score_ppm",
            "error",
            "group",
            "attack",
            "attacked",
            "seconds",
            "tokens",
            "cost_usd",
            "named_ppm",
        ]


class ImportedRunFilter(django_filters.FilterSet):
    agent = django_filters.CharFilter(field_name="agent_version__agent_id")
    agent_version = django_filters.CharFilter(field_name="agent_version_id")


class ImportedRuns(Lists, Makes):
    """Runs that other harnesses recorded. They count for screening and never for settlement."""

    gives = ImportedRunSerializer
    takes = NewImportedRunSerializer
    filterset_class = ImportedRunFilter
    most_bytes = MOST_BYTES

    def get_queryset(self) -> QuerySet[ImportedRun]:
        return ImportedRun.objects.all()

    def create(self, given: dict[str, Any], now: datetime) -> ImportedRun:
        versions = AgentVersion.objects.filter(agent__builder_id=self.own)
        return imports.import_run(
            agent_version=self.find(versions, pk=given["agent_version"]),
            name=given["file_name"],
            data=given["content"],
            format=given["format"],
            agent=given["agent_name"],
            benchmark=given["benchmark"],
            by=self.user,
            now=now,
        )


class OneImportedRun(Reads):
    """One imported run."""

    gives = ImportedRunSerializer

    def get_queryset(self) -> QuerySet[ImportedRun]:
        return ImportedRun.objects.all()


class ImportedTrials(Lists):
    """The trials of an imported run: outcomes and counts, no text of the conversations."""

    gives = ImportedTrialSerializer

    def get_queryset(self) -> QuerySet[ImportedTrial]:
        if getattr(self, "swagger_fake_view", False):
            return ImportedTrial.objects.none()
        run = self.find(ImportedRun.objects.all(), pk=self.kwargs["id"])
        return ImportedTrial.objects.filter(run=run)


class ScreenedSerializer(serializers.Serializer[Screened]):
    agent = serializers.CharField()
    agent_version = serializers.CharField()
    claim_bps = serializers.IntegerField()
    benchmark = serializers.CharField()
    measured_on = serializers.DateField()
    contamination = serializers.CharField()
    compliance_bps = serializers.IntegerField()
    met = serializers.IntegerField()
    breached = serializers.IntegerField()


class AgreementSerializer(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    rho = serializers.FloatField(allow_null=True)
    p_value = serializers.FloatField(allow_null=True)
    says_little = serializers.BooleanField()


class ChoicesSerializer(serializers.Serializer[Choices]):
    hires = serializers.IntegerField()
    comparable = serializers.IntegerField()
    disagreed = serializers.IntegerField()
    benchmark = serializers.IntegerField()
    pact = serializers.IntegerField()
    benchmark_share = serializers.FloatField(allow_null=True)


class ScreeningSerializer(serializers.Serializer[Screening]):
    work = serializers.CharField()
    counted_at = serializers.DateTimeField()
    agents = ScreenedSerializer(
        many=True, help_text="The first by claim, at most 50; `agreement.n` counts all of them."
    )
    agreement = AgreementSerializer()
    choices = ChoicesSerializer()


class TheScreening(Noun):
    """Benchmark rank against pact compliance, and whom buyers followed, by kind of work: all of
    them, or with `work` those that it names. Counted by a sweep, as of `counted_at`."""

    gives = ScreeningSerializer

    @extend_schema(
        parameters=[OpenApiParameter("work", str, many=True)],
        responses=ScreeningSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        found = screenings(works=request.query_params.getlist("work") or None)
        return Response(self.get_serializer(found, many=True).data)
