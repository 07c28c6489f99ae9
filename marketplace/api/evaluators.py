"""Third parties that judge hires: what they offer, and the moment they begin a run."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.evaluations import EvaluationSerializer, OfEvaluations
from marketplace.api.fields import IdField
from marketplace.api.nouns import Lists, Makes, Reads
from pacts import evaluators
from pacts.models import Evaluation, EvaluatorOffer, TaskSetVersion
from reputation.clock import database_now


class EvaluatorOfferSerializer(serializers.ModelSerializer[EvaluatorOffer]):
    """An offer to judge hires. The tasks stay with the evaluator; their digest and, in the log,
    their salted commitment are public. It takes new hires while `ended_at` is null."""

    evaluator = serializers.CharField(source="evaluator_id")
    evaluator_name = serializers.CharField(source="evaluator.name")
    task_set_version = serializers.CharField(source="task_set_version_id")
    work = serializers.CharField(source="task_set_version.task_set.work")
    tasks = serializers.IntegerField(source="task_set_version.size")
    digest = serializers.CharField(source="task_set_version.digest")

    class Meta:
        model = EvaluatorOffer
        fields = [
            "id",
            "evaluator",
            "evaluator_name",
            "task_set_version",
            "work",
            "tasks",
            "digest",
            "about",
            "opened_at",
            "ended_at",
            "ended_by_staff",
        ]


class NewEvaluatorOfferSerializer(serializers.Serializer[EvaluatorOffer]):
    task_set_version = IdField()
    about = serializers.CharField(
        max_length=1000,
        allow_blank=True,
        default="",
        help_text="How the tasks were made, for both sides to read before they sign.",
    )


class EvaluatorOfferFilter(django_filters.FilterSet):
    work = django_filters.CharFilter(field_name="task_set_version__task_set__work")
    evaluator = django_filters.CharFilter(field_name="evaluator_id")
    ended = django_filters.BooleanFilter(
        field_name="ended_at", lookup_expr="isnull", exclude=True, label="Ended, or still open."
    )


def _offers() -> QuerySet[EvaluatorOffer]:
    return EvaluatorOffer.objects.select_related("evaluator", "task_set_version__task_set")


class EvaluatorOffers(Lists, Makes):
    """Offers of third parties. A POST offers to judge other people's hires on a task set of one's
    own; a hire under a pact with the independence `third_party` names one of them."""

    gives = EvaluatorOfferSerializer
    takes = NewEvaluatorOfferSerializer
    filterset_class = EvaluatorOfferFilter

    def get_queryset(self) -> QuerySet[EvaluatorOffer]:
        return _offers()

    def create(self, given: dict[str, Any], now: datetime) -> EvaluatorOffer:
        own = TaskSetVersion.objects.filter(task_set__owner_id=self.own)
        version = self.find(own.select_related("task_set"), pk=given["task_set_version"])
        return evaluators.offer(
            party=self.party,
            task_set_version=version,
            by=self.user,
            now=now,
            about=given["about"],
        )


class OneEvaluatorOffer(Reads):
    """One offer. Its evaluator's DELETE ends it: hires agreed on are judged all the same."""

    gives = EvaluatorOfferSerializer

    def get_queryset(self) -> QuerySet[EvaluatorOffer]:
        return _offers()

    def delete(self, request: Request, id: str) -> Response:
        own = self.find(_offers().filter(evaluator_id=self.own), pk=id)
        evaluators.end_offer(offer=own, now=database_now())
        return Response(self.shown(self.find(_offers(), pk=id)))


class EvaluationBeginning(OfEvaluations, Makes):
    """The agreed third party begins a run that waits for it. Begun again, nothing changes."""

    gives = EvaluationSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Evaluation:
        own = Evaluation.objects.filter(requested_by_id=self.own)
        found = self.find(own, pk=self.kwargs["id"])
        return evaluators.begin_evaluation(evaluation=found, by=self.party, now=now)
