"""What a control looks at: every metric of one agent, read once, as whole numbers.

The version on offer is what counts; without an offer, the one with the newest evidence. What has
no evidence yet is unknown (None), and what is unknown neither fires nor clears anything.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from marketplace.models import Suspicion
from pacts.models import CallStream, ClauseWindow, DriftAlarm
from reputation import queries
from reputation.controlling import Due
from reputation.controls import Place, Reading, Terms
from reputation.indicators import Signals, signals_for
from reputation.models import VersionRecord
from reputation.queries import AgentStanding
from reputation.shelves import RECORDS
from reputation.tallies import Record

LIVE_FOR = timedelta(days=30)  # how long what production calls showed speaks against an agent
FEWEST_VERDICTS = 3  # settled hires before a rate of them is read


class Readings:
    """One agent at one moment. Each metric is read when a control asks for it, and once."""

    def __init__(self, place: Place, *, reviews: list[Due], now: datetime) -> None:
        self.place, self.now, self._reviews = place, now, reviews

    def of(self, terms: Terms) -> Reading:
        """The value of the control's metric, and what it rests on."""
        return _METRICS[terms.metric](self, terms)

    @cached_property
    def standing(self) -> AgentStanding:
        return queries.standing_of(
            agent_id=self.place.agent_id, version_id=self.place.version_id or None, now=self.now
        )

    @cached_property
    def signals(self) -> Signals:
        return signals_for(self.standing)

    @cached_property
    def record(self) -> Record:
        return _record(self.place, self.standing.version_id)

    def lower_bound(self, terms: Terms) -> Reading:
        if not terms.dimension:
            composite = self.standing.composite
            return Reading(composite.score_bps, str(composite.units))
        found = self.standing.dimensions.get(terms.dimension)
        return Reading(found.lower_bps, str(found.units)) if found else Reading(None)

    def units(self, terms: Terms) -> Reading:
        units = self.standing.composite.units
        return Reading(units or None, str(units))

    def freshness_days(self, terms: Terms) -> Reading:
        age = self.signals.freshness
        return Reading(age.days, (self.now - age).isoformat()) if age is not None else Reading(None)

    def version_changed(self, terms: Terms) -> Reading:
        known = queries.versions_of(agent_id=self.place.agent_id)
        version = self.place.version_id
        if not known or not version:
            return Reading(None)
        if self.standing.changed is not None:  # another model answers under the same name
            return Reading(1, self.standing.changed.evidence_id)
        return Reading(int(version not in known), version)

    def compliance_rate(self, terms: Terms) -> Reading:
        known = self.record.met + self.record.breached >= FEWEST_VERDICTS
        return Reading(self.signals.compliance_bps if known else None, _basis(self.record))

    def disputes_per_100(self, terms: Terms) -> Reading:
        rate = self.signals.disputes_per_100
        hundredths = None if rate is None else round(100 * rate)
        return Reading(hundredths, _basis(self.record))

    def critical_breaches(self, terms: Terms) -> Reading:
        record = self.record
        known = record.met + record.breached
        return Reading(record.critical_breaches if known else None, _basis(record))

    @cached_property
    def _streams(self) -> list[str]:
        """The streams of production calls of the agent, whichever version answers."""
        rows = CallStream.objects.filter(agent_version__agent=self.place.agent_id)
        return list(rows.values_list("pk", flat=True))

    def live_breaches(self, terms: Terms) -> Reading:
        rows = ClauseWindow.objects.filter(
            stream__in=self._streams, latched_at__gt=self.now - LIVE_FOR
        )
        return self._live(list(rows.order_by("latched_at").values_list("pk", flat=True)))

    def drift_alarms(self, terms: Terms) -> Reading:
        rows = DriftAlarm.objects.filter(
            stream__in=self._streams,
            level=DriftAlarm.Level.ACT,
            raised_at__gt=self.now - LIVE_FOR,
        )
        return self._live(list(rows.order_by("raised_at", "pk").values_list("pk", flat=True)))

    def _live(self, rows: Sequence[object]) -> Reading:
        """How many; unknown of an agent without production calls. It rests on the newest."""
        if not self._streams:
            return Reading(None)
        return Reading(len(rows), f"{len(rows)}:{rows[-1] if rows else ''}")

    def review_overdue_days(self, terms: Terms) -> Reading:
        late = [
            due
            for due in self._reviews
            if self.place.is_in(due.control.scope, due.control.scope_id) and due.is_overdue
        ]
        worst = max((due.overdue_days(self.now) for due in late), default=0)
        return Reading(worst, ",".join(sorted(due.control.lineage[-8:] for due in late))[:80])

    def frozen(self, terms: Terms) -> Reading:
        rows = Suspicion.objects.filter(
            state=Suspicion.State.FROZEN, agents__contains=[self.place.agent_id]
        )
        found = sorted(rows.values_list("pk", flat=True))
        return Reading(int(bool(found)), ",".join(one[-8:] for one in found)[:80])


_METRICS: dict[str, Callable[[Readings, Terms], Reading]] = {
    "lower_bound": Readings.lower_bound,
    "compliance_rate": Readings.compliance_rate,
    "freshness_days": Readings.freshness_days,
    "disputes_per_100": Readings.disputes_per_100,
    "critical_breaches": Readings.critical_breaches,
    "live_breaches": Readings.live_breaches,
    "drift_alarms": Readings.drift_alarms,
    "units": Readings.units,
    "version_changed": Readings.version_changed,
    "review_overdue_days": Readings.review_overdue_days,
    "frozen": Readings.frozen,
}


def _basis(record: Record) -> str:
    return f"{record.verdicts}:{record.tasks}:{record.rulings}"


def _record(place: Place, version_id: str | None) -> Record:
    """The counts the log adds up to for one version."""
    row = VersionRecord.objects.filter(
        agent_id=place.agent_id, version_id=version_id or "-"
    ).first()
    return RECORDS.value_of(row) if row else Record()
