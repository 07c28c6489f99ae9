"""Metered hires as both faces show them: whose they are, and where one stands at this moment."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from pacts.models import Engagement, Party
from settlement import metering_runway
from settlement.metering import Runway
from settlement.metering_cases import of_side
from settlement.metering_reasons import sentence_of
from settlement.models import Meter, MeterPause, MeterStatement, MeterWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One meter now: what is left, whether calls are paid for, and what a side may do."""

    meter: Meter
    runway: Runway
    authorised: bool
    sentence: str
    paused_by: str
    may: frozenset[str]


def meters_of(party_id: str) -> QuerySet[Meter]:
    """The metered hires a party is a side of."""
    return Meter.objects.filter(of_side(party_id)).select_related(
        "engagement__buyer", "engagement__builder", "engagement__agent_version__agent"
    )


def windows_of(party_id: str, *, adjudicates: bool = False) -> QuerySet[MeterWindow]:
    """The settled and waiting windows of a party's metered hires; for adjudicators also those that
    wait for a person, or did."""
    seen = Q(meter__engagement__buyer=party_id) | Q(meter__engagement__builder=party_id)
    if adjudicates:
        seen |= Q(rule="human_review")
    return MeterWindow.objects.filter(seen).select_related(
        "meter__engagement__buyer", "meter__engagement__builder", "statement__key"
    )


def windows_for_people(*, now: datetime) -> QuerySet[MeterWindow]:
    """Windows that wait for an adjudicator, the nearest deadline first."""
    rows = MeterWindow.objects.filter(
        state=MeterWindow.State.WITHHELD, rule="human_review", decide_by_at__gte=now
    )
    return rows.select_related("meter__engagement__agent_version__agent").order_by("decide_by_at")


def statements_of(party_id: str, *, adjudicates: bool = False) -> QuerySet[MeterStatement]:
    """The signed statements of the same windows."""
    seen = windows_of(party_id, adjudicates=adjudicates).order_by().values("pk")
    return MeterStatement.objects.filter(window__in=seen).select_related("window", "key")


def standing_of(meter: Meter, *, party: Party | None, now: datetime) -> Standing:
    """Where a meter stands, as `party` sees it."""
    pause = meter.pauses.filter(ended_at=None).first()
    left = metering_runway.runway(meter=meter, now=now)
    return Standing(
        meter=meter,
        runway=left,
        authorised=metering_runway.is_authorised(meter=meter, now=now),
        sentence=sentence_of(meter.closing_reason or meter.reason),
        paused_by=pause.cause if pause and pause.cause != MeterPause.Cause.BREACH else "",
        may=_may(meter, party, pause.cause if pause else ""),
    )


def _may(meter: Meter, party: Party | None, paused_by: str) -> frozenset[str]:
    """What the state allows this side; whether the visitor's role does is asked separately."""
    engagement = meter.engagement
    if party is None or party.pk not in (engagement.buyer_id, engagement.builder_id):
        return frozenset()
    side = "buyer" if party.pk == engagement.buyer_id else "builder"
    state, may = meter.state, set[str]()
    if state == Meter.State.UNFUNDED:
        in_force = engagement.state == Engagement.State.ACTIVE
        return frozenset({"fund"} if side == "buyer" and in_force else ())
    if state in (Meter.State.RUNNING, Meter.State.PAUSED, Meter.State.FROZEN):
        may.add("end")
    if side == "buyer" and state in (Meter.State.RUNNING, Meter.State.PAUSED):
        may.add("top_up")
    if state == Meter.State.RUNNING and side in meter.terms["pausers"]:
        may.add("pause")
    if state == Meter.State.PAUSED and side == paused_by:
        may.add("resume")
    if state == Meter.State.FROZEN and side == "buyer":
        may.add("waive")
    return frozenset(may)
