"""The ways of a hire in sentences, in the words of buyer or builder, with dates and amounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.foretelling import Foretold
from marketplace.pages.promises import answer_span
from marketplace.pages.wording import amount, day_and_time, percent, plural, span
from settlement.ways import Way

Reader = Literal["buyer", "builder"]
_Text = str | Promise


@dataclass(frozen=True, slots=True)
class WayText:
    """One way as somebody reads it: what happens, what moves, and until when."""

    way: Way
    name: str
    sentence: str
    until: str
    aside: str


@dataclass(frozen=True, slots=True)
class WayGroup:
    """Ways that belong together under one heading."""

    key: str
    title: str
    tone: str
    ways: list[WayText]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a way is called, and what it means to each side."""

    name: _Text
    buyer: _Text
    builder: _Text


_PAID = _Said(
    "",
    _lazy("%(released)s goes to the builder and %(fee)s to the platform, out of your %(whole)s."),
    _lazy("You receive %(released)s; the platform’s fee is %(fee)s, out of %(whole)s."),
)
_SPLIT = _Said(
    "",
    _lazy("%(released)s goes to the builder, %(fee)s to the platform, %(refunded)s back to you."),
    _lazy("You receive %(released)s, the platform %(fee)s, the buyer %(refunded)s."),
)
_RETURNED = _Said(
    "",
    _lazy("The whole %(whole)s returns to you, without a fee."),
    _lazy("The whole %(whole)s returns to the buyer. You receive nothing and owe no fee."),
)
_NAMES: Mapping[str, tuple[_Text, _Text]] = {
    "met_accepted": (
        _lazy("The pact is met and you accept"),
        _lazy("The pact is met and the buyer accepts"),
    ),
    "met_silence": (
        _lazy("The pact is met and you say nothing: silence accepts"),
        _lazy("The pact is met and the buyer says nothing: silence accepts"),
    ),
    "breached": (
        _lazy("The pact is breached and not cured"),
        _lazy("The pact is breached and you do not cure it"),
    ),
    "breached_critical": (
        _lazy("A critical clause is breached and not cured"),
        _lazy("A critical clause is breached and you do not cure it"),
    ),
    "revised_met": (
        _lazy("The pact is breached, and a revision meets it"),
        _lazy("The pact is breached, and your revision meets it"),
    ),
    "breached_accepted": (
        _lazy("The pact is breached and you accept the work anyway"),
        _lazy("The pact is breached and the buyer accepts the work anyway"),
    ),
    "undetermined_release": (_lazy("Undetermined, where the pact then pays in full"),) * 2,
    "undetermined_prorate": (_lazy("Undetermined, where the pact then pays what was measured"),)
    * 2,
    "undetermined_withhold": (
        _lazy("Undetermined, where the pact then withholds, and no proof follows"),
    )
    * 2,
    "undetermined_extend": (
        _lazy("Undetermined, where the pact gives one more window, and no proof follows"),
    )
    * 2,
    "undetermined_human_review": (
        _lazy("Undetermined, where a person decides, and nobody does in time"),
    )
    * 2,
    "undetermined_accepted": (
        _lazy("Undetermined, and you accept the work anyway"),
        _lazy("Undetermined, and the buyer accepts the work anyway"),
    ),
    "buyer_silent": (
        _lazy("The builder disputes and you do not answer"),
        _lazy("You dispute and the buyer does not answer"),
    ),
    "builder_silent": (
        _lazy("You dispute and the builder does not answer"),
        _lazy("The buyer disputes and you do not answer"),
    ),
    "ruled": (_lazy("An adjudicator rules, for example that %(share)s was earned"),) * 2,
    "ruled_nothing": (_lazy("An adjudicator rules that nothing was earned"),) * 2,
    "unruled": (_lazy("Nobody rules in time"),) * 2,
    "given_back": (_lazy("The builder returns the money"), _lazy("You return the money")),
    "agreed": (_lazy("You both agree to end it, for example at %(share)s for the builder"),) * 2,
    "not_funded": (
        _lazy("You sign and do not fund it in time"),
        _lazy("The buyer signs and does not fund it in time"),
    ),
}
_GROUPS: tuple[tuple[str, _Text, str, tuple[str, ...]], ...] = (
    ("met", _lazy("The pact is met"), "met", ("met_accepted", "met_silence")),
    (
        "breached",
        _lazy("The pact is breached"),
        "breached",
        ("breached", "breached_critical", "revised_met", "breached_accepted"),
    ),
    (
        "undetermined",
        _lazy("The evidence does not decide"),
        "undetermined",
        (
            *("undetermined_release", "undetermined_prorate", "undetermined_withhold"),
            *("undetermined_extend", "undetermined_human_review", "undetermined_accepted"),
        ),
    ),
    (
        "disputed",
        _lazy("Somebody disputes the verdict"),
        "",
        ("builder_silent", "buyer_silent", "ruled", "ruled_nothing", "unruled"),
    ),
    ("parted", _lazy("It ends early"), "", ("given_back", "agreed", "not_funded")),
)
# What happens at the press itself rather than at a deadline.
_AT_ONCE = frozenset(
    {"met_accepted", "breached_accepted", "undetermined_accepted", "given_back", "agreed"}
)


def groups_of(foretold: Foretold, *, reader: Reader, now: datetime) -> list[WayGroup]:
    """Every way, under its heading, as `reader` meets it."""
    by_key = {way.key: way for way in foretold.ways}
    return [
        WayGroup(
            key,
            str(title),
            tone,
            [_text(by_key[one], foretold, reader, now) for one in keys if one in by_key],
            _notes(key, foretold, reader),
        )
        for key, title, tone, keys in _GROUPS
    ]


def _text(way: Way, foretold: Foretold, reader: Reader, now: datetime) -> WayText:
    words = {
        "released": amount(way.released, foretold.currency),
        "fee": amount(way.fee, foretold.currency),
        "refunded": amount(way.refunded, foretold.currency),
        "whole": amount(foretold.agreed.amount, foretold.currency),
        "share": percent(way.share_bps),
    }
    name = str(_NAMES[way.key][reader == "builder"]) % words
    return WayText(
        way, name, _sentence(way, reader) % words, _until(way, now), _aside(way, foretold, reader)
    )


def _sentence(way: Way, reader: Reader) -> str:
    if way.key == "not_funded":
        return _("Nothing moved, nothing starts and nothing is owed.")
    said = _RETURNED if not way.released + way.fee else _SPLIT if way.refunded else _PAID
    return str(said.builder if reader == "builder" else said.buyer)


def _until(way: Way, now: datetime) -> str:
    """The moment in words, absolute and from now."""
    if way.key in _AT_ONCE:
        return _("At once.")
    left = max((way.at - now).total_seconds(), 0)
    return _("At the latest after %(moment)s, %(span)s from now.") % {
        "moment": day_and_time(way.at),
        "span": span(_rounded(left)),
    }


def _rounded(seconds: float) -> int:
    for size in (86_400, 3_600, 60):
        if seconds >= 2 * size:
            return round(seconds / size) * size
    return int(seconds)


def _aside(way: Way, foretold: Foretold, reader: Reader) -> str:
    """What becomes of a bond, and what is only an example."""
    said = []
    if way.bond_to:
        bond = {"bond": amount(foretold.agreed.bond, foretold.currency)}
        said.append(_BONDS[way.bond_to, reader] % bond)
    if way.key == "undetermined_prorate" or (way.key == "breached" and way.is_example):
        said.append(_("Here as if %(share)s were measured.") % {"share": percent(way.share_bps)})
    return " ".join(map(str, said))


_BONDS: Mapping[tuple[str, str], _Text] = {
    ("buyer", "buyer"): _lazy("The builder’s bond of %(bond)s is yours too."),
    ("buyer", "builder"): _lazy("Your bond of %(bond)s goes to the buyer too."),
    ("builder", "buyer"): _lazy("The builder’s bond of %(bond)s returns to it."),
    ("builder", "builder"): _lazy("Your bond of %(bond)s returns to you."),
}


def _notes(group: str, foretold: Foretold, reader: Reader) -> list[str]:
    agreed = foretold.agreed
    if group == "met":
        return [
            _(
                "While a control on this agent holds payments back, silence pays later; "
                "accepting pays at once."
            )
        ]
    if group == "breached":
        again = _revisions(agreed.max_revisions, agreed.timers.cure_seconds)
        return [_("An answer that does not come counts as failed."), again]
    if group == "undetermined":
        return [
            _("Of several open clauses the strictest rule holds."),
            _("A verdict that is not given in time is the platform’s fault and never the agent’s."),
        ]
    return _of_disputes(foretold, reader) if group == "disputed" else []


def _revisions(most: int, cure: int) -> str:
    if not most:
        return _("There is no second delivery.")
    return _(
        "Meanwhile the money is withheld. A revision begins within %(cure)s of the verdict; "
        "%(revisions)s can be handed over."
    ) % {"cure": span(cure), "revisions": plural(most, "revision")}


def _of_disputes(foretold: Foretold, reader: Reader) -> list[str]:
    periods = foretold.agreed.periods
    notes = [
        _("The money is frozen meanwhile. Who owes an answer has %(answer)s.")
        % {"answer": answer_span(periods)},
        _("Up to this amount it is a small claim: the short path, ruled on within %(backstop)s.")
        % {"backstop": span(periods.backstop.total_seconds())}
        if foretold.is_small
        else _("The full path: ruled on within %(backstop)s.")
        % {"backstop": span(periods.backstop.total_seconds())},
        _("A ruling can be appealed once, for %(challenge)s.")
        % {"challenge": span(periods.challenge.total_seconds())},
    ]
    if foretold.needs_second:
        notes.append(_("A second adjudicator confirms a ruling on this amount."))
    return [*notes, _deposit(foretold, reader)]


def _deposit(foretold: Foretold, reader: Reader) -> str:
    due = foretold.deposits.get(reader, 0)
    if due:
        return _(
            "After the disputes you lost you set %(deposit)s aside to file one; it returns to you "
            "unless you lose this one too."
        ) % {"deposit": amount(due, foretold.currency)}
    return _(
        "Filing costs nothing, unless one lost disputes lately: then a deposit is set aside, which "
        "goes to the other side if this one is lost too."
    )
