"""What a builder earned, what is on its way, and the proof that both agree with the ledger."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from marketplace.earned import earnings_csv, months_of
from marketplace.pages.visitors import party_of
from settlement import earnings as earned

PER_PAGE = 100


def earnings(request: HttpRequest) -> HttpResponse:
    """Totals, agents, months, hires; escrows that are open with their dates; running budgets."""
    party = party_of(request)
    books = earned.books_of(party)
    checks = earned.checks(party, books)
    hires = Paginator(earned.hires(party), PER_PAGE).get_page(request.GET.get("page"))
    undecided = Paginator(earned.undecided(party), PER_PAGE).get_page(request.GET.get("open_page"))
    context = {
        "totals": books.totals,
        "agents": books.by_agent,
        "months": months_of(books),
        "hires": earned.of_hires(party, hires),
        "hires_page": hires,
        "expected": earned.expected(undecided),
        "expected_page": undecided,
        "budgets": earned.budgets(party, limit=PER_PAGE),
        "budgets_shown": PER_PAGE,
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
