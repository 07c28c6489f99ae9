"""The checklist of an agent, for programs: the same rows, the same gate."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import readiness
from marketplace.api.nouns import Noun
from marketplace.readiness import Readiness, Step
from pacts.models import Agent
from reputation.clock import database_now


class ReadinessStepSerializer(serializers.Serializer[Step]):
    """One step: `done`, `missing` or `stale` (of an earlier version or text, or too old)."""

    key = serializers.CharField()
    title = serializers.CharField()
    why = serializers.CharField()
    state = serializers.CharField()
    required = serializers.BooleanField(  # type: ignore[assignment]
        help_text="Without it the agent cannot be listed."
    )
    said = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)


class ReadinessSerializer(serializers.Serializer[Readiness]):
    """Every step; `listable` is what POST /listings would say of the required ones."""

    listable = serializers.BooleanField()
    done = serializers.IntegerField()
    next = serializers.SerializerMethodField()
    steps = ReadinessStepSerializer(many=True)

    @extend_schema_field({"type": "string", "nullable": True})
    def get_next(self, found: Readiness) -> Any:
        return found.next.key if found.next else None


class AgentReadiness(Noun):
    """Whether an agent of one's own is ready for the market, read from the rows."""

    gives = ReadinessSerializer

    def get(self, request: Request, id: str) -> Response:
        agent = self.find(Agent.objects.filter(builder_id=self.own), pk=id)
        return Response(self.shown(readiness.readiness_of(agent, now=database_now())))
