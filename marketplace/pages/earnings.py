"""What a builder earned, what is on its way, and the proof that both agree with the ledger."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from marketplace.earned import earnings_csv, months_of
from marketplace.pages.visitors import party_of
from settlement import earnings as earned

MOST_HIRES = 100


def earnings(request: HttpRequest) -> HttpResponse:
    """Totals, agents, months, hires; escrows that are open with their dates; running budgets."""
    party = party_of(request)
    checks = earned.checks(party)
    hires = earned.by_hire(party)
    context = {
        "totals": earned.totals(party),
        "agents": earned.by_agent(party),
        "months": months_of(party),
        "hires": hires[:MOST_HIRES],
        "more": max(0, len(hires) - MOST_HIRES),
        "expected": earned.expected(party),
        "budgets": earned.budgets(party),
        "checks": checks,
        "holds": all(one.holds for one in checks),
    }
    return render(request, "builder/earnings.html", context)


def earnings_file(request: HttpRequest) -> HttpResponseBase:
    """Every hire's figures as CSV."""
    response = StreamingHttpResponse(
        earnings_csv(party_of(request)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="earnings.csv"'
    return response
