"""A receipt on paper: all of the signed body, the same bytes always, whatever strangers wrote."""

import json
import re
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from reputation.canonical import canonical, sha256
from settlement import escrow as escrows
from settlement import keys
from settlement.models import PlatformKey, Receipt
from settlement.paper import SIGNED_TEXT, pdf_of, printable
from tests.settlement.hires import START, funded
from tests.settlement.test_receipts import receipt_of

pytestmark = pytest.mark.django_db
HOSTILE = [
    "</font></para><b>x",
    "&amp;&#0;<a href='javascript:alert(1)'>",
    "你好 мир שלום 😀",
    "‮evil‬\u200b\ufeff\u0007",
    "(\\) Tj ET endstream endobj %%EOF",
    "{{ 7*7 }} ${x} \\input{/etc/passwd}",
    "x" * 5_000,
    "\ud7ff\uffff\U0010ffff",
]


def text_of(pdf: bytes) -> str:
    pages = [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]
    return re.sub(r"\n?rcp_\w+ / page \d+\n?", "\n", "\n".join(pages))


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def receipt_with(body: dict[str, Any]) -> Receipt:
    """A receipt as stored, without its escrow."""
    return Receipt(
        id="rcp_1",
        body=canonical(body).decode(),
        key=PlatformKey(id="key_1", public_key=b"k" * 32),
        signature=b"s" * 64,
        issued_at=START,
    )


def test_the_paper_says_what_was_signed_by_whom_and_with_which_key() -> None:
    receipt = receipt_of()
    text = squeezed(text_of(pdf_of(receipt)))
    body = json.loads(receipt.body)
    wanted = [
        receipt.pk,
        body["pact"]["digest"],
        body["agreement"],
        body["arithmetic"]["rule"],
        body["decision"]["sentence"],
        body["arithmetic"]["fee_rule"],
        *body["evidence"],
        *(one["signature"] for one in body["signatures"]),
        *(one["key"] for one in body["transfers"]),
        receipt.key_id,
        bytes(receipt.key.public_key).hex(),
        bytes(receipt.signature).hex(),
    ]
    assert [one for one in wanted if squeezed(one) not in text] == []
    assert "31.66USD(3166minorunits)" in text


def test_its_last_section_is_the_signed_text_to_the_byte() -> None:
    receipt = receipt_of()
    _, _, signed = text_of(pdf_of(receipt)).rpartition(SIGNED_TEXT)
    printed = json.dumps(json.loads(receipt.body), separators=(",", ":"), sort_keys=True)
    assert squeezed(signed) == squeezed(printed)
    assert sha256(canonical(json.loads(printed))) == sha256(receipt.body.encode())


def test_the_same_receipt_is_the_same_bytes() -> None:
    receipt = receipt_of()
    assert pdf_of(receipt) == pdf_of(Receipt.objects.select_related("key").get(pk=receipt.pk))


def test_a_refund_without_a_verdict_has_its_paper_too() -> None:
    made = funded()
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    assert "refunded" in text_of(pdf_of(made.escrow.receipt))


@pytest.mark.parametrize("said", HOSTILE)
def test_what_strangers_wrote_is_printed_and_never_obeyed(said: str) -> None:
    body = {"milestone": {"title": said}, "verdict": {"clauses": [{"title": said, said: said}]}}
    pdf = pdf_of(receipt_with(body))
    text = squeezed(text_of(pdf))
    assert squeezed(printable(said)).replace("\\/", "/")[:60] in text
    assert b"/JavaScript" not in pdf
    assert b"/URI" not in pdf


def test_a_character_that_no_font_has_is_written_as_json_writes_it() -> None:
    assert printable("né 你\u202e\n\x00") == "né \\u4f60\\u202e\\n\\u0000"
    assert printable('"quoted" 😀') == '"quoted" \\ud83d\\ude00'


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=80))
def test_no_text_at_all_stops_the_press(said: str) -> None:
    pdf = pdf_of(receipt_with({"milestone": {"title": said}}))
    assert pdf.startswith(b"%PDF-")
    assert pdf == pdf_of(receipt_with({"milestone": {"title": said}}))


def test_a_pact_of_two_hundred_clauses_runs_over_pages() -> None:
    clauses = [{"key": f"c{n}", "title": "t" * 200, "reason": "r" * 500} for n in range(200)]
    pdf = pdf_of(receipt_with({"verdict": {"clauses": clauses}}))
    assert len(PdfReader(BytesIO(pdf)).pages) > 10


def test_keys_stay_on_paper_after_they_are_retired() -> None:
    receipt = receipt_of()
    before = pdf_of(receipt)
    PlatformKey.objects.update(retired_at=START)
    keys.key_in_use()
    assert pdf_of(Receipt.objects.get(pk=receipt.pk)) == before
