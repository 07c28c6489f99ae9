"""A builder's earnings: sums of the ledger's entries, and what is on its way."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import AmountField
from marketplace.api.nouns import Noun
from marketplace.earned import months_of
from settlement import earnings
from settlement.earnings import Budget, Earned, Expected


class EarnedSerializer(serializers.Serializer[Earned]):
    """Minor units: net of the fee, the fee, and what returned to the buyer."""

    currency = serializers.CharField()
    released = AmountField()
    fee = AmountField()
    refunded = AmountField()


class NamedEarnedSerializer(EarnedSerializer):
    id = serializers.CharField(source="key")
    agent = serializers.CharField(source="name")


class MonthEarnedSerializer(EarnedSerializer):
    month = serializers.DateField(help_text="Its first day, UTC.")


class ExpectedSerializer(serializers.Serializer[Expected]):
    """Money that is set aside; `net` comes of it if everything is earned."""

    escrow = serializers.CharField(source="escrow.pk")
    engagement = serializers.CharField(source="engagement_id")
    agent = serializers.CharField()
    currency = serializers.CharField()
    amount = AmountField()
    net = AmountField()
    state = serializers.CharField()
    by = serializers.DateTimeField(allow_null=True, help_text="The next decision at the latest.")


class BudgetSerializer(serializers.Serializer[Budget]):
    meter = serializers.CharField(source="meter.pk")
    agent = serializers.CharField()
    currency = serializers.CharField()
    paid = AmountField()
    held_back = AmountField()
    withheld = AmountField()
    available = AmountField()


class EarningsSerializer(serializers.Serializer[Any]):
    """`reconciles`: the ledger's entries and what escrows and meters told are the same."""

    reconciles = serializers.BooleanField()
    totals = EarnedSerializer(many=True)
    agents = NamedEarnedSerializer(many=True)
    months = MonthEarnedSerializer(many=True)
    hires = NamedEarnedSerializer(many=True)
    expected = ExpectedSerializer(many=True)
    budgets = BudgetSerializer(many=True)


class Earnings(Noun):
    """What the acting party earned by its agents, and what is on its way."""

    gives = EarningsSerializer

    def get(self, request: Request) -> Response:
        party = self.party
        content = {
            "reconciles": all(one.holds for one in earnings.checks(party)),
            "totals": earnings.totals(party),
            "agents": earnings.by_agent(party),
            "months": months_of(party),
            "hires": earnings.by_hire(party),
            "expected": earnings.expected(party),
            "budgets": earnings.budgets(party),
        }
        return Response(self.shown(content))
