"""People are told what changed for the searches they keep: through notices and mails, in one word.

The first change is told at once; what comes within the next hour is told together at its end, and
what its user has looked at meanwhile is not told at all. The changes are marked as told in the
transaction that writes the notices, so nothing is told twice or forgotten, whoever dies.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import override

from marketplace.models import News, SavedSearch, SearchChange
from marketplace.notices.handouts import hand_out
from marketplace.searches import titles

TOPIC = "search"
KIND = "search.changed"
PAUSE = timedelta(hours=1)  # between two words about one search
AT_ONCE = 500  # searches


@dataclass(frozen=True, slots=True)
class Due:
    """One search with changes that wait to be told: id → whether the agent fits it now."""

    search: SavedSearch
    changes: Mapping[int, bool]

    @property
    def came(self) -> int:
        return sum(self.changes.values())

    @property
    def went(self) -> int:
        return len(self.changes) - self.came


def tell(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Tell of what waits; of how many searches. Two at once take different searches."""
    with transaction.atomic():
        due = _due(now, limit)
        if due:
            hand_out([(_news(one, now), [one.search.user_id]) for one in due], now=now)
            told = [change for one in due for change in one.changes]
            SearchChange.objects.filter(pk__in=told).update(told_at=now)
            SavedSearch.objects.filter(pk__in=[one.search.pk for one in due]).update(told_at=now)
    return len(due)


def _due(now: datetime, limit: int) -> list[Due]:
    untold = SearchChange.objects.filter(told_at=None)
    waiting = SavedSearch.objects.filter(
        Q(told_at=None) | Q(told_at__lte=now - PAUSE),
        Exists(untold.filter(search=OuterRef("pk"))),
        ended_at=None,
        user__is_active=True,
    )
    locked = waiting.select_for_update(skip_locked=True, of=("self",)).select_related("user")
    searches = {one.pk: one for one in locked.order_by("pk")[:limit]}
    changes = defaultdict[str, dict[int, bool]](dict)
    for row in untold.filter(search__in=searches).order_by("pk"):
        changes[row.search_id][row.pk] = row.fits
    return [Due(searches[key], found) for key, found in changes.items()]


def _news(one: Due, now: datetime) -> News:
    """Which search it is, and how many came and went: its name is drawn when it is read."""
    with override("en"):
        title = titles.title_of(name=titles.UNNAMED, came=one.came, went=one.went)
    return News(
        search=one.search,
        kind=KIND,
        topic=TOPIC,
        title=title,
        words=titles.kept(came=one.came, went=one.went),
        path=f"/searches/{one.search.pk}/",
        told_at=now,
    )
