"""What other floors may ask: an agent's standing, a subject's history, the backlog."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reputation.envelope import moment
from reputation.models import (
    Evidence,
    EvidenceQueue,
    EvidenceSubject,
    LogEntry,
    Standing,
    StandingCursor,
    StandingScore,
    VersionRecord,
)
from reputation.shelves import TALLIES
from reputation.standing import Composite, DimensionStanding, combine, describe
from reputation.tallies import METHOD, Key


@dataclass(frozen=True)
class Change:
    """Production calls showed another model or version than was measured: when, and the proof."""

    at: datetime
    evidence_id: str


@dataclass(frozen=True)
class AgentStanding:
    """One agent version: its dimensions by name (none without evidence) and their composite.

    `changed` is set while the standing is stale: no verdict reached since then counts yet.
    """

    agent_id: str
    version_id: str | None
    dimensions: dict[str, DimensionStanding]
    composite: Composite
    changed: Change | None = None


@dataclass(frozen=True, slots=True)
class StoredScore:
    """What a version is ranked by, exact for the hour it was scored in."""

    agent_id: str
    version_id: str
    score_bps: int | None
    is_vouched: bool
    status: str


@dataclass(frozen=True)
class HistoryEntry:
    """One piece of evidence that names a subject. `index` is None until it is in the log."""

    evidence_id: str
    kind: str
    recorded_at: datetime
    index: int | None
    envelope: dict[str, Any]


@dataclass(frozen=True)
class Backlog:
    """How far the log and the standings lag behind the facts."""

    unsequenced: int
    oldest_wait: timedelta
    unscored: int


def standing_of(*, agent_id: str, version_id: str | None = None, now: datetime) -> AgentStanding:
    """The standing of a version at `now`; without one, of the version with the newest evidence."""
    rows = Standing.objects.filter(agent_id=agent_id)
    if version_id is None:
        newest = rows.order_by("-last_evidence_at", "-version_id").first()
        version_id = newest.version_id if newest else None
    changed = _changes([version_id] if version_id else []).get(version_id or "")
    return _standing(agent_id, version_id, rows.filter(version_id=version_id), now, changed)


def standings_of(*, versions: dict[str, str], now: datetime) -> dict[str, AgentStanding]:
    """Version id → agent id in, version id → standing out, in two queries."""
    found: dict[str, list[Standing]] = {version: [] for version in versions}
    for row in Standing.objects.filter(version_id__in=versions):
        found[row.version_id].append(row)
    changed = _changes(versions)
    return {
        key: _standing(versions[key], key, rows, now, changed.get(key))
        for key, rows in found.items()
    }


def _changes(versions: Iterable[str]) -> dict[str, Change]:
    rows = VersionRecord.objects.filter(version_id__in=list(versions)).exclude(changed_at="")
    return {row.version_id: Change(moment(row.changed_at), row.changed_evidence) for row in rows}


def scores_of(*, agents: Iterable[str]) -> dict[str, StoredScore]:
    """Version id → its stored score, for every version of these agents that has one."""
    rows = StandingScore.objects.filter(agent_id__in=list(agents))
    return {
        row.version_id: StoredScore(
            row.agent_id, row.version_id, row.score_bps, row.is_vouched, row.status
        )
        for row in rows
    }


def versions_of(*, agent_id: str) -> list[str]:
    """The agent's versions that have a standing, the one with the newest evidence first."""
    rows = Standing.objects.filter(agent_id=agent_id).order_by("-last_evidence_at", "-version_id")
    return list(dict.fromkeys(rows.values_list("version_id", flat=True)))


def history_of(
    *, subject_id: str, limit: int = 100, before: str | None = None
) -> list[HistoryEntry]:
    """Evidence that names the subject in any role, newest first.

    `before` is the evidence id that ended the last page.
    """
    named = EvidenceSubject.objects.filter(subject_id=subject_id).order_by("-evidence_id")
    if before is not None:
        named = named.filter(evidence_id__lt=before)
    page = list(named.values_list("evidence_id", flat=True).distinct()[:limit])
    found = Evidence.objects.in_bulk(page)
    entries = LogEntry.objects.filter(evidence_id__in=page)
    index_of = dict(entries.values_list("evidence_id", "index"))
    return [
        HistoryEntry(key, one.kind, one.recorded_at, index_of.get(key), one.read())
        for key, one in ((key, found[key]) for key in page)
    ]


def backlog(*, now: datetime) -> Backlog:
    """How much evidence waits for its index, how long the oldest has, and what is unscored."""
    oldest = EvidenceQueue.objects.order_by("id").select_related("evidence").first()
    last = LogEntry.objects.order_by("-index").first()
    cursor = StandingCursor.objects.filter(pk=METHOD).first()
    return Backlog(
        unsequenced=EvidenceQueue.objects.count(),
        oldest_wait=max(now - oldest.evidence.recorded_at, timedelta()) if oldest else timedelta(),
        unscored=(last.index + 1 if last else 0) - (cursor.next_index if cursor else 0),
    )


def _standing(
    agent_id: str,
    version_id: str | None,
    rows: Iterable[Standing],
    now: datetime,
    changed: Change | None,
) -> AgentStanding:
    dimensions = {
        row.dimension: describe(
            Key(row.agent_id, row.version_id, row.dimension), TALLIES.value_of(row), now=now
        )
        for row in rows
    }
    whole = combine(dimensions.values(), is_stale=changed is not None)
    return AgentStanding(agent_id, version_id, dimensions, whole, changed)
