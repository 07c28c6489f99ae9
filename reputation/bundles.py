"""Evidence to carry away: envelopes, proofs and a signed head in one JSON object.

Format `earnest-evidence/1`; `reputation/verifier/verify.py` verifies it without us.
"""

import base64
from collections.abc import Collection, Sequence
from typing import Any

from django.conf import settings

from reputation import checkpoints, evidence, keys, proofs
from reputation.models import Checkpoint, Evidence, EvidencePayload

FORMAT = "earnest-evidence/1"
MOST_ENTRIES = 500


def bundle(
    *,
    evidence_ids: Sequence[str],
    opened: Collection[str] = (),
    since: Sequence[int] = (),
) -> dict[str, Any]:
    """A bundle of these pieces of evidence below the newest head, in the order of the log.

    `opened` are ids whose private part the asker may see; `since` are sizes of earlier heads, each
    of which gets a consistency proof. What no head covers yet is listed under `waiting`.
    Raises NotYetProvable where nothing was ever signed, and OutsideTree for a larger size.
    """
    head = checkpoints.newest()
    if head is None:
        raise proofs.NotYetProvable("the log has no signed head yet")
    placed = proofs.inclusions(evidence_ids=evidence_ids, under=head)
    rows = {row.pk: row for row in Evidence.objects.filter(pk__in=placed)}
    private = _private(set(opened) & placed.keys())
    return {
        "format": FORMAT,
        "log_keys": [str(key) for key in keys.vkeys()],
        "witness_keys": [key for key, *_ in settings.LOG_WITNESSES],
        "checkpoint": checkpoints.text_of(head),
        "entries": [
            {
                "id": found.evidence_id,
                "index": found.index,
                "envelope": rows[found.evidence_id].envelope,
                "proof": _encoded(found.hashes),
                **private.get(found.evidence_id, {}),
            }
            for found in placed.values()
        ],
        "waiting": sorted(set(evidence_ids) - placed.keys()),
        "consistency": [_step(size, head) for size in sorted(set(since))],
    }


def _step(size: int, head: Checkpoint) -> dict[str, Any]:
    return {
        "from": size,
        "to": head.size,
        "proof": _encoded(proofs.consistency(old=size, new=head.size)),
    }


def _private(ids: Collection[str]) -> dict[str, dict[str, Any]]:
    rows = EvidencePayload.objects.filter(pk__in=ids)
    opened = {row.pk: evidence.open_payload(row) for row in rows}
    return {
        evidence_id: {"private": {"salt": salt.hex(), "payload": payload.decode()}}
        for evidence_id, (salt, payload) in opened.items()
    }


def _encoded(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]
