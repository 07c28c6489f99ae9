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

from pacts import drift_alarms, live_hearings, terms
from pacts.calls_examined import Found, Reported, examine_call, waits_for_panel
from pacts.drift_traits import traits_of
from pacts.live import asks_panel, weigh, why_not_live
from pacts.live_draws import is_drawn_for
from pacts.live_observations import Observed, observe
from pacts.live_sessions import Sessions, Spoken, session_of
from pacts.live_windows import Windows, hold
from pacts.models import CallShift, CallStream, PactVersion
from pacts.terms import Clause, PactTerms

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One claimed call with what its clauses say, before it has a place. `heard` are the clauses
    whose panel it was drawn for."""

    id: int
    uuid: bytes
    received_at: datetime
    rate: float
    model: str
    model_fingerprint: str
    traits: Mapping[str, str]
    session: tuple[str, bool]
    found: Sequence[Found]
    heard: Sequence[Clause]
    kept: bool  # its contents stay after this


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clauses:
    """The clauses of a stream's pact that production calls are held against."""

    parsed: PactTerms
    seed: bytes
    single: tuple[Clause, ...]
    panel: tuple[Clause, ...]
    sessions: frozenset[str]


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
        clauses = _clauses(stream_id)
        examined = [_examine(row, clauses, now) for row in rows]
        stream = hold(stream_id)
        _count(cursor, stream, clauses, examined, now)
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
def _clauses(stream_id: str) -> _Clauses:
    """What a stream's calls are held against, which never changes."""
    rows = CallStream.objects.filter(pk=stream_id)
    version, seed = rows.values_list("engagement__pact_version_id", "seed").get()
    parsed = _parsed(version)
    live = [clause for clause in parsed.clauses if why_not_live(clause) is None]
    return _Clauses(
        parsed=parsed,
        seed=bytes(seed),
        single=tuple(clause for clause in live if not asks_panel(clause)),
        panel=tuple(clause for clause in live if asks_panel(clause)),
        sessions=frozenset(clause.key for clause in live if clause.unit == "session"),
    )


@lru_cache(maxsize=256)
def _parsed(version_id: str) -> PactTerms:
    """The terms of a frozen pact version."""
    return terms.parse(PactVersion.objects.values_list("terms", flat=True).get(pk=version_id))


def _examine(row: Sequence[Any], clauses: _Clauses, now: datetime) -> Examined:
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
    drawn = [one for one in clauses.panel if is_drawn_for(one, clauses.seed, uuid.bytes)]
    heard = [one for one in drawn if waits_for_panel(one, reported)]
    at_once = [*clauses.single, *(one for one in drawn if one not in heard)]
    return Examined(
        id=id,
        uuid=uuid.bytes,
        received_at=received,
        rate=rate,
        model=model,
        model_fingerprint=fingerprint,
        traits=_traits(content),
        session=session_of(content.get("labels") or {}),
        found=examine_call(at_once, reported),
        heard=heard,
        kept=until is not None and until > now,
    )


def _traits(content: Mapping[str, Any]) -> Mapping[str, str]:
    if "input" not in content:
        return {}
    return traits_of(input=content["input"], labels=content.get("labels") or {})


def _count(
    cursor: "psycopg.Cursor[Any]",
    stream: CallStream,
    clauses: _Clauses,
    calls: Sequence[Examined],
    now: datetime,
) -> None:
    """Put the calls into the order of events, and everything that follows from their place."""
    before = stream.least_rate
    weights, least = weigh([call.rate for call in calls], least=before)
    windows = Windows(stream, clauses.parsed, now)
    placed = list(enumerate(calls, start=stream.counted + 1))
    if least < before:
        stream.least_rate = least
        windows.rescale(least / before)
    observe(windows, _observed(stream, clauses, placed, weights, now))
    drift_alarms.watch(stream=stream, parsed=clauses.parsed, calls=placed, weights=weights, now=now)
    live_hearings.open_hearings(stream=stream, calls=placed, now=now)
    stream.counted += len(calls)
    stream.last_call_at = max(call.received_at for call in calls)
    stream.save()
    ids = [call.id for call in calls]
    cursor.execute("DELETE FROM pacts_waitingcall WHERE call_id = ANY(%s)", [ids])
    gone = [call.id for call in calls if not call.kept and not call.heard]
    if gone:
        cursor.execute("DELETE FROM pacts_callcontent WHERE call_id = ANY(%s)", [gone])


def _observed(
    stream: CallStream,
    clauses: _Clauses,
    placed: Sequence[tuple[int, Examined]],
    weights: Sequence[float],
    now: datetime,
) -> list[Observed]:
    """What the calls come to, in their order: at once, or where a session ends with one."""
    if not clauses.sessions:
        return [
            _single(call, place, weight, found)
            for (place, call), weight in zip(placed, weights, strict=True)
            for found in call.found
        ]
    spoken = {place: _spoken(call, place, clauses.sessions) for place, call in placed}
    sessions = Sessions(stream, list(spoken.values()), now)
    observed: list[Observed] = []
    for (place, call), weight in zip(placed, weights, strict=True):
        single = (found for found in call.found if found.clause not in clauses.sessions)
        observed += [_single(call, place, weight, found) for found in single]
        observed += sessions.take(spoken[place])
    sessions.store()
    return observed


def _single(call: Examined, place: int, weight: float, found: Found) -> Observed:
    return Observed(
        call=call.id, place=place, received_at=call.received_at, weight=weight, found=found
    )


def _spoken(call: Examined, place: int, clauses: frozenset[str]) -> Spoken:
    label, ends = call.session
    return Spoken(
        call=call.id,
        place=place,
        received_at=call.received_at,
        label=label,
        ends=ends,
        rate=call.rate,
        found=[one for one in call.found if one.clause in clauses],
    )
