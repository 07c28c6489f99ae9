"""Where the production calls of an engagement stand: read once, shown by a page and by the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pacts import terms
from pacts.live import drawn_bps, read_bps
from pacts.live_draws import panel_of
from pacts.live_windows import unlive
from pacts.models import (
    Call,
    CallHearing,
    CallSession,
    CallStream,
    ClauseWindow,
    DriftAlarm,
    Engagement,
    WaitingCall,
)
from pacts.terms import Clause

MOST_WINDOWS = 60
MOST_ALARMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What of a stream goes to a jury or people, for one clause: with which probability (basis
    points; `read_bps` of what is drawn is read by people), how much was, and what is open."""

    clause: str
    drawn_bps: int
    read_bps: int
    drawn: int
    open: int
    commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStream:
    """One side's word on one version. `stale` says why earlier standing no longer speaks of what
    answers; empty where it does."""

    stream: CallStream
    waiting: int
    lag_seconds: float
    windows: Sequence[ClauseWindow]
    alarms: Sequence[DriftAlarm]
    draws: Sequence[Draw]
    open_sessions: int
    stale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All streams of an engagement; `unlive` are clauses that single calls say nothing of."""

    engagement: Engagement
    streams: Sequence[LiveStream]
    unlive: Mapping[str, str]


def live_status(engagement: Engagement, *, now: datetime) -> Status:
    """The streams of an engagement with their newest windows and alarms."""
    rows = CallStream.objects.filter(engagement=engagement).select_related("agent_version__agent")
    parsed = terms.parse(engagement.pact_version.terms)
    return Status(
        engagement=engagement,
        streams=[_stream(row, panel_of(parsed), now) for row in rows],
        unlive=unlive(parsed),
    )


def _stream(stream: CallStream, panel: Sequence[Clause], now: datetime) -> LiveStream:
    waiting = WaitingCall.objects.filter(stream=stream)
    oldest = waiting.order_by("call").values_list("received_at", flat=True).first()
    alarms = list(DriftAlarm.objects.filter(stream=stream)[:MOST_ALARMS])
    windows = ClauseWindow.objects.filter(stream=stream).order_by("-number", "clause")
    return LiveStream(
        stream=stream,
        waiting=waiting.count(),
        lag_seconds=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        windows=list(windows[:MOST_WINDOWS]),
        alarms=alarms,
        draws=[_draw(stream, clause) for clause in panel],
        open_sessions=CallSession.objects.filter(stream=stream, ended_at=None).count(),
        stale=_stale(stream, alarms),
    )


def _draw(stream: CallStream, clause: Clause) -> Draw:
    rows = CallHearing.objects.filter(stream=stream, clause=clause.key)
    return Draw(
        clause=clause.key,
        drawn_bps=drawn_bps(clause),
        read_bps=read_bps(clause),
        drawn=rows.count(),
        open=rows.filter(closed_at=None).count(),
        commitment=stream.commitment,
    )


def _stale(stream: CallStream, alarms: Sequence[DriftAlarm]) -> str:
    if stream.agent_version_id != stream.engagement.agent_version_id:
        return "another version answers than was hired"
    changed = next((alarm for alarm in alarms if alarm.what == "model"), None)
    return changed.says if changed else ""


def public_id(call: Call) -> str:
    """How a call is named outside: its reporter's id behind our prefix."""
    return f"cll_{call.call_id.hex}"


def uuid_of(public_id: str) -> UUID:
    """The call id behind a public one; one that nothing has, where it is none."""
    try:
        return UUID(public_id.removeprefix("cll_"))
    except ValueError:
        return UUID(int=0)
