"""From what clauses say to rows: into their windows in the order of events, and stored once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import connection

from pacts.calls_examined import Found
from pacts.live_windows import Seen, Windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What one clause says of one call (or, by its last call, of one session), at a place in the
    order of events, with its weight in the bets."""

    call: int
    place: int
    received_at: datetime
    weight: float
    found: Found


def observe(windows: Windows, observed: Sequence[Observed]) -> None:
    """Feed the windows of a stream whose row is held, and store every observation."""
    numbers = windows.feed(
        Seen(
            clause=one.found.clause,
            place=one.place,
            received_at=one.received_at,
            outcome=one.found.outcome,
            value=one.found.value,
            weight=one.weight,
        )
        for one in observed
    )
    windows.store()
    rows = [_row(one, number) for one, number in zip(observed, numbers, strict=True)]
    if rows:
        with psycopg.Cursor(connection.connection) as cursor:
            columns = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(_OBSERVE, columns, prepare=True)


def _row(one: Observed, window: int) -> tuple[object, ...]:
    found = one.found
    return (
        *(one.call, found.clause, found.version, window, one.place),
        *(found.outcome, found.value, one.weight, found.reason[:240]),
    )


_OBSERVE = """
INSERT INTO pacts_callobservation
       (call_id, clause, check_version, "window", place, outcome, value, weight, reason)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::int[], %s::bigint[], %s::text[],
                     %s::float8[], %s::float8[], %s::text[])
"""
