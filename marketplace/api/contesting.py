"""The ways to contest a run, each with its price, its effect and why it is shut, if it is."""

from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import contesting
from marketplace.api.fields import AmountField
from marketplace.api.nouns import Noun
from marketplace.contesting import Way
from pacts.models import Evaluation
from reputation.clock import database_now


class ContestWaySerializer(serializers.Serializer[Way]):
    """One way; `closed` says why it is shut, empty when it is open."""

    key = serializers.CharField()
    title = serializers.CharField()
    changes = serializers.CharField()
    costs = serializers.CharField()
    is_open = serializers.BooleanField()
    closed = serializers.CharField(allow_blank=True)
    cost = AmountField(help_text="What is set aside for it now, in minor units.")
    currency = serializers.CharField(allow_blank=True)


class ContestWays(Noun):
    """What the acting party can do about a run it asked for or is a side of."""

    gives = ContestWaySerializer

    @extend_schema(responses=ContestWaySerializer(many=True))
    def get(self, request: Request, id: str) -> Response:
        hired = "deliverable__milestone__engagement"
        seen = Q(requested_by_id=self.own) | Q(**{f"{hired}__builder_id": self.own})
        seen |= Q(**{f"{hired}__buyer_id": self.own})
        rows = Evaluation.objects.filter(seen).select_related(
            "agent_version__agent", f"{hired}__agent_version"
        )
        run = self.find(rows, pk=id)
        found: list[Any] = contesting.ways(run, party=self.party, now=database_now())
        return Response(self.get_serializer(found, many=True).data)
