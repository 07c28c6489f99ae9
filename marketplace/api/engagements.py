"""Hiring, and what both sides do to a milestone and its money."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace import awaited, cases, hiring
from marketplace.api import idempotency
from marketplace.api.dispute_serializers import ChallengeSerializer, DisputeSerializer
from marketplace.api.escrows import BandSerializer, EscrowSerializer
from marketplace.api.fields import AmountField, IdField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.api.permissions import acting_in
from marketplace.models import Listing
from pacts import evaluators
from pacts.models import (
    AgentVersion,
    Deliverable,
    Dispute,
    Engagement,
    Milestone,
    TaskSetVersion,
)
from settlement import engagements, escrow
from settlement.models import Escrow


class DeliverableSerializer(serializers.ModelSerializer[Deliverable]):
    agent_version = serializers.CharField(source="agent_version_id")
    evaluation = serializers.CharField(source="evaluation.id")

    class Meta:
        model = Deliverable
        fields = ["id", "number", "agent_version", "evaluation", "requested_at", "delivered_at"]


class MilestoneSerializer(serializers.ModelSerializer[Milestone]):
    engagement = serializers.CharField(source="engagement_id")
    amount = AmountField()
    bond = AmountField()
    task_set_version = serializers.CharField(source="task_set_version_id")
    deliverables = DeliverableSerializer(many=True)
    escrow = EscrowSerializer(allow_null=True)

    class Meta:
        model = Milestone
        fields = [
            "id",
            "engagement",
            "position",
            "title",
            "amount",
            "bond",
            "task_set_version",
            "started_at",
            "submit_by_at",
            "cancelled_at",
            "deliverables",
            "escrow",
        ]

    def to_representation(self, instance: Milestone) -> dict[str, Any]:
        if not hasattr(instance, "escrow"):
            instance.escrow = None
        return super().to_representation(instance)


class EngagementSerializer(serializers.ModelSerializer[Engagement]):
    buyer = serializers.CharField(source="buyer_id")
    builder = serializers.CharField(source="builder_id")
    evaluator = serializers.CharField(
        source="evaluator_id",
        allow_null=True,
        help_text="The third party whose verdict the money waits for; null is the platform.",
    )
    agent_version = serializers.CharField(source="agent_version_id")
    pact_version = serializers.CharField(source="pact_version_id")
    buyer_signature = serializers.CharField(source="buyer_signature_id", allow_null=True)
    builder_signature = serializers.CharField(source="builder_signature_id", allow_null=True)
    fee_bands = serializers.ListField(child=BandSerializer())
    amount = serializers.SerializerMethodField(
        help_text="All milestones together, or the budget agreed for a metered hire."
    )
    meter = serializers.SerializerMethodField(help_text="The metered budget, or null.")
    milestones = MilestoneSerializer(many=True)

    class Meta:
        model = Engagement
        fields = [
            "id",
            "state",
            "buyer",
            "builder",
            "evaluator",
            "agent_version",
            "pact_version",
            "currency",
            "amount",
            "fee_bps",
            "fee_bands",
            "work_seconds",
            "evaluation_seconds",
            "acceptance_seconds",
            "cure_seconds",
            "funding_seconds",
            "max_revisions",
            "digest",
            "buyer_signature",
            "builder_signature",
            "proposed_at",
            "offer_expires_at",
            "signed_at",
            "fund_by_at",
            "closed_at",
            "milestones",
            "meter",
        ]

    def get_meter(self, engagement: Engagement) -> str | None:
        return engagement.meter.pk if hasattr(engagement, "meter") else None

    @extend_schema_field(AmountField())
    def get_amount(self, engagement: Engagement) -> str:
        if hasattr(engagement, "meter"):
            return str(engagement.meter.terms["budget"])
        return str(sum(milestone.amount for milestone in engagement.milestones.all()))


class HireSerializer(serializers.Serializer[Engagement]):
    listing = IdField()
    task_set_version = IdField(
        required=False, help_text="The buyer's or the platform's tasks; none beside an offer."
    )
    evaluator_offer = IdField(
        required=False,
        help_text="The third party's, for a pact with the independence `third_party`.",
    )
    further_task_set_versions = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=hiring.MOST_FURTHER,
        help_text="One more milestone for each, in this order, at the listing's price.",
    )
    bond = AmountField(
        required=False,
        help_text="What the builder stakes on each milestone. Above the listing's own bond, the "
        "builder signs for itself.",
    )


class RevisionSerializer(serializers.Serializer[Deliverable]):
    agent_version = IdField()


class EngagementFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Engagement.State.choices)
    buyer = django_filters.CharFilter(field_name="buyer_id")
    builder = django_filters.CharFilter(field_name="builder_id")
    agent = django_filters.CharFilter(field_name="agent_version__agent_id")
    your_turn = django_filters.BooleanFilter(
        method="waiting", label="Whether the acting party is the one to act next."
    )

    def waiting(self, rows: Any, name: str, wanted: bool) -> Any:
        acting = acting_in(self.request)
        party_id = acting.party.pk if acting and acting.party else ""
        mine = awaited.waiting_for(Engagement.objects.all(), party_id=party_id)
        found = Exists(mine.filter(pk=OuterRef("pk")))
        return rows.filter(found if wanted else ~found)


class MilestoneFilter(django_filters.FilterSet):
    engagement = django_filters.CharFilter(field_name="engagement_id")
    state = django_filters.ChoiceFilter(field_name="escrow__state", choices=Escrow.State.choices)


class OfEngagements(Noun):
    """The engagements of either side, and the cases an adjudicator looks at."""

    def engagements(self) -> QuerySet[Engagement]:
        seen = Q(buyer_id=self.own) | Q(builder_id=self.own)
        if self.adjudicates:
            seen |= Q(milestones__disputes__isnull=False)
        rows = Engagement.objects.filter(seen).select_related("meter").distinct()
        return rows.prefetch_related(
            "milestones__deliverables__evaluation", "milestones__escrow__bond"
        )

    def milestones(self) -> QuerySet[Milestone]:
        rows = Milestone.objects.filter(engagement__in=self.engagements().order_by())
        return rows.select_related("engagement", "escrow__bond").prefetch_related(
            "deliverables__evaluation"
        )

    def own_milestone(self) -> Milestone:
        """A milestone of an engagement that the acting party is a side of."""
        sides = Q(engagement__buyer_id=self.own) | Q(engagement__builder_id=self.own)
        return self.find(Milestone.objects.filter(sides), pk=self.kwargs["id"])

    def escrow(self) -> Escrow:
        return escrow.open_escrow(milestone=self.own_milestone())

    def milestone_now(self) -> Milestone:
        return self.milestones().get(pk=self.kwargs["id"])


class Engagements(OfEngagements, Lists, Makes):
    """Engagements. A POST hires at a listing's own terms and signs for the buyer."""

    gives = EngagementSerializer
    takes = HireSerializer
    moves_money = True
    filterset_class = EngagementFilter

    def get_queryset(self) -> QuerySet[Engagement]:
        return self.engagements()

    def create(self, given: dict[str, Any], now: datetime) -> Engagement:
        listings = Listing.objects.select_related(
            "agent", "agent_version__agent__builder", "pact_version__pact"
        )
        sets = TaskSetVersion.objects.filter(
            Q(task_set__owner_id=self.own) | Q(task_set__owner=None)
        )
        owned = sets.select_related("task_set")
        named = given.get("task_set_version"), given.get("evaluator_offer")
        further = given.get("further_task_set_versions", [])
        offers = evaluators.open_offers()
        made = hiring.hire(
            listing=self.find(listings, pk=given["listing"]),
            buyer=self.party,
            task_set_version=self.find(owned, pk=named[0]) if named[0] else None,
            further=[self.find(owned, pk=version) for version in further],
            offer=self.find(offers, pk=named[1]) if named[1] else None,
            bond=given.get("bond", 0),
            by=self.user,
            authority=self.authority,
            now=now,
        )
        return self.engagements().get(pk=made.pk)


class OneEngagement(OfEngagements, Reads):
    """One engagement with its milestones and where their money is."""

    gives = EngagementSerializer

    def get_queryset(self) -> QuerySet[Engagement]:
        return self.engagements()


class EngagementSignature(OfEngagements, Makes):
    """Signing the agreement and its pact for one's side; in force once both sides did."""

    gives = EngagementSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Engagement:
        sides = Q(buyer_id=self.own) | Q(builder_id=self.own)
        found = self.find(Engagement.objects.filter(sides), pk=self.kwargs["id"])
        engagements.sign(
            engagement=found, party=self.party, by=self.user, authority=self.authority, now=now
        )
        return self.engagements().get(pk=found.pk)


class Milestones(OfEngagements, Lists):
    """The milestones of one's engagements, with their escrows."""

    gives = MilestoneSerializer
    filterset_class = MilestoneFilter

    def get_queryset(self) -> QuerySet[Milestone]:
        return self.milestones()


class OneMilestone(OfEngagements, Reads):
    """One milestone: what was delivered, and where its money is."""

    gives = MilestoneSerializer

    def get_queryset(self) -> QuerySet[Milestone]:
        return self.milestones()


class Funding(OfEngagements, Makes):
    """The buyer sets the price aside; the work starts at once."""

    gives = MilestoneSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Milestone:
        key = idempotency.key_for_the_ledger(self.request)
        escrow.fund(milestone=self.own_milestone(), by=self.party, idempotency_key=key, now=now)
        return self.milestone_now()


class Acceptance(OfEngagements, Makes):
    """The buyer accepts at once instead of letting the window run out."""

    gives = MilestoneSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Milestone:
        escrow.accept(escrow=self.escrow(), by=self.party, now=now)
        return self.milestone_now()


class GivingBack(OfEngagements, Makes):
    """The builder returns the whole amount to the buyer."""

    gives = MilestoneSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Milestone:
        escrow.give_back(escrow=self.escrow(), by=self.party, now=now)
        return self.milestone_now()


class Revision(OfEngagements, Makes):
    """The builder delivers once more after a breach; a newer version of the agent may do it."""

    gives = MilestoneSerializer
    takes = RevisionSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Milestone:
        versions = AgentVersion.objects.filter(agent__builder_id=self.own)
        escrow.revise(
            escrow=self.escrow(),
            by=self.party,
            agent_version=self.find(versions, pk=given["agent_version"]),
            now=now,
        )
        return self.milestone_now()


class DisputeOpening(OfEngagements, Makes):
    """Either side challenges the verdict; the money freezes at once."""

    gives = DisputeSerializer
    takes = ChallengeSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        return cases.open_case(
            milestone=self.own_milestone(), party=self.party, by=self.user, now=now, **given
        )
