"""Standings kept up with the log: each entry is folded once, at a cost that does not grow.

The cursor and the rows it speaks of move in one transaction, so a crash repeats nothing and skips
nothing. The rows are a cache of `reputation.fold.fold` over the log, and can be thrown away.
"""

import json
from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import Max, Q

from reputation import scores
from reputation.clock import database_now
from reputation.exports import head_of
from reputation.fold import CLOSED, DEFAULT, DISPUTE, KINDS, RULING, SETTLEMENT, State, fold
from reputation.models import Evidence, LogEntry, StandingCursor, UnsettledVerdict
from reputation.shelves import (
    BUILDERS,
    BUYERS,
    DISPUTES,
    RECORDS,
    RUNS,
    SHARES,
    SHELVES,
    TALLIES,
    TIES,
)
from reputation.tallies import METHOD, Fact

_LOCK = 0x7374616E64  # "stand"
_CHUNK = 10_000


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
    return fold(State(), _log(cursor.next_index if cursor else 0))


def rebuild() -> State:
    """Throw the stored standings away and fold the whole log anew. Waits for a running update."""
    with transaction.atomic(), connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        length = _length()
        scores.forget()
        moves = scores.Moves()
        state = fold(State(), _log(length), tell=moves.take)
        moves.flush()
        for shelf in SHELVES:
            shelf.model._default_manager.all().delete()
        UnsettledVerdict.objects.all().delete()
        _store(State(), state)
        scores.refresh({key.version_id for key in state.tallies}, now=database_now())
        StandingCursor.objects.update_or_create(method=METHOD, defaults={"next_index": length})
    return state


def stored() -> State:
    """The standings as they are in the database, in the form of the pure fold."""
    waiting = Evidence.objects.filter(pk__in=UnsettledVerdict.objects.values("evidence_id"))
    return State(
        unsettled={one.pk: one.read() for one in waiting},
        **{shelf.part: shelf.read(shelf.model._default_manager.all()) for shelf in SHELVES},
    )


def export() -> Iterator[bytes]:
    """The log as far as the stored standings have read it, as `reputation.exports` says."""
    with transaction.atomic():
        cursor = StandingCursor.objects.filter(pk=METHOD).first()
        length = cursor.next_index if cursor else 0
        yield head_of(length).encode() + b"\n"
        for first in range(0, length, _CHUNK):
            rows = LogEntry.objects.filter(index__gte=first, index__lt=min(first + _CHUNK, length))
            texts = rows.order_by("index").values_list("evidence__envelope", flat=True)
            yield "".join(f"{text}\n" for text in texts).encode()


def _locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _length() -> int:
    last = LogEntry.objects.aggregate(last=Max("index"))["last"]
    return 0 if last is None else last + 1


def _facts(first: int, until: int) -> Iterator[Fact]:
    rows = LogEntry.objects.filter(
        index__gte=first, index__lt=until, evidence__kind__in=KINDS
    ).order_by("index")
    return (json.loads(text) for text in rows.values_list("evidence__envelope", flat=True))


def _log(length: int) -> Iterator[Fact]:
    for first in range(0, length, _CHUNK):
        yield from _facts(first, min(first + _CHUNK, length))


def _fold_in(facts: list[Fact]) -> None:
    if not facts:
        return
    before, moves = _state_for(facts), scores.Moves()
    _store(before, fold(before, facts, tell=moves.take))
    moves.flush()
    scores.refresh(moves.versions, now=database_now())


def _state_for(facts: list[Fact]) -> State:
    """The part of the stored state that these facts can change."""
    milestones = _subjects(facts, "milestone", SETTLEMENT)
    waiting = _waiting(facts, milestones)
    runs = RUNS.find(Q(pk__in=_subjects(facts, "evaluation")) | Q(milestone_id__in=milestones))
    disputes = DISPUTES.find(Q(pk__in=_subjects(facts, "dispute", RULING, DEFAULT, CLOSED)))
    versions = _subjects([*facts, *waiting.values()], "agent_version")
    versions |= {fact["facts"]["hired"] for fact in facts if "hired" in fact["facts"]}
    buyers = {run.buyer_id for run in runs.values()} | _subjects(facts, "buyer", SETTLEMENT)
    buyers |= {one.buyer_id for one in disputes.values()} | _subjects(facts, "party", DISPUTE)
    builders = {run.builder_id for run in runs.values()} | _subjects(facts, "builder", SETTLEMENT)
    buyers |= {""}  # a settlement of old may name nobody
    return State(
        unsettled=waiting,
        tallies=TALLIES.find(Q(version_id__in=versions)),
        shares=SHARES.find(Q(version_id__in=versions, buyer_id__in=buyers)),
        buyers=BUYERS.find(Q(pk__in=buyers)),
        ties=TIES.find(Q(buyer_id__in=buyers, builder_id__in=builders)),
        builders=BUILDERS.find(Q(pk__in=builders)),
        records=RECORDS.find(Q(version_id__in=versions)),
        runs=runs,
        disputes=disputes,
    )


def _waiting(facts: list[Fact], milestones: set[str]) -> dict[str, Fact]:
    named = {fact["facts"].get("verdict_evidence", "") for fact in facts}
    rows = UnsettledVerdict.objects.filter(Q(pk__in=named) | Q(milestone_id__in=milestones))
    found = Evidence.objects.filter(pk__in=list(rows.values_list("pk", flat=True)))
    return {one.pk: one.read() for one in found}


def _subjects(facts: list[Fact], role: str, *kinds: str) -> set[str]:
    """The ids these facts (of these kinds, if any are given) name in a role."""
    return {
        fact["subjects"][role]
        for fact in facts
        if role in fact["subjects"] and (not kinds or fact["kind"] in kinds)
    }


def _store(before: State, after: State) -> None:
    settled = before.unsettled.keys() - after.unsettled.keys()
    UnsettledVerdict.objects.filter(pk__in=settled).delete()
    arrived = sorted(after.unsettled.keys() - before.unsettled.keys())
    UnsettledVerdict.objects.bulk_create(
        [
            UnsettledVerdict(
                evidence_id=key,
                milestone_id=after.unsettled[key]["subjects"].get("milestone", ""),
            )
            for key in arrived
        ],
        batch_size=_CHUNK,
    )
    for shelf in SHELVES:
        shelf.store(getattr(before, shelf.part), getattr(after, shelf.part))


__all__ = ["export", "rebuild", "recompute", "stored", "update_standings"]
