"""What the pacts and prices of agents side by side say differently."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from marketplace.pages.promises import ClauseText, Offer
from marketplace.pages.wording import percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One clause in one pact: its sentences, and which of them others do not say."""

    text: ClauseText
    lines: Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRow:
    """One clause over all agents; None where a pact lacks it."""

    title: str
    cells: Sequence[Said | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Clauses that not all pacts have in the same words, and the titles of those they do."""

    rows: Sequence[ClauseRow]
    same: Sequence[str]


def differing(pacts: Sequence[Sequence[ClauseText]]) -> Differences:
    """Clause by clause; one clause is the same in two pacts by its key and check."""
    named: dict[tuple[str, str], str] = {}
    for clauses in pacts:
        for clause in clauses:
            named.setdefault((clause.key, clause.check), clause.title)
    rows, same = [], []
    for (key, check), title in named.items():
        found = [
            next((one for one in clauses if (one.key, one.check) == (key, check)), None)
            for clauses in pacts
        ]
        lines = [_lines(one) if one else () for one in found]
        if all(one == lines[0] for one in lines) and len(pacts) > 1:
            same.append(title)
        else:
            rows.append(ClauseRow(title=title, cells=_cells(found, lines)))
    return Differences(rows=rows, same=same)


def _lines(clause: ClauseText) -> tuple[str, ...]:
    weight = (
        _("Critical: broken, it vetoes the release.")
        if clause.critical
        else _("It weighs %(weight)s.") % {"weight": percent(clause.weight)}
    )
    return (clause.promised, clause.if_breached, clause.if_undetermined, weight)


def _cells(
    found: Sequence[ClauseText | None], lines: Sequence[tuple[str, ...]]
) -> list[Said | None]:
    """Each pact's sentences; marked are those that some other pact with the clause lacks."""
    having = [set(one) for one in lines if one]
    return [
        Said(
            text=clause,
            lines=[(line, not all(line in one for one in having)) for line in said],
        )
        if clause
        else None
        for clause, said in zip(found, lines, strict=True)
    ]


def price_notes(offers: Sequence[Offer]) -> list[str]:
    """Beside each price for the same work, how it stands to the lowest of them.

    Prices in different currencies are not held against each other.
    """
    if len(offers) < 2:
        return [""] * len(offers)
    if len({one.currency for one in offers}) > 1:
        return [_("Another currency than others: not comparable as it stands.")] * len(offers)
    lowest = min(one.price for one in offers)
    return [_against(one.price, lowest) for one in offers]


def _against(price: int, lowest: int) -> str:
    if price == lowest:
        return _("The lowest price for the same work.")
    return _("%(more)s more than the lowest.") % {
        "more": percent(round(10_000 * (price - lowest) / lowest))
    }
