"""People are told what changed for the searches they keep: through notices and mails, in one word.

The first change is told at once; what comes within the next hour is told together at its end, and
what its user has looked at meanwhile is not told at all. The changes are marked as told in the
transaction that writes the notices, so nothing is told twice or forgotten, whoever dies.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from marketplace.models import Mail, News, Notice, SavedSearch, SearchChange
from marketplace.notices.choices import APP, MAIL, choices_of_all
from reputation.hints import hint

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
            _tell_people(due, now)
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


def _tell_people(due: Sequence[Due], now: datetime) -> None:
    choices = choices_of_all({one.search.user_id for one in due})
    wanted = [
        one
        for one in due
        if any(choices[one.search.user_id][(TOPIC, channel)] for channel in (APP, MAIL))
    ]
    news = News.objects.bulk_create([_news(one, now) for one in wanted])
    told = [(row, one.search.user_id) for row, one in zip(news, wanted, strict=True)]
    Notice.objects.bulk_create(
        [Notice(news=row, user_id=user) for row, user in told if choices[user][(TOPIC, APP)]]
    )
    mails = [
        Mail(news=row, user_id=user, due_at=now)
        for row, user in told
        if choices[user][(TOPIC, MAIL)]
    ]
    Mail.objects.bulk_create(mails)
    if mails:
        transaction.on_commit(lambda: hint("marketplace.tasks.send_mails"))


def _news(one: Due, now: datetime) -> News:
    with override(one.search.user.language or None):
        title = title_of(one)
    return News(
        kind=KIND,
        topic=TOPIC,
        title=title[:200],
        path=f"/searches/{one.search.pk}/",
        told_at=now,
    )


def title_of(one: Due) -> str:
    """What changed for a search, in one line."""
    name = one.search.name
    came = ngettext(
        "%(count)s agent newly fits “%(name)s”", "%(count)s agents newly fit “%(name)s”", one.came
    ) % {"count": one.came, "name": name}
    if not one.went:
        return came
    if not one.came:
        return ngettext(
            "%(count)s agent no longer fits “%(name)s”",
            "%(count)s agents no longer fit “%(name)s”",
            one.went,
        ) % {"count": one.went, "name": name}
    return _("%(came)s, %(count)s no longer") % {"came": came, "count": one.went}
