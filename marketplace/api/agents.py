"""Agents, their fingerprinted versions, and proof that the builder controls them."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import ObjectField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import registry, runner
from pacts.agents import PROTOCOLS, a2a
from pacts.agents.card import Card, fetch_card, read_card
from pacts.agents.control import WELL_KNOWN
from pacts.models import Agent, AgentVersion
from reputation.clock import database_now


class AgentVersionSerializer(serializers.ModelSerializer[AgentVersion]):
    agent = serializers.CharField(source="agent_id")
    declared = ObjectField()

    class Meta:
        model = AgentVersion
        fields = [
            "id",
            "agent",
            "number",
            "endpoint",
            "protocol",
            "declared",
            "fingerprint",
            "max_concurrency",
            "deadline_ms",
            "max_per_minute",
            "created_at",
        ]


class AgentSerializer(serializers.ModelSerializer[Agent]):
    builder = serializers.CharField(source="builder_id")
    builder_name = serializers.CharField(source="builder.name")
    latest_version = serializers.SerializerMethodField()

    class Meta:
        model = Agent
        fields = [
            "id",
            "name",
            "slug",
            "work",
            "summary",
            "builder",
            "builder_name",
            "latest_version",
            "control_proved_at",
            "created_at",
        ]

    def get_latest_version(self, agent: Agent) -> str:
        latest: AgentVersion = max(agent.versions.all(), key=lambda version: version.number)
        return str(latest.id)


class NewVersionSerializer(serializers.Serializer[AgentVersion]):
    endpoint = serializers.CharField(max_length=2000)
    protocol = serializers.ChoiceField(choices=sorted(PROTOCOLS), default="earnest-json/1")
    declared = ObjectField(default=dict)
    max_concurrency = WholeField(min_value=1, max_value=64, default=4)
    deadline_ms = WholeField(min_value=100, max_value=60_000, default=10_000)
    max_per_minute = WholeField(
        min_value=1,
        max_value=100_000,
        allow_null=True,
        default=None,
        help_text="Calls, by everybody.",
    )


class NewAgentSerializer(NewVersionSerializer):
    name = serializers.CharField(min_length=2, max_length=80)
    work = serializers.SlugField(max_length=40)
    summary = serializers.CharField(max_length=280, allow_blank=True, default="")


class ControlProofSerializer(serializers.Serializer[Agent]):
    """Serve `token` as plain text at `path` on the agent's own host, then PUT."""

    agent = serializers.CharField(source="id")
    token = serializers.CharField(source="control_token")
    path = serializers.SerializerMethodField()
    proved_at = serializers.DateTimeField(source="control_proved_at", allow_null=True)

    def get_path(self, agent: Agent) -> str:
        return WELL_KNOWN


class AgentFilter(django_filters.FilterSet):
    work = django_filters.CharFilter()
    builder = django_filters.CharFilter(field_name="builder_id")
    name = django_filters.CharFilter(lookup_expr="icontains")
    listed = django_filters.BooleanFilter(field_name="listing", lookup_expr="isnull", exclude=True)


class Agents(Lists, Makes):
    """Everybody's agents; registering one makes its first version."""

    gives = AgentSerializer
    takes = NewAgentSerializer
    filterset_class = AgentFilter
    ordering_fields = ("id", "name")

    def get_queryset(self) -> QuerySet[Agent]:
        return Agent.objects.select_related("builder").prefetch_related("versions")

    def create(self, given: dict[str, Any], now: datetime) -> Agent:
        return registry.register_agent(builder=self.party, now=now, **given).agent


class OneAgent(Reads):
    """One agent."""

    gives = AgentSerializer

    def get_queryset(self) -> QuerySet[Agent]:
        return Agent.objects.select_related("builder").prefetch_related("versions")


class AgentVersions(Lists, Makes):
    """An agent's versions. Evidence stays with the version that earned it."""

    gives = AgentVersionSerializer
    takes = NewVersionSerializer
    queryset = AgentVersion.objects.none()

    def get_queryset(self) -> QuerySet[AgentVersion]:
        return self.find(Agent.objects.all(), pk=self.kwargs["id"]).versions.order_by("-id")

    def create(self, given: dict[str, Any], now: datetime) -> AgentVersion:
        agent = self.find(Agent.objects.filter(builder_id=self.own), pk=self.kwargs["id"])
        return registry.add_version(agent=agent, now=now, **given)


class OneAgentVersion(Reads):
    """One version of an agent."""

    gives = AgentVersionSerializer

    def get_queryset(self) -> QuerySet[AgentVersion]:
        return AgentVersion.objects.all()


class CardSerializer(serializers.Serializer[Card]):
    """What an A2A agent's card says, as a registration takes it."""

    name = serializers.CharField()
    summary = serializers.CharField(source="description")
    endpoint = serializers.CharField()
    protocol = serializers.SerializerMethodField()
    declared = ObjectField()
    signed = serializers.CharField(help_text="unsigned, unchecked or verified")

    def get_protocol(self, card: Card) -> str:
        return a2a.PROTOCOL


class NewCardSerializer(serializers.Serializer[Card]):
    """Where the card is, or the card itself."""

    url = serializers.CharField(max_length=2000, required=False)
    text = serializers.CharField(max_length=200_000, required=False, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give exactly one of url and text.")
        return attrs


class AgentCards(Makes):
    """An A2A card read from its address, or as it is, ready to be POSTed to `/agents` with a kind
    of work. A signed one is held against the key set on the agent's own host."""

    gives = CardSerializer
    takes = NewCardSerializer
    replays = False

    def create(self, given: dict[str, Any], now: datetime) -> Card:
        if "text" in given:
            return read_card(given["text"].encode(), egress=runner.egress())
        return fetch_card(url=given["url"], egress=runner.egress())


class ControlProof(Noun):
    """Proof that the builder controls the agent's host; PUT fetches the token and checks it."""

    gives = ControlProofSerializer

    def agent(self) -> Agent:
        return self.find(Agent.objects.filter(builder_id=self.own), pk=self.kwargs["id"])

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(self.agent()))

    def put(self, request: Request, id: str) -> Response:
        version = self.agent().versions.order_by("-number").select_related("agent")[0]
        registry.prove_control(version=version, egress=runner.egress(), now=database_now())
        return Response(self.shown(version.agent))
