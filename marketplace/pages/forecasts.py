"""What a pact will take to prove: the forecast of a draft or of a published version."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from marketplace.call_costs import cost_of
from marketplace.pages.forecast_forms import ForecastForm
from marketplace.pages.visitors import find, party_of
from pacts import forecasts, terms
from pacts.forecasts import Fate, Forecast, Total
from pacts.models import PactVersion

WHOLE = 10_000
NAMES = {
    "faultless": _("Never fails"),
    "better": _("Fails half as often as promised"),
    "promise": _("Exactly on the promise"),
    "between": _("Halfway to the floor"),
    "floor": _("Exactly on the floor"),
    "poor": _("Fails twice as often as the floor"),
}


@dataclass(frozen=True, slots=True)
class FateLine:
    """One scenario of one clause; rates and chances in basis points."""

    name: object
    rate: int
    expected: int | None
    nine_in_ten: int | None
    met: int | None
    breached: int | None
    open: int | None


@dataclass(frozen=True, slots=True)
class TotalLine:
    """One scenario of the pact, and what its calls cost in minor units."""

    name: object
    clause: str
    expected: int | None
    nine_in_ten: int | None
    expected_cost: int | None
    nine_in_ten_cost: int | None


def pact_forecast(request: HttpRequest, version_id: str) -> HttpResponse:
    """Calls and money until a verdict, at a few true rates."""
    mine = PactVersion.objects.filter(pact__agent__builder=party_of(request))
    version = find(mine.select_related("pact__agent"), pk=version_id)
    form = ForecastForm(request.GET) if request.GET else ForecastForm(initial={"tasks": 50})
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    tasks = asked.get("tasks") if form.is_bound else 50
    found = forecasts.forecast(terms.parse(version.terms), tasks=tasks)
    currency = asked.get("currency") or "EUR"
    micros = form.call_micros if asked else None
    context = {
        "version": version,
        "agent": version.pact.agent,
        "form": form,
        "found": found,
        "clauses": [(one, [_fate_line(fate) for fate in one.fates]) for one in found.clauses],
        "totals": _total_lines(found, micros, currency),
        "currency": currency,
        "priced": micros is not None,
        "calls_cost": cost_of(calls=found.calls, call_micros=micros, currency=currency),
    }
    return render(request, "builder/forecast.html", context)


def _fate_line(fate: Fate) -> FateLine:
    return FateLine(
        name=NAMES[fate.scenario],
        rate=round(fate.rate * WHOLE),
        expected=None if fate.expected is None else round(fate.expected),
        nine_in_ten=fate.nine_in_ten,
        met=_bps(fate.met),
        breached=_bps(fate.breached),
        open=_bps(fate.open),
    )


def _bps(chance: float | None) -> int | None:
    return None if chance is None else round(chance * WHOLE)


def _total_lines(found: Forecast, micros: int | None, currency: str) -> list[TotalLine]:
    titles = {one.key: one.title for one in found.clauses}
    return [_total_line(one, titles[one.clause], micros, currency) for one in found.totals]


def _total_line(one: Total, title: str, micros: int | None, currency: str) -> TotalLine:
    costs = [
        cost_of(calls=calls, call_micros=micros, currency=currency)
        for calls in (one.expected_calls, one.nine_in_ten_calls)
    ]
    return TotalLine(
        NAMES[one.scenario], title, one.expected_calls, one.nine_in_ten_calls, costs[0], costs[1]
    )
