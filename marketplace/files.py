"""Files that both faces hand out: a receipt on paper, a statement, an item of evidence."""

from django.http import HttpResponse, StreamingHttpResponse

from marketplace.periods import Window
from pacts import disputes
from pacts.disputes.exhibits import TEXTS
from pacts.models import Exhibit, Party
from settlement import paper, statements
from settlement.models import MeterStatement, Receipt


def receipt_file(receipt: Receipt) -> HttpResponse:
    """A receipt as PDF; needs `receipt.key`."""
    response = HttpResponse(paper.pdf_of(receipt), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{receipt.pk}.pdf"'
    return response


_ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "application/pdf": "pdf",
    "application/json": "json",
    "text/csv": "csv",
}
# Whatever a side brought: never a page of ours, never run, never framed.
SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


def exhibit_file(exhibit: Exhibit) -> HttpResponse:
    """An item of evidence to keep, never to open here.

    Raises `pacts.disputes.ExhibitErased`.
    """
    ending = _ENDINGS.get(exhibit.kind, "txt")
    is_text = exhibit.kind in TEXTS
    response = HttpResponse(
        disputes.read_body(exhibit),
        content_type="text/plain; charset=utf-8" if is_text else exhibit.kind,
    )
    response["Content-Disposition"] = f'attachment; filename="{exhibit.pk}.{ending}"'
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
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
