"""Agents that fail several times in a row rest: the row remembers, whichever process asks next."""

from datetime import datetime, timedelta

from django.db.models import F

from marketplace.models import RouteEntry

FAILURES_IN_A_ROW = 3
RESTS_FOR = timedelta(seconds=30)


def noticed(entry: RouteEntry) -> None:
    """It answered: whatever failed before is forgotten."""
    if entry.failures or entry.resting_until:
        RouteEntry.objects.filter(pk=entry.pk).update(failures=0, resting_until=None)


def left_alone(entry: RouteEntry, *, now: datetime) -> None:
    """It failed: after FAILURES_IN_A_ROW it is asked last for RESTS_FOR."""
    rows = RouteEntry.objects.filter(pk=entry.pk)
    rows.update(failures=F("failures") + 1)
    rows.filter(failures__gte=FAILURES_IN_A_ROW).update(resting_until=now + RESTS_FOR)
