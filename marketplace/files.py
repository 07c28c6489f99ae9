"""Files that both faces hand out: a receipt on paper, a statement for a spreadsheet."""

from django.http import HttpResponse, StreamingHttpResponse

from marketplace.periods import Window
from pacts.models import Party
from settlement import paper, statements
from settlement.models import MeterStatement, Receipt


def receipt_file(receipt: Receipt) -> HttpResponse:
    """A receipt as PDF; needs `receipt.key`."""
    response = HttpResponse(paper.pdf_of(receipt), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{receipt.pk}.pdf"'
    return response


def statement_paper(statement: MeterStatement) -> HttpResponse:
    """The statement of a window as PDF; needs `statement.key`."""
    response = HttpResponse(paper.pdf_of(statement), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{statement.pk}.pdf"'
    return response


def statement_file(party: Party, window: Window) -> StreamingHttpResponse:
    """A party's statement over a window as CSV, streamed."""
    lines = statements.csv(party=party, since=window.since, until=window.until)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="statement-{window.name}.csv"'
    return response
