"""Evaluations: started, watched while they run, read trial by trial, concluded by a verdict."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import trying
from marketplace.api.fields import IdField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import trials
from pacts.models import (
    AgentVersion,
    ClauseVerdict,
    Evaluation,
    Observation,
    PactVersion,
    TaskSetVersion,
    Trial,
    Verdict,
)


class ObservationSerializer(serializers.ModelSerializer[Observation]):
    class Meta:
        model = Observation
        fields = ["clause", "check_kind", "check_version", "outcome", "value", "reason"]


class TrialSerializer(serializers.ModelSerializer[Trial]):
    observations = ObservationSerializer(many=True)

    class Meta:
        model = Trial
        fields = [
            "position",
            "repeat",
            "state",
            "attempt",
            "fault",
            "error_code",
            "error_message",
            "input_digest",
            "output_digest",
            "latency_us",
            "finished_at",
            "observations",
        ]


class ClauseVerdictSerializer(serializers.ModelSerializer[ClauseVerdict]):
    class Meta:
        model = ClauseVerdict
        exclude = ["id", "verdict"]


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    evaluation = serializers.CharField(source="evaluation_id")
    clauses = ClauseVerdictSerializer(many=True)

    class Meta:
        model = Verdict
        fields = [
            "id",
            "evaluation",
            "outcome",
            "earned_share_bps",
            "undetermined_rule",
            "method",
            "concluded_at",
            "evidence_id",
            "clauses",
        ]


class ProgressSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    null = serializers.IntegerField()
    agent_faults = serializers.IntegerField()


class EvaluationSerializer(serializers.ModelSerializer[Evaluation]):
    requested_by = serializers.CharField(source="requested_by_id")
    deliverable = serializers.CharField(source="deliverable_id", allow_null=True)
    agent_version = serializers.CharField(source="agent_version_id")
    pact_version = serializers.CharField(source="pact_version_id")
    task_set_version = serializers.CharField(source="task_set_version_id")

    class Meta:
        model = Evaluation
        fields = [
            "id",
            "purpose",
            "independence",
            "requested_by",
            "deliverable",
            "agent_version",
            "pact_version",
            "task_set_version",
            "repeats",
            "trials_total",
            "state",
            "started_at",
            "deadline_at",
            "concluded_at",
        ]


class LiveEvaluationSerializer(EvaluationSerializer):
    """An evaluation with its counts as they are now and, at the end, its verdict."""

    progress = serializers.SerializerMethodField()
    verdict = VerdictSerializer(allow_null=True)

    class Meta(EvaluationSerializer.Meta):
        fields = [*EvaluationSerializer.Meta.fields, "progress", "verdict"]

    def get_progress(self, evaluation: Evaluation) -> ProgressSerializer:
        return trials.progress(evaluation)  # type: ignore[return-value]

    def to_representation(self, instance: Evaluation) -> dict[str, Any]:
        if not hasattr(instance, "verdict"):
            instance.verdict = None
        return super().to_representation(instance)


class NewEvaluationSerializer(serializers.Serializer[Evaluation]):
    agent_version = IdField()
    pact_version = IdField()
    task_set_version = IdField()


class EvaluationFilter(django_filters.FilterSet):
    agent_version = django_filters.CharFilter(field_name="agent_version_id")
    purpose = django_filters.ChoiceFilter(choices=Evaluation.Purpose.choices)
    state = django_filters.ChoiceFilter(choices=Evaluation.State.choices)


class TrialFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Trial.State.choices)
    fault = django_filters.ChoiceFilter(choices=Trial.Fault.choices)


class OfEvaluations(Noun):
    """One's own runs, those of one's engagements, and the cases an adjudicator looks at."""

    def evaluations(self) -> QuerySet[Evaluation]:
        hired = "deliverable__milestone__engagement"
        seen = Q(requested_by_id=self.own) | Q(**{f"{hired}__builder_id": self.own})
        if self.adjudicates:
            seen |= Q(deliverable__milestone__disputes__isnull=False)
        return Evaluation.objects.filter(seen).distinct()

    def evaluation(self) -> Evaluation:
        return self.find(self.evaluations(), pk=self.kwargs["id"])


class Evaluations(OfEvaluations, Lists, Makes):
    """Evaluations. A POST tries an offered agent, or screens one's own, on a task set."""

    gives = EvaluationSerializer
    takes = NewEvaluationSerializer
    filterset_class = EvaluationFilter

    def get_queryset(self) -> QuerySet[Evaluation]:
        return self.evaluations()

    def create(self, given: dict[str, Any], now: datetime) -> Evaluation:
        agents = AgentVersion.objects.select_related("agent")
        published = Q(published_at__isnull=False) | Q(pact__agent__builder_id=self.own)
        pacts = PactVersion.objects.filter(published).select_related("pact")
        sets = TaskSetVersion.objects.filter(
            Q(task_set__owner_id=self.own) | Q(task_set__owner=None),
            task_set__canaries=False,
        )
        return trying.try_agent(
            agent_version=self.find(agents, pk=given["agent_version"]),
            pact_version=self.find(pacts, pk=given["pact_version"]),
            task_set_version=self.find(
                sets.select_related("task_set"), pk=given["task_set_version"]
            ),
            party=self.party,
            now=now,
        )


class OneEvaluation(OfEvaluations, Reads):
    """One evaluation, live."""

    gives = LiveEvaluationSerializer

    def get_queryset(self) -> QuerySet[Evaluation]:
        return self.evaluations().select_related("verdict")


class Trials(OfEvaluations, Lists):
    """The trials of an evaluation in the order of the run, each with what its checks observed."""

    gives = TrialSerializer
    queryset = Trial.objects.none()
    filterset_class = TrialFilter
    ordering_fields = ("position", "latency_us")
    ordering = ("position",)

    def get_queryset(self) -> QuerySet[Trial]:
        return Trial.objects.filter(evaluation=self.evaluation()).prefetch_related("observations")


class OneVerdict(OfEvaluations):
    """What an evaluation concluded, clause by clause, with the counts it rests on."""

    gives = VerdictSerializer

    def get(self, request: Request, id: str) -> Response:
        found = Verdict.objects.filter(evaluation=self.evaluation()).prefetch_related("clauses")
        return Response(self.shown(self.find(found)))
