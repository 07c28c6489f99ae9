"""A search as an address asks it, by pages and programs under the same names.

An address may be typed or kept for years: what it asks that nobody offers any more is left out.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import QueryDict

from marketplace.finding import SORTS, Search, query_of
from marketplace.languages import LANGUAGES
from pacts.agents import PROTOCOLS
from pacts.currencies import EXPONENTS, CurrencyUnknown, exponent_of

LONGEST = 100
BOUNDS = (5_000, 7_000, 8_000, 9_000, 9_500)  # basis points
AGES = (1, 7, 30, 90)  # days
MOST_FLOORS = 4
# The fields of a search that are named otherwise in an address.
NAMES = {"text": "q", "fresh_days": "fresh", "floors": "floor"}


def read(asked: QueryDict) -> Search:
    """The search that an address asks for.

    A floor is `floor=dimension:bps`, or from the form `dimension=` beside `reach=`. `most` is in
    major units of `currency`, as people write amounts.
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
    for name, value in query_of(search).items():
        if name == "floors":
            query.setlist("floor", [f"{key}:{bps}" for key, bps in value.items()])
        elif name == "most":
            query["most"] = decimal(value, search.currency)
        else:
            query[NAMES.get(name, name)] = str(value)
    return query.urlencode()


def search_of(kept: Mapping[str, Any]) -> Search:
    """The search that `marketplace.finding.query_of` wrote down."""
    return Search(**{name: kept[name] for name in Search.__slots__ if name in kept})


def decimal(amount: int, currency: str) -> str:
    """An amount in major units, as people write it."""
    return f"{Decimal(amount).scaleb(-exponent_of(currency)):f}"


def page_of(asked: QueryDict) -> int:
    """The number of the page that an address asks for; 1 unless it is one."""
    text = asked.get("page", "")
    return int(text) if text.isdecimal() and len(text) < 8 else 1


def _amount(text: str, currency: str) -> int | None:
    try:
        amount = Decimal(text.strip()).scaleb(exponent_of(currency))
    except (InvalidOperation, CurrencyUnknown):
        return None
    return int(amount) if amount.is_finite() and 0 < amount < 10**15 else None


def _among(text: str, known: Any) -> str:
    return text if text in known else ""


def _number(text: str, known: Sequence[int]) -> int:
    return int(text) if text in map(str, known) else 0


def _floors(asked: Sequence[str]) -> dict[str, int]:
    floors = {}
    for one in asked[:MOST_FLOORS]:
        name, _, bps = one.partition(":")
        if name.replace("-", "").replace("_", "").isalnum() and len(name) <= 40:
            floors[name] = _number(bps, BOUNDS)
    return {name: bps for name, bps in floors.items() if bps}
