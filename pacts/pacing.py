"""How many calls an agent version takes now: its own rate, shared by everybody who calls it."""

from django.db import connection, transaction

from pacts.budgets import paced
from pacts.models import AgentVersion

_AHEAD = """
SELECT extract(epoch FROM free_at - clock_timestamp()) FROM pacts_callpace
 WHERE agent_version_id = %s
"""
_BOOK = """
INSERT INTO pacts_callpace AS p (agent_version_id, free_at)
VALUES (%(version)s, clock_timestamp() + make_interval(secs => %(ahead)s))
    ON CONFLICT (agent_version_id) DO UPDATE
   SET free_at = greatest(p.free_at, clock_timestamp()) + make_interval(secs => %(ahead)s)
"""


def book_calls(*, version: AgentVersion, wanted: int) -> tuple[int, float]:
    """Book up to `wanted` calls; how many may be made at once, and how many seconds to wait before
    more are asked for (0 without a rate). The version's row is held while it is looked at."""
    if version.max_per_minute is None:
        return wanted, 0.0
    with transaction.atomic(), connection.cursor() as cursor:
        AgentVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
        cursor.execute(_AHEAD, [version.pk])
        row = cursor.fetchone()
        booked = float(row[0]) if row else -60.0
        taken, _, wait = paced(
            per_minute=version.max_per_minute, booked_ahead=booked, wanted=wanted
        )
        if taken:
            ahead = taken * 60 / version.max_per_minute
            cursor.execute(_BOOK, {"version": version.pk, "ahead": ahead})
    return taken, wait
