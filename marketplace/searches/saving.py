"""Keeping a search under a name, renaming it, ending it, and having seen what changed."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from marketplace.finding import Search, query_of
from marketplace.models import SavedSearch, SearchChange
from marketplace.searches import watching
from pacts.models import User

MOST_SAVED = 50  # of one person
LONGEST_NAME = 80
KEPT = timedelta(days=90)  # what was told


class SearchRefused(ValueError):
    """This cannot be kept; the message says what to do instead."""


def save(*, user: User, name: str, search: Search, now: datetime) -> SavedSearch:
    """Keep a search. Its user is told of what changes from now on, and of nothing before.

    Raises SearchRefused for a search that leaves nothing out, a name in use, or one too many.
    """
    if not search.asks:
        raise SearchRefused("say what you look for first: this search leaves nothing out")
    words = _tsquery(search.words)
    if search.words and not words:
        raise SearchRefused("none of these words can be looked for; use letters or digits")
    with transaction.atomic():
        mine = searches_of(user)
        if mine.count() >= MOST_SAVED:
            raise SearchRefused(f"you keep {MOST_SAVED} searches; end one first")
        made = SavedSearch.objects.create(
            user=user,
            name=_name(name, mine),
            asks=query_of(search),
            words=words,
            work=search.work,
            least=search.least,
            floors=dict(search.floors),
            fresh_days=search.fresh_days,
            most=search.most,
            currency=search.currency,
            protocol=search.protocol,
            language=search.language,
            saved_at=now,
            looked_at=now,
        )
        watching.begin(made)  # whatever changed before belongs to others
    return made


def rename(*, search: SavedSearch, name: str) -> SavedSearch:
    """Give it another name. Raises SearchRefused."""
    with transaction.atomic():
        locked = SavedSearch.objects.select_for_update().get(pk=search.pk)
        others = searches_of(locked.user).exclude(pk=locked.pk)
        if locked.ended_at:
            raise SearchRefused("this search has ended; save it again under the new name")
        locked.name = _name(name, others)
        locked.save(update_fields=["name"])
    return locked


def end(*, search: SavedSearch, now: datetime) -> SavedSearch:
    """Tell of no more changes; what was not told yet is forgotten. Ending twice is ending once."""
    with transaction.atomic():
        locked = SavedSearch.objects.select_for_update().get(pk=search.pk)
        if locked.ended_at is None:
            locked.ended_at = now
            locked.save(update_fields=["ended_at"])
            locked.changes.filter(told_at=None).delete()
    return locked


def see(*, search: SavedSearch, now: datetime) -> SavedSearch:
    """Its user looks at it: what is new was seen, and is not told of any more.

    Until something newer comes, what was new at this look stays marked, however often one looks.
    """
    with transaction.atomic():
        locked = SavedSearch.objects.select_for_update().get(pk=search.pk)
        unseen = SearchChange.objects.filter(search=locked, seen_at=None)
        if unseen.update(seen_at=now, told_at=Coalesce("told_at", Value(now))):
            locked.looked_at = now
            locked.save(update_fields=["looked_at"])
    return locked


def searches_of(user: User) -> "QuerySet[SavedSearch]":
    """A person's searches that have not ended, the newest first."""
    return SavedSearch.objects.filter(user=user, ended_at=None)


def with_news(rows: "QuerySet[SavedSearch]") -> "QuerySet[SavedSearch]":
    """These searches with `unseen`: how many changes came since their user last looked."""
    unseen = Q(changes__isnull=False, changes__seen_at=None)
    return rows.annotate(unseen=Count("changes", filter=unseen)).order_by("-id")


def forget_old(*, now: datetime) -> int:
    """Delete changes that were told long ago, and all of ended searches; how many."""
    old = Q(told_at__lt=now - KEPT) | Q(search__ended_at__lt=now - KEPT)
    return SearchChange.objects.filter(old).delete()[0]


def _name(name: str, others: "QuerySet[SavedSearch]") -> str:
    """The name without stray space. Raises SearchRefused."""
    name = " ".join(name.split())
    if not name:
        raise SearchRefused("give the search a name")
    if len(name) > LONGEST_NAME:
        raise SearchRefused(f"a name has at most {LONGEST_NAME} characters")
    if others.filter(name=name).exists():
        raise SearchRefused(f"you already keep a search named “{name}”; choose another name")
    return name


def _tsquery(words: list[str]) -> str:
    """The words as `marketplace.finding` looks for them: as a tsquery in text; "" for none."""
    if not words:
        return ""
    one = "(to_tsquery('simple', %s) || plainto_tsquery('english', %s))"
    values = [value for word in words for value in (f"{word}:*", word)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({' && '.join([one] * len(words))})::text", values)
        return str(cursor.fetchone()[0])
