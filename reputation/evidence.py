"""The door to the log: every floor appends its facts here, in their own transaction."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from reputation import strongbox
from reputation.canonical import canonical
from reputation.envelope import SALT_BYTES, commit, leaf_hash, seal
from reputation.identifiers import new_id
from reputation.models import Evidence, EvidencePayload

PURPOSE = "evidence payloads/1"


class EvidenceOutsideTransaction(RuntimeError):
    """Evidence stands or falls with its fact, so it is appended in the fact's own transaction."""


class EvidenceAlreadyRecorded(Exception):
    """A piece of evidence with this `dedupe_key` exists; nothing of this call was written."""


class EvidenceUnknown(LookupError):
    """There is no evidence with this id."""


class PayloadAbsent(LookupError):
    """The evidence never had a private payload, or it was erased."""


class PayloadAltered(Exception):
    """The stored payload does not open the envelope's commitment."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One fact about to be appended; the fields are those of `append`."""

    kind: str
    subjects: Mapping[str, str]
    at: datetime
    facts: Mapping[str, object] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    private: Mapping[str, object] | None = None
    dedupe_key: str | None = None


def append(
    *,
    kind: str,
    subjects: Mapping[str, str],
    at: datetime,
    facts: Mapping[str, object] | None = None,
    digests: Mapping[str, str] | None = None,
    private: Mapping[str, object] | None = None,
    dedupe_key: str | None = None,
) -> Evidence:
    """Append one fact to the log, within the caller's transaction.

    `subjects` is role → public id; `facts` and `digests` are as `reputation.kinds.KINDS[kind]`
    says; `private` is any JSON object and stays out of the envelope but for a salted commitment.
    `at` is aware: the transaction's `now`.
    With a `dedupe_key` the fact is recorded at most once, whoever races.

    Raises EvidenceOutsideTransaction, EvidenceKindUnknown, EvidenceMalformed, EvidenceTooLarge,
    EvidenceAlreadyRecorded; the transaction stays usable after each of them.
    """
    draft = Draft(
        kind=kind,
        subjects=subjects,
        at=at,
        facts=facts or {},
        digests=digests or {},
        private=private,
        dedupe_key=dedupe_key,
    )
    return append_all(drafts=[draft])[0]


def append_all(*, drafts: Sequence[Draft]) -> list[Evidence]:
    """Append many facts in one statement, in this order, all or none. Raises as `append` does."""
    if not connection.in_atomic_block:
        raise EvidenceOutsideTransaction("append evidence inside the transaction of its fact")
    if not drafts:
        return []
    sealed = [_seal(draft) for draft in drafts]
    # A duplicate in a batch must undo its neighbours; alone it wrote nothing to undo.
    with transaction.atomic() if len(sealed) > 1 else nullcontext():
        _write(sealed)
    return [one.evidence for one in sealed]


def read_payload(*, evidence: Evidence) -> dict[str, Any]:
    """The private object appended with the evidence. Raises PayloadAbsent or PayloadAltered."""
    row = EvidencePayload.objects.filter(pk=evidence.pk).first()
    if row is None:
        raise PayloadAbsent(f"{evidence.pk} has no private payload")
    salt, payload = open_payload(row)
    if commit(salt=salt, payload=payload) != evidence.read().get("commitment"):
        raise PayloadAltered(f"the payload of {evidence.pk} does not open its commitment")
    content: dict[str, Any] = json.loads(payload)
    return content


def open_payload(row: EvidencePayload) -> tuple[bytes, bytes]:
    """Salt and canonical payload of a stored private half. Raises PayloadAltered."""
    try:
        content = strongbox.unseal(purpose=PURPOSE, sealed=bytes(row.sealed))
    except strongbox.SealBroken as error:
        raise PayloadAltered(f"the payload of {row.pk} does not open: {error}") from error
    return content[:SALT_BYTES], content[SALT_BYTES:]


def erase_payload(*, evidence_id: str, reason: str, at: datetime) -> Evidence:
    """Delete the private payload and its salt, and record that; every proof stays valid.

    `reason` is a token such as `data_subject_request`. Returns the `payload.erased` evidence, which
    names the subjects of the erased one. Raises EvidenceUnknown or PayloadAbsent.
    """
    erased = Evidence.objects.filter(pk=evidence_id).first()
    if erased is None:
        raise EvidenceUnknown(f"there is no evidence {evidence_id}")
    deleted, _ = EvidencePayload.objects.filter(pk=evidence_id).delete()
    if not deleted:
        raise PayloadAbsent(f"{evidence_id} has no private payload")
    return append(
        kind="payload.erased",
        subjects={**erased.read()["subjects"], "evidence": evidence_id},
        facts={"reason": reason},
        at=at,
    )


def erase_payloads_of(*, subject_id: str, reason: str, at: datetime) -> list[Evidence]:
    """Erase every private payload of evidence that names a subject, as `erase_payload` does."""
    named = EvidencePayload.objects.filter(evidence__subjects__subject_id=subject_id)
    ids = named.order_by("pk").values_list("pk", flat=True).distinct()
    return [erase_payload(evidence_id=one, reason=reason, at=at) for one in list(ids)]


@dataclass(frozen=True)
class _Sealed:
    evidence: Evidence
    subjects: Mapping[str, str]
    private: bytes | None


def _seal(draft: Draft) -> _Sealed:
    private = commitment = None
    if draft.private is not None:
        salt, payload = os.urandom(SALT_BYTES), canonical(draft.private)
        commitment = commit(salt=salt, payload=payload)
        private = strongbox.seal(purpose=PURPOSE, secret=salt + payload)
    evidence_id = new_id("evd")
    envelope = seal(
        evidence_id=evidence_id,
        kind=draft.kind,
        at=draft.at,
        subjects=draft.subjects,
        facts=draft.facts,
        digests=draft.digests,
        commitment=commitment,
    )
    evidence = Evidence(
        id=evidence_id,
        kind=draft.kind,
        envelope=envelope.decode(),
        leaf_hash=leaf_hash(envelope),
        dedupe_key=draft.dedupe_key,
        recorded_at=draft.at,
    )
    evidence._state.adding = False
    evidence._state.db = connection.alias
    return _Sealed(evidence, draft.subjects, private)


# One round trip: a duplicate key writes no subject and no payload either. The queue row comes from
# a trigger on the table, so evidence that another program inserts is sequenced too.
_APPEND = """
    WITH recorded AS (
        INSERT INTO reputation_evidence (id, kind, envelope, leaf_hash, dedupe_key, recorded_at)
        SELECT * FROM unnest(
            %s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::timestamptz[]
        )
        ON CONFLICT (dedupe_key) DO NOTHING
        RETURNING id
    ), named AS (
        INSERT INTO reputation_evidencesubject (evidence_id, role, subject_id)
        SELECT s.* FROM unnest(%s::text[], %s::text[], %s::text[]) AS s (id, role, subject_id)
        JOIN recorded USING (id)
    ), kept AS (
        INSERT INTO reputation_evidencepayload (evidence_id, sealed)
        SELECT p.* FROM unnest(%s::text[], %s::bytea[]) AS p (id, sealed)
        JOIN recorded USING (id)
    )
    SELECT id FROM recorded
"""


def _write(sealed: Sequence[_Sealed]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, _columns(sealed))
        written = {row[0] for row in cursor.fetchall()}
    absent = [one.evidence.dedupe_key for one in sealed if one.evidence.id not in written]
    if absent:
        raise EvidenceAlreadyRecorded(f"already recorded: {', '.join(map(str, absent))}")


def _columns(sealed: Sequence[_Sealed]) -> list[list[Any]]:
    rows = [one.evidence for one in sealed]
    named = [(one.evidence.id, role, who) for one in sealed for role, who in one.subjects.items()]
    private = [one for one in sealed if one.private is not None]
    return [
        [row.id for row in rows],
        [row.kind for row in rows],
        [row.envelope for row in rows],
        [row.leaf_hash for row in rows],
        [row.dedupe_key for row in rows],
        [row.recorded_at for row in rows],
        *([name[part] for name in named] for part in range(3)),
        [one.evidence.id for one in private],
        [one.private for one in private],
    ]
