"""Standings kept up with the log: each entry is folded once, at a cost that does not grow.

The cursor and the rows it speaks of move in one transaction, so a crash repeats nothing and skips
nothing. The rows are a cache of `reputation.tallies.fold` over the log, and can be thrown away.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from reputation.models import Evidence, LogEntry, Standing, StandingCursor, UnsettledVerdict
from reputation.tallies import (
    METHOD,
    SETTLEMENT,
    VERDICT,
    Fact,
    Key,
    State,
    Tally,
    fold,
    tallies_of,
)

_LOCK = 0x7374616E64  # "stand"
_KEY = ["agent_id", "version_id", "dimension"]
_TALLY = [
    "method",
    "verdicts",
    "passes",
    "failures",
    "decayed_passes",
    "decayed_failures",
    "promise_bps",
    "floor_bps",
    "first_evidence_at",
    "last_evidence_at",
]
_RECOMPUTE_CHUNK = 10_000


def update_standings(*, limit: int = 1000) -> int:
    """Fold up to `limit` more log entries into the standings; how many were read.

    0 when everything is folded or another worker is at it.
    """
    with transaction.atomic():
        if not _locked():
            return 0
        cursor, _ = StandingCursor.objects.get_or_create(method=METHOD)
        until = min(cursor.next_index + limit, _length())
        read = until - cursor.next_index
        if read:
            _fold_in(list(_facts(cursor.next_index, until)))
            StandingCursor.objects.filter(pk=METHOD).update(next_index=until)
        return read


def recompute() -> State:
    """Fold the log again from its first entry, as far as the stored standings have read it."""
    cursor = StandingCursor.objects.filter(pk=METHOD).first()
    return _folded(cursor.next_index if cursor else 0)


def rebuild() -> State:
    """Throw the stored standings away and fold the whole log anew. Waits for a running update."""
    with transaction.atomic(), connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        length = _length()
        state = _folded(length)
        Standing.objects.all().delete()
        UnsettledVerdict.objects.all().delete()
        _store(State(), state)
        StandingCursor.objects.update_or_create(method=METHOD, defaults={"next_index": length})
    return state


def stored() -> State:
    """The standings as they are in the database, in the form of the pure fold."""
    waiting = Evidence.objects.filter(pk__in=UnsettledVerdict.objects.values("evidence_id"))
    return State(_by_id(waiting), _tallies(Standing.objects.all()))


def _locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _length() -> int:
    last = LogEntry.objects.aggregate(last=Max("index"))["last"]
    return 0 if last is None else last + 1


def _facts(first: int, until: int) -> Iterator[Fact]:
    rows = LogEntry.objects.filter(
        index__gte=first, index__lt=until, evidence__kind__in=[VERDICT, SETTLEMENT]
    )
    texts = rows.order_by("index").values_list("evidence__envelope", flat=True)
    return (json.loads(text) for text in texts)


def _folded(length: int) -> State:
    state = State()
    for first in range(0, length, _RECOMPUTE_CHUNK):
        state = fold(state, _facts(first, min(first + _RECOMPUTE_CHUNK, length)))
    return state


def _fold_in(facts: list[Fact]) -> None:
    before = _state_for(facts)
    _store(before, fold(before, facts))


def _state_for(facts: list[Fact]) -> State:
    """The part of the stored state that these facts can change."""
    named = [fact["facts"].get("verdict_evidence") for fact in facts if fact["kind"] == SETTLEMENT]
    waiting = _by_id(Evidence.objects.filter(pk__in=named, unsettledverdict__isnull=False))
    arriving = {fact["id"]: fact for fact in facts if fact["kind"] == VERDICT}
    settling = [fact for key, fact in (arriving | waiting).items() if key in set(named)]
    versions = {fact["subjects"]["agent_version"] for fact in settling}
    touched = {key for fact in settling for key in tallies_of(fact)}
    tallies = _tallies(Standing.objects.filter(version_id__in=versions))
    return State(waiting, {key: tally for key, tally in tallies.items() if key in touched})


def _store(before: State, after: State) -> None:
    settled = before.unsettled.keys() - after.unsettled.keys()
    UnsettledVerdict.objects.filter(pk__in=settled).delete()
    arrived = sorted(after.unsettled.keys() - before.unsettled.keys())
    UnsettledVerdict.objects.bulk_create(
        [UnsettledVerdict(evidence_id=key) for key in arrived], batch_size=_RECOMPUTE_CHUNK
    )
    changed = {key: t for key, t in after.tallies.items() if t != before.tallies.get(key)}
    Standing.objects.bulk_create(
        [_row(key, tally) for key, tally in sorted(changed.items())],
        update_conflicts=True,
        unique_fields=_KEY,
        update_fields=_TALLY,
        batch_size=1000,
    )


def _by_id(evidence: Iterable[Evidence]) -> dict[str, Fact]:
    return {one.pk: one.read() for one in evidence}


def _tallies(rows: Iterable[Standing]) -> dict[Key, Tally]:
    return {Key(row.agent_id, row.version_id, row.dimension): tally_of(row) for row in rows}


def tally_of(row: Standing) -> Tally:
    """The stored row as the pure functions take it."""
    return Tally(
        verdicts=row.verdicts,
        passes=row.passes,
        failures=row.failures,
        decayed_passes=int(row.decayed_passes),
        decayed_failures=int(row.decayed_failures),
        promise_bps=row.promise_bps,
        floor_bps=row.floor_bps,
        first_at=row.first_evidence_at,
        last_at=row.last_evidence_at,
    )


def _row(key: Key, tally: Tally) -> Standing:
    values: dict[str, Any] = {
        **key._asdict(),
        "method": METHOD,
        "verdicts": tally.verdicts,
        "passes": tally.passes,
        "failures": tally.failures,
        "decayed_passes": tally.decayed_passes,
        "decayed_failures": tally.decayed_failures,
        "promise_bps": tally.promise_bps,
        "floor_bps": tally.floor_bps,
        "first_evidence_at": tally.first_at,
        "last_evidence_at": tally.last_at,
    }
    return Standing(**values)
