"""What a tryout's pages show: forecasts in sentences, clauses by agents, tasks by groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.pages.rates import Rate
from marketplace.pages.wording import percent, plural, span
from marketplace.tryouts.boards import Group, Seat
from marketplace.tryouts.forecasts import SeatForecast
from pacts import terms
from pacts.forecasts import ClauseForecast
from pacts.statistics import ClauseVerdict
from pacts.terms import Clause, PactTerms

GROUPS: dict[Group, Any] = {
    "all": gettext_lazy("All tasks"),
    "differ": gettext_lazy("Where they differ"),
    "fails": gettext_lazy("Where one fails"),
    "none": gettext_lazy("Where all fail"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastText:
    """One agent's part, in sentences."""

    seat: SeatForecast
    calls: str
    time: str
    clauses: list[tuple[str, str]]


def terms_of(found: SeatForecast) -> PactTerms:
    """The terms it will be held against."""
    return terms.parse(found.pact_version.terms)


def forecast_text(found: SeatForecast) -> ForecastText:
    """What it takes, and what the tasks can show of each clause."""
    return ForecastText(
        seat=found,
        calls=plural(found.calls, "call"),
        time=span(found.seconds),
        clauses=[(one.title, _shows(one)) for one in found.forecast.clauses],
    )


def _shows(clause: ClauseForecast) -> str:
    perfect, poor = clause.fate("faultless"), clause.fate("poor")
    if clause.method == "census":
        return _("Every one counts exactly, so these tasks decide it.")
    if perfect is None or perfect.expected is None:
        return _("This rate cannot be shown by counting.")
    needed = plural(round(perfect.expected), clause.unit)
    if perfect.met is None:
        return _("A faultless agent needs about %(needed)s to prove it.") % {"needed": needed}
    if perfect.met < 0.5:
        return _(
            "Too few tasks to prove it: even a faultless agent needs %(needed)s. It stays open "
            "unless it is broken."
        ) % {"needed": needed}
    words = _("A faultless agent has proved it after %(needed)s.") % {"needed": needed}
    on_promise = clause.fate("promise")
    if on_promise and on_promise.met is not None:
        words += " " + _("One exactly on its promise does so here in %(share)s of all runs.") % {
            "share": percent(round(on_promise.met * 10_000), digits=0)
        }
    if poor and poor.breached is not None:
        words += " " + _(
            "One that fails twice as often as the floor allows is caught in %(share)s."
        ) % {"share": percent(round(poor.breached * 10_000), digits=0)}
    return words


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseCell:
    """One agent under one clause; None where its pact has no such clause or nothing is in yet."""

    rate: Rate | None
    clause: Clause | None
    reason: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRow:
    """One clause over all agents."""

    key: str
    title: str
    cells: list[ClauseCell]


def clause_rows(seats: Sequence[Seat], *, now: datetime) -> list[ClauseRow]:
    """Every clause that somebody is held against, in the order of the first pact that has it."""
    titles: dict[str, str] = {}
    for seat in seats:
        for clause in seat.promised:
            titles.setdefault(clause.key, clause.title)
    return [
        ClauseRow(key=key, title=title, cells=[_cell(seat, key, now) for seat in seats])
        for key, title in titles.items()
    ]


def _cell(seat: Seat, key: str, now: datetime) -> ClauseCell:
    clause = next((one for one in seat.promised if one.key == key), None)
    found = next((one for one in seat.clauses if one.key == key), None)
    if clause is None or found is None:
        return ClauseCell(rate=None, clause=clause)
    units = found.counts.units
    if not units:
        return ClauseCell(rate=None, clause=clause, waits=seat.state == "running")
    return ClauseCell(rate=_rate(found, clause, seat, now), clause=clause, reason=found.reason)


def _rate(found: ClauseVerdict, clause: Clause, seat: Seat, now: datetime) -> Rate:
    at = seat.verdict.concluded_at if seat.verdict else now
    low, high = found.low, found.high
    return Rate(
        name=clause.title,
        estimate=_bps(found.estimate),
        low=_bps(low),
        high=_bps(high),
        units=found.counts.units,
        failures=round(found.counts.failures),
        status=found.status,
        promise=clause.promise_bps,
        floor=clause.floor_bps,
        measured_at=at,
        age=now - at,
        version=seat.entry.listing.agent_version.number,
    )


def _bps(share: float | None) -> int | None:
    return None if share is None else round(share * 10_000)
