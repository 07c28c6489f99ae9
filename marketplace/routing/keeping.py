"""Routes made, changed and closed by the buyer, and how each engagement on one stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from marketplace.models import Incident, Route, RouteEntry
from marketplace.routing.choosing import Candidate
from pacts.models import ClauseWindow, Engagement, Party, User
from reputation import queries, restrictions
from settlement.metering_runway import is_authorised
from settlement.models import Escrow, Meter

MOST_ENTRIES = 10
# A suspended agent is not called, and one that new hires avoid is not sent calls either.
KEEPS_AWAY = ("suspend", "route_elsewhere")
# How an incident ended that lets an agent back in although its window shows a breach.
LETS_BACK = (Incident.Outcome.FIXED, Incident.Outcome.FALSE_ALARM, Incident.Outcome.ACCEPTED)
_SET_ASIDE = (Escrow.State.HELD, Escrow.State.WITHHELD)


class RouteRefused(ValueError):
    """The route cannot be had like this; the message says what to change."""


class RouteClosed(Exception):
    """This route answers nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One place of a route's list, as the buyer says it."""

    engagement: str
    unfunded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTerms:
    """What a buyer says of a route."""

    name: str
    listed: Sequence[Listed]
    order: str = Route.Order.BEST
    deadline_ms: int = 20_000
    holds_back: bool = False


def make_route(*, buyer: Party, by: User, wanted: RouteTerms, now: datetime) -> Route:
    """A new route over engagements of the buyer's. Raises RouteRefused."""
    _check(buyer, wanted)
    with transaction.atomic():
        route = Route.objects.create(buyer=buyer, made_by=by, made_at=now, **_said(wanted))
        _list(route, wanted.listed)
    return route


def change_route(*, route: Route, wanted: RouteTerms) -> Route:
    """The route from now on. Raises RouteRefused, RouteClosed."""
    _check(route.buyer, wanted)
    with transaction.atomic():
        held = Route.objects.select_for_update().get(pk=route.pk)
        if held.closed_at is not None:
            raise RouteClosed("this route is closed; make a new one")
        Route.objects.filter(pk=route.pk).update(**_said(wanted))
        RouteEntry.objects.filter(route=route).delete()
        _list(route, wanted.listed)
    route.refresh_from_db()
    return route


def close_route(*, route: Route, now: datetime) -> Route:
    """It answers nothing any more; closing it again changes nothing."""
    Route.objects.filter(pk=route.pk, closed_at=None).update(closed_at=now)
    route.refresh_from_db()
    return route


def _said(wanted: RouteTerms) -> dict[str, object]:
    return {
        "name": wanted.name,
        "order": wanted.order,
        "deadline_ms": wanted.deadline_ms,
        "holds_back": wanted.holds_back,
    }


def _check(buyer: Party, wanted: RouteTerms) -> None:
    if wanted.order not in Route.Order.values:
        raise RouteRefused(f"the order is {' or '.join(Route.Order.values)}")
    if not 500 <= wanted.deadline_ms <= 60_000:
        raise RouteRefused("a request may take 500 to 60,000 milliseconds")
    ids = [one.engagement for one in wanted.listed]
    if not ids or len(ids) > MOST_ENTRIES:
        raise RouteRefused(f"list 1 to {MOST_ENTRIES} engagements")
    if len(set(ids)) != len(ids):
        raise RouteRefused("an engagement stands on the list once")
    own = Engagement.objects.filter(buyer=buyer, pk__in=ids)
    if own.count() != len(ids):
        raise RouteRefused("a route lists engagements in which you are the buyer")
    if own.exclude(state=Engagement.State.ACTIVE).exists():
        raise RouteRefused("a route lists engagements that are in force")


def _list(route: Route, listed: Sequence[Listed]) -> None:
    RouteEntry.objects.bulk_create(
        [
            RouteEntry(
                route=route,
                engagement_id=one.engagement,
                position=place,
                unfunded=one.unfunded,
            )
            for place, one in enumerate(listed, start=1)
        ]
    )


def routes_of(buyer: Party | str) -> QuerySet[Route]:
    """A buyer's routes, the newest first."""
    rows = Route.objects.filter(buyer=buyer).select_related("current__agent_version__agent")
    return rows.prefetch_related("entries__engagement__agent_version__agent")


def entries_of(route: Route) -> list[RouteEntry]:
    """The list of a route with what a call needs of each."""
    rows = RouteEntry.objects.filter(route=route).order_by("position")
    return list(rows.select_related("engagement__agent_version__agent", "engagement__pact_version"))


def candidates(entries: Sequence[RouteEntry], *, now: datetime) -> list[Candidate]:
    """How each engagement of a list stands at this moment."""
    versions = {
        one.engagement.agent_version_id: one.engagement.agent_version.agent_id for one in entries
    }
    scores = queries.scores_of(agents=set(versions.values()))
    kept_away = _kept_away(set(versions.values()), now)
    ids = [one.engagement_id for one in entries]
    money, meters, breaches = _money(ids), _meters(ids), breached_clauses(ids)
    found = []
    for one in entries:
        version = one.engagement.agent_version
        score = scores.get(version.pk)
        states, meter = money.get(one.engagement_id, set()), meters.get(one.engagement_id)
        paid_for = bool(states & set(_SET_ASIDE)) or (
            meter is not None and is_authorised(meter=meter, now=now)
        )
        frozen = meter is not None and meter.state == Meter.State.FROZEN
        found.append(
            Candidate(
                engagement=one.engagement_id,
                agent=version.agent_id,
                position=one.position,
                active=one.engagement.state == Engagement.State.ACTIVE,
                funded=one.unfunded or paid_for,
                frozen=frozen or Escrow.State.FROZEN in states,
                suspended=kept_away.get(version.agent_id, ""),
                breached=breaches.get(one.engagement_id, ()),
                resting=one.resting_until is not None and one.resting_until > now,
                lower_bps=score.score_bps if score else None,
            )
        )
    return found


def _kept_away(agents: set[str], now: datetime) -> dict[str, str]:
    found = restrictions.in_force_on(agents=agents, now=now)
    return {
        agent: next((one.sentence for one in each if one.action in KEEPS_AWAY), "")
        for agent, each in found.items()
    }


def _money(engagements: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    rows = Escrow.objects.filter(milestone__engagement__in=engagements)
    for engagement, state in rows.values_list("milestone__engagement_id", "state"):
        found.setdefault(engagement, set()).add(state)
    return found


def _meters(engagements: Sequence[str]) -> dict[str, Meter]:
    return {one.engagement_id: one for one in Meter.objects.filter(engagement__in=engagements)}


def breached_clauses(engagements: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Engagement → clauses whose open window shows a breach that nobody has cleared since.

    A breach is cleared by a resolved incident of the clause that lets the agent back.
    """
    open_windows = ClauseWindow.objects.filter(
        stream__engagement__in=engagements, concluded_at=None, latched_at__isnull=False
    ).select_related("stream")
    cleared = {
        (one.engagement_id, one.clause): one.resolved_at
        for one in Incident.objects.filter(
            Q(engagement__in=engagements), outcome__in=LETS_BACK
        ).order_by("resolved_at")
    }
    found: dict[str, set[str]] = {}
    for window in open_windows:
        engagement = window.stream.engagement_id
        until = cleared.get((engagement, window.clause))
        if until is None or window.latched_at is None or window.latched_at > until:
            found.setdefault(engagement, set()).add(window.clause)
    return {engagement: tuple(sorted(clauses)) for engagement, clauses in found.items()}
