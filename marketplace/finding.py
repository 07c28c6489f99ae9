"""Finding what is on offer: what a search asks for, the order of what it finds, and its pages.

A word matches the beginnings of names, kinds of work and builders, and the stems of summaries.
Where nothing matches, words that look alike do, if the database knows trigrams (`pg_trgm`).
In the order of the pact every sixth place belongs to a newcomer, drawn anew each day: whoever has
no number yet would otherwise never be seen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, reduce
from operator import and_
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import MD5, Concat

from marketplace.models import SearchEntry
from marketplace.models.searchable import ENTRIES
from reputation.models import Standing, StandingScore

SORTS = {
    "pact": "Pact: lower bound",
    "benchmark": "Benchmark claim",
    "price": "Price",
    "newest": "Newest",
}
PER_PAGE = 24
MOST_WORDS = 8
NEWCOMER_EVERY = 6  # places
_WORD = re.compile(r"\w+")


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
    count = entries.count()
    page = min(max(1, page), max(1, -(-count // PER_PAGE)))
    ordered = _by_pact if search.sort == "pact" else _sorted
    return Found(
        listings=ordered(entries, search.sort, PER_PAGE * (page - 1), now),
        count=count,
        page=page,
        alike=alike,
    )


def spelled(search: Search, *, now: datetime) -> tuple["QuerySet[SearchEntry]", bool]:
    """What matches the words, or where nothing does, what is spelled like them (then True)."""
    others = filtered(search, now=now)
    if not search.words:
        return others, False
    exact = others.filter(reduce(and_, (_says(word) for word in search.words)))
    if not knows_trigrams() or exact.exists():
        return exact, False
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
    if search.least or search.floors:
        entries = entries.filter(Exists(_scores_reaching(search)))
    if search.fresh_days:
        since = now - timedelta(days=search.fresh_days)
        measured = Standing.objects.filter(version_id=OuterRef("agent_version_id"))
        entries = entries.filter(Exists(measured.filter(last_evidence_at__gte=since)))
    return entries


def _scores_reaching(search: Search) -> "QuerySet[StandingScore]":
    scores = StandingScore.objects.filter(version_id=OuterRef("agent_version_id"))
    if search.least:
        scores = scores.filter(score_bps__gte=search.least)
    for dimension, least in search.floors.items():
        scores = scores.filter(**{f"bounds__{dimension}__gte": least})
    return scores


def _says(word: str) -> Q:
    begins = SearchQuery(f"{word}:*", config="simple", search_type="raw")
    return Q(document=begins | SearchQuery(word, config="english"))


def _by_pact(entries: "QuerySet[SearchEntry]", sort: str, start: int, now: datetime) -> list[str]:
    """Ranked ones by their rank, and a newcomer in every sixth place while there are both."""
    ranks = StandingScore.objects.filter(rank__isnull=False)
    here = entries.filter(agent_version_id=OuterRef("version_id"))
    ranked = ranks.filter(Exists(here)).order_by("-rank", "-version_id")
    scored = ranks.filter(version_id=OuterRef("agent_version_id"))
    new = entries.filter(~Exists(scored)).annotate(
        drawn=MD5(Concat(Value(f"{now:%Y-%m-%d}"), F("listing_id")))
    )
    return _mixed(ranked, new.order_by("drawn"), start)


def _mixed(
    ranked: "QuerySet[StandingScore]", new: "QuerySet[SearchEntry]", start: int
) -> list[str]:
    """Listings on the places from `start` (counted from 0) to the end of the page."""
    end = start + PER_PAGE
    cut = tuple(place // NEWCOMER_EVERY for place in (start, end))
    best, fresh = _cut(ranked, new, start, end, cut)
    if len(best) + len(fresh) < PER_PAGE:  # one kind runs out: count both, and cut exactly
        many, few = ranked.count(), new.count()
        end = min(end, many + few)
        cut = tuple(max(min(place // NEWCOMER_EVERY, few), place - many) for place in (start, end))
        best, fresh = _cut(ranked, new, start, end, cut)
    return _interleaved(best, fresh, start)


def _cut(
    ranked: "QuerySet[StandingScore]",
    new: "QuerySet[SearchEntry]",
    start: int,
    end: int,
    cut: Sequence[int],
) -> tuple[list[str], list[str]]:
    """Ranked and new listings of places `start` to `end`; `cut`: how many new stand before."""
    versions = list(ranked.values_list("version_id", flat=True)[start - cut[0] : end - cut[1]])
    offered = dict(
        SearchEntry.objects.filter(agent_version__in=versions).values_list(
            "agent_version_id", "listing_id"
        )
    )
    best = [offered[version] for version in versions if version in offered]
    return best, list(new.values_list("listing_id", flat=True)[cut[0] : cut[1]])


def _interleaved(best: list[str], fresh: list[str], start: int) -> list[str]:
    """Newcomers on every sixth place, counted from the first of all, while both last."""
    ranked, new, placed = iter(best), iter(fresh), list[str]()
    for place in range(start + 1, start + len(best) + len(fresh) + 1):
        first, second = (new, ranked) if place % NEWCOMER_EVERY == 0 else (ranked, new)
        placed.append(next(first, None) or next(second))
    return placed


def _sorted(entries: "QuerySet[SearchEntry]", sort: str, start: int, now: datetime) -> list[str]:
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


def kinds_of_work() -> list[tuple[str, int]]:
    """Every kind of work on offer with how many offers it has, the most first."""
    rows = SearchEntry.objects.values_list("work").annotate(many=Count("listing"))
    return list(rows.order_by("-many", "work"))


def query_of(search: Search) -> dict[str, Any]:
    """The search as JSON, without what it does not ask for; `search_of` reads it again."""
    usual = Search()
    return {
        name: getattr(search, name)
        for name in Search.__slots__
        if getattr(search, name) != getattr(usual, name)
    }
