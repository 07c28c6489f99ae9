"""Shadow runs and replays: the same calls to a candidate, and one call again."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from marketplace.api.fields import IdField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.models import Replay, Shadow, ShadowPair
from marketplace.shadows import replaying, running
from marketplace.shadows.running import Budget
from pacts.models import AgentVersion, Call, Engagement


class ShadowFindingSerializer(serializers.Serializer[Any]):
    clause = serializers.CharField(help_text="Empty: all clauses together.")
    pairs = serializers.IntegerField()
    hired = serializers.FloatField()
    candidate = serializers.FloatField()
    difference = serializers.FloatField(help_text="candidate − hired, from −1 to 1.")
    low = serializers.FloatField()
    high = serializers.FloatField()
    outcome = serializers.ChoiceField(choices=Shadow.Outcome.choices)
    decided_at = serializers.IntegerField(allow_null=True)


class ShadowSerializer(serializers.ModelSerializer[Shadow]):
    engagement = serializers.CharField(source="engagement_id")
    candidate = serializers.CharField(source="candidate_id")
    findings = ShadowFindingSerializer(many=True)

    class Meta:
        model = Shadow
        fields = [
            *("id", "engagement", "candidate", "share_bps", "most_calls", "most_cost_micros"),
            *("cost_currency", "tolerance_bps", "alpha_bps", "state", "outcome", "findings"),
            *("spent_micros", "started_at", "ended_at", "evidence_id"),
        ]


class NewShadowSerializer(serializers.Serializer[Shadow]):
    engagement = IdField()
    candidate = IdField(help_text="An agent version: on offer, or of the agent that is hired.")
    most_calls = serializers.IntegerField(min_value=1, max_value=running.MOST_CALLS)
    most_cost_micros = serializers.IntegerField(
        min_value=1, max_value=10**15, required=False, default=None, allow_null=True
    )
    cost_currency = serializers.RegexField("^[A-Z]{3}$", required=False, default="")
    share_bps = serializers.IntegerField(min_value=1, max_value=10_000, default=10_000)
    tolerance_bps = serializers.IntegerField(min_value=0, max_value=9_999, default=200)


class OfShadows(Noun):
    """The acting party's shadow runs."""

    def get_queryset(self) -> QuerySet[Any]:
        return running.shadows_of(self.own)


class Shadows(OfShadows, Lists, Makes):
    """Candidates that get copies of an engagement's calls. A POST starts one; what the candidate
    answers is compared and forgotten, and given to nobody."""

    gives = ShadowSerializer
    takes = NewShadowSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Shadow:
        own = Engagement.objects.filter(buyer=self.party).select_related("agent_version")
        versions = AgentVersion.objects.select_related("agent")
        return running.start_shadow(
            engagement=self.find(own, pk=given["engagement"]),
            candidate=self.find(versions, pk=given["candidate"]),
            buyer=self.party,
            by=self.user,
            budget=Budget(
                most_calls=given["most_calls"],
                most_cost_micros=given["most_cost_micros"],
                cost_currency=given["cost_currency"],
            ),
            share_bps=given["share_bps"],
            tolerance_bps=given["tolerance_bps"],
            now=now,
        )


class OneShadow(OfShadows, Reads):
    """One shadow run, with what it has found so far; valid however often one looks."""

    gives = ShadowSerializer


class ShadowPairSerializer(serializers.ModelSerializer[ShadowPair]):
    call = serializers.SerializerMethodField()
    values = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="By clause: hired, candidate.",
    )

    class Meta:
        model = ShadowPair
        fields = [
            *("place", "call", "state", "values", "fault", "error", "output_digest"),
            *("latency_us", "cost_micros"),
        ]

    def get_call(self, pair: ShadowPair) -> str:
        return f"cll_{pair.call.call_id.hex}"


class ShadowPairs(OfShadows, Lists):
    """Every pair, by its place."""

    gives = ShadowPairSerializer
    ordering = ("place",)
    ordering_fields = ("place",)

    def get_queryset(self) -> QuerySet[Any]:
        if "id" not in self.kwargs:
            return ShadowPair.objects.none()
        shadow = self.find(super().get_queryset(), pk=self.kwargs["id"])
        return ShadowPair.objects.filter(shadow=shadow).select_related("call")


class ShadowEnding(OfShadows, Makes):
    """Stopping a run; what it has found stays."""

    gives = ShadowSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Shadow:
        found = self.find(self.get_queryset(), pk=self.kwargs["id"])
        return running.stop_shadow(shadow=found, now=now)


class ReplayFindingSerializer(serializers.Serializer[Any]):
    clause = serializers.CharField()
    check_version = serializers.IntegerField()
    before = serializers.ListField(help_text="Outcome, value, reason.")
    after = serializers.ListField()


class ReplaySerializer(serializers.ModelSerializer[Replay]):
    call = serializers.SerializerMethodField()
    agent_version = serializers.CharField(source="agent_version_id")
    findings = ReplayFindingSerializer(many=True)
    before = serializers.SerializerMethodField()
    after = serializers.SerializerMethodField()

    class Meta:
        model = Replay
        fields = [
            *("id", "call", "agent_version", "asked_at", "state", "findings", "before", "after"),
            *("fault", "error", "output_digest", "latency_us", "done_at", "evidence_id"),
        ]

    def get_call(self, one: Replay) -> str:
        return f"cll_{one.call.call_id.hex}"

    def get_before(self, one: Replay) -> dict[str, Any] | None:
        """What was put to the agent then, and answered; null once it is not kept any more."""
        then, _ = replaying.side_by_side(one)
        return {name: then.get(name) for name in ("input", "output")} if then else None

    def get_after(self, one: Replay) -> dict[str, Any] | None:
        """The new answer; null where there is none."""
        answer: dict[str, Any] | None = replaying.side_by_side(one)[1]
        return answer


class NewReplaySerializer(serializers.Serializer[Replay]):
    call = IdField(help_text="A call that was reported, cll_….")
    agent_version = IdField(required=False, default="", help_text="By default what is on offer.")


class ReplayFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Replay.State.choices)


class OfReplays(Noun):
    """The acting party's replays."""

    def get_queryset(self) -> QuerySet[Replay]:
        return replaying.replays_of(self.own)


class Replays(OfReplays, Lists, Makes):
    """Captured calls made again. A POST asks for one; it is made within seconds."""

    gives = ReplaySerializer
    takes = NewReplaySerializer
    filterset_class = ReplayFilter

    def create(self, given: dict[str, Any], now: datetime) -> Replay:
        calls = Call.objects.filter(stream__engagement__buyer=self.party)
        rows = calls.select_related("stream__engagement__agent_version", "stream__agent_version")
        named = given["agent_version"]
        versions = AgentVersion.objects.select_related("agent")
        return replaying.replay(
            call=self.find(rows, call_id=running.uuid_of(given["call"])),
            buyer=self.party,
            by=self.user,
            version=self.find(versions, pk=named) if named else None,
            now=now,
        )


class OneReplay(OfReplays, Reads):
    """One replay: both answers, and what the same checks say of each."""

    gives = ReplaySerializer
