"""Evaluations: started, watched while they run, read trial by trial, concluded by a verdict."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import trying
from marketplace.api.fields import IdField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import evaluation, reruns, trials
from pacts.budgets import Budget
from pacts.bundles import bundle_of
from pacts.canaries import Comparison, beside
from pacts.erasure import Erased
from pacts.failure_modes import FailureReport
from pacts.failures import failure_report
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
            "cost_micros",
            "reported",
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
    skipped = serializers.IntegerField()
    agent_faults = serializers.IntegerField()
    calls = serializers.IntegerField()
    cost_micros = serializers.IntegerField()


class EvaluationSerializer(serializers.ModelSerializer[Evaluation]):
    requested_by = serializers.CharField(source="requested_by_id")
    deliverable = serializers.CharField(source="deliverable_id", allow_null=True)
    agent_version = serializers.CharField(source="agent_version_id")
    pact_version = serializers.CharField(source="pact_version_id")
    task_set_version = serializers.CharField(source="task_set_version_id")
    rerun_of = serializers.CharField(source="rerun_of_id", allow_null=True)
    stopped_by = serializers.CharField(
        help_text="What ended it early: latched, calls, time, money or cancelled; empty: nothing."
    )

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
            "rerun_of",
            "full_run",
            "max_calls",
            "max_seconds",
            "max_cost_micros",
            "cost_currency",
            "call_cost_micros",
            "calls_made",
            "stopped_by",
            "state",
            "started_at",
            "deadline_at",
            "concluded_at",
        ]


class CanariesSerializer(serializers.Serializer[Comparison]):
    """Trials that passed every check, on the set's own tasks and on those nobody had seen; `leaked`
    where the difference is more than chance explains."""

    own_passes = serializers.IntegerField()
    own = serializers.IntegerField()
    canary_passes = serializers.IntegerField()
    canaries = serializers.IntegerField()
    leaked = serializers.BooleanField()


class LiveEvaluationSerializer(EvaluationSerializer):
    """An evaluation with its counts as they are now and, at the end, its verdict; beside that how
    its canaries went, null where it had none."""

    progress = serializers.SerializerMethodField()
    verdict = VerdictSerializer(allow_null=True)
    canaries = serializers.SerializerMethodField()

    class Meta(EvaluationSerializer.Meta):
        fields = [*EvaluationSerializer.Meta.fields, "progress", "verdict", "canaries"]

    @extend_schema_field(CanariesSerializer(allow_null=True))
    def get_canaries(self, evaluation: Evaluation) -> Any:
        compared = beside(getattr(evaluation, "verdict", None))
        return CanariesSerializer(compared).data if compared else None

    def get_progress(self, evaluation: Evaluation) -> ProgressSerializer:
        return trials.progress(evaluation)  # type: ignore[return-value]

    def to_representation(self, instance: Evaluation) -> dict[str, Any]:
        if not hasattr(instance, "verdict"):
            instance.verdict = None
        return super().to_representation(instance)


class BudgetSerializer(serializers.Serializer[Budget]):
    """Null means no limit. Money is in millionths of one unit of the currency; what one call may
    cost at most is set aside for every call in flight and counted for a call that reports no cost:
    the budget is exceeded only by calls that report more than that."""

    calls = WholeField(min_value=1, max_value=10**9, allow_null=True, default=None)
    seconds = WholeField(min_value=1, max_value=86_400, allow_null=True, default=None)
    cost_micros = WholeField(min_value=1, max_value=10**15, allow_null=True, default=None)
    call_cost_micros = WholeField(min_value=0, max_value=10**15, default=0)
    currency = serializers.RegexField("^[A-Z]{3}$", default="", allow_blank=True)


class NewEvaluationSerializer(serializers.Serializer[Evaluation]):
    agent_version = IdField()
    pact_version = IdField()
    task_set_version = IdField()
    budget = BudgetSerializer(required=False)
    full_run = serializers.BooleanField(default=False)


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
        seen |= Q(**{f"{hired}__buyer_id": self.own})  # who asked may be a third party
        if self.adjudicates:
            seen |= Q(deliverable__milestone__disputes__isnull=False)
        return Evaluation.objects.filter(seen).distinct()

    def evaluation(self) -> Evaluation:
        return self.find(self.evaluations(), pk=self.kwargs["id"])

    def own_evaluation(self) -> Evaluation:
        """One that the acting party asked for, or an adjudicator looks at: with its tasks."""
        seen = Q(requested_by_id=self.own)
        if self.adjudicates:
            seen |= Q(deliverable__milestone__disputes__isnull=False)
        related = ("agent_version", "pact_version", "task_set_version", "requested_by")
        rows = Evaluation.objects.filter(seen).select_related(*related).distinct()
        return self.find(rows, pk=self.kwargs["id"])


class Evaluations(OfEvaluations, Lists, Makes):
    """Evaluations. A POST tries an offered agent, or screens one's own, on a task set."""

    gives = EvaluationSerializer
    takes = NewEvaluationSerializer
    filterset_class = EvaluationFilter

    def get_queryset(self) -> QuerySet[Evaluation]:
        return self.evaluations()

    def create(self, given: dict[str, Any], now: datetime) -> Evaluation:
        agents = AgentVersion.objects.select_related("agent")
        published = Q(published_at__isnull=False, pact__agent__isnull=False)
        published |= Q(pact__agent__builder_id=self.own) | Q(pact__buyer_id=self.own)
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
            budget=Budget(**given.get("budget", {})),
            full_run=given["full_run"],
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


class EvaluationCancellation(OfEvaluations, Makes):
    """Call a run off: nothing more is tried, and there will be no verdict."""

    gives = EvaluationSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Evaluation:
        return evaluation.cancel_evaluation(evaluation=self.evaluation(), by=self.party, now=now)


class EvaluationRerun(OfEvaluations, Makes):
    """The checks as they are now over the raw answers of a run that is over; calls no agent and
    moves no money. The answer is the new run."""

    gives = EvaluationSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Evaluation:
        return reruns.rerun_evaluation(
            original=self.own_evaluation(), requested_by=self.party, now=now
        )


class ErasedSerializer(serializers.Serializer[Erased]):
    artifacts = serializers.IntegerField()
    kept = serializers.IntegerField()


class EvaluationErasure(OfEvaluations, Makes):
    """Erase the raw inputs and answers of a run; digests, observations and the verdict stay."""

    gives = ErasedSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Erased:
        return trying.erase_answers(run=self.own_evaluation(), party=self.party, now=now)


class EvaluationBundle(OfEvaluations):
    """Everything a run rests on as one document of canonical JSON, for
    `manage.py evaluation verify FILE`. It holds the tasks, so only their side sees it."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, id: str) -> HttpResponse:
        found = self.own_evaluation()
        response = HttpResponse(bundle_of(found), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{found.pk}.json"'
        return response


class FailureModesSerializer(serializers.Serializer[FailureReport]):
    """How many trials were sound, and how the others failed; `worsens` says that the later half of
    the run failed more often than the earlier one, beyond chance."""

    judged = serializers.IntegerField()
    failing = serializers.IntegerField()
    loud = serializers.IntegerField(source="counts.loud")
    silent = serializers.IntegerField(source="counts.silent")
    confident = serializers.IntegerField(source="counts.confident")
    degraded = serializers.IntegerField(source="counts.degraded")
    sound = serializers.IntegerField(source="counts.sound")
    not_counted = serializers.IntegerField(source="counts.not_counted")
    halves = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    worsens = serializers.BooleanField()


class FailureModes(OfEvaluations):
    """Loud, silent, confident and degraded trials of a run, told apart."""

    gives = FailureModesSerializer

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(failure_report(self.evaluation())))
