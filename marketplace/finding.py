"""Finding what is on offer: what a search asks for, the order of what it finds, and its pages.

A word matches the beginnings of names, kinds of work and builders, and the stems of summaries.
Where nothing matches, words that look alike do, if the database knows trigrams (`pg_trgm`).
In the order of the pact every sixth place belongs to a newcomer, drawn anew each day: whoever has
no number yet would otherwise never be seen.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, reduce
from hashlib import md5
from operator import and_
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db import connection, transaction
from django.db.models import Count, F, Max, Q, QuerySet

from marketplace.models import SearchEntry
from marketplace.models.searchable import ENTRIES
from reputation.models import ScoreMove

SORTS = {
    "pact": "Pact: lower bound",
    "benchmark": "Benchmark claim",
    "price": "Price",
    "newest": "Newest",
}
PER_PAGE = 24
MOST_WORDS = 8
NEWCOMER_EVERY = 6  # places
FOLLOWED_AT_ONCE = 5_000  # moves of scores
ALIKE = 0.45  # share of a word's trigrams that a word like it has, in one stretch
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What somebody asks for; empty fields ask for nothing. Bounds are basis points.

    `floors` are dimensions with the lower bound each must reach; `fresh_days` the most that may
    have passed since something was last measured; `most` the highest price in minor units of
    `currency`.
    """

    text: str = ""
    work: str = ""
    least: int = 0
    floors: Mapping[str, int] = field(default_factory=dict)
    fresh_days: int = 0
    most: int | None = None
    currency: str = ""
    protocol: str = ""
    language: str = ""
    sort: str = "pact"

    @property
    def words(self) -> list[str]:
        """The words of the text that are looked for."""
        return _WORD.findall(self.text.lower())[:MOST_WORDS]

    @property
    def asks(self) -> bool:
        """Whether it leaves anything out."""
        return query_of(self).keys() - {"sort"} != set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of what a search found: listings in order, and how many there are in all.

    `alike` says that nothing matches the words themselves, and these are spelled like them.
    """

    listings: list[str]
    count: int
    page: int
    alike: bool = False

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // PER_PAGE))


def find(search: Search, *, page: int, now: datetime) -> Found:
    """The page of that number, the nearest there is; each listing stands on one page only."""
    entries, alike = spelled(search, now=now)
    count, ranked = _counted(entries, search)
    page = min(max(1, page), max(1, -(-count // PER_PAGE)))
    start = PER_PAGE * (page - 1)
    if search.sort == "pact":
        listings = _by_pact(entries, ranked, count, start, now)
    else:
        listings = _sorted(entries, search.sort, start)
    return Found(listings=listings, count=count, page=page, alike=alike)


def _counted(entries: "QuerySet[SearchEntry]", search: Search) -> tuple[int, int]:
    """How many there are, and how many of them have a rank.

    Two counts along indexes where everything is asked for, one over the rows found otherwise.
    """
    if search.asks:
        counted = entries.aggregate(all=Count("pk"), ranked=Count("rank"))
        return counted["all"], counted["ranked"]
    count = entries.count()
    return count, count - entries.filter(rank__isnull=True).count()


def spelled(search: Search, *, now: datetime) -> tuple["QuerySet[SearchEntry]", bool]:
    """What matches the words, or where nothing does, what is spelled like them (then True)."""
    others = filtered(search, now=now)
    if not search.words:
        return others, False
    exact = others.filter(reduce(and_, (_says(word) for word in search.words)))
    if not knows_trigrams() or exact.exists():
        return exact, False
    with connection.cursor() as cursor:
        cursor.execute(f"SET pg_trgm.word_similarity_threshold = {ALIKE}")
    return others.filter(*(Q(words__trigram_word_similar=word) for word in search.words)), True


def filtered(search: Search, *, now: datetime) -> "QuerySet[SearchEntry]":
    """What fits everything but the words."""
    entries = SearchEntry.objects.all()
    if search.work:
        entries = entries.filter(work=search.work)
    if search.protocol:
        entries = entries.filter(protocol=search.protocol)
    if search.language:
        entries = entries.filter(Q(languages__contains=[search.language]) | Q(languages=[]))
    if search.currency:
        entries = entries.filter(currency=search.currency)
    if search.most is not None:
        entries = entries.filter(price__lte=search.most)
    if search.least:
        entries = entries.filter(score_bps__gte=search.least)
    for dimension, least in search.floors.items():
        entries = entries.filter(**{f"bounds__{dimension}__gte": least})
    if search.fresh_days:
        entries = entries.filter(measured_at__gte=now - timedelta(days=search.fresh_days))
    return entries


def _says(word: str) -> Q:
    begins = SearchQuery(f"{word}:*", config="simple", search_type="raw")
    return Q(document=begins | SearchQuery(word, config="english"))


def _by_pact(
    entries: "QuerySet[SearchEntry]", ranked: int, count: int, start: int, now: datetime
) -> list[str]:
    """Ranked ones by their rank, and a newcomer in every sixth place while there are both.

    Newcomers wait in a ring shuffled once; each day another of them is the first.
    """
    keys = entries.values_list("listing_id", flat=True)
    best = keys.filter(rank__isnull=False).order_by("-rank", "listing")
    first = md5(f"{now:%Y-%m-%d}".encode(), usedforsecurity=False).hexdigest()
    new = keys.filter(rank__isnull=True).order_by("shuffle")
    cut = places(start, ranked, count - ranked)
    ring = new.filter(shuffle__gte=first), new.filter(shuffle__lt=first)
    return interleaved(list(best[slice(*cut[0])]), _around(ring, *cut[1]), start)


def _around(
    ring: "tuple[QuerySet[SearchEntry, str], QuerySet[SearchEntry, str]]", start: int, end: int
) -> list[str]:
    """The places from `start` to before `end` of two lines, the second behind the first."""
    found = list(ring[0][start:end])
    missing = end - start - len(found)
    if missing:
        behind = max(0, start - ring[0].count()) if not found else 0
        found += ring[1][behind : behind + missing]
    return found


def places(start: int, ranked: int, new: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of so many ranked and new ones, those on the page from place `start` (0 is the first).

    For each of both lines: its first on the page, and the first that is not on it any more.
    """
    end = max(start, min(start + PER_PAGE, ranked + new))
    first, last = (max(min(p // NEWCOMER_EVERY, new), p - ranked) for p in (start, end))
    return (start - first, end - last), (first, last)


def interleaved(best: list[str], fresh: list[str], start: int) -> list[str]:
    """A newcomer on every sixth place; where one line has ended, the other goes on."""
    lines, page = (iter(best), iter(fresh)), list[str]()
    for place in range(start + 1, start + len(best) + len(fresh) + 1):
        turn = place % NEWCOMER_EVERY == 0
        page.append(next(lines[turn], None) or next(lines[not turn]))
    return page


def _sorted(entries: "QuerySet[SearchEntry]", sort: str, start: int) -> list[str]:
    """By claim, price or age, the listing's id last, so that pages never overlap."""
    end = start + PER_PAGE
    if sort == "price":
        ordered = entries.order_by("price", "listing")
    elif sort == "newest":
        ordered = entries.order_by("-opened_at", "listing")
    else:
        ordered = entries.order_by(F("claim_bps").desc(nulls_last=True), "listing")
    return list(ordered.values_list("listing_id", flat=True)[start:end])


@cache
def knows_trigrams() -> bool:
    """Whether the database has `pg_trgm`; asked once in a process's life."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm')")
        return bool(cursor.fetchone()[0])


def write_entries() -> int:
    """Write the entry of every open listing that has none; how many were written."""
    with connection.cursor() as cursor:
        cursor.execute(f"{ENTRIES} ON CONFLICT DO NOTHING")
        return int(cursor.rowcount)


def follow_scores() -> int:
    """Copy the stored scores that moved onto the entries; how many entries changed.

    It compares what moved since somebody last did so, batch by batch, and nothing else.
    """
    last, changed = ScoreMove.objects.aggregate(last=Max("pk"))["last"], 0
    while last is not None and (done := _follow_some(last)) is not None:
        changed += done
    return changed


def compare_scores() -> int:
    """Copy every stored score that differs, whoever forgot to note that it moved; how many did."""
    with transaction.atomic(), connection.cursor() as cursor:
        _one_at_a_time()
        cursor.execute(_FOLLOW)
        return int(cursor.rowcount)


def _follow_some(last: int) -> int | None:
    """The oldest moves up to the row `last`; None where none is left."""
    with transaction.atomic(), connection.cursor() as cursor:
        _one_at_a_time()
        rows = ScoreMove.objects.filter(pk__lte=last).order_by("pk")
        moves = list(rows.values_list("pk", flat=True)[:FOLLOWED_AT_ONCE])
        if not moves:
            return None
        cursor.execute(_FOLLOW_MOVED, {"moves": moves})
        return int(cursor.rowcount)


def _one_at_a_time() -> None:
    """Wait until nobody else writes many entries at once, until this transaction ends: two that
    lock the same rows in different orders would wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('marketplace.entries'))")


_FOLLOW = """
UPDATE marketplace_searchentry AS entry
   SET rank = score.rank, score_bps = score.score_bps, bounds = score.bounds,
       measured_at = score.measured_at
  FROM reputation_standingscore AS score
 WHERE score.version_id = entry.agent_version_id
   AND (entry.rank, entry.score_bps, entry.bounds, entry.measured_at)
       IS DISTINCT FROM (score.rank, score.score_bps, score.bounds, score.measured_at)"""
# One snapshot has a move with the score that moved, or neither.
_FOLLOW_MOVED = f"""
WITH moved AS (
  DELETE FROM reputation_scoremove WHERE id = ANY(%(moves)s) RETURNING version_id
) {_FOLLOW} AND entry.agent_version_id IN (SELECT version_id FROM moved)"""  # noqa: S608


def on_offer() -> tuple[list[str], list[str]]:
    """The kinds of work and the currencies of what is on offer, each in order.

    It leaps from one to the next in the index, so a hundred thousand offers cost as many steps as
    there are values.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEAPS)
        found = cursor.fetchall()
    works, currencies = (sorted(value for kind, value in found if kind == n) for n in (0, 1))
    return works, currencies


_LEAP = """
WITH RECURSIVE found (value) AS (
  SELECT min({column}) FROM marketplace_searchentry
  UNION ALL
  SELECT (SELECT min({column}) FROM marketplace_searchentry WHERE {column} > found.value)
    FROM found WHERE found.value IS NOT NULL
) SELECT {place}, value::text FROM found WHERE value IS NOT NULL"""
_LEAPS = " UNION ALL ".join(
    f"({_LEAP.format(column=column, place=place)})"
    for place, column in enumerate(("work", "currency"))
)


def best_claimed(each: int) -> dict[str, list[str]]:
    """Kind of work, by name → the listings with the highest claims, so many of each.

    One look into the index for each kind, however much is on offer.
    """
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BEST_CLAIMED, [each])
        for work, listing in cursor.fetchall():
            found.setdefault(work, []).append(listing)
    return found


_BEST_CLAIMED = """
SELECT kind.value, best.listing_id FROM ({kinds}) AS kind (place, value)
 CROSS JOIN LATERAL (
   SELECT listing_id, claim_bps, words FROM marketplace_searchentry
    WHERE work = kind.value AND claim_bps IS NOT NULL
    ORDER BY claim_bps DESC, words, listing_id LIMIT %s) AS best
 ORDER BY kind.value, best.claim_bps DESC, best.words, best.listing_id""".format(  # noqa: S608
    kinds=_LEAP.format(column="work", place=0)
)


def query_of(search: Search) -> dict[str, Any]:
    """The search as JSON, without what it does not ask for; `search_of` reads it again."""
    usual = Search()
    return {
        name: getattr(search, name)
        for name in Search.__slots__
        if getattr(search, name) != getattr(usual, name)
    }
