"""Holding agents against controls: what is in scope, what a firing changes here, and when to look.

Rows are the queue: an agent is looked at when the log has news of it, when a control over it
changes, and at least every hour, for age alone moves a standing.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet

from marketplace import oracle
from marketplace.models import AgentWatch, Listing, WatchCursor
from marketplace.readings import Readings
from pacts import reevaluations
from pacts.models import Agent
from reputation import controlling, firings, restrictions
from reputation.controlling import Due
from reputation.controls import Place
from reputation.models import Control, EvidenceSubject, Firing, Override, StandingCursor
from reputation.tallies import METHOD
from settlement.limits import limit_for

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(hours=1)
NEWS_BATCH = 5_000
HUNDREDTHS_IN = "EUR"  # any currency of two decimals: limits are published in hundredths


def oversee(*, now: datetime, limit: int = 200) -> int:
    """Look at every agent that is due; how many were. The sweep, and what hints point at."""
    _note_news()
    _watch_newcomers()
    controls = controlling.present()
    reviews = controlling.dues_of(controls, now=now)
    return sum(_look_alone(agent_id, controls, reviews, now) for agent_id in due(now, limit))


def due(now: datetime, limit: int) -> list[str]:
    """Agents to look at, those with news first."""
    rows = AgentWatch.objects.filter(Q(looked_at=None) | Q(looked_at__lt=now - LOOK_EVERY))
    ordered = rows.order_by(F("looked_at").asc(nulls_first=True), "pk")
    return list(ordered.values_list("pk", flat=True)[:limit])


def look_at(*, agent_id: str, now: datetime) -> list[Firing]:
    """Hold one agent against every control over it; the firings that began or ended."""
    controls = controlling.present()
    return _look(agent_id, controls, controlling.dues_of(controls, now=now), now)


def ask_for_a_look(*, scope: str, scope_id: str) -> None:
    """The agents of a scope are due: a control over them changed."""
    _watch_newcomers()
    AgentWatch.objects.filter(agent__in=agents_in(scope, scope_id)).update(looked_at=None)


def agents_in(scope: str, scope_id: str) -> QuerySet[Agent]:
    """The agents a control of this scope is about."""
    rows = Agent.objects.all()
    if scope == "platform":
        return rows
    by = {"agent": "pk", "listing": "listing", "builder": "builder_id", "category": "work"}
    return rows.filter(**{by[scope]: scope_id}) if scope in by else rows.none()


def place_of(agent: Agent) -> Place:
    """Where an agent stands, with its offer if it has one."""
    listing: Listing | None = getattr(agent, "listing", None)
    return Place(
        agent_id=agent.pk,
        builder_id=agent.builder_id,
        category=agent.work,
        listing_id=listing.pk if listing else "",
        version_id=listing.agent_version_id if listing else "",
    )


def _look_alone(agent_id: str, controls: list[Control], reviews: list[Due], now: datetime) -> int:
    """One agent that fails must not hold up the others: it is logged and looked at in an hour."""
    try:
        _look(agent_id, controls, reviews, now)
    except Exception:
        log.exception("agent %s could not be held against its controls", agent_id)
        AgentWatch.objects.filter(pk=agent_id).update(looked_at=now)
        return 0
    return 1


def _look(
    agent_id: str, controls: list[Control], reviews: list[Due], now: datetime
) -> list[Firing]:
    with transaction.atomic():
        firings.lock_agent(agent_id)
        agent = Agent.objects.select_related("listing").get(pk=agent_id)
        place = place_of(agent)
        readings = Readings(place, reviews=reviews, now=now)
        over = [one for one in controls if place.is_in(one.scope, one.scope_id)]
        changed = _lift_what_ended(agent_id, over, readings, now)
        for control in over:
            effect = _Effect(place, now)
            reading = readings.of(control.terms)
            looked = firings.look(
                control=control, place=place, reading=reading, effect=effect, now=now
            )
            changed += [looked] if looked else []
        project_listing(agent_id=agent_id, now=now)
        told = oracle.publish(agent_id=agent_id, now=now)
        again = _looked_at(agent_id, now) if told.is_whole else None
        AgentWatch.objects.update_or_create(agent_id=agent_id, defaults={"looked_at": again})
    return changed


def _looked_at(agent_id: str, now: datetime) -> datetime:
    """Now; or so long ago that the next look comes when an override ends."""
    ends = Override.objects.filter(
        firing__agent_id=agent_id, firing__released_at=None, until_at__gt=now
    ).aggregate(first=Min("until_at"))["first"]
    return min(now, ends - LOOK_EVERY) if ends else now


def _lift_what_ended(
    agent_id: str, over: list[Control], readings: Readings, now: datetime
) -> list[Firing]:
    """Firings of controls that are gone, and those a met re-evaluation answers."""
    lineages = {one.lineage for one in over}
    lifted = []
    for firing in Firing.objects.filter(agent_id=agent_id, released_at=None).select_related(
        "control"
    ):
        if firing.lineage not in lineages:
            retired = Firing.Release.RETIRED
            lifted.append(firings.lift(firing=firing, release=retired, basis="", now=now))
        elif firing.control.action == "re_evaluate" and reevaluations.is_met(firing):
            basis = readings.of(firing.control.terms).basis
            met = Firing.Release.RE_EVALUATED
            lifted.append(firings.lift(firing=firing, release=met, basis=basis, now=now))
    return lifted


class _Effect:
    """What a firing changes for one agent, said before it does."""

    def __init__(self, place: Place, now: datetime) -> None:
        self.place, self.now = place, now

    def __call__(self, control: Control) -> Mapping[str, Any]:
        if control.action == "narrow":
            before = limit_for(
                agent_id=self.place.agent_id,
                version_id=self.place.version_id,
                currency=HUNDREDTHS_IN,
                now=self.now,
            ).amount
            return {"limit": [before, min(before, control.limit or 0)]}
        if control.action == "suspend":
            found = Listing.objects.filter(pk=self.place.listing_id).first()
            return {"listing": [found.state if found else "none", "suspended"]}
        return {control.action: [False, True]}


def project_listing(*, agent_id: str, now: datetime) -> None:
    """Make the listing show what is in force: suspended while a control suspends it, as before
    once none does. A suspension by staff is staff's to lift.
    """
    listing = Listing.objects.select_for_update(no_key=True).filter(agent_id=agent_id).first()
    if listing is None:
        return
    suspending = restrictions.standing_firings(now=now).filter(
        agent_id=agent_id, control__action="suspend"
    )
    first = suspending.order_by("fired_at", "pk").first()
    if first and listing.state != Listing.State.SUSPENDED:
        _switch(listing, Listing.State.SUSPENDED, first.pk)
    elif first is None and listing.suspended_by and listing.state == Listing.State.SUSPENDED:
        _switch(listing, _state_before(listing.suspended_by), "")


def _switch(listing: Listing, state: str, suspended_by: str) -> None:
    Listing.objects.filter(pk=listing.pk).update(state=state, suspended_by=suspended_by)


def _state_before(firing_id: str) -> str:
    firing = Firing.objects.filter(pk=firing_id).first()
    before = firing.changed.get("listing", [""])[0] if firing else ""
    return Listing.State.OPEN if before == Listing.State.OPEN else Listing.State.PAUSED


def _watch_newcomers() -> None:
    missing = Agent.objects.filter(watch=None).values_list("pk", flat=True)
    AgentWatch.objects.bulk_create(
        [AgentWatch(agent_id=agent_id) for agent_id in missing], ignore_conflicts=True
    )


@transaction.atomic
def _note_news() -> None:
    """Agents named since the last time are due, as far as the standings have read the log.

    The cursor moves in the transaction that makes them due.
    """
    cursor, _ = WatchCursor.objects.select_for_update().get_or_create(pk=1)
    read = StandingCursor.objects.filter(pk=METHOD).first()
    until = min(cursor.next_index + NEWS_BATCH, read.next_index if read else 0)
    if until <= cursor.next_index:
        return
    named = EvidenceSubject.objects.filter(
        role="agent",
        evidence__entries__index__gte=cursor.next_index,
        evidence__entries__index__lt=until,
    )
    _due_now(named.values_list("subject_id", flat=True).distinct())
    WatchCursor.objects.filter(pk=1).update(next_index=until)


def _due_now(agents: Iterable[str]) -> None:
    AgentWatch.objects.filter(pk__in=list(agents)).update(looked_at=None)
