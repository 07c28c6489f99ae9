"""Counting the calls of a stream by window, each once and in one column, straight from its rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import connection

from settlement.metering import Counted, Span

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Windows by number with what was counted; `first` is the smallest call id of each."""

    windows: Mapping[int, Counted] = field(default_factory=dict)
    first: Mapping[int | None, int] = field(default_factory=dict)
    end: int = 0  # behind the last call that was read

    def next_call(self, *, settled: int) -> int:
        """Every call before this one is in a window numbered `settled` at most."""
        later = [
            first for number, first in self.first.items() if number is None or number > settled
        ]
        return min(later, default=self.end)


def counts_of(
    *,
    stream_id: str,
    keys: Sequence[str],
    since: int,
    funded_at: datetime,
    idle: Iterable[Span],
) -> Counts:
    """The calls of a stream from id `since` on.

    A call is outside when it was received before the funding or strictly within a span of `idle`.
    A call that no clause has seen yet belongs to no window.
    """
    spans = [(span.start, span.end or _NEVER) for span in idle]
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            {
                "stream": stream_id,
                "keys": list(keys),
                "since": since,
                "funded": funded_at,
                "starts": [start for start, _ in spans],
                "ends": [end for _, end in spans],
            },
        )
        rows = cursor.fetchall()
    return _gathered(rows, since)


def _gathered(rows: Iterable[tuple[int | None, str, int, int, int]], since: int) -> Counts:
    found: dict[int, dict[str, int]] = {}
    first: dict[int | None, int] = {}
    end = since
    for number, kind, calls, low, high in rows:
        first[number] = min(low, first.get(number, low))
        end = max(end, high + 1)
        if number is not None:
            found.setdefault(number, {})[kind] = calls
    windows = {number: Counted(**kinds) for number, kinds in found.items()}
    return Counts(windows=windows, first=first, end=end)


_COUNT = """
WITH seen AS (
    SELECT c.id, c.received_at, c.fault, min(o."window") AS number,
           bool_or(o.outcome = 'fail') AS failed,
           bool_or(o.outcome IN ('error', 'null')) AS broken,
           bool_or(o.outcome = 'pass') AS passed
      FROM pacts_call c
      LEFT JOIN pacts_callobservation o ON o.call_id = c.id AND o.clause = ANY(%(keys)s)
     WHERE c.stream_id = %(stream)s AND c.id >= %(since)s
     GROUP BY c.id
), told AS (
    SELECT id, number, CASE
             WHEN received_at < %(funded)s THEN 'outside'
             WHEN EXISTS (
               SELECT FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[])
                   AS idle (start, stop)
                WHERE received_at > idle.start AND received_at < idle.stop) THEN 'outside'
             WHEN fault IN ('platform', 'buyer') THEN fault
             WHEN failed OR fault = 'agent' THEN 'failed'
             WHEN broken THEN 'platform'
             WHEN passed THEN 'verified'
             ELSE 'unchecked' END AS kind
      FROM seen
)
SELECT number, kind, count(*), min(id), max(id) FROM told GROUP BY number, kind
"""
