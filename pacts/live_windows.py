"""Windows of a stream as rows: fed in the order of events, latched at once, closed on time.

Whoever feeds or closes one holds the stream's row. A breach is evidence in the same transaction
that shows it; what a window came to is evidence when it closes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery

from pacts import terms
from pacts.calls import subjects_of
from pacts.live import (
    LiveWindow,
    Outcome,
    WindowState,
    by_milestone,
    closing_time,
    covered,
    drawn_bps,
    why_not_live,
    window_number,
)
from pacts.models import (
    CallHearing,
    CallStream,
    ClauseWindow,
    Engagement,
    Milestone,
    WaitingCall,
)
from pacts.statistics import ClauseVerdict
from pacts.terms import WHOLE, Clause, PactTerms
from pacts.windows import FIRST, risk_of_window
from reputation import evidence
from reputation.hints import hint

_STATE = tuple(one.name for one in fields(WindowState) if one.name != "number")
_LATCHED = "pacts.window_breached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One clause's observation of one call, on its way into a window."""

    clause: str
    place: int
    received_at: datetime
    outcome: Outcome
    value: float | None
    weight: float


class Windows:
    """The open windows of one stream, for as long as its row is held."""

    def __init__(self, stream: CallStream, parsed: PactTerms, now: datetime) -> None:
        self.stream, self.now, self._parsed = stream, now, parsed
        self.clauses = {c.key: c for c in parsed.clauses if why_not_live(c) is None}
        self._rows = {
            row.clause: row for row in ClauseWindow.objects.filter(stream=stream, concluded_at=None)
        }
        self._live: dict[str, LiveWindow] = {}
        self._began = stream.engagement.signed_at or stream.opened_at
        self._milestone = _milestone(stream.engagement_id)
        self.sampled = stream.least_rate < 1

    def number(self, clause: Clause, *, place: int, received_at: datetime) -> int:
        """The window a call belongs to, never an earlier one than is open."""
        found = window_number(
            clause,
            place=place,
            received_at=received_at,
            began_at=self._began,
            milestone=self._milestone,
        )
        row = self._rows.get(clause.key)
        return max(found, row.number) if row is not None else found

    def feed(self, seen: Iterable[Seen]) -> list[int]:
        """Take observations in the order of events; the window of each."""
        windows: list[int] = []
        for one in seen:
            clause = self.clauses[one.clause]
            number = self.number(clause, place=one.place, received_at=one.received_at)
            live = self._window(clause, number, one.received_at)
            live.take(one.outcome, one.value, weight=one.weight)
            windows.append(number)
        return windows

    def rescale(self, factor: float) -> None:
        """The smallest rate of the stream fell to `factor` of itself."""
        self.sampled = True
        for key in self._rows:
            self._open(self.clauses[key]).rescale(factor)

    def _window(self, clause: Clause, number: int, at: datetime) -> LiveWindow:
        row = self._rows.get(clause.key)
        if row is not None and row.number < number:
            self._conclude(clause)
            row = None
        if row is None:
            self._rows[clause.key] = ClauseWindow(
                stream=self.stream,
                clause=clause.key,
                number=number,
                opened_at=at,
                closes_at=closing_time(clause, number=number, began_at=self._began),
                by_milestone=by_milestone(clause),
                risk_share=risk_of_window(
                    1.0, window=number, spent_over_lifetime=clause.risk_over == "lifetime"
                ),
            )
        return self._open(clause)

    def _open(self, clause: Clause) -> LiveWindow:
        if clause.key not in self._live:
            row = self._rows[clause.key]
            state = WindowState(number=row.number, **{n: getattr(row, n) for n in _STATE})
            self._live[clause.key] = LiveWindow(clause, state)
        return self._live[clause.key]

    def store(self) -> list[ClauseWindow]:
        """Write every window that was fed; returns those that latched a breach just now."""
        latched = []
        for key in list(self._live):
            row = self._judge(self.clauses[key], closed=False)
            if row.live == "breached" and row.latched_at is None and row.status == "breached":
                self._latch(row)
                latched.append(row)
            row.save()
        return latched

    def close(self, keys: Iterable[str]) -> None:
        """Conclude the open windows of these clauses."""
        for key in keys:
            if key in self._rows and key in self.clauses:
                self._conclude(self.clauses[key])

    def _conclude(self, clause: Clause) -> None:
        row = self._judge(clause, closed=True)
        if row.status == "breached" and row.latched_at is None:
            self._latch(row)
        row.concluded_at = self.now
        row.evidence_id = _log_window(self.stream, clause, row, self.now)
        row.save()
        del self._rows[clause.key]
        self._live.pop(clause.key, None)
        transaction.on_commit(lambda: hint("pacts.window_concluded", row.pk))

    def _judge(self, clause: Clause, *, closed: bool) -> ClauseWindow:
        """The row with what it knows and what that comes to. A latched breach stays one."""
        row, live = self._rows[clause.key], self._open(clause)
        state = live.state()
        for name in _STATE:
            setattr(row, name, getattr(state, name))
        enough = closed or covered(
            clause,
            units=row.units,
            opened_at=row.opened_at,
            now=self.now,
            volume=self._parsed.volume,
        )
        sampled = self.sampled or drawn_bps(clause) < WHOLE
        _write(row, live.judged(closed=enough, sampled=sampled))
        if row.latched_at is not None:
            row.status = "breached"
        return row

    def _latch(self, row: ClauseWindow) -> None:
        clause = self.clauses[row.clause]
        row.latched_at = self.now
        row.breach_evidence = evidence.append(
            kind="window.breached",
            subjects=subjects_of(self.stream),
            facts={
                "clause": clause.key,
                "window": row.number,
                "units": row.units,
                "critical": clause.critical,
                "independence": self.stream.independence,
            },
            digests={"terms": self.stream.engagement.pact_version.digest},
            at=self.now,
            dedupe_key=f"window.breached:{self.stream.pk}:{clause.key}:{row.number}",
        ).id
        transaction.on_commit(lambda: hint(_LATCHED, row.pk))


def _milestone(engagement_id: str) -> int:
    """The milestone that calls count for now, from 1: the last begun, or the one after the last
    that was handed over."""
    rows = Milestone.objects.filter(engagement_id=engagement_id)
    begun = rows.filter(started_at__isnull=False).count()
    return max(FIRST, begun, handed_over(rows) + 1)


def handed_over(rows: QuerySet[Milestone]) -> int:
    """How many of these milestones have a deliverable."""
    return rows.filter(deliverables__delivered_at__isnull=False).distinct().count()


def _write(row: ClauseWindow, judged: ClauseVerdict) -> None:
    row.status, row.live, row.marginal = judged.status, judged.live, judged.marginal
    row.estimate, row.low, row.high = judged.estimate, judged.low, judged.high
    row.ln_e_met, row.ln_e_breach = _finite(judged.ln_e_met), _finite(judged.ln_e_breach)
    row.reason, row.method = judged.reason[:400], judged.method


def _finite(ln_e: float | None) -> float | None:
    """Evidence as a column keeps it; certainty reads as more than any line asks."""
    return None if ln_e is None else max(-1e300, min(1e300, ln_e))


def _log_window(stream: CallStream, clause: Clause, row: ClauseWindow, now: datetime) -> str:
    breach = {"breach_evidence": row.breach_evidence} if row.breach_evidence else {}
    return evidence.append(
        kind="window.concluded",
        subjects=subjects_of(stream),
        facts={
            "window": row.number,
            "calls": _calls(row),
            "independence": stream.independence,
            "clauses": [_clause_fact(clause, row)],
            **breach,
        },
        digests={"terms": stream.engagement.pact_version.digest},
        at=now,
        dedupe_key=f"window.concluded:{stream.pk}:{clause.key}:{row.number}",
    ).id


def _calls(row: ClauseWindow) -> int:
    return row.units + row.errors + row.nulls + row.skipped + row.not_applicable


def _clause_fact(clause: Clause, row: ClauseWindow) -> dict[str, object]:
    """Whole units for the log: a part of a pass is rounded down, never in the agent's favour."""
    passes = int(row.weighted_passes)
    return {
        "key": clause.key,
        "dimension": clause.dimension,
        "check": clause.check,
        "critical": clause.critical,
        "outcome": row.status,
        "passes": passes,
        "failures": max(0, round(row.weighted_passes + row.weighted_failures) - passes),
        "errors": row.errors,
        "nulls": row.nulls,
        "promise_bps": clause.promise_bps,
        "floor_bps": clause.floor_bps,
        "method": row.method,
    }


def due(*, now: datetime, limit: int = 50) -> list[str]:
    """Streams with a window that ought to be closed: its days are over, its milestone was handed
    over, or its engagement is over; and nothing that belongs in it still waits to be checked or
    heard."""
    open_rows = ClauseWindow.objects.filter(concluded_at=None)
    over = open_rows.filter(closes_at__lt=now).exclude(_WAITS_WITHIN).exclude(_HEARD_WITHIN)
    ready = open_rows.exclude(Exists(_WAITING)).exclude(Exists(_HEARD))
    ended = ready.exclude(stream__engagement__state=Engagement.State.ACTIVE)
    found: set[str] = set()
    for rows in (over, ended, _handed_over(ready)):
        found |= {*rows.values_list("stream", flat=True)[:limit]}
    return sorted(found)


_WAITING = WaitingCall.objects.filter(stream=OuterRef("stream"))
_HEARD = CallHearing.objects.filter(
    stream=OuterRef("stream"), clause=OuterRef("clause"), closed_at=None
)
_WAITS_WITHIN = Exists(_WAITING.filter(received_at__lt=OuterRef("closes_at")))
_HEARD_WITHIN = Exists(_HEARD.filter(opened_at__lt=OuterRef("closes_at")))


def _handed_over(rows: QuerySet[ClauseWindow]) -> QuerySet[ClauseWindow]:
    """Those of these windows whose milestone has its deliverable."""
    over = (
        Milestone.objects.filter(
            engagement=OuterRef("stream__engagement"), deliverables__delivered_at__isnull=False
        )
        .order_by()
        .values("engagement")
        .annotate(count=Count("pk", distinct=True))
        .values("count")
    )
    milestones = rows.filter(by_milestone=True).annotate(over=Subquery(over))
    return milestones.filter(over__gte=F("number"))


def close_windows(*, stream_id: str, now: datetime) -> int:
    """Conclude what is due of one stream; how many windows that were."""
    with transaction.atomic():
        stream = hold(stream_id)
        parsed = terms.parse(stream.engagement.pact_version.terms)
        windows = Windows(stream, parsed, now)
        keys = _due_keys(stream, now)
        windows.close(keys)
    return len(keys)


def _due_keys(stream: CallStream, now: datetime) -> Sequence[str]:
    rows = ClauseWindow.objects.filter(stream=stream, concluded_at=None)
    over = rows.filter(closes_at__lt=now).exclude(_WAITS_WITHIN).exclude(_HEARD_WITHIN)
    ready = rows.exclude(Exists(_WAITING)).exclude(Exists(_HEARD))
    if stream.engagement.state == Engagement.State.ACTIVE:
        ready = _handed_over(ready)
    return sorted({*over.values_list("clause", flat=True), *ready.values_list("clause", flat=True)})


def hold(stream_id: str) -> CallStream:
    """The stream with its row locked: nobody else feeds or closes its windows meanwhile."""
    return (
        CallStream.objects.select_for_update(of=("self",), no_key=True)
        .select_related("engagement__pact_version", "agent_version")
        .get(pk=stream_id)
    )


def unlive(parsed: PactTerms) -> Mapping[str, str]:
    """The clauses of a pact that production calls say nothing of, and why."""
    return {c.key: why for c in parsed.clauses if (why := why_not_live(c)) is not None}
