"""Disputes: challenged by one side, answered by the other, ruled by somebody without interest."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import cases
from marketplace.api.dispute_serializers import (
    AnswerSerializer,
    AppealSerializer,
    AwardSerializer,
    ConfirmationSerializer,
    DecisionSerializer,
    DisputeSerializer,
    RatesSerializer,
    RecusalSerializer,
    RulingSerializer,
    StepSerializer,
)
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import disputes
from pacts.disputes import rates
from pacts.models import Dispute, DisputeStep, Ruling
from settlement import desk

WHOLE = 10_000
SHARE = OpenApiParameter(
    "share_bps", int, description="The builder's share, 0 to 10000; the whole if left out."
)


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
        return desk.assign(dispute=self.anyones_dispute(), adjudicator=self.user, now=now)


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
        return desk.rule(dispute=self.anyones_dispute(), adjudicator=self.user, now=now, **given)


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
        desk.confirm(dispute=found, adjudicator=self.user, now=now, **given)
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
