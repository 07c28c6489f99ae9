"""What a kind of evidence is: whom it must name, and the facts and digests it states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reputation.facts import DIGEST, FactType, Record
from reputation.identifiers import is_id

# fmt: off
ROLES = frozenset({
    "party", "buyer", "builder", "adjudicator", "agent", "agent_version", "listing",
    "claim", "pact", "pact_version", "taskset", "engagement", "milestone", "deliverable",
    "evaluation", "verdict", "escrow", "account", "transfer", "dispute", "ruling",
    "deposit", "payout", "receipt", "imported_run", "control", "firing", "evidence", "cancellation",
    "jury", "review", "stream", "exhibit", "appeal", "precedent", "policy", "suspicion",
    "evaluator", "incident", "route", "shadow", "replay", "hook", "meter", "need", "offer",
})
# fmt: on
# Which deadline passed, and whose part it was to act by then (or to keep the promise).
TIMEOUTS = (
    *("submission", "acceptance", "evaluation", "response", "evidence", "adjudication"),
    "funding",
)
FAULTS = ("buyer", "builder", "platform", "adjudicator")


@dataclass(frozen=True)
class Kind:
    """One kind of evidence. `facts` and `digests` must be there; the `may_` ones may be."""

    version: int
    subjects: frozenset[str]
    facts: Mapping[str, FactType] = field(default_factory=dict)
    may_facts: Mapping[str, FactType] = field(default_factory=dict)
    digests: frozenset[str] = frozenset()
    may_digests: frozenset[str] = frozenset()

    def check(
        self,
        *,
        subjects: Mapping[str, str],
        facts: Mapping[str, object],
        digests: Mapping[str, str],
    ) -> str | None:
        """What is wrong with a record of this kind, or None."""
        return (
            _prefixed("subjects", _subjects(self.subjects).check(subjects))
            or _prefixed("facts", Record(self.facts, self.may_facts).check(facts))
            or _prefixed("digests", self._digests().check(digests))
        )

    def _digests(self) -> Record:
        return Record(dict.fromkeys(self.digests, DIGEST), dict.fromkeys(self.may_digests, DIGEST))


@dataclass(frozen=True)
class _SubjectId:
    def check(self, value: object) -> str | None:
        return None if is_id(value) else "is not an id"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[a-z]{2,7}_[0-9a-z]{1,32}$"}


def _subjects(required: frozenset[str]) -> Record:
    return Record(dict.fromkeys(required, _SubjectId()), dict.fromkeys(ROLES, _SubjectId()))


def _prefixed(part: str, wrong: str | None) -> str | None:
    return f"{part}: {wrong}" if wrong else None


def kind(
    subjects: str,
    facts: Mapping[str, FactType] | None = None,
    *,
    may: Mapping[str, FactType] | None = None,
    digests: str = "",
    may_digests: str = "",
    version: int = 1,
) -> Kind:
    return Kind(
        version=version,
        subjects=frozenset(subjects.split()),
        facts=facts or {},
        may_facts=may or {},
        digests=frozenset(digests.split()),
        may_digests=frozenset(may_digests.split()),
    )
