"""Metered hires: a budget for production calls, its windows, and their statements."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from marketplace import metered_hiring
from marketplace.api import idempotency
from marketplace.api.meter_serializers import (
    MeteredHireSerializer,
    MeterSerializer,
    MeterStatementSerializer,
    MeterWindowSerializer,
    TopUpSerializer,
    WindowRulingSerializer,
)
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.api.papers import Paper
from marketplace.files import statement_paper
from marketplace.metered_view import meters_of, statements_of, windows_of
from marketplace.models import Listing
from pacts.metering import MeteringTerms
from settlement import meters
from settlement.models import Meter, MeterStatement, MeterWindow


class MeterFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Meter.State.choices)
    engagement = django_filters.CharFilter(field_name="engagement_id")
    agent = django_filters.CharFilter(field_name="agent_id")


class MeterWindowFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=MeterWindow.State.choices)
    meter = django_filters.CharFilter(field_name="meter_id")
    outcome = django_filters.CharFilter()


class OfMeters(Noun):
    """The metered hires of either side, and the windows an adjudicator is asked about."""

    def meters(self) -> QuerySet[Meter]:
        return meters_of(self.own)

    def meter(self) -> Meter:
        return self.find(self.meters(), pk=self.kwargs["id"])

    def windows(self) -> QuerySet[MeterWindow]:
        return windows_of(self.own, adjudicates=self.adjudicates)

    def window(self) -> MeterWindow:
        return self.find(self.windows(), pk=self.kwargs["id"])

    def window_now(self) -> MeterWindow:
        return self.windows().get(pk=self.kwargs["id"])

    def meter_now(self) -> Meter:
        return self.meters().get(pk=self.kwargs["id"])


class Meters(OfMeters, Lists, Makes):
    """Metered hires. A POST offers one on a listing and signs for the buyer."""

    gives = MeterSerializer
    takes = MeteredHireSerializer
    moves_money = True
    filterset_class = MeterFilter

    def get_queryset(self) -> QuerySet[Meter]:
        return self.meters()

    def create(self, given: dict[str, Any], now: datetime) -> Meter:
        listings = Listing.objects.select_related(
            "agent", "agent_version__agent__builder", "pact_version__pact"
        )
        listing = self.find(listings, pk=given.pop("listing"))
        terms = MeteringTerms(**given | {"pausers": tuple(given["pausers"])})
        made = metered_hiring.hire(
            listing=listing,
            buyer=self.party,
            metering=terms,
            by=self.user,
            authority=self.authority,
            now=now,
        )
        return self.meters().get(pk=made.pk)


class OneMeter(OfMeters, Reads):
    """One metered hire: what is left, and whether calls are paid for right now."""

    gives = MeterSerializer

    def get_queryset(self) -> QuerySet[Meter]:
        return self.meters()


class MeterFunding(OfMeters, Makes):
    """The buyer sets the agreed budget aside; from now on calls count."""

    gives = MeterSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Meter:
        key = idempotency.key_for_the_ledger(self.request)
        meters.fund(meter=self.meter(), by=self.party, idempotency_key=key, now=now)
        return self.meter_now()


class MeterTopUp(OfMeters, Makes):
    """The buyer adds to a budget that runs or is paused."""

    gives = MeterSerializer
    takes = TopUpSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Meter:
        meters.top_up(
            meter=self.meter(),
            by=self.party,
            amount=given["amount"],
            idempotency_key=idempotency.key_for_the_ledger(self.request),
            now=now,
        )
        return self.meter_now()


class MeterPausing(OfMeters, Makes):
    """A side pauses: calls received from now on cost nothing."""

    gives = MeterSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Meter:
        meters.pause(meter=self.meter(), by=self.party, user=self.user, now=now)
        return self.meter_now()


class MeterResumption(OfMeters, Makes):
    """The side that paused lets it go on."""

    gives = MeterSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Meter:
        meters.resume(meter=self.meter(), by=self.party, now=now)
        return self.meter_now()


class MeterWaiver(OfMeters, Makes):
    """The buyer goes on in spite of a critical breach; what broke it still costs nothing."""

    gives = MeterSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Meter:
        meters.waive(meter=self.meter(), by=self.party, now=now)
        return self.meter_now()


class MeterEnding(OfMeters, Makes):
    """Either side ends it: calls up to now are settled, the rest returns to the buyer."""

    gives = MeterSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Meter:
        meters.end(meter=self.meter(), by=self.party, now=now)
        return self.meter_now()


class MeterWindows(OfMeters, Lists):
    """Windows that were settled, or wait for a decision."""

    gives = MeterWindowSerializer
    filterset_class = MeterWindowFilter

    def get_queryset(self) -> QuerySet[MeterWindow]:
        return self.windows()


class OneMeterWindow(OfMeters, Reads):
    """One window: what was counted, its verdict, and what it came to."""

    gives = MeterWindowSerializer

    def get_queryset(self) -> QuerySet[MeterWindow]:
        return self.windows()


class MeterWindowAcceptance(OfMeters, Makes):
    """The buyer pays in full a window that the pact lets wait."""

    gives = MeterWindowSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> MeterWindow:
        meters.accept_window(window=self.window(), by=self.party, now=now)
        return self.window_now()


class MeterWindowRuling(OfMeters, Makes):
    """An adjudicator decides a window that the pact asks a person about."""

    gives = MeterWindowSerializer
    takes = WindowRulingSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> MeterWindow:
        meters.rule_window(window=self.window(), adjudicator=self.user, now=now, **given)
        return self.window_now()


class MeterStatements(OfMeters, Lists):
    """The signed statements of settled windows."""

    gives = MeterStatementSerializer

    def get_queryset(self) -> QuerySet[MeterStatement]:
        return statements_of(self.own, adjudicates=self.adjudicates)


class OneMeterStatement(OfMeters, Reads):
    """One signed statement."""

    gives = MeterStatementSerializer

    def get_queryset(self) -> QuerySet[MeterStatement]:
        return statements_of(self.own, adjudicates=self.adjudicates)


class MeterStatementPaper(Paper):
    """One statement as PDF: the signed body, its signature and key; always the same bytes."""

    produces = "application/pdf"

    def get(self, request: Request, id: str) -> HttpResponse:
        rows = statements_of(self.own, adjudicates=self.adjudicates)
        return statement_paper(self.find(rows, pk=id))
