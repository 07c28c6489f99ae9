"""A builder's earnings: sums of the ledger's entries, and what is on its way."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import AmountField
from marketplace.api.nouns import Lists, Noun
from marketplace.earned import months_of
from pacts.models import Engagement
from settlement import earnings
from settlement.earnings import Budget, Earned, Expected
from settlement.models import Escrow

NEWEST = 50


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
    """`reconciles`: the ledger's entries and what escrows and meters told are the same. Every hire
    is under `earnings/hires`, every escrow that is not decided under `earnings/expected`."""

    reconciles = serializers.BooleanField()
    totals = EarnedSerializer(many=True)
    agents = NamedEarnedSerializer(many=True)
    months = MonthEarnedSerializer(many=True, help_text="The newest 24.")
    hires = NamedEarnedSerializer(many=True, help_text="The newest 50.")
    expected = ExpectedSerializer(many=True, help_text="The 50 next decisions.")
    budgets = BudgetSerializer(many=True, help_text="The newest 50 that hold money.")


class Earnings(Noun):
    """What the acting party earned by its agents, and what is on its way."""

    gives = EarningsSerializer

    def get(self, request: Request) -> Response:
        party = self.party
        books = earnings.books_of(party)
        content = {
            "reconciles": all(one.holds for one in earnings.checks(party, books)),
            "totals": books.totals,
            "agents": books.by_agent,
            "months": months_of(books),
            "hires": earnings.of_hires(party, earnings.hires(party)[:NEWEST]),
            "expected": earnings.expected(earnings.undecided(party)[:NEWEST]),
            "budgets": earnings.budgets(party, limit=NEWEST),
        }
        return Response(self.shown(content))


class EarnedHires(Lists):
    """What each hire of the acting party's agents brought, the newest first."""

    gives = NamedEarnedSerializer
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Engagement]:
        return earnings.hires(self.party)

    def get(self, request: Request, **ids: str) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        brought = earnings.of_hires(self.party, page or ())
        return self.get_paginated_response(self.get_serializer(brought, many=True).data)


class ExpectedEarnings(Lists):
    """Money that is set aside for the acting party's work and not decided, the next decision
    first."""

    gives = ExpectedSerializer
    filter_backends = ()
    ordering = ("next_action_at", "id")

    def get_queryset(self) -> QuerySet[Escrow]:
        return earnings.undecided(self.party)

    def get(self, request: Request, **ids: str) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        found = earnings.expected(page or ())
        return self.get_paginated_response(self.get_serializer(found, many=True).data)
