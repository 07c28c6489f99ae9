"""Incidents: what was broken, who answers for it, what was done, how it ended."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from marketplace.acting import Acting
from marketplace.api.fields import IdField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.incidents import handling
from marketplace.models import Incident, IncidentEntry


class IncidentEntrySerializer(serializers.ModelSerializer[IncidentEntry]):
    note = serializers.CharField()
    by = serializers.CharField(source="by_id", allow_null=True)
    party = serializers.CharField(source="party_id", allow_null=True)

    class Meta:
        model = IncidentEntry
        fields = ["what", "says", "note", "by", "party", "evidence_id", "at"]


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    engagement = serializers.CharField(source="engagement_id")
    agent = serializers.CharField(source="agent_id")
    owner_party = serializers.CharField(source="owner_party_id")
    owner = serializers.CharField(source="owner_id", allow_null=True)
    outcome = serializers.CharField(
        help_text=f"{', '.join(Incident.Outcome.values)}; empty while it is open"
    )
    reason = serializers.CharField()
    timeline = IncidentEntrySerializer(many=True)

    class Meta:
        model = Incident
        fields = [
            *("id", "engagement", "agent", "clause", "severity", "owner_party", "owner"),
            *("violations", "opened_at", "last_violation_at", "resolved_at", "outcome", "reason"),
            *("evidence_id", "resolution_evidence_id", "timeline"),
        ]


class IncidentAssignmentSerializer(serializers.Serializer[Incident]):
    party = IdField(help_text="The buyer or the builder.")
    user = IdField(required=False, default="", help_text="A member of it.")


class IncidentNoteSerializer(serializers.Serializer[IncidentEntry]):
    text = serializers.CharField(max_length=2000)


class IncidentResolutionSerializer(serializers.Serializer[Incident]):
    outcome = serializers.ChoiceField(choices=Incident.Outcome.choices)
    reason = serializers.CharField(max_length=2000)


class IncidentFilter(django_filters.FilterSet):
    engagement = django_filters.CharFilter(field_name="engagement_id")
    agent = django_filters.CharFilter(field_name="agent_id")
    clause = django_filters.CharFilter()
    severity = django_filters.ChoiceFilter(choices=Incident.Severity.choices)
    open = django_filters.BooleanFilter(field_name="resolved_at", lookup_expr="isnull")


class OfIncidents(Noun):
    """Incidents of the acting party's engagements; all of them for the platform's staff."""

    def get_queryset(self) -> QuerySet[Incident]:
        return handling.incidents_seen_by(self.acting).prefetch_related("timeline")

    @property
    def who(self) -> Acting:
        acting = self.acting
        assert acting is not None, "the access table lets nobody unknown get here"
        return acting

    def incident(self) -> Incident:
        return self.find(self.get_queryset(), pk=self.kwargs["id"])


class Incidents(OfIncidents, Lists):
    """What was broken in engagements one has a part in, the newest first."""

    gives = IncidentSerializer
    filterset_class = IncidentFilter


class OneIncident(OfIncidents, Reads):
    """One incident with its timeline."""

    gives = IncidentSerializer


class IncidentAssignment(OfIncidents, Makes):
    """Somebody answers for it from now on."""

    gives = IncidentSerializer
    takes = IncidentAssignmentSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Incident:
        incident = self.incident()
        handling.assign(incident=incident, acting=self.who, now=now, **given)
        return self.incident()


class IncidentNote(OfIncidents, Makes):
    """A line on its timeline, read by both sides."""

    gives = IncidentEntrySerializer
    takes = IncidentNoteSerializer

    def create(self, given: dict[str, Any], now: datetime) -> IncidentEntry:
        return handling.note(incident=self.incident(), acting=self.who, now=now, **given)


class IncidentResolution(OfIncidents, Makes):
    """How it ended, and why."""

    gives = IncidentSerializer
    takes = IncidentResolutionSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Incident:
        handling.resolve(incident=self.incident(), acting=self.who, now=now, **given)
        return self.incident()
