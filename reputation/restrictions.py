"""What controls restrict right now: what the floors above ask before they act.

A restriction is a firing that was not lifted and that no override suspends at the moment. At
exactly an override's end it still holds; strictly after it the restriction is back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from reputation.controls import METRICS
from reputation.models import Firing, Override


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One firing in force. `limit` is hundredths of any currency, for `narrow` alone.

    `by_platform`: a control of the platform's, not of a party over its own agents.
    """

    firing_id: str
    control: str
    action: str
    metric: str
    dimension: str
    threshold: int
    observed: int
    limit: int | None
    hold: timedelta | None
    since: datetime
    evidence_id: str
    by_platform: bool = True

    @property
    def sentence(self) -> str:
        """What it does, and why, in public words."""
        about = f" of {self.dimension}" if self.dimension else ""
        side = "under" if METRICS[self.metric].fires == "below" else "over"
        return (
            f"{METRICS[self.metric].title}{about}: {said(self.metric, self.observed)}, "
            f"{side} {said(self.metric, self.threshold)}, so {self.effect}"
        )

    @property
    def effect(self) -> str:
        """What is so while it is in force."""
        if self.limit is not None:
            return f"at most {self.limit / 100:,.2f} of each currency may be held on it"
        if self.hold is not None:
            return f"silence releases no money for up to {self.hold.days} days"
        return _EFFECTS[self.action]


_EFFECTS = {
    "re_evaluate": "it takes no new engagement until a re-evaluation is met",
    "escalate": "a person is asked to look",
    "route_elsewhere": "new hires go to other agents of its kind",
    "suspend": "its listing is suspended",
}


def said(metric: str, value: int) -> str:
    """A metric's value as people read it."""
    unit = METRICS[metric].unit
    if unit == "bps":
        return f"{value / 100:.2f} %"
    if unit == "hundredths":
        return f"{value / 100:.2f}"
    if unit == "yes":
        return "yes" if value else "no"
    if unit == "days":
        return f"{value:,} day" if value == 1 else f"{value:,} days"
    return f"{value:,}"


def in_force(*, agent_id: str, now: datetime) -> list[Restriction]:
    """The restrictions on one agent, the oldest first."""
    return in_force_on(agents=[agent_id], now=now).get(agent_id, [])


def in_force_on(*, agents: Iterable[str], now: datetime) -> dict[str, list[Restriction]]:
    """Agent id → its restrictions, in one query; agents without any are left out."""
    found: dict[str, list[Restriction]] = defaultdict(list)
    for firing in standing_firings(now=now).filter(agent_id__in=agents).order_by("fired_at", "pk"):
        found[firing.agent_id].append(_restriction(firing))
    return dict(found)


def standing_firings(*, now: datetime) -> QuerySet[Firing]:
    """Firings whose restriction is in force at `now`, with their controls."""
    overridden = Override.objects.filter(firing=OuterRef("pk"), from_at__lte=now, until_at__gte=now)
    return Firing.objects.filter(~Exists(overridden), released_at=None).select_related("control")


def narrowest(restrictions: Iterable[Restriction]) -> Restriction | None:
    """The one that leaves the least exposure, if any narrows it."""
    narrowing = [one for one in restrictions if one.limit is not None]
    return min(narrowing, key=lambda one: one.limit or 0, default=None)


def holds(*, agents: Iterable[str], now: datetime) -> Mapping[str, timedelta]:
    """Agent id → for how long at the most its money is withheld beyond the buyer's silence."""
    restricted = in_force_on(agents=set(agents), now=now)
    return {
        agent_id: longest
        for agent_id, found in restricted.items()
        if (longest := max((one.hold for one in found if one.hold), default=None))
    }


def _restriction(firing: Firing) -> Restriction:
    control = firing.control
    return Restriction(
        firing_id=firing.pk,
        control=firing.lineage,
        action=control.action,
        metric=control.metric,
        dimension=control.dimension,
        threshold=control.threshold,
        observed=firing.observed,
        limit=control.limit,
        hold=timedelta(days=control.hold_days) if control.hold_days else None,
        since=firing.fired_at,
        evidence_id=firing.evidence_id,
        by_platform=not control.owner_party,
    )
