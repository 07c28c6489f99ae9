"""The public half of a piece of evidence: canonical JSON, its leaf hash, its commitment."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from reputation.canonical import canonical
from reputation.kinds import KINDS

# An entry of a tile-based log is framed by a 16-bit length (C2SP tlog-tiles).
MOST_BYTES = 2**16 - 1
SALT_BYTES = 32


class EvidenceKindUnknown(ValueError):
    """The kind is not in `KINDS`."""


class EvidenceMalformed(ValueError):
    """A subject, fact or digest is missing, unknown or of the wrong type; the message names it."""


class EvidenceTooLarge(ValueError):
    """The envelope is longer than 65,535 bytes."""


class MomentWithoutZone(ValueError):
    """A time was given without its zone."""


def instant(moment: datetime) -> str:
    """An aware time as envelopes write it: `2026-01-31T23:59:59.000000Z`."""
    if moment.tzinfo is None:
        raise MomentWithoutZone(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime:
    """The aware time an envelope's `at` states."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def seal(
    *,
    evidence_id: str,
    kind: str,
    at: datetime,
    subjects: Mapping[str, str],
    facts: Mapping[str, object],
    digests: Mapping[str, str],
    commitment: str | None,
) -> bytes:
    """The canonical envelope (RFC 8785), as UTF-8.

    `{id, kind, version, at, subjects, facts, digests[, commitment]}`

    Raises EvidenceKindUnknown, EvidenceMalformed, EvidenceTooLarge or MomentWithoutZone.
    """
    schema = KINDS.get(kind)
    if schema is None:
        raise EvidenceKindUnknown(f"there is no kind of evidence named {kind!r}")
    wrong = schema.check(subjects=subjects, facts=facts, digests=digests)
    if wrong:
        raise EvidenceMalformed(f"{kind} {wrong}")
    content = {
        "id": evidence_id,
        "kind": kind,
        "version": schema.version,
        "at": instant(at),
        "subjects": dict(subjects),
        "facts": dict(facts),
        "digests": dict(digests),
    }
    sealed = canonical({**content, "commitment": commitment} if commitment else content)
    if len(sealed) > MOST_BYTES:
        raise EvidenceTooLarge(f"{kind} takes {len(sealed)} bytes of {MOST_BYTES}")
    return sealed


def leaf_hash(sealed: bytes) -> bytes:
    """The leaf of RFC 6962: SHA-256 of a zero byte and the envelope."""
    return hashlib.sha256(b"\x00" + sealed).digest()


def commit(*, salt: bytes, payload: bytes) -> str:
    """`sha256:` and the hex SHA-256 of salt and payload: opaque to whoever lacks the salt."""
    return "sha256:" + hashlib.sha256(salt + payload).hexdigest()
