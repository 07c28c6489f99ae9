"""Controls as sentences, and what a firing changed, for everybody it concerns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import labels, steering
from marketplace.acting import Acting
from marketplace.models import Listing
from marketplace.pages.wording import local, plural
from pacts.models import Agent, Party, ReEvaluation, User
from reputation import controlling, restrictions
from reputation.controlling import Due
from reputation.controls import ACTIONS, METRICS
from reputation.models import Control, Firing, Override
from reputation.restrictions import Restriction, said

# What changed, in the words of whoever reads the page.
_CHANGES = {
    "limit": _lazy("Money that may be held on it"),
    "listing": _lazy("Its listing"),
    "re_evaluate": _lazy("New engagements wait for a re-evaluation"),
    "escalate": _lazy("A person is asked to look"),
    "route_elsewhere": _lazy("New hires are sent to other agents"),
    "withhold": _lazy("Silence no longer releases money"),
}
# What is so while a control is in force, to those who read the agent's page.
_EFFECTS = {
    "re_evaluate": _lazy("It takes no new engagement until a re-evaluation is met."),
    "escalate": _lazy("A person is asked to look."),
    "route_elsewhere": _lazy("New hires go to other agents of its kind."),
    "suspend": _lazy("Its listing is suspended."),
}


@dataclass(frozen=True, slots=True)
class InForce:
    """A restriction with what it does and what was seen, in words."""

    restriction: Restriction
    effect: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One control of the console."""

    control: Control
    due: Due
    firing: int
    scope: str
    owner: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """One firing with the agent it restricts."""

    firing: Firing
    agent: Agent
    why: str
    what: list[str]
    override: Override | None
    runs: Sequence[ReEvaluation] = ()

    @property
    def state(self) -> str:
        if self.firing.released_at:
            return "lifted"
        return _("overridden") if self.override else _("in force")


def rows_of(controls: Iterable[Control], *, now: datetime) -> list[Row]:
    """Controls with their next review and how many agents each restricts."""
    found = list(controls)
    fired: dict[str, int] = {}
    for lineage in Firing.objects.filter(
        released_at=None, lineage__in=[one.lineage for one in found]
    ).values_list("lineage", flat=True):
        fired[lineage] = fired.get(lineage, 0) + 1
    names = _names(found)
    return [
        Row(
            control=due.control,
            due=due,
            firing=fired.get(due.control.lineage, 0),
            scope=scope_of(due.control, names),
            owner=names.get(due.control.owner_user, _("somebody who left"))
            + (f", {names[due.control.owner_party]}" if due.control.owner_party in names else ""),
            sentence=sentence_of(due.control),
        )
        for due in controlling.dues_of(found, now=now)
    ]


def sentence_of(control: Control) -> str:
    """`When the lower bound of the standing is under 80.00 %, suspend the listing.`"""
    metric = METRICS[control.metric]
    about = _(" of %(dimension)s") % {"dimension": control.dimension} if control.dimension else ""
    title = f"{_begun(metric.title)}{about}"
    then = labels.said(ACTIONS[control.action])
    if control.limit is not None:
        then += _(" to %(limit)s") % {"limit": local(f"{control.limit / 100:,.2f}")}
    if control.hold_days:
        then += _(" for up to %(days)s") % {"days": plural(control.hold_days, "day")}
    if metric.unit == "yes":
        return _("When %(title)s, %(then)s.") % {"title": title, "then": then}
    side = _("under") if metric.fires == "below" else _("over")
    return _("When %(title)s is %(side)s %(metric)s, %(then)s; clears at %(metric2)s.") % {
        "title": title,
        "side": side,
        "metric": said(control.metric, control.threshold),
        "then": then,
        "metric2": said(control.metric, control.recover_at),
    }


def _begun(title: str) -> str:
    """A title inside a sentence; German keeps the capital of a noun."""
    said = labels.said(title)
    return said if said != title else f"{title[:1].lower()}{title[1:]}"


def scope_of(control: Control, names: dict[str, str]) -> str:
    """Whom a control is about."""
    if control.scope == "platform":
        return _("every agent")
    if control.scope == "category":
        return _("every agent for %(scope_id)s") % {"scope_id": control.scope_id}
    name = names.get(control.scope_id, control.scope_id)
    return _("every agent of %(name)s") % {"name": name} if control.scope == "builder" else name


def _names(controls: Sequence[Control]) -> dict[str, str]:
    ids = {one.scope_id for one in controls}
    names = dict(Agent.objects.filter(pk__in=ids).values_list("pk", "name"))
    names |= dict(Listing.objects.filter(pk__in=ids).values_list("pk", "agent__name"))
    parties = ids | {one.owner_party for one in controls}
    names |= dict(Party.objects.filter(pk__in=parties).values_list("pk", "name"))
    owners = User.objects.filter(pk__in={one.owner_user for one in controls})
    return names | {user.pk: str(user) for user in owners}


def fired_of(rows: Iterable[Firing], *, now: datetime) -> list[Fired]:
    """Firings as pages show them; needs `control` and `overrides`."""
    found = list(rows)
    agents = Agent.objects.select_related("builder").in_bulk([one.agent_id for one in found])
    return [
        Fired(
            firing=one,
            agent=agents[one.agent_id],
            why=why_of(one),
            what=[_change(what, change) for what, change in one.changed.items()],
            override=next((o for o in one.overrides.all() if o.from_at <= now <= o.until_at), None),
        )
        for one in found
    ]


def why_of(firing: Firing) -> str:
    """What was seen, against which threshold."""
    control = firing.control
    return _seen(control.metric, control.dimension, firing.observed, control.threshold)


def _seen(metric: str, dimension: str, observed: int, threshold: int) -> str:
    return _("%(title)s%(about)s: %(metric)s, threshold %(metric2)s") % {
        "title": labels.said(METRICS[metric].title),
        "about": _(" of %(dimension)s") % {"dimension": dimension} if dimension else "",
        "metric": said(metric, observed),
        "metric2": said(metric, threshold),
    }


def _change(what: str, change: Any) -> str:
    before, after = change
    if what == "limit" and before == after:
        return _("%(changes)s: stays at %(after)s of each currency") % {
            "changes": _CHANGES[what],
            "after": local(f"{after / 100:,.2f}"),
        }
    if what == "limit":
        return _("%(changes)s: from %(before)s to %(after)s of each currency") % {
            "changes": _CHANGES[what],
            "before": local(f"{before / 100:,.2f}"),
            "after": local(f"{after / 100:,.2f}"),
        }
    if what == "listing":
        return _("%(changes)s: from %(before)s to %(after)s") % {
            "changes": _CHANGES[what],
            "before": before,
            "after": after,
        }
    return str(_CHANGES.get(what, what))


def restrictions_on(agent_id: str, *, now: datetime) -> list[InForce]:
    """What is in force on an agent; public."""
    found = restrictions.in_force(agent_id=agent_id, now=now)
    return [InForce(one, effect=_effect(one), why=_why(one)) for one in found]


def _effect(one: Restriction) -> str:
    if one.limit is not None:
        limit = local(f"{one.limit / 100:,.2f}")
        return _("At most %(limit)s of each currency may be held on it.") % {"limit": limit}
    if one.hold is not None:
        days = plural(one.hold.days, "day")
        return _("Silence releases no money for up to %(days)s.") % {"days": days}
    return str(_EFFECTS[one.action])


def _why(one: Restriction) -> str:
    return _seen(one.metric, one.dimension, one.observed, one.threshold)


def waiting_for(acting: Acting, *, now: datetime) -> list[Fired]:
    """Escalations that wait for somebody like the one who looks."""
    rows = steering.firings_seen_by(acting).filter(released_at=None, control__action="escalate")
    mine = [one for one in rows if steering.may_steer(acting, one.control)]
    return [one for one in fired_of(mine, now=now) if one.override is None]
