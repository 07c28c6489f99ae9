"""Ending a milestone by agreement: offers to do so, and their answers."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers

from marketplace.api.engagements import OfEngagements
from marketplace.api.fields import WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from settlement import cancellations
from settlement.models import Cancellation


class CancellationSerializer(serializers.ModelSerializer[Cancellation]):
    milestone = serializers.CharField(source="milestone_id")
    engagement = serializers.CharField(source="milestone.engagement_id")
    proposed_by = serializers.CharField(source="proposed_by_id")

    class Meta:
        model = Cancellation
        fields = [
            "id",
            "milestone",
            "engagement",
            "proposed_by",
            "award_bps",
            "note",
            "state",
            "proposed_at",
            "expires_at",
            "closed_at",
        ]


class CancellationOfferSerializer(serializers.Serializer[Cancellation]):
    award_bps = WholeField(
        min_value=0,
        max_value=10_000,
        required=False,
        default=None,
        help_text="The builder's share. Leave it out before any money is set aside.",
    )
    note = serializers.CharField(
        max_length=cancellations.LONGEST_NOTE, required=False, default="", allow_blank=True
    )


class CancellationFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Cancellation.State.choices)
    milestone = django_filters.CharFilter(field_name="milestone_id")
    engagement = django_filters.CharFilter(field_name="milestone__engagement_id")


class OfCancellations(Noun):
    """The offers made in one's engagements, by either side."""

    def cancellations(self) -> QuerySet[Cancellation]:
        engagement = "milestone__engagement"
        sides = Q(**{f"{engagement}__buyer_id": self.own})
        sides |= Q(**{f"{engagement}__builder_id": self.own})
        return Cancellation.objects.filter(sides).select_related(engagement)

    def cancellation(self) -> Cancellation:
        return self.find(self.cancellations(), pk=self.kwargs["id"])


class Cancellations(OfCancellations, Lists):
    """Offers to end a milestone by agreement, in one's engagements."""

    gives = CancellationSerializer
    filterset_class = CancellationFilter
    ordering_fields = ("id", "expires_at")

    def get_queryset(self) -> QuerySet[Cancellation]:
        return self.cancellations()


class OneCancellation(OfCancellations, Reads):
    """One offer, and what became of it."""

    gives = CancellationSerializer

    def get_queryset(self) -> QuerySet[Cancellation]:
        return self.cancellations()


class CancellationOpening(OfEngagements, Makes):
    """Offering the other side to end a milestone; an open offer of either side is superseded."""

    gives = CancellationSerializer
    takes = CancellationOfferSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Cancellation:
        return cancellations.propose_cancellation(
            milestone=self.own_milestone(), party=self.party, by=self.user, now=now, **given
        )


class CancellationAcceptance(OfCancellations, Makes):
    """The other side accepts: the money moves at once."""

    gives = CancellationSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Cancellation:
        return cancellations.accept_cancellation(
            cancellation=self.cancellation(), party=self.party, by=self.user, now=now
        )


class CancellationWithdrawal(OfCancellations, Makes):
    """Whoever made the offer takes it back."""

    gives = CancellationSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Cancellation:
        return cancellations.withdraw_cancellation(
            cancellation=self.cancellation(), party=self.party, by=self.user, now=now
        )
