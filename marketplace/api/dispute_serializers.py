"""What the API takes and shows of disputes, apart from its nouns."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace import cases
from marketplace.api.fields import AmountField, WholeField
from pacts.disputes import rates
from pacts.models import Confirmation, Dispute, DisputeStep, Ruling
from reputation.clock import database_now


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
    share_bps = serializers.IntegerField(
        allow_null=True, help_text="What the builder then has; null where no money moves yet."
    )


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    """`state` is where it stands now, `outcome` how it ended, `measured_bps` the share without."""

    milestone = serializers.CharField(source="milestone_id")
    engagement = serializers.CharField(source="milestone.engagement_id")
    opened_by = serializers.CharField(source="opened_by_id", allow_null=True)
    clauses = serializers.ListField(
        child=serializers.CharField(), help_text="Contested clauses; none is the whole outcome."
    )
    state = serializers.SerializerMethodField()
    outcome = serializers.CharField(
        help_text="ruled, settled, withdrawn, defaulted or unruled; empty while it is open."
    )
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
