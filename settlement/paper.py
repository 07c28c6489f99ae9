"""A receipt on paper: the signed body as PDF, the same bytes for the same receipt.

Everything in the body is printed, whatever it holds, and nothing else but the signature and its
key. Texts of strangers are escaped; a character that the embedded font lacks, or that no paper
shows, is printed as JSON writes it (`\\u4f60`), so nothing is lost and nothing can crash the page.
The last section is the signed text itself with such escapes: parsed and written as RFC 8785 JSON
again, it is byte for byte what was signed.
"""

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Preformatted, SimpleDocTemplate, Spacer

from settlement import metering_statements, receipts
from settlement.models import MeterStatement, Receipt
from settlement.money import EXPONENTS

TEXT, STRONG, FIXED = "EarnestText", "EarnestStrong", "Courier"
SIGNED_TEXT = "Signed text"
CHARACTERS_A_LINE = 104
_AMOUNTS = frozenset(
    {
        *("amount", "earned", "released", "refunded", "fee", "price", "due", "uncovered"),
        *("unearned", "held back", "paid", "paid before", "funded", "fees", "returned", "withheld"),
        *("available", "balance"),
    }
)
# What a reader looks for first; everything else follows in the body's own order.
_FIRST = ("decision", "arithmetic", "pact", "verdict", "ruling", "transfers")


def pdf_of(receipt: Receipt | MeterStatement) -> bytes:
    """A receipt, or a window's statement, as PDF, deterministic; needs its `key`. Some 40 KB."""
    body = json.loads(receipt.body)
    paid = isinstance(receipt, Receipt)
    title, signed_by = ("Receipt", receipts) if paid else ("Statement", metering_statements)
    story = [
        _title(f"{title} {receipt.pk}"),
        *_sections(body),
        _heading("Signature"),
        *_lines(
            {
                "scheme": f"Ed25519 over {signed_by.FORMAT}, a line feed, the body's digest, and a "
                "line feed",
                "key": receipt.key_id,
                "public_key": bytes(receipt.key.public_key).hex(),
                "signature": bytes(receipt.signature).hex(),
            },
            "",
        ),
        _heading(SIGNED_TEXT),
        Preformatted(_wrapped(json.dumps(body, separators=(",", ":"), sort_keys=True)), _fixed()),
    ]
    return _printed(story, receipt.pk)


def _sections(body: dict[str, Any]) -> list[Flowable]:
    plain = {key: value for key, value in body.items() if not isinstance(value, dict | list)}
    shown = _lines(plain, "")
    names = [*_FIRST, *(key for key in body if key not in _FIRST and key not in plain)]
    currency = str((body.get("arithmetic") or {}).get("currency", ""))
    for name in names:
        if body.get(name):
            shown += [_heading(_words(name)), *_lines(body[name], currency)]
    return shown


def _lines(value: Any, currency: str, path: str = "") -> list[Flowable]:
    """Each leaf of a JSON value on a line of its own, under the path that leads to it."""
    if isinstance(value, dict):
        return [
            line
            for key, inner in value.items()
            for line in _lines(inner, currency, f"{path} · {_words(key)}" if path else _words(key))
        ]
    if isinstance(value, list):
        numbered = [(f"{path} {n}".strip(), inner) for n, inner in enumerate(value, 1)]
        return [line for label, inner in numbered for line in _lines(inner, currency, label)]
    return [_line(path, value, currency)]


def _line(label: str, value: Any, currency: str) -> Paragraph:
    is_amount = label.rpartition("· ")[2].lower() in _AMOUNTS and type(value) is int
    if is_amount and currency in EXPONENTS:
        said = f"{_written(value, currency)} {currency} ({value} minor units)"
    else:
        said = value if isinstance(value, str) else json.dumps(value)
    return Paragraph(
        f'<font name="{STRONG}">{escape(printable(label))}</font>: {escape(printable(said))}',
        _style("line", TEXT, 8.5, 11),
    )


def _written(amount: int, currency: str) -> str:
    exponent = EXPONENTS[currency]
    whole, part = divmod(abs(amount), 10**exponent)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole:,}.{part:0{exponent}d}" if exponent else f"{sign}{whole:,}"


def printable(text: str) -> str:
    """The text with every character that paper cannot show written as JSON escapes it."""
    shown = _glyphs()
    return "".join(
        char if char in shown else json.dumps(char)[1:-1].replace('\\"', '"') for char in text
    )


@cache
def _glyphs() -> frozenset[str]:
    """The characters of the embedded font that print as themselves; fonts are loaded here."""
    folder = Path(reportlab.__file__).parent / "fonts"
    text = TTFont(TEXT, str(folder / "Vera.ttf"))
    strong = TTFont(STRONG, str(folder / "VeraBd.ttf"))
    pdfmetrics.registerFont(text)
    pdfmetrics.registerFont(strong)
    both = set(text.face.charToGlyph) & set(strong.face.charToGlyph)
    return frozenset(chr(code) for code in both if code >= 0x20 and chr(code).isprintable())


def _words(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _wrapped(text: str) -> str:
    parts = range(0, len(text), CHARACTERS_A_LINE)
    return "\n".join(text[start : start + CHARACTERS_A_LINE] for start in parts)


def _title(text: str) -> Paragraph:
    return Paragraph(escape(printable(text)), _style("title", STRONG, 14, 20))


def _heading(text: str) -> Paragraph:
    return Paragraph(escape(printable(text)), _style("heading", STRONG, 10.5, 20))


def _style(name: str, font: str, size: float, leading: float) -> ParagraphStyle:
    _glyphs()
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=leading, alignment=TA_LEFT, splitLongWords=1
    )


def _fixed() -> ParagraphStyle:
    return ParagraphStyle("fixed", fontName=FIXED, fontSize=7.5, leading=9.5)


def _printed(story: list[Flowable], name: str) -> bytes:
    def number(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont(FIXED, 7)
        canvas.drawString(20 * mm, 10 * mm, f"{name} / page {document.page}")

    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        invariant=1,
        title=f"Receipt {name}",
        author="Earnest",
        lang="en",
    )
    document.build([*story, Spacer(1, 1)], onFirstPage=number, onLaterPages=number)
    return out.getvalue()
