"""Clauses that count sessions, over production calls: one unit for each session, once it has ended.

A session is the calls of one stream whose label `session` is the same. It ends with a call that is
labelled `session_end`, when nothing came for half an hour by the platform's clock, after a day at
the latest, or with its engagement. Its unit is the mean of the calls that decided, as in a run; a
call without the label is a session of its own. A session of which calls may have been left out by
sampling is skipped: which part of it was seen says little of the whole.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from pacts import terms
from pacts.calls_examined import Found
from pacts.live import Outcome
from pacts.live_observations import Observed, observe
from pacts.live_windows import Windows, hold
from pacts.models import CallSession, CallStream, Engagement, WaitingCall
from pacts.tries import Try, gravest

LABEL, END = "session", "session_end"
IDLE = timedelta(minutes=30)
LONGEST = timedelta(days=1)
_SAMPLED = "calls of this session may have been left out by sampling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One call's part in a session."""

    call: int
    place: int
    received_at: datetime
    label: str  # empty: a session of its own
    ends: bool
    rate: float
    found: Sequence[Found]


def session_of(labels: Mapping[str, Any]) -> tuple[str, bool]:
    """The caller's name for a call's session, and whether the call ends it."""
    return str(labels.get(LABEL, "")), END in labels


class Sessions:
    """The open sessions of one stream that a batch of calls speaks of, while its row is held."""

    def __init__(self, stream: CallStream, spoken: Sequence[Spoken], now: datetime) -> None:
        self.stream, self.now = stream, now
        keys = {_key(one) for one in spoken}
        open_rows = CallSession.objects.filter(stream=stream, ended_at=None, key__in=keys)
        self._rows = {row.key: row for row in open_rows}

    def take(self, one: Spoken) -> list[Observed]:
        """One call; the units of its session where it ends."""
        key = _key(one)
        row = self._rows.get(key) or CallSession(
            stream=self.stream, key=key, opened_at=one.received_at
        )
        self._rows[key] = row
        row.calls += 1
        row.last_call_id, row.last_call_at = one.call, one.received_at
        row.is_whole = row.is_whole and one.rate == 1
        for found in one.found:
            _add(row.found, found)
        over = one.received_at - row.opened_at >= LONGEST
        if not (one.ends or over or not one.label):
            return []
        del self._rows[key]
        return self._end(row, one.place)

    def _end(self, row: CallSession, place: int) -> list[Observed]:
        row.ended_at = self.now
        row.save()
        return _units(row, place, self.stream.least_rate)

    def store(self) -> None:
        """Write what goes on."""
        for row in self._rows.values():
            row.save()


def _key(one: Spoken) -> str:
    name = one.label or f"\n{one.call}"  # no label holds a line's end and is a call's number
    return hashlib.sha256(name.encode()).hexdigest()


def _add(sums: dict[str, Any], found: Found) -> None:
    """`{clause: {"version", "sum", "decided", "null", "error", …}}`."""
    one = sums.setdefault(found.clause, {"version": found.version, "sum": 0.0, "decided": 0})
    if found.outcome in ("pass", "fail"):
        one["sum"] += found.value or 0.0
        one["decided"] += 1
    else:
        one[found.outcome] = one.get(found.outcome, 0) + 1


def _units(row: CallSession, place: int, least_rate: float) -> list[Observed]:
    return [
        Observed(
            call=row.last_call_id,
            place=place,
            received_at=row.last_call_at,
            weight=least_rate,  # every call was kept for certain: see `pacts.live`
            found=_unit(key, one, row),
        )
        for key, one in row.found.items()
    ]


def _unit(clause: str, one: Mapping[str, Any], row: CallSession) -> Found:
    value: float | None = None
    outcome: Outcome = "skipped"
    if not row.is_whole:
        why = _SAMPLED
    elif one["decided"]:
        value = one["sum"] / one["decided"]
        outcome = "pass" if value >= 0.5 else "fail"
        why = f"{one['sum']:g} of {one['decided']} calls of the session"
    else:
        names = cast(tuple[Outcome, ...], ("null", "error", "skipped", "not_applicable"))
        tries = [Try(task="", outcome=name) for name in names if one.get(name)]
        outcome, why = cast(Outcome, gravest(tries)), "no call of the session decided"
    return Found(clause=clause, version=one["version"], outcome=outcome, value=value, reason=why)


def due(*, now: datetime, limit: int = 50) -> list[str]:
    """Streams with a session that has ended without saying so."""
    rows = _over(CallSession.objects.filter(ended_at=None), now)
    return sorted({*rows.values_list("stream", flat=True)[:limit]})


def _over(rows: QuerySet[CallSession], now: datetime) -> QuerySet[CallSession]:
    waiting = Exists(WaitingCall.objects.filter(stream=OuterRef("stream")))
    ended = ~Q(stream__engagement__state=Engagement.State.ACTIVE)
    return rows.exclude(waiting).filter(Q(last_call_at__lt=now - IDLE) | ended)


def end_sessions(*, stream_id: str, now: datetime) -> int:
    """End the sessions of one stream whose time is over; how many."""
    with transaction.atomic():
        stream = hold(stream_id)
        rows = list(_over(CallSession.objects.filter(stream=stream, ended_at=None), now))
        windows = Windows(stream, terms.parse(stream.engagement.pact_version.terms), now)
        units: list[Observed] = []
        for row in sorted(rows, key=lambda one: (one.last_call_at, one.pk)):
            row.ended_at = now
            row.save()
            units += _units(row, stream.counted, stream.least_rate)
        observe(windows, units)
    return len(rows)
