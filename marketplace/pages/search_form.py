"""A search as people ask it: what the form offers beside `marketplace.searches.asking`."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from marketplace.finding import Search, on_offer
from marketplace.labels import said
from marketplace.languages import LANGUAGES
from marketplace.pages.wording import amount, joined, percent, plural, work_title
from marketplace.searches.asking import decimal
from marketplace.searches.loosening import Looser
from pacts.agents import PROTOCOLS
from pacts.templates_library import library


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
    most = "" if search.most is None else decimal(search.most, search.currency)
    kinds, currencies = on_offer()
    return Fields(search=search, most=most, kinds=kinds, currencies=currencies)


def sorts() -> dict[str, str]:
    """The orders to choose from."""
    return {
        "pact": _("Pact: lower bound"),
        "benchmark": _("Benchmark claim"),
        "price": _("Price"),
        "newest": _("Newest"),
    }


def unread(asked: QueryDict, search: Search) -> list[str]:
    """What an address asks and the search leaves out, in words: nobody should think it counted."""
    left = []
    if asked.get("most", "").strip() and search.most is None:
        left.append(
            _("the price is left out: choose its currency and write a number such as 12.50")
            if not search.currency
            else _("the price is left out: write a number such as 12.50")
        )
    if asked.get("dimension") and not asked.get("reach"):
        left.append(_("the dimension is left out: choose the bound it must reach"))
    if asked.get("reach") and not asked.get("dimension"):
        left.append(_("the bound is left out: choose the dimension that must reach it"))
    return left


def told(search: Search) -> list[str]:
    """What a search asks for, in words: one phrase for each thing."""
    phrases = [
        (search.text, _("“%(text)s”") % {"text": search.text}),
        (search.work, work_title(search.work)),
        (search.least, _("at least %(bound)s in all") % {"bound": percent(search.least)}),
        *((True, floor(name, bps)) for name, bps in search.floors.items()),
        (search.fresh_days, _("measured within %(span)s") % {"span": days(search.fresh_days)}),
        (search.most is not None, _("at most %(price)s") % {"price": price(search)}),
        (search.currency and search.most is None, search.currency),
        (search.protocol, title_of(search.protocol)),
        (search.language, said(LANGUAGES.get(search.language, search.language))),
    ]
    return [phrase for asked, phrase in phrases if asked]


def floor(dimension: str, bps: int) -> str:
    """One dimension's least lower bound, in words."""
    values = {"dimension": dimension.replace("_", " "), "bound": percent(bps)}
    return _("%(dimension)s at least %(bound)s") % values


def days(number: int) -> str:
    """So many days."""
    return plural(number, "day")


def price(search: Search) -> str:
    """The highest price asked for, with its currency."""
    return amount(search.most, search.currency) if search.currency else str(search.most or "")


def title_of(protocol: str) -> str:
    """A protocol as people know it."""
    return PROTOCOLS[protocol].TITLE if protocol in PROTOCOLS else protocol


def without(way: Looser) -> str:
    """What a looser search leaves out, in words."""
    if way.fields == ("all",):
        return _("Without any filter")
    names = {
        "text": _("the words"),
        "work": _("the kind of work"),
        "least": _("the lower bound"),
        "floors": _("the bounds of dimensions"),
        "fresh_days": _("the age of the measurement"),
        "most": _("the price filter"),
        "currency": _("the currency"),
        "protocol": _("the protocol"),
        "language": _("the language"),
    }
    if way.dimension:
        what = _("the bound of %(dimension)s") % {"dimension": way.dimension.replace("_", " ")}
    elif way.fields == ("most", "currency"):
        what = _("the price filter and its currency")
    else:
        what = joined([names[field] for field in way.fields])
    return _("Without %(what)s") % {"what": what}
