"""What to loosen where a search finds nothing: what each thing it asks for leaves out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from marketplace.finding import Search, spelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Looser:
    """The search without some of what it asks, and how many offers that finds.

    `fields` are those left out, by the names of `marketplace.finding.Search`; of `floors`, the
    dimension is `dimension`.
    """

    fields: tuple[str, ...]
    search: Search
    count: int
    dimension: str = ""


def loosened(search: Search, *, now: datetime) -> list[Looser]:
    """Ways to find something, the one that finds the most first; none if nothing is on offer.

    Each leaves out one thing. If no single one helps, all but one are left out, else all of them.
    """
    for ways in (_without_one(search), _only_one(search), [(("all",), Search(), "")]):
        found = [
            Looser(fields=fields, search=looser, count=count, dimension=dimension)
            for fields, looser, dimension in ways
            if (count := spelled(looser, now=now)[0].count())
        ]
        if found:
            return sorted(_telling(found), key=lambda way: -way.count)
    return []


def _telling(found: list[Looser]) -> list[Looser]:
    """Without those that leave out more than another and find no more."""
    return [
        way
        for way in found
        if not any(
            set(other.fields) < set(way.fields) and other.count == way.count for other in found
        )
    ]


Way = tuple[tuple[str, ...], Search, str]


def _without_one(search: Search) -> Iterator[Way]:
    """The search without each of the things it asks for, one at a time."""
    for field in _asked(search):
        yield (field,), _without(search, field), ""
    if search.most is not None and search.currency:
        yield ("most", "currency"), replace(search, most=None, currency=""), ""
    for dimension in search.floors:
        kept = {name: bps for name, bps in search.floors.items() if name != dimension}
        yield ("floors",), replace(search, floors=kept), dimension


def _only_one(search: Search) -> Iterator[Way]:
    """Each of the things it asks for, alone: what is left out are all others."""
    asked = [*_asked(search), *(["floors"] if search.floors else [])]
    for field in asked:
        value = getattr(search, field)
        kept = replace(Search(sort=search.sort), **{field: value})
        if field == "most":
            kept = replace(kept, currency=search.currency)
        yield tuple(other for other in asked if other != field), kept, ""


def _asked(search: Search) -> list[str]:
    """The single things it asks for; a price's currency belongs to the price."""
    usual = Search()
    names = ("text", "work", "least", "fresh_days", "most", "currency", "protocol", "language")
    asked = [name for name in names if getattr(search, name) != getattr(usual, name)]
    return [name for name in asked if name != "currency" or search.most is None]


def _without(search: Search, field: str) -> Search:
    """`most` is an amount of a currency, which goes on being asked for without it."""
    return replace(search, **{field: getattr(Search(), field)})
