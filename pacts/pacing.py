"""How many calls an agent version takes now: at once, and by its rate; shared by every run of it.

Under the lock of the version's row, whoever is about to call reads what others have under way and
books its own. What is judged goes first: a rehearsal takes what queued trials leave.
"""

from typing import Any

from django.db import connection, transaction

from pacts.budgets import paced
from pacts.models import AgentVersion, Rehearsal

BUSY_SECONDS = 10.0  # with no place free, a rehearsal asks again after this

# Both are read where `version` is an agent version's id. Calls under way, of runs and rehearsals:
IN_FLIGHT = """(
    (SELECT count(*) FROM pacts_trial r JOIN pacts_evaluation o ON o.id = r.evaluation_id
      WHERE r.state = 'running' AND r.lease_expires_at > clock_timestamp()
        AND o.agent_version_id = %(version)s AND o.state = 'running' AND o.rerun_of_id IS NULL)
  + (SELECT coalesce(sum(calling), 0) FROM pacts_rehearsal
      WHERE agent_version_id = %(version)s AND state = 'running'
        AND lease_expires_at > clock_timestamp()))"""
# Seconds until the next call would be due, had all been evenly spaced; null before the first.
AHEAD = """(
    SELECT extract(epoch FROM free_at - clock_timestamp()) FROM pacts_callpace
     WHERE agent_version_id = %(version)s)"""
_QUEUED = """(
    SELECT count(*) FROM pacts_trial q JOIN pacts_evaluation o ON o.id = q.evaluation_id
     WHERE q.state = 'queued' AND q.position <= coalesce(o.stop_after, q.position)
       AND o.agent_version_id = %(version)s AND o.state = 'running' AND o.rerun_of_id IS NULL)"""
_PRESSURE = f"SELECT {IN_FLIGHT} + {_QUEUED}, {AHEAD}"
_BOOK = """
INSERT INTO pacts_callpace AS p (agent_version_id, free_at)
VALUES (%(version)s, clock_timestamp() + make_interval(secs => %(ahead)s))
    ON CONFLICT (agent_version_id) DO UPDATE
   SET free_at = greatest(p.free_at, clock_timestamp()) + make_interval(secs => %(ahead)s)
"""


def book(cursor: Any, *, version_id: str, per_minute: int, calls: int) -> None:
    """Book that many calls of a version whose row the caller holds."""
    cursor.execute(_BOOK, {"version": version_id, "ahead": calls * 60 / per_minute})


def book_calls(*, rehearsal: Rehearsal, wanted: int) -> tuple[int, float]:
    """Book up to `wanted` calls of a rehearsal that the caller has leased.

    How many may be made at once, which `calling` says to others until they have landed, and how
    many seconds to wait where it is none.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        locked = AgentVersion.objects.select_for_update(no_key=True)
        version = locked.get(pk=rehearsal.agent_version_id)
        cursor.execute(_PRESSURE, {"version": version.pk})
        busy, ahead = cursor.fetchone()
        taken, wait = min(wanted, max(0, version.max_concurrency - busy)), BUSY_SECONDS
        if taken and version.max_per_minute is not None:
            taken, _, wait = paced(
                per_minute=version.max_per_minute, booked_ahead=float(ahead or 0), wanted=taken
            )
            if taken:
                book(
                    cursor,
                    version_id=version.pk,
                    per_minute=version.max_per_minute,
                    calls=taken,
                )
        Rehearsal.objects.filter(pk=rehearsal.pk).update(calling=taken)
    return taken, wait
