"""The published schema of every kind of evidence, in every version there ever was."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from reputation.facts import COUNT, DIGEST, INSTANT, TOKEN, Record, Rows, Text
from reputation.kinds import KINDS, ROLES, Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class SchemaUnknown(LookupError):
    """No evidence of this kind and version was ever written."""


def published() -> Iterator[tuple[str, int]]:
    """Every kind with each of its versions, by name, the newest version first."""
    now = {(kind, found.version) for kind, found in KINDS.items()}
    yield from sorted(now | EARLIER.keys(), key=lambda one: (one[0], -one[1]))


def schema_of(*, kind: str, version: int) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an envelope. Raises SchemaUnknown."""
    found = KINDS.get(kind)
    if found is None or found.version != version:
        found = EARLIER.get((kind, version))
    if found is None:
        raise SchemaUnknown(f"there is no {kind} in version {version}")
    return {
        "$schema": DIALECT,
        "title": f"{kind} version {version}",
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": "^evd_[0-9a-z]{1,32}$"},
            "kind": {"const": kind},
            "version": {"const": version},
            "at": INSTANT.schema(),
            "subjects": _subjects(found),
            "facts": Record(found.facts, found.may_facts).schema(),
            "digests": _digests(found),
            "commitment": {
                **DIGEST.schema(),
                "description": "SHA-256 of 32 salt bytes and the private payload, kept apart",
            },
        },
        "required": ["at", "digests", "facts", "id", "kind", "subjects", "version"],
        "additionalProperties": False,
    }


def _subjects(kind: Kind) -> dict[str, Any]:
    an_id = {"type": "string", "pattern": "^[a-z]{2,7}_[0-9a-z]{1,32}$"}
    return {
        "type": "object",
        "properties": dict.fromkeys(sorted(ROLES | kind.subjects), an_id),
        "required": sorted(kind.subjects),
        "additionalProperties": False,
    }


def _digests(kind: Kind) -> dict[str, Any]:
    must: dict[str, Text] = dict.fromkeys(kind.digests, DIGEST)
    return Record(must, dict.fromkeys(kind.may_digests, DIGEST)).schema()


def _without(kind: str, *names: str, version: int = 1) -> Kind:
    """A kind as it was before it could state these facts and digests."""
    now = KINDS[kind]
    return replace(
        now,
        version=version,
        may_facts={key: fact for key, fact in now.may_facts.items() if key not in names},
        may_digests=now.may_digests - set(names),
    )


# What evidence in the log may still say: versions before the present one, never changed again.
EARLIER: Mapping[tuple[str, int], Kind] = {
    ("policy.changed", 1): Kind(
        version=1,
        subjects=frozenset({"policy"}),
        facts={
            "number": COUNT,
            "changes": Rows(Record({"key": TOKEN, "before": COUNT, "after": COUNT})),
        },
        digests=frozenset({"policy"}),
    ),
    ("control.fired", 1): Kind(
        version=1,
        subjects=frozenset({"control"}),
        facts={"metric": TOKEN, "threshold": COUNT, "observed": COUNT, "action": TOKEN},
    ),
    ("dispute.opened", 1): _without(
        "dispute.opened", "side", "track", "deposit", "currency", "clauses", "answer_by"
    ),
    ("dispute.opened", 2): _without(
        "dispute.opened", "track", "deposit", "currency", "clauses", "answer_by", version=2
    ),
    ("ruling.made", 1): _without("ruling.made", "level", "by", "awaits_second"),
    ("escrow.funded", 1): _without("escrow.funded", "bond"),
    ("escrow.settled", 1): _without("escrow.settled", "timeout", "fault", "bond", "bond_outcome"),
    ("evaluation.concluded", 1): _without(
        "evaluation.concluded", "skipped", "canaries", "canary_passes"
    ),
    ("listing.opened", 1): _without("listing.opened", "bond"),
    ("model.changed", 1): _without("model.changed", "independence"),
    ("pact.published", 1): _without(
        "pact.published",
        *("since", "weakens", "added", "removed", "stricter", "weaker", "changed", "since_terms"),
    ),
    ("taskset.committed", 1): _without("taskset.committed", "strata", "sessions", "canaries"),
    ("version.changed", 1): _without("version.changed", "independence", "hired"),
}
