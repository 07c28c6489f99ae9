"""What a pact will take to prove, before anybody signs it."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from marketplace.api.fields import AmountField, CurrencyField, WholeField
from marketplace.api.nouns import Makes
from marketplace.api.pacts import WordingSerializer
from marketplace.call_costs import cost_of
from pacts import forecasts, terms
from pacts.forecasts import MOST_TASKS, ClauseForecast, Fate

CALL_MICROS = 10**12


class NewForecastSerializer(WordingSerializer):
    """A pact, and what to forecast of it."""

    tasks = WholeField(
        min_value=1, max_value=MOST_TASKS, allow_null=True, default=None,
        help_text="Also say what so many tasks would show.",
    )  # fmt: skip
    call_cost_micros = WholeField(
        min_value=0, max_value=CALL_MICROS, allow_null=True, default=None,
        help_text="What one call costs, in millionths of a unit of the currency.",
    )  # fmt: skip
    currency = CurrencyField(default="EUR")


class FateSerializer(serializers.Serializer[Fate]):
    """An agent of one true rate; chances are of a verdict within `tasks`."""

    scenario = serializers.CharField()
    rate = serializers.FloatField()
    expected = serializers.FloatField(allow_null=True, help_text="Units on average.")
    nine_in_ten = serializers.IntegerField(
        allow_null=True, help_text="Units by which nine runs in ten are decided."
    )
    met = serializers.FloatField(allow_null=True)
    breached = serializers.FloatField(allow_null=True)
    open = serializers.FloatField(allow_null=True)


class PactClauseForecastSerializer(serializers.Serializer[ClauseForecast]):
    """One clause; a census has no fates: every unit counts."""

    key = serializers.CharField()
    title = serializers.CharField()
    unit = serializers.CharField()
    method = serializers.CharField()
    fates = FateSerializer(many=True)


class ForecastTotalSerializer(serializers.Serializer[Any]):
    """The pact in one scenario: what its slowest clause takes, in calls and in money."""

    scenario = serializers.CharField()
    clause = serializers.CharField()
    expected_calls = serializers.IntegerField(allow_null=True)
    nine_in_ten_calls = serializers.IntegerField(allow_null=True)
    expected_cost = AmountField(allow_null=True)
    nine_in_ten_cost = AmountField(allow_null=True)


class PactForecastSerializer(serializers.Serializer[Any]):
    """A pact's forecast; nothing of it is kept."""

    calls_per_task = serializers.IntegerField()
    tasks = serializers.IntegerField(allow_null=True)
    calls = serializers.IntegerField(allow_null=True, help_text="The most those tasks take.")
    currency = serializers.CharField()
    cost = AmountField(allow_null=True)
    clauses = PactClauseForecastSerializer(many=True)
    totals = ForecastTotalSerializer(many=True)


class PactForecasts(Makes):
    """Calls, chances and money until a verdict, by the lines a verdict is held against."""

    gives = PactForecastSerializer
    takes = NewForecastSerializer
    replays = False

    def create(self, given: dict[str, Any], now: datetime) -> dict[str, Any]:
        found = forecasts.forecast(terms.parse(given["terms"]), tasks=given["tasks"])
        price = {"call_micros": given["call_cost_micros"], "currency": given["currency"]}
        totals = [
            {
                "scenario": one.scenario,
                "clause": one.clause,
                "expected_calls": one.expected_calls,
                "nine_in_ten_calls": one.nine_in_ten_calls,
                "expected_cost": cost_of(calls=one.expected_calls, **price),
                "nine_in_ten_cost": cost_of(calls=one.nine_in_ten_calls, **price),
            }
            for one in found.totals
        ]
        return {
            "calls_per_task": found.calls_per_task,
            "tasks": found.tasks,
            "calls": found.calls,
            "currency": given["currency"],
            "cost": cost_of(calls=found.calls, **price),
            "clauses": found.clauses,
            "totals": totals,
        }
