"""How many production calls wait to be checked, how long the oldest has, and when to come again."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

MOST_WAITING = 50_000
LATELY = timedelta(seconds=10)
SHORTEST, LONGEST = 1, 60  # seconds to stay away


class TooManyWaiting(RuntimeError):
    """No more calls are taken before some were checked. `seconds` says when to come again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many calls wait to be checked; send again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """`waiting` calls, counted no further than the most that may wait; `lag` is how long the
    oldest has waited; `per_second` were checked lately."""

    waiting: int
    lag: timedelta
    per_second: float

    @property
    def lag_seconds(self) -> float:
        return self.lag.total_seconds()


def backlog(*, now: datetime) -> Backlog:
    """The backlog of all streams together."""
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, {"most": MOST_WAITING, "since": now - LATELY})
        waiting, oldest, checked = cursor.fetchone()
    lag = max(timedelta(0), now - oldest) if oldest else timedelta(0)
    return Backlog(waiting=waiting, lag=lag, per_second=checked / LATELY.total_seconds())


_BACKLOG = """
SELECT (SELECT count(*) FROM (SELECT FROM pacts_waitingcall LIMIT %(most)s) w),
       (SELECT received_at FROM pacts_waitingcall ORDER BY call_id LIMIT 1),
       (SELECT coalesce(sum(calls), 0) FROM pacts_callshift WHERE finished_at > %(since)s)
"""


def make_room(*, now: datetime) -> Backlog:
    """The backlog as it is. Raises TooManyWaiting where nothing more may be queued: for as long as
    half of what waits takes at the speed of the last ten seconds."""
    found = backlog(now=now)
    if found.waiting >= MOST_WAITING:
        raise TooManyWaiting(seconds_to_wait(found))
    return found


def seconds_to_wait(found: Backlog) -> int:
    """Whole seconds from 1 to 60; a minute while nobody checks anything."""
    if not found.per_second:
        return LONGEST
    return min(LONGEST, max(SHORTEST, math.ceil(found.waiting / 2 / found.per_second)))
