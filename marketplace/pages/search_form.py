"""A search as people ask it: what the form offers, and how an address is read.

An address may be typed or kept for years: what it asks that nobody offers any more is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import QueryDict

from marketplace.finding import SORTS, Search, on_offer, query_of
from marketplace.languages import LANGUAGES
from pacts.agents import PROTOCOLS
from pacts.currencies import EXPONENTS, CurrencyUnknown, exponent_of
from pacts.templates_library import library

LONGEST = 100
BOUNDS = (5_000, 7_000, 8_000, 9_000, 9_500)  # basis points
AGES = (1, 7, 30, 90)  # days
MOST_FLOORS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What the form shows of a search, and what it offers to choose from."""

    search: Search
    most: str
    kinds: list[str]
    currencies: list[str]

    @property
    def narrows(self) -> bool:
        """Whether a field beyond the first row is in use."""
        one = self.search
        return bool(one.floors or one.fresh_days or one.currency or one.protocol or one.language)

    @property
    def dimensions(self) -> list[str]:
        """Those that the templates of pacts name, and the one that is asked for."""
        named = {clause.dimension for one in library() for clause in one.terms.clauses}
        return sorted(named | set(self.search.floors))

    @property
    def floor(self) -> tuple[str, int]:
        """The first floor asked for: dimension and basis points."""
        return next(iter(self.search.floors.items()), ("", 0))


def fields_of(search: Search) -> Fields:
    """The form, filled with a search."""
    most = "" if search.most is None else _decimal(search.most, search.currency)
    kinds, currencies = on_offer()
    return Fields(search=search, most=most, kinds=kinds, currencies=currencies)


def read(asked: QueryDict) -> Search:
    """The search that an address asks for.

    A floor is `floor=dimension:bps`, or from the form `dimension=` beside `reach=`.
    """
    floors = [*asked.getlist("floor"), f"{asked.get('dimension', '')}:{asked.get('reach', '')}"]
    currency = _among(asked.get("currency", ""), EXPONENTS)
    return Search(
        text=asked.get("q", "").strip()[:LONGEST],
        work=asked.get("work", "")[:40],
        least=_number(asked.get("least", ""), BOUNDS),
        floors=_floors(floors),
        fresh_days=_number(asked.get("fresh", ""), AGES),
        most=_amount(asked.get("most", ""), currency),
        currency=currency,
        protocol=_among(asked.get("protocol", ""), PROTOCOLS),
        language=_among(asked.get("language", ""), LANGUAGES),
        sort=_among(asked.get("sort", ""), SORTS) or "pact",
    )


def written(search: Search) -> str:
    """The address's query that asks for this search."""
    query = QueryDict(mutable=True)
    names = {"text": "q", "fresh_days": "fresh"}
    for name, value in query_of(search).items():
        if name == "floors":
            query.setlist("floor", [f"{key}:{bps}" for key, bps in value.items()])
        elif name == "most":
            query["most"] = _decimal(value, search.currency)
        else:
            query[names.get(name, name)] = str(value)
    return query.urlencode()


def search_of(kept: Mapping[str, Any]) -> Search:
    """The search that `marketplace.finding.query_of` wrote down."""
    return Search(**{name: kept[name] for name in Search.__slots__ if name in kept})


def _decimal(amount: int, currency: str) -> str:
    return f"{Decimal(amount).scaleb(-exponent_of(currency)):f}"


def _amount(text: str, currency: str) -> int | None:
    try:
        amount = Decimal(text.strip()).scaleb(exponent_of(currency))
    except (InvalidOperation, CurrencyUnknown):
        return None
    return int(amount) if amount.is_finite() and 0 < amount < 10**15 else None


def _among(text: str, known: Any) -> str:
    return text if text in known else ""


def _number(text: str, known: tuple[int, ...]) -> int:
    return int(text) if text in map(str, known) else 0


def _floors(asked: list[str]) -> dict[str, int]:
    floors = {}
    for one in asked[:MOST_FLOORS]:
        name, _, bps = one.partition(":")
        if name.replace("-", "").replace("_", "").isalnum() and len(name) <= 40:
            floors[name] = _number(bps, BOUNDS)
    return {name: bps for name, bps in floors.items() if bps}
