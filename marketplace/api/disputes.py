"""Disputes: challenged by one side, answered by the other, ruled by somebody without interest."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import disputes
from pacts.models import Dispute, Ruling


class RulingSerializer(serializers.ModelSerializer[Ruling]):
    dispute = serializers.CharField(source="dispute_id")
    clauses = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Ruling
        fields = ["id", "dispute", "award_bps", "clauses", "reasons", "ruled_at", "evidence_id"]


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    milestone = serializers.CharField(source="milestone_id")
    engagement = serializers.CharField(source="milestone.engagement_id")
    opened_by = serializers.CharField(source="opened_by_id", allow_null=True)
    ruling = RulingSerializer(allow_null=True)

    class Meta:
        model = Dispute
        fields = [
            "id",
            "milestone",
            "engagement",
            "opened_by",
            "ground",
            "statement",
            "answer",
            "answered_at",
            "state",
            "opened_at",
            "answer_by_at",
            "backstop_at",
            "closed_at",
            "ruling",
        ]


class AnswerSerializer(serializers.Serializer[Dispute]):
    answer = serializers.CharField(max_length=4000)


class DecisionSerializer(serializers.Serializer[Ruling]):
    award_bps = WholeField(min_value=0, max_value=10_000)
    clauses = serializers.ListField(
        child=serializers.CharField(max_length=64), allow_empty=False, max_length=40
    )
    reasons = serializers.CharField(max_length=8000)


class DisputeFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Dispute.State.choices)
    milestone = django_filters.CharFilter(field_name="milestone_id")
    engagement = django_filters.CharFilter(field_name="milestone__engagement_id")


class OfDisputes(Noun):
    """The disputes of one's engagements; all of them for an adjudicator."""

    def own_disputes(self) -> QuerySet[Dispute]:
        engagement = "milestone__engagement"
        sides = Q(**{f"{engagement}__buyer_id": self.own})
        sides |= Q(**{f"{engagement}__builder_id": self.own})
        rows = Dispute.objects.select_related(engagement, "ruling")
        return rows.filter(sides)

    def disputes(self) -> QuerySet[Dispute]:
        if self.adjudicates:
            return Dispute.objects.select_related("milestone__engagement", "ruling")
        return self.own_disputes()


class Disputes(OfDisputes, Lists):
    """Disputes of one's engagements, or every one for an adjudicator."""

    gives = DisputeSerializer
    filterset_class = DisputeFilter
    ordering_fields = ("id", "backstop_at", "answer_by_at")

    def get_queryset(self) -> QuerySet[Dispute]:
        return self.disputes()


class OneDispute(OfDisputes, Reads):
    """One dispute."""

    gives = DisputeSerializer

    def get_queryset(self) -> QuerySet[Dispute]:
        return self.disputes()


class DisputeAnswer(OfDisputes, Makes):
    """The other side's answer, once."""

    gives = DisputeSerializer
    takes = AnswerSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        found = self.find(self.own_disputes(), pk=self.kwargs["id"])
        return disputes.answer_dispute(dispute=found, party=self.party, now=now, **given)


class DisputeWithdrawal(OfDisputes, Makes):
    """Whoever opened the dispute takes it back."""

    gives = DisputeSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Dispute:
        found = self.find(self.own_disputes(), pk=self.kwargs["id"])
        return disputes.withdraw(dispute=found, party=self.party, now=now)


class OneRuling(OfDisputes, Makes):
    """The reasoned decision: how much of the price the builder earned, and by which clauses."""

    gives = RulingSerializer
    takes = DecisionSerializer
    moves_money = True

    def get(self, request: Request, id: str) -> Response:
        dispute = self.find(self.disputes(), pk=id)
        return Response(self.shown(self.find(Ruling.objects.filter(dispute=dispute))))

    def create(self, given: dict[str, Any], now: datetime) -> Ruling:
        dispute = self.find(Dispute.objects.all(), pk=self.kwargs["id"])
        return disputes.rule(dispute=dispute, adjudicator=self.user, now=now, **given)
