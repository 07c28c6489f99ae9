"""Juries of models: who they are, how far people agree with them, and what each juror said."""

from datetime import datetime
from typing import Any

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from rest_framework import serializers

from marketplace.api.evaluations import OfEvaluations
from marketplace.api.fields import IdField, ObjectField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts.judges import calibrating
from pacts.models import Calibration, Evaluation, Judgement, Jury, ReviewBatch


class JurySerializer(serializers.ModelSerializer[Jury]):
    spec = ObjectField()

    class Meta:
        model = Jury
        fields = ["id", "name", "digest", "spec", "created_at"]


class NewJurySerializer(serializers.Serializer[Jury]):
    name = serializers.CharField(max_length=80)
    spec = ObjectField(
        help_text="`rubric`, `rule` (majority or unanimity) and `jurors`: a list of `provider`, "
        "as installed here, and `model`, the exact snapshot."
    )


class FiguresSerializer(serializers.Serializer[Any]):
    """Rates as [point, low, high]; the bounds hold at every look, at 95 %."""

    labels = serializers.IntegerField()
    sensitivity = serializers.ListField(child=serializers.FloatField(allow_null=True))
    specificity = serializers.ListField(child=serializers.FloatField(allow_null=True))
    abstained = serializers.FloatField()


class CalibrationSerializer(serializers.ModelSerializer[Calibration]):
    """A jury held against people; `pass_fail` counts what it passed and people failed."""

    jury = serializers.CharField(source="jury_id")
    figures = serializers.SerializerMethodField()

    class Meta:
        model = Calibration
        fields = [
            "id",
            "jury",
            "pass_pass",
            "pass_fail",
            "fail_pass",
            "fail_fail",
            "abstained",
            "figures",
            "pairs_digest",
            "calibrated_at",
            "evidence_id",
        ]

    def get_figures(self, row: Calibration) -> FiguresSerializer:
        return calibrating.figures_json(calibrating.agreement_of(row))  # type: ignore[return-value]


class ReviewDrawSerializer(serializers.ModelSerializer[ReviewBatch]):
    jury = serializers.CharField(source="jury_id")

    class Meta:
        model = ReviewBatch
        fields = [
            "id",
            "jury",
            "purpose",
            "probability_bps",
            "reviewers",
            "commitment",
            "population",
            "drawn",
            "opened_at",
            "drawn_at",
        ]


class NewReviewDrawSerializer(serializers.Serializer[ReviewBatch]):
    evaluation = IdField(help_text="A concluded run whose answers the jury and people read.")
    probability_bps = WholeField(min_value=1, max_value=10_000)
    reviewers = WholeField(min_value=1, max_value=5, default=1)


class JudgementSerializer(serializers.ModelSerializer[Judgement]):
    jury = serializers.CharField(source="jury_id")
    position = serializers.IntegerField(source="trial.position")
    said = serializers.CharField(help_text="pass, fail or abstain; empty until it has answered.")

    class Meta:
        model = Judgement
        fields = [
            "position",
            "jury",
            "juror",
            "state",
            "said",
            "quote",
            "reason",
            "error_code",
            "model",
            "prompt_digest",
            "input_tokens",
            "output_tokens",
            "cost_micros",
            "latency_us",
            "finished_at",
        ]


class JudgementFilter(django_filters.FilterSet):
    said = django_filters.ChoiceFilter(choices=Judgement.Said.choices)
    state = django_filters.ChoiceFilter(choices=Judgement.State.choices)
    jury = django_filters.CharFilter(field_name="jury_id")


class OfJuries(Noun):
    def jury(self) -> Jury:
        return self.find(Jury.objects.all(), pk=self.kwargs["id"])


class Juries(OfJuries, Lists, Makes):
    """Juries. A POST registers one; the very same one can be registered once."""

    gives = JurySerializer
    takes = NewJurySerializer
    queryset = Jury.objects.all()

    def create(self, given: dict[str, Any], now: datetime) -> Jury:
        return calibrating.register_jury(
            **given, providers=settings.JUDGE_PROVIDERS, by=self.user, now=now
        )


class OneJury(OfJuries, Reads):
    """One jury."""

    gives = JurySerializer
    queryset = Jury.objects.all()


class Calibrations(OfJuries, Lists, Makes):
    """How far people agreed with a jury, newest first. A POST counts again over every label."""

    gives = CalibrationSerializer
    queryset = Calibration.objects.none()

    def get_queryset(self) -> QuerySet[Calibration]:
        return Calibration.objects.filter(jury=self.jury())

    def create(self, given: dict[str, Any], now: datetime) -> Calibration:
        return calibrating.calibrate(jury=self.jury(), now=now)


class ReviewDraws(OfJuries, Lists, Makes):
    """Answers drawn to hold a jury against people; a POST draws from a concluded run."""

    gives = ReviewDrawSerializer
    takes = NewReviewDrawSerializer
    queryset = ReviewBatch.objects.none()

    def get_queryset(self) -> QuerySet[ReviewBatch]:
        return ReviewBatch.objects.filter(jury=self.jury())

    def create(self, given: dict[str, Any], now: datetime) -> ReviewBatch:
        evaluation = self.find(Evaluation.objects.all(), pk=given.pop("evaluation"))
        return calibrating.open_calibration(
            jury=self.jury(), evaluation=evaluation, now=now, **given
        )


class Judgements(OfEvaluations, Lists):
    """What each juror said of each answer of a run, with the quote it rests on and its cost."""

    gives = JudgementSerializer
    filterset_class = JudgementFilter
    queryset = Judgement.objects.none()

    def get_queryset(self) -> QuerySet[Judgement]:
        return Judgement.objects.filter(trial__evaluation=self.evaluation()).select_related("trial")
