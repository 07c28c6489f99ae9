"""Firing and lifting: what a look at one agent under one control changes. Looking twice is once."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from reputation import evidence
from reputation.controls import Place, Reading, decide
from reputation.envelope import instant
from reputation.models import Control, Firing, Override

LONGEST_OVERRIDE = timedelta(days=90)

# What a firing changes, as `{"what": [before, after]}`: asked in the transaction that fires.
Effect = Callable[[Control], Mapping[str, Any]]


class OverrideRefused(ValueError):
    """An override needs a reason and an end; the message says what is missing."""


class FiringLifted(Exception):
    """The restriction was lifted already."""


def lock_agent(agent_id: str) -> None:
    """Whoever looks at one agent waits for whoever does; held to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('controls'), hashtext(%s))", [agent_id]
        )


def look(
    *, control: Control, place: Place, reading: Reading, effect: Effect, now: datetime
) -> Firing | None:
    """Hold one agent against the present version of one control; the firing that changed, if any.

    The caller holds `lock_agent` in a transaction.
    """
    firing = _in_force(control.lineage, place.agent_id)
    if firing and firing.control_id != control.pk:
        lift(firing=firing, release=Firing.Release.CHANGED, basis="", now=now)
        firing = None
    step = decide(
        terms=control.terms,
        reading=reading,
        is_firing=firing is not None,
        forgiven=None if firing else _forgiven(control.lineage, place.agent_id),
    )
    if step == "fire":
        return _fire(control, place, reading, effect, now)
    if step == "clear" and firing:
        recovered = Firing.Release.RECOVERED
        return lift(
            firing=firing, release=recovered, basis=reading.basis, now=now, at=reading.value
        )
    return None


def lift(
    *, firing: Firing, release: Firing.Release, basis: str, now: datetime, at: int | None = None
) -> Firing:
    """End a restriction, in the caller's transaction. `at` is the value it recovered to.

    Raises FiringLifted when somebody was faster.
    """
    recorded = evidence.append(
        kind="control.cleared",
        subjects=_subjects(firing),
        facts={"release": release.value} | ({"observed": at} if at is not None else {}),
        at=now,
    )
    lifted = Firing.objects.filter(pk=firing.pk, released_at=None).update(
        released_at=now,
        release=release,
        released_basis=basis,
        release_evidence_id=recorded.pk,
    )
    if not lifted:
        raise FiringLifted("this restriction was lifted already")
    firing.refresh_from_db()
    return firing


def override(*, firing: Firing, by: str, reason: str, until: datetime, now: datetime) -> Override:
    """Suspend a restriction until a time. Whether `by` may is decided above.

    Raises OverrideRefused, FiringLifted.
    """
    if len(reason.strip()) < 10:
        raise OverrideRefused("give a reason: a sentence that both sides can follow")
    if not now < until <= now + LONGEST_OVERRIDE:
        raise OverrideRefused(
            f"an override ends: choose a time ahead, at most {LONGEST_OVERRIDE.days} days from now"
        )
    with transaction.atomic():
        lock_agent(firing.agent_id)
        if Firing.objects.filter(pk=firing.pk, released_at=None).first() is None:
            raise FiringLifted("this restriction was lifted already")
        recorded = evidence.append(
            kind="control.overridden",
            subjects=_subjects(firing),
            facts={"until": instant(until)},
            private={"by": by, "reason": reason.strip()},
            at=now,
        )
        return Override.objects.create(
            firing=firing,
            by=by,
            reason=reason.strip(),
            from_at=now,
            until_at=until,
            evidence_id=recorded.pk,
        )


def _in_force(lineage: str, agent_id: str) -> Firing | None:
    rows = Firing.objects.filter(lineage=lineage, agent_id=agent_id, released_at=None)
    return rows.select_related("control").first()


def _forgiven(lineage: str, agent_id: str) -> str | None:
    """The basis a person or a re-evaluation looked at when they last lifted it."""
    last = Firing.objects.filter(lineage=lineage, agent_id=agent_id).order_by("-fired_at").first()
    looked = (Firing.Release.RE_EVALUATED, Firing.Release.RESOLVED)
    return last.released_basis if last and last.release in looked else None


def _fire(
    control: Control, place: Place, reading: Reading, effect: Effect, now: datetime
) -> Firing | None:
    assert reading.value is not None, "what is unknown fires nothing"
    firing = Firing(
        control=control,
        lineage=control.lineage,
        agent_id=place.agent_id,
        version_id=place.version_id,
        observed=reading.value,
        basis=reading.basis,
        fired_at=now,
    )
    firing.changed = dict(effect(control))
    firing.evidence_id = _record(firing, place, now)
    firing.save(force_insert=True)
    return firing


def _record(firing: Firing, place: Place, now: datetime) -> str:
    control = firing.control
    facts: dict[str, object] = {
        "number": control.number,
        "metric": control.metric,
        "threshold": control.threshold,
        "observed": firing.observed,
        "action": control.action,
    }
    may = {"dimension": control.dimension, "limit": control.limit, "hold_days": control.hold_days}
    facts |= {key: value for key, value in may.items() if value not in ("", None)}
    named = {"builder": place.builder_id, "listing": place.listing_id}
    return evidence.append(
        kind="control.fired",
        subjects=_subjects(firing) | {role: who for role, who in named.items() if who},
        facts=facts,
        at=now,
    ).pk


def _subjects(firing: Firing) -> dict[str, str]:
    named = {"control": firing.lineage, "firing": firing.pk, "agent": firing.agent_id}
    return named | ({"agent_version": firing.version_id} if firing.version_id else {})
