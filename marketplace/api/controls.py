"""Controls, what they restrict at the moment, and what a person can do about it."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import steering
from marketplace.acting import Acting
from marketplace.api.fields import IdField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts.models import ReEvaluation
from reputation import controlling
from reputation.clock import database_now
from reputation.controls import ACTIONS, LARGEST_COUNT, METRICS, SCOPES
from reputation.models import Control, ControlReview, Firing, Override

TERMS = (
    *("metric", "dimension", "threshold", "recover_at", "scope", "scope_id"),
    *("action", "limit", "hold_days", "cadence_days"),
)


class ControlSerializer(serializers.ModelSerializer[Control]):
    """One version of a control; `id` names the control through all its versions."""

    id = serializers.CharField(source="lineage")
    owner_party = serializers.CharField(help_text="Empty for the platform's own.")
    review_due_at = serializers.SerializerMethodField()
    review_overdue = serializers.SerializerMethodField()

    class Meta:
        model = Control
        fields = [
            "id",
            "number",
            "name",
            *TERMS,
            "owner_party",
            "set_at",
            "retired",
            "evidence_id",
            "review_due_at",
            "review_overdue",
        ]

    def get_review_due_at(self, control: Control) -> datetime:
        return controlling.due_of(control, now=database_now()).due_at

    def get_review_overdue(self, control: Control) -> bool:
        return controlling.due_of(control, now=database_now()).is_overdue


class NewControlSerializer(serializers.Serializer[Control]):
    name = serializers.CharField(max_length=120)
    metric = serializers.ChoiceField(choices=sorted(METRICS))
    dimension = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)
    threshold = WholeField(
        min_value=0,
        max_value=LARGEST_COUNT,
        help_text="In the metric's unit: basis points, days, hundredths of a dispute, or a count.",
    )
    recover_at = WholeField(
        min_value=0,
        max_value=LARGEST_COUNT,
        required=False,
        default=None,
        allow_null=True,
        help_text="Where it clears again, on the good side; by default a margin beyond.",
    )
    scope = serializers.ChoiceField(choices=SCOPES)
    scope_id = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    action = serializers.ChoiceField(choices=sorted(ACTIONS))
    limit = WholeField(
        min_value=0,
        max_value=10**12,
        required=False,
        default=None,
        allow_null=True,
        help_text="For `narrow`: hundredths of a currency that may be held on the agent.",
    )
    hold_days = WholeField(
        min_value=0,
        max_value=366,
        required=False,
        default=None,
        allow_null=True,
        help_text="For `withhold`: for how long at the most.",
    )
    cadence_days = WholeField(min_value=0, max_value=10_000)
    owner_user = IdField(
        required=False, default="", help_text="A member, or staff; by default you."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().to_internal_value(data)
        name, owner = given.pop("name"), given.pop("owner_user")
        return {"name": name, "owner_user": owner, "terms": steering.terms_of(given)}


class OverrideSerializer(serializers.ModelSerializer[Override]):
    class Meta:
        model = Override
        fields = ["id", "reason", "from_at", "until_at", "evidence_id"]


class NewOverrideSerializer(serializers.Serializer[Override]):
    reason = serializers.CharField(max_length=2000)
    until = serializers.DateTimeField()


class FiringSerializer(serializers.ModelSerializer[Firing]):
    """A control that fired on an agent, and what that changed as `{"what": [before, after]}`."""

    control = ControlSerializer()
    agent = serializers.CharField(source="agent_id")
    agent_version = serializers.CharField(source="version_id")
    changed = serializers.JSONField()
    release = serializers.CharField(help_text="Why it was lifted; empty while it is in force.")
    overrides = OverrideSerializer(many=True)

    class Meta:
        model = Firing
        fields = [
            "id",
            "control",
            "agent",
            "agent_version",
            "observed",
            "changed",
            "fired_at",
            "evidence_id",
            "released_at",
            "release",
            "overrides",
        ]


class ControlReviewSerializer(serializers.ModelSerializer[ControlReview]):
    control = serializers.CharField(source="lineage")

    class Meta:
        model = ControlReview
        fields = ["id", "control", "note", "reviewed_at", "evidence_id"]


class NoteSerializer(serializers.Serializer[ControlReview]):
    note = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)


class ReEvaluationSerializer(serializers.ModelSerializer[ReEvaluation]):
    firing = serializers.CharField(source="firing_id")
    evaluation = serializers.CharField(source="evaluation_id")
    state = serializers.CharField(source="evaluation.state")

    class Meta:
        model = ReEvaluation
        fields = ["firing", "evaluation", "state"]


class OfControls(Noun):
    """Controls are public, as their evidence is; changing one is its owner's."""

    @property
    def steerer(self) -> Acting:
        acting = self.acting
        assert acting is not None, "the access table lets nobody unknown get here"
        return acting

    def own_control(self) -> Control:
        mine = steering.steered_by(self.acting)
        return self.find(
            mine.filter(pk__in=controlling.newest().values("pk")), lineage=self.kwargs["id"]
        )

    def own_firing(self) -> Firing:
        return self.find(steering.firings_seen_by(self.acting), pk=self.kwargs["id"])


class ControlFilter(django_filters.FilterSet):
    scope = django_filters.ChoiceFilter(choices=[(one, one) for one in SCOPES])
    scope_id = django_filters.CharFilter()
    action = django_filters.ChoiceFilter(choices=[(one, one) for one in sorted(ACTIONS)])
    retired = django_filters.BooleanFilter()


class Controls(OfControls, Lists, Makes):
    """Every control as it stands now. A POST sets one; what would do nothing is refused."""

    gives = ControlSerializer
    takes = NewControlSerializer
    filterset_class = ControlFilter

    def get_queryset(self) -> QuerySet[Control]:
        return controlling.newest()

    def create(self, given: dict[str, Any], now: datetime) -> Control:
        return steering.set_control(acting=self.steerer, now=now, **given)


class OneControl(OfControls):
    """One control as it stands now."""

    gives = ControlSerializer

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(self.find(controlling.newest(), lineage=id)))


class ControlVersions(OfControls, Lists, Makes):
    """A control's versions. A POST makes the next one; nothing that was said is edited."""

    gives = ControlSerializer
    takes = NewControlSerializer
    queryset = Control.objects.none()

    def get_queryset(self) -> QuerySet[Control]:
        self.find(controlling.newest(), lineage=self.kwargs["id"])
        return Control.objects.filter(lineage=self.kwargs["id"])

    def create(self, given: dict[str, Any], now: datetime) -> Control:
        return steering.change_control(
            acting=self.steerer, control=self.own_control(), now=now, **given
        )


class Retirement(OfControls, Makes):
    """The control ends; what it restricts is lifted."""

    gives = ControlSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Control:
        return steering.retire_control(acting=self.steerer, control=self.own_control(), now=now)


class Reviews(OfControls, Lists, Makes):
    """Reviews of a control by its owner. A POST says that one looked, and it stays."""

    gives = ControlReviewSerializer
    takes = NoteSerializer
    queryset = ControlReview.objects.none()

    def get_queryset(self) -> QuerySet[ControlReview]:
        seen = self.find(steering.controls_seen_by(self.acting), lineage=self.kwargs["id"])
        return ControlReview.objects.filter(lineage=seen.lineage)

    def create(self, given: dict[str, Any], now: datetime) -> ControlReview:
        return steering.review_control(
            acting=self.steerer, control=self.own_control(), now=now, **given
        )


class FiringFilter(django_filters.FilterSet):
    agent = django_filters.CharFilter(field_name="agent_id")
    control = django_filters.CharFilter(field_name="lineage")
    in_force = django_filters.BooleanFilter(field_name="released_at", lookup_expr="isnull")


class Firings(OfControls, Lists):
    """Firings on agents one builds or by controls one owns; every one for the platform's staff."""

    gives = FiringSerializer
    filterset_class = FiringFilter

    def get_queryset(self) -> QuerySet[Firing]:
        return steering.firings_seen_by(self.acting)


class OneFiring(OfControls, Reads):
    """One firing."""

    gives = FiringSerializer

    def get_queryset(self) -> QuerySet[Firing]:
        return steering.firings_seen_by(self.acting)


class OverrideOpening(OfControls, Makes):
    """Suspending a restriction, for a reason and until a time, by whom its control belongs to."""

    gives = OverrideSerializer
    takes = NewOverrideSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Override:
        return steering.override(acting=self.steerer, firing=self.own_firing(), now=now, **given)


class Resolution(OfControls, Makes):
    """A person looked at what was escalated."""

    gives = FiringSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Firing:
        return steering.resolve(acting=self.steerer, firing=self.own_firing(), now=now)


class ReEvaluationOpening(OfControls, Makes):
    """Starting the re-evaluation that a control asks for; a met verdict lifts the restriction."""

    gives = ReEvaluationSerializer

    def create(self, given: dict[str, Any], now: datetime) -> ReEvaluation:
        return steering.re_evaluate(acting=self.steerer, firing=self.own_firing(), now=now)
