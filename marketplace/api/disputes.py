"""Disputes: challenged by one side, answered by the other, ruled by somebody without interest."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import cases
from marketplace.api.fields import AmountField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import disputes
from pacts.disputes import rates
from pacts.models import Confirmation, Dispute, DisputeStep, Ruling
from reputation.clock import database_now

WHOLE = 10_000
SHARE = OpenApiParameter(
    "share_bps", int, description="The builder's share, 0 to 10000; the whole if left out."
)


class RulingSerializer(serializers.ModelSerializer[Ruling]):
    dispute = serializers.CharField(source="dispute_id")
    clauses = serializers.ListField(child=serializers.CharField())
    confirmed = serializers.SerializerMethodField(
        help_text="What a second person said of it; null where nobody was asked, or not yet."
    )

    class Meta:
        model = Ruling
        fields = [
            "id",
            "dispute",
            "level",
            "by_rule",
            "award_bps",
            "clauses",
            "reasons",
            "confirmed",
            "ruled_at",
            "evidence_id",
        ]

    def get_confirmed(self, ruling: Ruling) -> bool | None:
        found: Confirmation | None = getattr(ruling, "confirmation", None)
        return found.confirmed if found else None


class ClockSerializer(serializers.Serializer[cases.Clock]):
    """A deadline ahead. At exactly `due_at` the action is still allowed."""

    name = serializers.CharField()
    what = serializers.CharField()
    whose = serializers.CharField()
    due_at = serializers.DateTimeField()
    silence = serializers.CharField(help_text="What happens if nobody acts.")


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    """`state` is where it stands now, `outcome` how it ended, `measured_bps` the share without."""

    milestone = serializers.CharField(source="milestone_id")
    engagement = serializers.CharField(source="milestone.engagement_id")
    opened_by = serializers.CharField(source="opened_by_id", allow_null=True)
    clauses = serializers.ListField(
        child=serializers.CharField(), help_text="Contested clauses; none is the whole outcome."
    )
    state = serializers.SerializerMethodField()
    deadlines = serializers.SerializerMethodField()
    assigned = serializers.SerializerMethodField(help_text="Whether an adjudicator has taken it.")
    ruling = RulingSerializer(allow_null=True)

    class Meta:
        model = Dispute
        fields = [
            "id",
            "milestone",
            "engagement",
            "opened_by",
            "ground",
            "clauses",
            "track",
            "needs_second",
            "statement",
            "answer",
            "answered_at",
            "state",
            "level",
            "awaits_second",
            "assigned",
            "deadlines",
            "opened_at",
            "answer_by_at",
            "backstop_at",
            "closed_at",
            "outcome",
            "share_bps",
            "measured_bps",
            "lost_by",
            "ruling",
        ]

    @extend_schema_field(serializers.ChoiceField(choices=Dispute.State.choices))
    def get_state(self, dispute: Dispute) -> str:
        return cases.docket_of(dispute, now=database_now()).state

    @extend_schema_field(ClockSerializer(many=True))
    def get_deadlines(self, dispute: Dispute) -> Any:
        ahead: Any = cases.clocks_of(dispute, now=database_now())
        return ClockSerializer(ahead, many=True).data

    def get_assigned(self, dispute: Dispute) -> bool:
        return dispute.assigned_to_id is not None


class StepSerializer(serializers.ModelSerializer[DisputeStep]):
    """One step as it was taken; `by_silence` if the deadline before it passed."""

    class Meta:
        model = DisputeStep
        fields = ["id", "state", "entered_at", "due_at", "by_silence"]


class ChallengeSerializer(serializers.Serializer[Dispute]):
    ground = serializers.ChoiceField(
        choices=[row for row in Dispute.Ground.choices if row[0] != Dispute.Ground.HUMAN_REVIEW]
    )
    statement = serializers.CharField(max_length=4000)
    clauses = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        default=list,
        max_length=40,
        help_text="Keys of the contested clauses; none contests the whole outcome.",
    )


class AnswerSerializer(serializers.Serializer[Dispute]):
    answer = serializers.CharField(max_length=4000)


class AppealSerializer(serializers.Serializer[Dispute]):
    statement = serializers.CharField(max_length=4000)


class RecusalSerializer(serializers.Serializer[Dispute]):
    reason = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class DecisionSerializer(serializers.Serializer[Ruling]):
    award_bps = WholeField(min_value=0, max_value=10_000)
    clauses = serializers.ListField(
        child=serializers.CharField(max_length=64), allow_empty=False, max_length=40
    )
    reasons = serializers.CharField(max_length=8000)


class ConfirmationSerializer(serializers.Serializer[Dispute]):
    confirmed = serializers.BooleanField()
    reasons = serializers.CharField(max_length=4000, required=False, default="", allow_blank=True)


class AwardSerializer(serializers.Serializer[cases.Award]):
    """What a ruling for this share would move, in minor units."""

    share_bps = serializers.IntegerField()
    currency = serializers.CharField()
    released = AmountField(source="division.released")
    fee = AmountField(source="division.fee")
    refunded = AmountField(source="division.refunded")
    bond = AmountField()
    bond_to = serializers.CharField(help_text="buyer or builder; empty where none was staked.")


class PartyRatesSerializer(serializers.Serializer[rates.PartyRates]):
    """Counts; `cases` are milestones funded. Rates are null where there is nothing to divide by."""

    cases = serializers.IntegerField()
    filed = serializers.IntegerField()
    against = serializers.IntegerField()
    won = serializers.IntegerField()
    lost = serializers.IntegerField()
    dispute_bps = serializers.IntegerField(allow_null=True)
    upheld_bps = serializers.IntegerField(allow_null=True)
    overturn_bps = serializers.IntegerField(allow_null=True)


class AdjudicatorRatesSerializer(serializers.Serializer[rates.AdjudicatorRates]):
    rulings = serializers.IntegerField()
    appealed = serializers.IntegerField()
    overturned = serializers.IntegerField()
    declined = serializers.IntegerField()
    overturn_bps = serializers.IntegerField(allow_null=True)


class RatesSerializer(serializers.Serializer[Any]):
    as_buyer = PartyRatesSerializer(allow_null=True)
    as_builder = PartyRatesSerializer(allow_null=True)
    as_adjudicator = AdjudicatorRatesSerializer(allow_null=True)


class DisputeFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Dispute.State.choices)
    track = django_filters.ChoiceFilter(choices=Dispute.Track.choices)
    awaits_second = django_filters.BooleanFilter()
    assigned = django_filters.BooleanFilter(
        field_name="assigned_to", lookup_expr="isnull", exclude=True
    )
    milestone = django_filters.CharFilter(field_name="milestone_id")
    engagement = django_filters.CharFilter(field_name="milestone__engagement_id")


class OfDisputes(Noun):
    """The disputes of one's engagements; all of them for an adjudicator."""

    def own_dispute(self) -> Dispute:
        rows = cases.of_party(self.acting.party if self.acting else None)
        return self.find(rows, pk=self.kwargs["id"])

    def dispute(self) -> Dispute:
        return self.find(cases.seen_by(self.acting), pk=self.kwargs["id"])

    def anyones_dispute(self) -> Dispute:
        return self.find(cases.rows(), pk=self.kwargs["id"])

    def now_of(self, dispute: Dispute) -> Dispute:
        return cases.rows().get(pk=dispute.pk)


class Disputes(OfDisputes, Lists):
    """Disputes of one's engagements, or every one for an adjudicator: the desk's queue by
    `ordering=due_at`."""

    gives = DisputeSerializer
    filterset_class = DisputeFilter
    ordering_fields = ("id", "due_at", "backstop_at", "answer_by_at")

    def get_queryset(self) -> QuerySet[Dispute]:
        return cases.seen_by(self.acting)


class OneDispute(OfDisputes, Reads):
    """One dispute, with every deadline ahead and what silence would mean."""

    gives = DisputeSerializer

    def get_queryset(self) -> QuerySet[Dispute]:
        return cases.seen_by(self.acting)


class Steps(OfDisputes, Lists):
    """The steps a dispute has taken."""

    gives = StepSerializer
    queryset = DisputeStep.objects.none()

    def get_queryset(self) -> QuerySet[DisputeStep]:
        return DisputeStep.objects.filter(dispute=self.dispute())


class DisputeAnswer(OfDisputes, Makes):
    """The other side's answer, once."""

    gives = DisputeSerializer
    takes = AnswerSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        return disputes.answer_dispute(
            dispute=self.own_dispute(), party=self.party, now=now, **given
        )


class DisputeWithdrawal(OfDisputes, Makes):
    """Whoever opened the dispute takes it back."""

    gives = DisputeSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        return disputes.withdraw(dispute=self.own_dispute(), party=self.party, now=now)


class DisputeRest(OfDisputes, Makes):
    """One side has nothing to add; once both have said so, the case goes on at once."""

    gives = DisputeSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        return disputes.rest(dispute=self.own_dispute(), party=self.party, now=now)


class Appealing(OfDisputes, Makes):
    """One side asks, once and before any money moves, that somebody else looks again."""

    gives = DisputeSerializer
    takes = AppealSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        found = self.own_dispute()
        disputes.appeal(dispute=found, party=self.party, by=self.user, now=now, **given)
        return self.now_of(found)


class Assignment(OfDisputes, Makes):
    """An adjudicator without interest takes the case."""

    gives = DisputeSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        return disputes.assign(dispute=self.anyones_dispute(), adjudicator=self.user, now=now)


class Recusing(OfDisputes, Makes):
    """An adjudicator steps back from the case, for good."""

    gives = DisputeSerializer
    takes = RecusalSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        found = self.anyones_dispute()
        disputes.recuse(dispute=found, adjudicator=self.user, now=now, **given)
        return self.now_of(found)


class OneRuling(OfDisputes, Makes):
    """The newest reasoned decision: how much of the price the builder earned, and by which
    clauses. A POST rules."""

    gives = RulingSerializer
    takes = DecisionSerializer
    moves_money = True

    def get(self, request: Request, id: str) -> Response:
        rows = Ruling.objects.filter(dispute=self.dispute()).select_related("confirmation")
        newest = rows.order_by("-ruled_at", "-pk").values("pk")[:1]
        return Response(self.shown(self.find(rows.filter(pk__in=newest))))

    def create(self, given: dict[str, Any], now: datetime) -> Ruling:
        return disputes.rule(
            dispute=self.anyones_dispute(), adjudicator=self.user, now=now, **given
        )


class Rulings(OfDisputes, Lists):
    """Every ruling of a dispute: the first, those a second person declined, the appeal's."""

    gives = RulingSerializer
    queryset = Ruling.objects.none()

    def get_queryset(self) -> QuerySet[Ruling]:
        return Ruling.objects.filter(dispute=self.dispute()).select_related("confirmation")


class Confirming(OfDisputes, Makes):
    """A second adjudicator confirms the ruling that waits, or declines it with reasons."""

    gives = DisputeSerializer
    takes = ConfirmationSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        found = self.anyones_dispute()
        disputes.confirm(dispute=found, adjudicator=self.user, now=now, **given)
        return self.now_of(found)


class Rates(Noun):
    """How often one's party disputes and is right, as a buyer and as a builder; and, for an
    adjudicator, how often its first rulings were overturned."""

    gives = RatesSerializer

    def get(self, request: Request) -> Response:
        party = self.acting.party if self.acting else None
        found = {
            "as_buyer": rates.of_buyer(party) if party else None,
            "as_builder": rates.of_builder(party) if party else None,
            "as_adjudicator": rates.of_adjudicator(self.user) if self.adjudicates else None,
        }
        return Response(self.shown(found))


class OneAward(OfDisputes):
    """What a ruling for a share would move: settlement's own arithmetic."""

    gives = AwardSerializer

    @extend_schema(parameters=[SHARE])
    def get(self, request: Request, id: str) -> Response:
        found, text = self.dispute(), request.query_params.get("share_bps", str(WHOLE))
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(WHOLE))
        if not digits or int(text) > WHOLE:
            raise ValidationError({"share_bps": ["A share is 0 to 10000 basis points."]})
        award = cases.award_of(found, int(text))
        if award is None:
            raise ValidationError({"share_bps": ["No money is set aside for this yet."]})
        return Response(self.shown(award))
