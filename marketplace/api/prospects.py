"""What would move an agent's standing: the fold, asked about one thing more."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.nouns import Noun
from marketplace.prospects import prospects_for
from pacts.models import Agent
from reputation.clock import database_now
from reputation.prospects import Prospect, Prospects


class DimensionEffectSerializer(serializers.Serializer[Any]):
    """One dimension afterwards, in basis points; null while it has no number."""

    dimension = serializers.CharField()
    estimate_bps = serializers.IntegerField(allow_null=True)
    lower_bps = serializers.IntegerField(allow_null=True)
    upper_bps = serializers.IntegerField(allow_null=True)
    lower_gain_bps = serializers.IntegerField()


class ProspectSerializer(serializers.Serializer[Prospect]):
    """One supposition: `hires` by buyers whose word counts `permille`, `units` tasks kept in each,
    in one `dimension` or (empty) in all, `days` from now."""

    kind = serializers.CharField()
    dimension = serializers.CharField(allow_blank=True)
    hires = serializers.IntegerField()
    units = serializers.IntegerField()
    permille = serializers.IntegerField()
    days = serializers.IntegerField()
    score_bps = serializers.IntegerField(source="after.composite.score_bps", allow_null=True)
    gain_bps = serializers.IntegerField()
    status = serializers.CharField(source="after.composite.status")
    becomes_vouched = serializers.BooleanField()
    credited_units = serializers.FloatField()
    dimensions = serializers.SerializerMethodField()

    @extend_schema_field(DimensionEffectSerializer(many=True))
    def get_dimensions(self, one: Prospect) -> list[dict[str, Any]]:
        gains = one.lower_gains
        rows = [
            {
                "dimension": name,
                "estimate_bps": after.estimate_bps,
                "lower_bps": after.lower_bps,
                "upper_bps": after.upper_bps,
                "lower_gain_bps": gains[name],
            }
            for name, after in sorted(one.after.dimensions.items())
        ]
        return [dict(DimensionEffectSerializer(row).data) for row in rows]


class ProspectsSerializer(serializers.Serializer[Any]):
    agent_version = serializers.CharField()
    score_bps = serializers.IntegerField(allow_null=True)
    is_vouched = serializers.BooleanField()
    status = serializers.CharField()
    hires_to_met = serializers.IntegerField(
        allow_null=True, help_text="By established buyers, 20 tasks kept each; null: over 15."
    )
    ways = ProspectSerializer(many=True)
    no_ways = ProspectSerializer(many=True, help_text="What might be tried instead.")


class AgentProspects(Noun):
    """What would move the standing of an agent of one's own, most first."""

    gives = ProspectsSerializer

    def get(self, request: Request, id: str) -> Response:
        agent = self.find(Agent.objects.filter(builder_id=self.own), pk=id)
        named = request.query_params.get("agent_version")
        chosen = self.find(agent.versions.all(), pk=named) if named else None
        version, found = prospects_for(agent=agent, version=chosen, now=database_now())
        return Response(self.shown(_shown(version.id, found)))


def _shown(version_id: str, found: Prospects) -> dict[str, Any]:
    composite = found.now.composite
    return {
        "agent_version": version_id,
        "score_bps": composite.score_bps,
        "is_vouched": composite.is_vouched,
        "status": composite.status,
        "hires_to_met": found.hires_to_met,
        "ways": found.ways,
        "no_ways": found.no_ways,
    }
