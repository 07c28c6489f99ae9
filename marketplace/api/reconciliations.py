"""The rails' books against ours, for the platform's staff: what differs, and who settled it why."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from marketplace.api.nouns import Lists, Makes, Reads
from settlement import reconciliation
from settlement.models import Difference, DifferenceResolution, Reconciliation


class ReconciliationSerializer(serializers.ModelSerializer[Reconciliation]):
    """`totals` per currency, minor units as text: what came in less what left, by either book."""

    totals = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))

    class Meta:
        model = Reconciliation
        fields = [
            "id",
            "rail",
            "since",
            "until",
            "movements",
            "matched",
            "healed",
            "found",
            "totals",
            "finished_at",
        ]


class ResolutionSerializer(serializers.ModelSerializer[DifferenceResolution]):
    difference = serializers.CharField(source="difference_id")
    by = serializers.CharField(source="by_id")

    class Meta:
        model = DifferenceResolution
        fields = ["difference", "by", "reason", "resolved_at"]


class DifferenceSerializer(serializers.ModelSerializer[Difference]):
    """`ours` and `theirs` are what each book says; `resolution` is null until it is settled."""

    reconciliation = serializers.CharField(source="first_seen_in_id")
    resolution = ResolutionSerializer(allow_null=True)

    class Meta:
        model = Difference
        fields = [
            "id",
            "rail",
            "kind",
            "subject",
            "rail_reference",
            "ours",
            "theirs",
            "reconciliation",
            "resolution",
        ]

    def to_representation(self, instance: Difference) -> dict[str, Any]:
        if not hasattr(instance, "resolution"):
            instance.resolution = None
        return super().to_representation(instance)


class ReasonSerializer(serializers.Serializer[DifferenceResolution]):
    reason = serializers.CharField(
        max_length=reconciliation.LONGEST_REASON,
        help_text="Why this is settled; it moves no money.",
    )


class DifferenceFilter(django_filters.FilterSet):
    rail = django_filters.CharFilter()
    kind = django_filters.ChoiceFilter(choices=Difference.Kind.choices)
    subject = django_filters.CharFilter()
    settled = django_filters.BooleanFilter(
        field_name="resolution", lookup_expr="isnull", exclude=True
    )


def differences() -> QuerySet[Difference]:
    """Every difference with its resolution."""
    return Difference.objects.select_related("resolution")


class Reconciliations(Lists):
    """Every comparison of a rail's books with ours."""

    gives = ReconciliationSerializer

    def get_queryset(self) -> QuerySet[Reconciliation]:
        return Reconciliation.objects.all()


class Differences(Lists):
    """What the two books say differently, each stored once however often it is seen."""

    gives = DifferenceSerializer
    filterset_class = DifferenceFilter

    def get_queryset(self) -> QuerySet[Difference]:
        return differences()


class OneDifference(Reads):
    """One difference, and who settled it with which reason."""

    gives = DifferenceSerializer

    def get_queryset(self) -> QuerySet[Difference]:
        return differences()


class DifferenceSettling(Makes):
    """Settling a difference, once, with a reason; it changes no money and no book."""

    gives = ResolutionSerializer
    takes = ReasonSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> DifferenceResolution:
        found = self.find(Difference.objects.all(), pk=self.kwargs["id"])
        return reconciliation.resolve(
            difference=found, by=self.user, reason=given["reason"], now=now
        )
