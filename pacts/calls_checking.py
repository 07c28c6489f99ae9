"""Workers check the calls that wait: claimed, examined, observed and counted in one transaction.

A worker claims calls of one stream by SKIP LOCKED, examines them while others examine theirs, and
only then takes the stream's row: from there on calls are put into the order of events, one worker
at a time. What dies before the end rolls back, and its calls wait as before.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
from django.db import connection, transaction

from pacts import drift_alarms, terms
from pacts.calls_examined import Found, Reported, examine_call
from pacts.drift_traits import traits_of
from pacts.live import Outcome, weigh, why_not_live
from pacts.live_windows import Seen, Windows, hold
from pacts.models import CallShift, CallStream, PactVersion
from pacts.terms import Clause, PactTerms

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One claimed call with what its clauses say, before it has a place."""

    id: int
    uuid: bytes
    received_at: datetime
    rate: float
    model: str
    model_fingerprint: str
    traits: Mapping[str, str]
    found: Sequence[Found]
    kept: bool  # its contents stay after this


def check_calls(
    *, now: datetime, limit: int = AT_ONCE, clock: Callable[[], float] = time.monotonic
) -> int:
    """Check up to `limit` calls that wait, all of one stream; how many that were."""
    started = clock()
    with transaction.atomic(), psycopg.Cursor(connection.connection) as cursor:
        rows = cursor.execute(_CLAIM, [limit], prepare=True).fetchall()
        if not rows:
            return 0
        stream_id = rows[0][1]
        version_id = _pact_of(stream_id)
        clauses, parsed = _clauses(version_id)
        examined = [_examine(row, clauses, now) for row in rows]
        stream = hold(stream_id)
        _count(cursor, stream, parsed, examined, now)
        CallShift.objects.create(
            stream=stream,
            first_place=stream.counted - len(examined) + 1,
            calls=len(examined),
            seconds=clock() - started,
            finished_at=now,
        )
    return len(rows)


_CLAIM = """
WITH due AS (
    SELECT call_id FROM pacts_waitingcall
     WHERE stream_id = (SELECT stream_id FROM pacts_waitingcall ORDER BY call_id LIMIT 1
                           FOR NO KEY UPDATE SKIP LOCKED)
     ORDER BY call_id LIMIT %s FOR UPDATE SKIP LOCKED
)
SELECT c.id, c.stream_id, c.call_id, c.received_at, c.sample_rate, c.model, c.model_fingerprint,
       c.clock, c.latency_us, c.fault, c.error, c.output_digest, c.input_tokens, c.output_tokens,
       c.cost_micros, c.cost_currency, k.body, k.kept_until
  FROM due JOIN pacts_call c ON c.id = due.call_id
  LEFT JOIN pacts_callcontent k ON k.call_id = c.id
 ORDER BY c.id
"""


@lru_cache(maxsize=1024)
def _pact_of(stream_id: str) -> str:
    """A stream's pact version, which never changes."""
    rows = CallStream.objects.filter(pk=stream_id)
    return str(rows.values_list("engagement__pact_version_id", flat=True).get())


@lru_cache(maxsize=256)
def _clauses(version_id: str) -> tuple[tuple[Clause, ...], PactTerms]:
    """The clauses of a frozen pact version that single calls are held against."""
    parsed = terms.parse(PactVersion.objects.values_list("terms", flat=True).get(pk=version_id))
    return tuple(c for c in parsed.clauses if why_not_live(c) is None), parsed


def _examine(row: Sequence[Any], clauses: Sequence[Clause], now: datetime) -> Examined:
    (id, _, uuid, received, rate, model, fingerprint, clock, latency, fault, error, output) = row[
        :12
    ]
    read, written, micros, currency, body, until = row[12:]
    content: dict[str, Any] = json.loads(bytes(body)) if body is not None else {}
    reported = Reported(
        clock=clock,
        latency_us=latency,
        fault=fault,
        error=error,
        answered=bool(output) or "output" in content,
        usage=None if read is None or written is None else (read, written),
        cost=None if micros is None else (micros, currency),
        content=content,
    )
    return Examined(
        id=id,
        uuid=uuid.bytes,
        received_at=received,
        rate=rate,
        model=model,
        model_fingerprint=fingerprint,
        traits=_traits(content),
        found=examine_call(clauses, reported),
        kept=until is not None and until > now,
    )


def _traits(content: Mapping[str, Any]) -> Mapping[str, str]:
    if "input" not in content:
        return {}
    return traits_of(input=content["input"], labels=content.get("labels") or {})


def _count(
    cursor: "psycopg.Cursor[Any]",
    stream: CallStream,
    parsed: PactTerms,
    calls: Sequence[Examined],
    now: datetime,
) -> None:
    """Put the calls into the order of events, and everything that follows from their place."""
    before = stream.least_rate
    weights, least = weigh([call.rate for call in calls], least=before)
    windows = Windows(stream, parsed, now)
    placed = list(enumerate(calls, start=stream.counted + 1))
    if least < before:
        stream.least_rate = least
        windows.rescale(least / before)
    seen = [
        Seen(
            clause=found.clause,
            place=place,
            received_at=call.received_at,
            outcome=found.outcome,
            value=found.value,
            weight=weight,
        )
        for (place, call), weight in zip(placed, weights, strict=True)
        for found in call.found
    ]
    numbers = windows.feed(seen)
    windows.store()
    _observe(cursor, placed, weights, numbers)
    drift_alarms.watch(stream=stream, parsed=parsed, calls=placed, weights=weights, now=now)
    stream.counted += len(calls)
    stream.last_call_at = max(call.received_at for call in calls)
    stream.save()
    ids = [call.id for call in calls]
    cursor.execute("DELETE FROM pacts_waitingcall WHERE call_id = ANY(%s)", [ids])
    gone = [call.id for call in calls if not call.kept]
    if gone:
        cursor.execute("DELETE FROM pacts_callcontent WHERE call_id = ANY(%s)", [gone])


def _observe(
    cursor: "psycopg.Cursor[Any]",
    placed: Sequence[tuple[int, Examined]],
    weights: Sequence[float],
    numbers: Mapping[tuple[str, int], int],
) -> None:
    rows = [
        (
            call.id,
            found.clause,
            found.version,
            numbers[(found.clause, place)],
            place,
            _outcome(found.outcome),
            found.value,
            weight,
            found.reason[:240],
        )
        for (place, call), weight in zip(placed, weights, strict=True)
        for found in call.found
    ]
    if rows:
        cursor.execute(_OBSERVE, [list(column) for column in zip(*rows, strict=True)], prepare=True)


def _outcome(outcome: Outcome) -> str:
    return outcome


_OBSERVE = """
INSERT INTO pacts_callobservation
       (call_id, clause, check_version, "window", place, outcome, value, weight, reason)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::int[], %s::bigint[], %s::text[],
                     %s::float8[], %s::float8[], %s::text[])
"""
