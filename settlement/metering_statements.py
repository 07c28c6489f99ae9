"""The statement of one settled window: its arithmetic in canonical JSON, signed by the platform.

The signed message is `earnest-meter-statement/1\\n` and the SHA-256 of the body, as with receipts.
Amounts are minor units; `exact` and `rounding` are fractions of one. What is spent of a clause's
alpha is told in parts per billion, of this window and of all windows of the stream so far.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from reputation import checkpoints
from reputation.canonical import canonical, sha256
from reputation.identifiers import new_id
from settlement import keys
from settlement.fees import BANDS_RULE, FLAT_RULE
from settlement.metering import RULE
from settlement.metering_cases import MeterCase
from settlement.metering_reasons import sentence_of
from settlement.models import Account, Meter, MeterStatement, MeterWindow, Transfer
from settlement.money import exponent_of

FORMAT = "earnest-meter-statement/1"


def draft(*, case: MeterCase, window: MeterWindow, now: datetime) -> MeterStatement:
    """The signed statement of a window as it stands after its transfer, not stored yet."""
    key = keys.key_in_use()
    statement_id = new_id("mts")
    body = canonical(_body(statement_id, case, window, now))
    return MeterStatement(
        id=statement_id,
        window=window,
        body=body.decode(),
        key=key,
        signature=keys.sign(key=key, message=message(body)),
        issued_at=now,
    )


def message(body: bytes) -> bytes:
    """The exact bytes that are signed."""
    return f"{FORMAT}\n{sha256(body)}\n".encode()


def holds(statement: MeterStatement) -> bool:
    """Whether a stored statement verifies under its stored key."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes(statement.key.public_key)).verify(
            bytes(statement.signature), message(statement.body.encode())
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _body(statement_id: str, case: MeterCase, window: MeterWindow, now: datetime) -> dict[str, Any]:
    meter, engagement = case.meter, case.engagement
    head = checkpoints.newest_or_first(now=now)
    return {
        "format": FORMAT,
        "id": statement_id,
        "issued_at": _instant(now),
        "meter": meter.pk,
        "engagement": engagement.pk,
        "buyer": engagement.buyer_id,
        "builder": engagement.builder_id,
        "agreement": engagement.digest,
        "pact": {"version": engagement.pact_version_id, "digest": engagement.pact_version.digest},
        "window": {
            "id": window.pk,
            "number": window.number,
            "stream": window.stream_id,
            "reported_by": case.terms.counts,
            **case.window.to_json(),
            "concluded_at": _instant(window.concluded_at),
        },
        "calls": _calls(window),
        "verdict": {
            "outcome": window.outcome,
            "undetermined_rule": window.rule,
            "earned_share_bps": window.share_bps,
            "clauses": window.clauses,
        },
        "decision": {
            "code": window.reason,
            "sentence": sentence_of(window.reason),
            "award_bps": window.award_bps,
            "reasons_digest": sha256(window.decision.encode()) if window.decision else None,
        },
        "arithmetic": _arithmetic(case, window),
        "balance": _balance(meter),
        "transfers": _transfers(window),
        "evidence": [one["evidence"] for one in window.clauses if one["evidence"]],
        "log": {"size": head.size, "checkpoint": checkpoints.text_of(head)},
    }


def _calls(window: MeterWindow) -> dict[str, Any]:
    """Each call is verified or excluded, and what is excluded has an owner or a reason."""
    return {
        "calls": window.calls,
        "verified": window.verified,
        "excluded": {
            "builder": window.failed,
            "platform": window.platform_faults,
            "buyer": window.buyer_faults,
            "unchecked": window.unchecked,
            "outside": window.outside,
        },
    }


def _arithmetic(case: MeterCase, window: MeterWindow) -> dict[str, Any]:
    exact = Fraction(window.exact)
    tariff = case.tariff
    return {
        "rule": RULE,
        "currency": case.meter.currency,
        "exponent": exponent_of(case.meter.currency),
        "basis": tariff.basis,
        "price": tariff.price,
        "per": tariff.per,
        "share_bps": window.share_bps,
        "exact": str(exact),
        "rounding": str(window.due - exact),
        "due": window.due,
        "uncovered": window.due - window.covered,
        "unearned": window.covered - window.earned,
        "earned": window.earned,
        "holdback_bps": tariff.holdback_bps,
        "held_back": window.held_back,
        "fee_bps": tariff.fee_bps,
        "fee_bands": [asdict(band) for band in tariff.fee_bands],
        "fee_rule": BANDS_RULE if tariff.fee_bands else FLAT_RULE,
        "paid_before": window.paid_before,
        "fee": window.fee,
        "paid": window.paid,
    }


def _balance(meter: Meter) -> dict[str, int]:
    """The budget after this window."""
    return {
        "funded": meter.funded,
        "paid": meter.paid,
        "fees": meter.fees,
        "returned": meter.returned,
        "held_back": meter.held_back,
        "withheld": meter.withheld,
        "available": meter.available,
        "balance": meter.balance,
    }


def _transfers(window: MeterWindow) -> list[dict[str, Any]]:
    if not window.transfer_id:
        return []
    row = Transfer.objects.prefetch_related("entries__account").get(pk=window.transfer_id)
    return [
        {
            "kind": row.kind,
            "key": row.idempotency_key,
            "posted_at": _instant(row.posted_at),
            "entries": [
                {
                    "account": _account(one.account),
                    "amount": one.amount,
                }
                for one in sorted(row.entries.all(), key=lambda entry: entry.pk)
            ],
        }
    ]


def _account(account: Account) -> str:
    return f"{account.kind}:{account.owner_id or account.subject}".rstrip(":")


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
