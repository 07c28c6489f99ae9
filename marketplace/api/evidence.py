"""The public log, and the standings computed from it."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.nouns import Lists, Noun, Reads
from pacts.models import Agent, AgentVersion
from reputation import queries
from reputation.clock import database_now
from reputation.kinds import KINDS
from reputation.models import Evidence
from reputation.queries import AgentStanding, Change


class EvidenceSerializer(serializers.ModelSerializer[Evidence]):
    """The public half of one fact. `envelope` is hashed as canonical JSON (RFC 8785)."""

    index = serializers.SerializerMethodField()
    leaf_hash = serializers.SerializerMethodField()
    envelope = serializers.SerializerMethodField()

    class Meta:
        model = Evidence
        fields = ["id", "kind", "recorded_at", "index", "leaf_hash", "envelope"]

    def get_index(self, evidence: Evidence) -> int | None:
        """Its place in the log; null until it has one, a moment after it was recorded."""
        return next((entry.index for entry in evidence.entries.all()), None)

    def get_leaf_hash(self, evidence: Evidence) -> str:
        return bytes(evidence.leaf_hash).hex()

    def get_envelope(self, evidence: Evidence) -> dict[str, Any]:
        return evidence.read()


class EvidenceFilter(django_filters.FilterSet):
    subject = django_filters.CharFilter(method="naming")
    kind = django_filters.ChoiceFilter(choices=[(kind, kind) for kind in sorted(KINDS)])

    def naming(self, rows: QuerySet[Evidence], name: str, value: str) -> QuerySet[Evidence]:
        """Facts that name this id in any role."""
        return rows.filter(subjects__subject_id=value).distinct()


class EvidenceLog(Lists):
    """Recorded facts, the newest first; `?subject=` takes the id of anything they name."""

    gives = EvidenceSerializer
    filterset_class = EvidenceFilter

    def get_queryset(self) -> QuerySet[Evidence]:
        return Evidence.objects.prefetch_related("entries")


class OneEvidence(Reads):
    """One recorded fact."""

    gives = EvidenceSerializer

    def get_queryset(self) -> QuerySet[Evidence]:
        return Evidence.objects.prefetch_related("entries")


class DimensionSerializer(serializers.Serializer[Any]):
    units = serializers.IntegerField()
    passes = serializers.IntegerField()
    failures = serializers.IntegerField()
    verdicts = serializers.IntegerField()
    estimate_bps = serializers.IntegerField(allow_null=True)
    lower_bps = serializers.IntegerField(allow_null=True)
    upper_bps = serializers.IntegerField(allow_null=True)
    promise_bps = serializers.IntegerField()
    floor_bps = serializers.IntegerField()
    status = serializers.CharField()
    is_new = serializers.BooleanField()
    first_evidence_at = serializers.DateTimeField()
    last_evidence_at = serializers.DateTimeField()
    method = serializers.CharField()


class CompositeSerializer(serializers.Serializer[Any]):
    overall_bps = serializers.IntegerField(allow_null=True)
    lower_bps = serializers.IntegerField(allow_null=True)
    upper_bps = serializers.IntegerField(allow_null=True)
    shown_bps = serializers.IntegerField(allow_null=True)
    score_bps = serializers.IntegerField(allow_null=True)
    capped_by = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    units = serializers.IntegerField()


class ModelChangeSerializer(serializers.Serializer[Change]):
    at = serializers.DateTimeField()
    evidence = serializers.CharField(source="evidence_id")


class StandingSerializer(serializers.Serializer[AgentStanding]):
    """What the log says of one agent version; rates are basis points, null while it is new."""

    agent = serializers.CharField(source="agent_id")
    agent_version = serializers.CharField(source="version_id", allow_null=True)
    dimensions = serializers.DictField(child=DimensionSerializer())
    composite = CompositeSerializer()
    changed = ModelChangeSerializer(
        allow_null=True,
        help_text="Set while the standing is stale: another model or version answers since then.",
    )


class StandingFilter(django_filters.FilterSet):
    agent = django_filters.CharFilter(field_name="agent_id")
    work = django_filters.CharFilter(field_name="agent__work")


class Standings(Lists):
    """The standing of every agent version, by pages; computed from the log and nothing else."""

    gives = StandingSerializer
    filterset_class = StandingFilter

    def get_queryset(self) -> QuerySet[AgentVersion]:
        return AgentVersion.objects.order_by("-id")

    def get(self, request: Request, **ids: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        agents = {version.id: version.agent_id for version in page}
        found = queries.standings_of(versions=agents, now=database_now())
        rows = [found[version.id] for version in page]
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


class OneStanding(Noun):
    """The standing of an agent's version with the newest evidence, or of `?agent_version=`."""

    gives = StandingSerializer

    def get(self, request: Request, id: str) -> Response:
        agent = self.find(Agent.objects.all(), pk=id)
        named = request.query_params.get("agent_version")
        version = self.find(agent.versions.all(), pk=named) if named else None
        found = queries.standing_of(
            agent_id=agent.id, version_id=version.id if version else None, now=database_now()
        )
        return Response(self.shown(found))
