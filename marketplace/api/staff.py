"""What the platform's staff and adjudicators see and decide: gaming watch, agreement."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from marketplace import cases
from marketplace.acting import Acting
from marketplace.api.fields import Base64Field, ObjectField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.gaming import freezing, signs
from marketplace.models import AgreementReport, Suspicion


class SuspicionSerializer(serializers.ModelSerializer[Suspicion]):
    """A pattern in the rows with its figures; nothing is restricted before a person freezes it."""

    parties = serializers.ListField(child=serializers.CharField())
    agents = serializers.ListField(child=serializers.CharField())
    figures = ObjectField()
    reason = serializers.SerializerMethodField()

    class Meta:
        model = Suspicion
        fields = [
            "id",
            "pattern",
            "reason",
            "parties",
            "agents",
            "figures",
            "state",
            "first_seen_at",
            "last_seen_at",
            "evidence_id",
        ]

    def get_reason(self, row: Suspicion) -> str:
        return signs.sentence(row.pattern, row.figures)


class ReasonSerializer(serializers.Serializer[Suspicion]):
    reason = serializers.CharField(
        min_length=freezing.LEAST_REASON, max_length=freezing.LONGEST_REASON
    )


class SuspicionFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Suspicion.State.choices)
    pattern = django_filters.ChoiceFilter(choices=Suspicion.Pattern.choices)


class OfSuspicions(Noun):
    @property
    def staff(self) -> Acting:
        acting = self.acting
        assert acting is not None, "the access table lets nobody unknown get here"
        return acting

    def suspicion(self) -> Suspicion:
        return self.find(Suspicion.objects.all(), pk=self.kwargs["id"])


class Suspicions(Lists):
    """What the gaming watch saw."""

    gives = SuspicionSerializer
    filterset_class = SuspicionFilter
    queryset = Suspicion.objects.none()

    def get_queryset(self) -> QuerySet[Suspicion]:
        return Suspicion.objects.all()


class OneSuspicion(Reads):
    """One of them."""

    gives = SuspicionSerializer
    queryset = Suspicion.objects.all()

    def get_queryset(self) -> QuerySet[Suspicion]:
        return Suspicion.objects.all()


class Freeze(OfSuspicions, Makes):
    """Suspend the listings it names and withhold their money, with a reason."""

    gives = SuspicionSerializer
    takes = ReasonSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Suspicion:
        return freezing.freeze(acting=self.staff, suspicion=self.suspicion(), now=now, **given)


class Release(OfSuspicions, Makes):
    """Let it go on, with a reason."""

    gives = SuspicionSerializer
    takes = ReasonSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Suspicion:
        return freezing.release(acting=self.staff, suspicion=self.suspicion(), now=now, **given)


class AgreementReportSerializer(serializers.ModelSerializer[AgreementReport]):
    report = ObjectField()
    origin = serializers.CharField(source="source")

    class Meta:
        model = AgreementReport
        fields = ["id", "name", "origin", "digest", "report", "loaded_at"]


class NewAgreementReportSerializer(serializers.Serializer[AgreementReport]):
    name = serializers.CharField(max_length=120)
    origin = serializers.CharField(max_length=400, required=False, default="", allow_blank=True)
    content = Base64Field(
        help_text="A CSV or TSV in base64: item, rater, kind and label, or a column per rater."
    )


class AgreementReports(Lists, Makes):
    """How often people and judges agree in files that were brought. A POST reads one more."""

    gives = AgreementReportSerializer
    takes = NewAgreementReportSerializer
    queryset = AgreementReport.objects.none()
    most_bytes = 12_000_000

    def get_queryset(self) -> QuerySet[AgreementReport]:
        return AgreementReport.objects.all()

    def create(self, given: dict[str, Any], now: datetime) -> AgreementReport:
        return cases.load_agreement(
            name=given["name"],
            source=given["origin"],
            data=given["content"],
            by=self.user,
            now=now,
        )


class OneAgreementReport(Reads):
    """One report."""

    gives = AgreementReportSerializer
    queryset = AgreementReport.objects.all()

    def get_queryset(self) -> QuerySet[AgreementReport]:
        return AgreementReport.objects.all()
