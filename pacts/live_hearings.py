"""Production calls that a jury or people decide: drawn by chance, heard, then observed.

A drawn call is queued as a row when it is checked. Jurors are asked as in a run, people read it
blind in the queue they read runs in. Once everybody has spoken, or the time is over, what they said
is an observation in the call's window, weighed like any other. What nobody said is the platform's
error; a call whose contents were erased before it was read counts for nobody.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from pacts import panels, terms
from pacts.calls_examined import Found
from pacts.checks import CHECKS
from pacts.judges import hearings
from pacts.judges.votes import Said
from pacts.live import drawn_bps, read_bps
from pacts.live_draws import is_read_by_people
from pacts.live_observations import Observed, observe
from pacts.live_windows import Windows, hold
from pacts.models import (
    CallContent,
    CallHearing,
    CallStream,
    Judgement,
    Jury,
    ReviewBatch,
    ReviewItem,
    ReviewLabel,
)
from pacts.terms import WHOLE, Clause

JURY_TIME = timedelta(hours=1)
READING_TIME = timedelta(days=7)
AT_ONCE = 500


class Drawn(Protocol):
    """What is read here of a call that was checked."""

    @property
    def id(self) -> int: ...
    @property
    def uuid(self) -> bytes: ...
    @property
    def rate(self) -> float: ...
    @property
    def heard(self) -> Sequence[Clause]: ...


def open_hearings(*, stream: CallStream, calls: Sequence[tuple[int, Drawn]], now: datetime) -> None:
    """Queue the drawn ones of these calls for whoever decides them; the stream's row is held."""
    by_clause: dict[str, list[tuple[int, Drawn]]] = defaultdict(list)
    clauses: dict[str, Clause] = {}
    for place, call in calls:
        for clause in call.heard:
            by_clause[clause.key].append((place, call))
            clauses[clause.key] = clause
    for key, drawn in by_clause.items():
        _open(stream, clauses[key], drawn, now)


def _open(
    stream: CallStream, clause: Clause, drawn: Sequence[tuple[int, Drawn]], now: datetime
) -> None:
    until = now + (READING_TIME if read_bps(clause) else JURY_TIME)
    rows = CallHearing.objects.bulk_create(
        [
            CallHearing(
                stream=stream,
                call_id=call.id,
                clause=clause.key,
                place=place,
                probability=call.rate * drawn_bps(clause) / WHOLE,
                opened_at=now,
                until=until,
            )
            for place, call in drawn
        ]
    )
    jury = panels.jury_of(clause)
    if jury is not None:
        hearings.summon_for_calls(jury=jury, hearings=[row.pk for row in rows], now=now)
    if read_bps(clause):
        seed = bytes(stream.seed)
        read = [
            row
            for row, (_, call) in zip(rows, drawn, strict=True)
            if is_read_by_people(clause, seed, call.uuid)
        ]
        batch = _batch(stream, clause, jury, now)
        ReviewItem.objects.bulk_create([ReviewItem(batch=batch, hearing=row) for row in read])


def _batch(stream: CallStream, clause: Clause, jury: Jury | None, now: datetime) -> ReviewBatch:
    """The stream's one batch for this clause; its draw is the stream's own."""
    purposes = ReviewBatch.Purpose
    found, _ = ReviewBatch.objects.get_or_create(
        stream=stream,
        clause=clause.key,
        defaults={
            "purpose": purposes.AUDIT if jury else purposes.SAMPLE,
            "jury": jury,
            "question": str(jury.spec["rubric"] if jury else clause.params["rubric"]),
            "probability_bps": read_bps(clause) * drawn_bps(clause) // WHOLE or 1,
            "reviewers": panels.reviewers_of(clause),
            "seed": stream.seed,
            "commitment": stream.commitment,
            "opened_at": now,
        },
    )
    return found


_SILENT = Exists(Judgement.objects.filter(hearing=OuterRef("pk"), state__in=hearings.OPEN))
_UNREAD = Exists(
    ReviewItem.objects.filter(hearing=OuterRef("pk"))
    .annotate(given=Count("labels"))
    .filter(given__lt=F("batch__reviewers"))
)
_THERE = Exists(CallContent.objects.filter(call=OuterRef("call")))


def _ready(now: datetime) -> QuerySet[CallHearing]:
    rows = CallHearing.objects.filter(closed_at=None)
    return rows.filter(Q(~_SILENT, ~_UNREAD) | Q(until__lt=now) | Q(~_THERE))


def due(*, now: datetime, limit: int = 50) -> list[str]:
    """Streams with a call that everybody has spoken of, or whose time is over."""
    return sorted({*_ready(now).values_list("stream", flat=True)[:limit]})


def close_hearings(*, stream_id: str, now: datetime, limit: int = AT_ONCE) -> int:
    """Observe what was said of a stream's calls; how many that were."""
    with transaction.atomic():
        stream = hold(stream_id)
        parsed = terms.parse(stream.engagement.pact_version.terms)
        rows = list(
            _ready(now)
            .filter(stream=stream)
            .annotate(is_there=_THERE, is_heard=~_SILENT, is_read=~_UNREAD)
            .select_related("call")
            .order_by("place")[:limit]
        )
        by_clause: dict[str, list[CallHearing]] = defaultdict(list)
        for row in rows:
            by_clause[row.clause].append(row)
        found: dict[int, Found] = {}
        for key, some in by_clause.items():
            found |= _found(stream, parsed.clause(key), some)
        observe(
            Windows(stream, parsed, now),
            [_observed(stream, row, found[row.pk]) for row in rows],
        )
        CallHearing.objects.filter(pk__in=[row.pk for row in rows]).update(closed_at=now)
    return len(rows)


def _found(stream: CallStream, clause: Clause, rows: Sequence[CallHearing]) -> Mapping[int, Found]:
    ids, jury = [row.pk for row in rows], panels.jury_of(clause)
    words = Judgement.objects.filter(hearing__in=ids)
    heard = panels.words_by(words, "hearing_id") if jury else {}
    batch = ReviewBatch.objects.filter(stream=stream, clause=clause.key).first()
    people = _people_of(ids)
    return {
        row.pk: _gone(clause)
        if not row.is_there and not (row.is_heard and row.is_read)  # type: ignore[attr-defined]
        else _said(clause, row.pk, jury, heard, batch, people)
        for row in rows
    }


def _people_of(ids: Sequence[int]) -> dict[int, list[Said]]:
    """What people said of each call that was drawn for them."""
    items = ReviewItem.objects.filter(hearing__in=ids)
    found: dict[int, list[Said]] = {one: [] for one in items.values_list("hearing_id", flat=True)}
    labels = ReviewLabel.objects.filter(item__hearing__in=ids).order_by("id")
    for hearing, said in labels.values_list("item__hearing_id", "said"):
        found[hearing].append(said)  # type: ignore[arg-type]
    return found


def _said(
    clause: Clause,
    hearing: int,
    jury: Jury | None,
    heard: dict[int, list[Said | None]],
    batch: ReviewBatch | None,
    people: dict[int, list[Said]],
) -> Found:
    answer = panels.answer_of(clause, hearing, jury, heard, batch, people)
    return Found(
        clause=clause.key,
        version=answer.version,
        outcome=answer.outcome,
        value=answer.value,
        reason=answer.reason.replace("\x00", " "),
    )


def _gone(clause: Clause) -> Found:
    return Found(
        clause=clause.key,
        version=CHECKS[clause.check].version,
        outcome="null",
        value=None,
        reason="what was said was erased before it was read",
    )


def _observed(stream: CallStream, row: CallHearing, found: Found) -> Observed:
    """Weighed by what is the smallest rate now, which was known before anybody spoke."""
    return Observed(
        call=row.call_id,
        place=row.place,
        received_at=row.call.received_at,
        weight=min(1.0, stream.least_rate / row.call.sample_rate),
        found=found,
    )
