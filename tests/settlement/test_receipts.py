"""Receipts: everything an auditor needs, verifiable without us, under keys that stay."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.timezone import now as clock

from pacts import signatures
from reputation.canonical import canonical, sha256
from reputation.models import Evidence
from settlement import escrow as escrows
from settlement import keys, receipts
from settlement.models import PlatformKey, Receipt
from tests.settlement.hires import START, funded

pytestmark = pytest.mark.django_db


def receipt_of(**changes: Any) -> Receipt:
    made = funded(price=9_999, **changes)
    made.judge("met", share=3_333)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=START)
    receipt: Receipt = made.escrow.receipt
    return receipt


def test_the_arithmetic_is_printed_with_its_rule() -> None:
    assert json.loads(receipt_of().body)["arithmetic"] == {
        "rule": "largest-remainder-1",
        "currency": "USD",
        "exponent": 2,
        "amount": 9_999,
        "earned_share_bps": 3_333,
        "earned": 3_333,
        "fee_bps": 500,
        "fee_rule": "on the earned part alone",
        "released": 3_166,
        "fee": 167,
        "refunded": 6_666,
    }


def test_every_printed_transfer_sums_to_zero() -> None:
    transfers = json.loads(receipt_of().body)["transfers"]
    assert [one["kind"] for one in transfers] == ["hold", "split"]
    for one in transfers:
        assert sum(entry["amount"] for entry in one["entries"]) == 0


def test_both_sides_signatures_on_it_verify_with_the_keys_on_it() -> None:
    body = json.loads(receipt_of().body)
    agreed = [one for one in body["signatures"] if one["digest"] == body["agreement"]]
    assert {one["party"] for one in agreed} == {body["buyer"], body["builder"]}
    for one in body["signatures"]:
        signed = signatures.message(purpose=one["purpose"], digest=one["digest"])
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(one["public_key"]))
        public.verify(bytes.fromhex(one["signature"]), signed)


def test_the_body_is_canonical_and_the_log_holds_its_digest() -> None:
    receipt = receipt_of()
    assert canonical(json.loads(receipt.body)) == receipt.body.encode()
    settled = Evidence.objects.get(kind="escrow.settled").read()
    assert settled["digests"]["receipt"] == sha256(receipt.body.encode())
    assert settled["subjects"]["receipt"] == receipt.pk


def test_a_receipt_of_a_retired_key_still_verifies() -> None:
    receipt = receipt_of()
    PlatformKey.objects.update(retired_at=clock())
    assert keys.key_in_use().pk != receipt.key_id
    assert receipts.holds(receipt)
    assert receipt.key_id in keys.public_keys()


def test_another_key_or_a_cut_signature_verifies_nothing() -> None:
    receipt = receipt_of()
    body, signature = receipt.body, bytes(receipt.signature)
    public = bytes(receipt.key.public_key)
    assert receipts.verify(body=body, signature=signature, public_key=public)
    assert not receipts.verify(body=body, signature=signature[:-1], public_key=public)
    assert not receipts.verify(body=body, signature=signature, public_key=public[:-1])
    assert not receipts.verify(body=body + " ", signature=signature, public_key=public)


def test_a_changed_secret_is_said_and_the_old_one_as_fallback_opens_the_seal(settings: Any) -> None:
    key = keys.key_in_use()
    settings.SECRET_KEY, old = "another secret", settings.SECRET_KEY
    with pytest.raises(keys.PlatformKeyUnreadable, match="SECRET_KEY_FALLBACKS"):
        keys.sign(key=key, message=b"anything")
    settings.SECRET_KEY_FALLBACKS = [old]
    assert len(keys.sign(key=key, message=b"anything")) == 64
