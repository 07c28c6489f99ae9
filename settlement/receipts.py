"""Receipts: what happened to one escrow and why, in canonical JSON, signed by the platform.

The signed message is `earnest-receipt/1\\n` and the SHA-256 of the body, so a signature of a
receipt is worthless for anything else. `verify` needs the body, the signature and a public key.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pacts.agreements import BOND_RULE
from pacts.models import ClauseVerdict, Signature
from reputation import checkpoints
from reputation.canonical import canonical, sha256
from reputation.identifiers import new_id
from settlement import exhibits, keys
from settlement.casefiles import Case
from settlement.decisions import Final
from settlement.exhibits import Exhibits
from settlement.fees import BANDS_RULE, FLAT_RULE, banded, bands_of
from settlement.ledger import exponent_kept
from settlement.models import Account, Escrow, Receipt, Transfer
from settlement.records import RULED
from settlement.shares import RULE

FORMAT = "earnest-receipt/1"


def issue_all(*, settled: Sequence[tuple[Case, Final]], now: datetime) -> list[Receipt]:
    """Write and sign the receipts of settled escrows, in the transaction that settles them."""
    key, quoted = keys.key_in_use(), exhibits.of([case for case, _ in settled])
    head = _head(now)
    ids = [new_id("rcp") for _ in settled]
    bodies = [
        canonical(_body(receipt_id, case, decision, quoted, head, now))
        for receipt_id, (case, decision) in zip(ids, settled, strict=True)
    ]
    signatures = keys.sign_all(key=key, messages=map(message, bodies))
    return Receipt.objects.bulk_create(
        Receipt(
            id=receipt_id,
            escrow=case.escrow,
            body=body.decode(),
            key=key,
            signature=signature,
            issued_at=now,
        )
        for receipt_id, (case, _), body, signature in zip(
            ids, settled, bodies, signatures, strict=True
        )
    )


def message(body: bytes) -> bytes:
    """The exact bytes that are signed."""
    return f"{FORMAT}\n{sha256(body)}\n".encode()


def verify(*, body: str, signature: bytes, public_key: bytes) -> bool:
    """Whether this key signed exactly this body; needs nothing of the platform."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message(body.encode()))
    except (InvalidSignature, ValueError):
        return False
    return True


def holds(receipt: Receipt) -> bool:
    """Whether a stored receipt verifies under its stored key."""
    return verify(
        body=receipt.body,
        signature=bytes(receipt.signature),
        public_key=bytes(receipt.key.public_key),
    )


def _body(
    receipt_id: str,
    case: Case,
    decision: Final,
    quoted: Exhibits,
    head: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    escrow, engagement = case.escrow, case.engagement
    return {
        "format": FORMAT,
        "id": receipt_id,
        "issued_at": _instant(now),
        "escrow": escrow.pk,
        "milestone": {"id": case.milestone.pk, "title": case.milestone.title},
        "engagement": engagement.pk,
        "buyer": engagement.buyer_id,
        "builder": engagement.builder_id,
        "agreement": engagement.digest,
        "pact": {"version": engagement.pact_version_id, "digest": engagement.pact_version.digest},
        "signatures": _signatures(quoted.signatures_of(engagement)),
        "deliveries": _deliveries(case),
        "verdict": _verdict(case, quoted),
        "ruling": _ruling(case, decision),
        "decision": {
            "outcome": decision.state,
            "code": decision.code,
            "sentence": decision.reason.sentence,
            "fault": decision.fault,
            "timeout": decision.timeout,
        },
        "arithmetic": _arithmetic(escrow, decision),
        "bond": _bond(escrow),
        "transfers": _transfers(quoted.transfers_of(escrow)),
        "evidence": _evidence(case, decision),
        "log": head,
    }


def _head(now: datetime) -> dict[str, Any]:
    """The newest signed head of the log: what was logged by now can never be changed unseen."""
    head = checkpoints.newest_or_first(now=now)
    return {"size": head.size, "checkpoint": checkpoints.text_of(head)}


def _arithmetic(escrow: Escrow, decision: Final) -> dict[str, Any]:
    return {
        "rule": RULE,
        "currency": escrow.currency,
        "exponent": exponent_kept(escrow.currency),
        "amount": escrow.amount,
        "earned_share_bps": decision.share_bps,
        "earned": decision.division.earned,
        "fee_bps": escrow.fee_bps,
        "fee_rule": BANDS_RULE if escrow.fee_bands else FLAT_RULE,
        **({"fee_bands": _fee_bands(escrow, decision.division.earned)} if escrow.fee_bands else {}),
        **asdict(decision.division),
    }


def _fee_bands(escrow: Escrow, earned: int) -> list[dict[str, int]]:
    """Each agreed band, and how much of what was earned lies in it."""
    return [
        {"above": band.above, "fee_bps": band.fee_bps, "amount": part}
        for part, band in banded(earned, bands_of(escrow.fee_bands))
    ]


def _bond(escrow: Escrow) -> dict[str, Any] | None:
    bond = getattr(escrow, "bond", None)
    return bond and {"amount": bond.amount, "outcome": bond.state, "rule": BOND_RULE}


def _signatures(rows: list[Signature]) -> list[dict[str, str]]:
    """Both sides' signatures of the agreement and of the pact, with the keys that made them."""
    return [
        {
            "party": row.party_id,
            "purpose": row.purpose,
            "digest": row.digest,
            "public_key": bytes(row.key.public_key).hex(),
            "signature": bytes(row.signature).hex(),
            "signed_at": _instant(row.signed_at),
        }
        for row in rows
    ]


def _deliveries(case: Case) -> list[dict[str, Any]]:
    """Every delivery that was judged, oldest first: what was breached, and what cured it."""
    return [
        {
            "number": one.number,
            "agent_version": one.agent_version_id,
            "verdict": one.evaluation.verdict.pk,
            "outcome": one.evaluation.verdict.outcome,
            "earned_share_bps": one.evaluation.verdict.earned_share_bps,
            "concluded_at": _instant(one.evaluation.verdict.concluded_at),
        }
        for one in case.judged
    ]


def _verdict(case: Case, quoted: Exhibits) -> dict[str, Any] | None:
    verdict = case.verdict
    if verdict is None:
        return None
    return {
        "id": verdict.pk,
        "evaluation": verdict.evaluation_id,
        "outcome": verdict.outcome,
        "earned_share_bps": verdict.earned_share_bps,
        "undetermined_rule": verdict.undetermined_rule,
        "method": verdict.method,
        "concluded_at": _instant(verdict.concluded_at),
        "clauses": [_clause(clause) for clause in quoted.clauses_of(verdict)],
    }


def _clause(clause: ClauseVerdict) -> dict[str, Any]:
    return {
        "key": clause.key,
        "title": clause.title,
        "outcome": clause.outcome,
        "critical": clause.critical,
        "weight_bps": clause.weight_bps,
        "promise_bps": clause.promise_bps,
        "floor_bps": clause.floor_bps,
        "passes": clause.passes,
        "failures": clause.failures,
        "errors": clause.errors,
        "nulls": clause.nulls,
        "skipped": clause.skipped,
        "reason": clause.reason,
    }


def _ruling(case: Case, decision: Final) -> dict[str, Any] | None:
    ruling = case.ruling
    if ruling is None or decision.code not in RULED:
        return None
    return {
        "id": ruling.pk,
        "dispute": ruling.dispute_id,
        "award_bps": ruling.award_bps,
        "by": "rule" if ruling.by_rule else "person",
        "level": ruling.level,
        "clauses": ruling.clauses,
        "reasons_digest": sha256(ruling.reasons.encode()),
        "ruled_at": _instant(ruling.ruled_at),
    }


def _transfers(rows: list[Transfer]) -> list[dict[str, Any]]:
    return [
        {
            "kind": row.kind,
            "key": row.idempotency_key,
            "posted_at": _instant(row.posted_at),
            "entries": [
                {"account": _account(entry.account), "amount": entry.amount}
                for entry in sorted(row.entries.all(), key=lambda entry: entry.pk)
            ],
        }
        for row in rows
    ]


def _account(account: Account) -> str:
    return f"{account.kind}:{account.owner_id or account.subject}".rstrip(":")


def _evidence(case: Case, decision: Final) -> list[str]:
    """The funding, every verdict, and the ruling, in that order."""
    found = [
        case.escrow.funded_evidence_id,
        *(one.evaluation.verdict.evidence_id for one in case.judged),
        case.ruling.evidence_id if case.ruling and decision.code in RULED else "",
    ]
    return [evidence_id for evidence_id in found if evidence_id]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
