"""A receipt on its page, as JSON from both faces, and as PDF: each form has every item."""

import html
import json
import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from reputation import keys, notes
from settlement import escrow as escrows
from settlement import receipts
from settlement.models import Receipt
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser_of
from tests.settlement.hires import START, Hire, funded

pytestmark = pytest.mark.django_db


def cured() -> Hire:
    """Breached, revised, met with a third of it earned: every part of a receipt is there."""
    made = funded(price=9_999, fee_bands=[(0, 500), (2_000, 300)], bond=700)
    made.judge("breached", share=1_000, proof="evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e01")
    version = made.engagement.agent_version
    escrows.revise(escrow=made.escrow, by=made.bob.party, agent_version=version, now=START)
    made.judge("met", share=3_333, proof="evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e02")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START)
    return made


@pytest.fixture
def made() -> Hire:
    return cured()


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def page_of(made: Hire, receipt: Receipt) -> str:
    content = browser_of(made.alice).get(f"/receipts/{receipt.pk}/").content.decode()
    return squeezed(html.unescape(re.sub(r"<[^>]*>", " ", content)))


def paper_of(made: Hire, receipt: Receipt) -> str:
    content = browser_of(made.bob).get(f"/receipts/{receipt.pk}/pdf/").content
    pages = [page.extract_text() for page in PdfReader(BytesIO(content)).pages]
    return squeezed(re.sub(r"\n?rcp_\w+ / page \d+\n?", "\n", "\n".join(pages)))


def wanted(receipt: Receipt) -> dict[str, list[str]]:
    """What page and paper have to say for each item."""
    body = json.loads(receipt.body)
    sums = body["arithmetic"]
    return {
        "pact digest": [body["pact"]["digest"]],
        "agreement digest": [body["agreement"]],
        "verdict": ["met"],
        "deliveries": ["breached", "met"],
        "arithmetic": ["99.99", "33.33", "1.40", "31.93", "66.66"],
        "transfers": [entry["account"] for one in body["transfers"] for entry in one["entries"]],
        "fee rule": [sums["fee_rule"]],
        "rounding rule": [sums["rule"]],
        "evidence ids": body["evidence"],
        "signature": [bytes(receipt.signature).hex()],
        "public key": [bytes(receipt.key.public_key).hex()],
        "checkpoint": [body["log"]["checkpoint"].splitlines()[0], "\u2014"],
    }


def test_the_page_shows_every_item(made: Hire) -> None:
    receipt = made.escrow.receipt
    shown = page_of(made, receipt).lower()
    for item, parts in wanted(receipt).items():
        assert [one for one in parts if squeezed(one).lower() not in shown] == [], item


def test_the_paper_prints_every_item(made: Hire) -> None:
    receipt = made.escrow.receipt
    shown = paper_of(made, receipt).lower()
    for item, parts in wanted(receipt).items():
        said = parts[:1] if item == "checkpoint" else parts  # its dash is an escape on paper
        assert [one for one in said if squeezed(one).lower() not in shown] == [], item


@pytest.mark.parametrize("face", ["page", "api"])
def test_the_json_has_every_item_and_verifies_with_nothing_else(made: Hire, face: str) -> None:
    pk = made.escrow.receipt.pk
    answer = (
        browser_of(made.bob).get(f"/receipts/{pk}/json/")
        if face == "page"
        else program_of(made.alice).get(f"receipts/{pk}")
    )
    whole = answer.json()
    assert receipts.verify(
        body=whole["body"],
        signature=bytes.fromhex(whole["signature"]),
        public_key=bytes.fromhex(whole["public_key"]),
    )
    body = json.loads(whole["body"])
    assert body["pact"]["digest"] == made.engagement.pact_version.digest
    assert body["agreement"] == made.engagement.digest
    assert (body["verdict"]["outcome"], body["verdict"]["earned_share_bps"]) == ("met", 3_333)
    assert [one["outcome"] for one in body["deliveries"]] == ["breached", "met"]
    assert_sums(body)
    assert len(body["evidence"]) == 3


def assert_sums(body: dict[str, Any]) -> None:
    sums = body["arithmetic"]
    assert (sums["amount"], sums["earned"], sums["refunded"]) == (9_999, 3_333, 6_666)
    assert sums["released"] + sums["fee"] == sums["earned"]
    assert sums["rule"] == "largest-remainder-1"
    assert sums["fee_rule"]
    assert [one["fee_bps"] for one in sums["fee_bands"]] == [500, 300]
    kinds = {one["kind"] for one in body["transfers"]}
    assert kinds == {"hold", "bond_hold", "split", "bond_returned"}
    for one in body["transfers"]:
        assert sum(entry["amount"] for entry in one["entries"]) == 0


def test_the_checkpoint_it_embeds_is_a_head_that_the_log_signed(made: Hire) -> None:
    body = json.loads(made.escrow.receipt.body)
    head = notes.read_checkpoint(body["log"]["checkpoint"], keys.vkeys())
    assert head.size == body["log"]["size"]
