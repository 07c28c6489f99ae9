"""What final rulings teach, without names: public, found by words."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import cases
from marketplace.api.disputes import OfDisputes
from marketplace.api.nouns import Makes, Noun, Reads
from pacts.disputes import precedents
from pacts.models import Dispute, Precedent

MOST = 50
ASKED = [
    OpenApiParameter("q", str, description="Words; “exact phrases”, or, -without."),
    OpenApiParameter("ground", str, enum=[value for value, _ in Dispute.Ground.choices]),
    OpenApiParameter("work", str, description="The kind of work, as an agent names it."),
]


class PrecedentSerializer(serializers.ModelSerializer[Precedent]):
    """`measured_bps` is what the verdict alone would have paid."""

    clause_kinds = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Precedent
        fields = [
            "id",
            "ground",
            "work",
            "clause_kinds",
            "award_bps",
            "measured_bps",
            "track",
            "by_rule",
            "level",
            "reasons",
            "reviewed_at",
            "published_at",
        ]


class PrecedentsSerializer(serializers.Serializer[Any]):
    results = PrecedentSerializer(many=True)


class TextSerializer(serializers.Serializer[Precedent]):
    reasons = serializers.CharField(max_length=9000)


class Precedents(Noun):
    """Precedents by words, the best 50 first; without words the newest."""

    gives = PrecedentsSerializer

    @extend_schema(parameters=ASKED)
    def get(self, request: Request) -> Response:
        asked = request.query_params
        rows = precedents.search(
            query=asked.get("q", "")[:200],
            ground=asked.get("ground", "")[:20],
            work=asked.get("work", "")[:40],
        )
        return Response(self.shown({"results": rows[:MOST]}))


class OnePrecedent(Reads):
    """One precedent."""

    gives = PrecedentSerializer
    queryset = Precedent.objects.all()

    def get_queryset(self) -> QuerySet[Precedent]:
        return Precedent.objects.all()


class PrecedentReview(Makes):
    """An adjudicator publishes a text from which more is taken out; the rule looks over it too."""

    gives = PrecedentSerializer
    takes = TextSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Precedent:
        found = self.find(Precedent.objects.all(), pk=self.kwargs["id"])
        return cases.review_precedent(precedent=found, text=given["reasons"], by=self.user, now=now)


class Similar(OfDisputes):
    """Rulings on the ground of a dispute, the same kind of work first."""

    gives = PrecedentsSerializer

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown({"results": precedents.similar(self.dispute())}))
