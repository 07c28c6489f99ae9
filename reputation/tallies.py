"""What the log adds up to, in whole numbers. Method `standing-2`; `reputation.fold` adds it up.

Per dimension the clause with the lowest pass rate speaks for a verdict, because clauses of one
dimension are measured on the same units and a unit may count only once. Counts add up across hires
of one agent version; a new version starts anew. Everything kept is a whole number, so anybody who
folds the same log gets the same bytes; the rates that people read are computed from them by
`reputation.standing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from reputation.ageing import HALF_LIFE, LANDMARK, weight
from reputation.canonical import canonical
from reputation.credibility import Share
from reputation.envelope import instant, moment

__all__ = ["HALF_LIFE", "LANDMARK", "METHOD", "Key", "Tally", "table", "tallies_of", "weight"]

METHOD = "standing-2"

Fact = Mapping[str, Any]


class Key(NamedTuple):
    """What one tally is about."""

    agent_id: str
    version_id: str
    dimension: str


class VersionKey(NamedTuple):
    """One version of one agent."""

    agent_id: str
    version_id: str


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The counted evidence of one key. Tallies add in any order and grouping.

    `promise_bps` and `floor_bps` are the strictest the version was held to; `decayed_*` and
    `canary_*` (units the platform hid among the buyers') are sums of `weight`, so only their ratio
    to `weight(now)` has a meaning; `credited_*` are thousandths of it, summed over the buyers'
    shares.
    """

    verdicts: int
    passes: int
    failures: int
    decayed_passes: int
    decayed_failures: int
    promise_bps: int
    floor_bps: int
    first_at: datetime
    last_at: datetime
    credited_passes: int = 0
    credited_failures: int = 0
    canary_passes: int = 0
    canary_failures: int = 0
    buyers: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            verdicts=self.verdicts + other.verdicts,
            passes=self.passes + other.passes,
            failures=self.failures + other.failures,
            decayed_passes=self.decayed_passes + other.decayed_passes,
            decayed_failures=self.decayed_failures + other.decayed_failures,
            promise_bps=max(self.promise_bps, other.promise_bps),
            floor_bps=max(self.floor_bps, other.floor_bps),
            first_at=min(self.first_at, other.first_at),
            last_at=max(self.last_at, other.last_at),
            credited_passes=self.credited_passes + other.credited_passes,
            credited_failures=self.credited_failures + other.credited_failures,
            canary_passes=self.canary_passes + other.canary_passes,
            canary_failures=self.canary_failures + other.canary_failures,
            buyers=self.buyers + other.buyers,
        )

    def with_share(self, before: Share | None, after: Share) -> "Tally":
        """The tally after a buyer's share became another one; None before its first."""
        old = before or Share()
        return replace(
            self,
            credited_passes=self.credited_passes + after.passes - old.passes,
            credited_failures=self.credited_failures + after.failures - old.failures,
            buyers=self.buyers + (before is None),
        )


@dataclass(frozen=True, kw_only=True)
class Record:
    """The counts of one agent version that belong to no dimension.

    Every evaluation is logged before it starts, so `started` beside `concluded` shows whatever was
    given up, whoever ran it (`own_started`: by the builder). `verdicts`, `met`, `breached`, `tasks`
    and `critical_breaches` come from counted verdicts alone; `rulings` end disputes, `disputes` are
    those that ended without the builder's whole share. `claim_bps` is the latest benchmark claim:
    shown beside the standing, in no other number. `changed_at` and `changed_evidence` say since
    when something else answers under this version's name than was measured; empty once a verdict
    of after that counts.
    """

    started: int = 0
    concluded: int = 0
    own_started: int = 0
    verdicts: int = 0
    tasks: int = 0
    met: int = 0
    breached: int = 0
    critical_breaches: int = 0
    rulings: int = 0
    disputes: int = 0
    claim_bps: int | None = None
    changed_at: str = ""
    changed_evidence: str = ""

    @property
    def is_stale(self) -> bool:
        """Whether the counts speak of something that does not answer any more."""
        return bool(self.changed_at)


def tallies_of(verdict: Fact) -> dict[Key, Tally]:
    """What one `evaluation.concluded` adds, by key: nothing for a dimension without units."""
    weakest: dict[str, Mapping[str, Any]] = {}
    for clause in verdict["facts"]["clauses"]:
        rival = weakest.get(clause["dimension"])
        if _units(clause) and (rival is None or _is_weaker(clause, rival)):
            weakest[clause["dimension"]] = clause
    version, at = version_of(verdict), moment(verdict["at"])
    added = {Key(*version, name): _tally(clause, at) for name, clause in weakest.items()}
    hidden, passed = canaries_of(verdict)
    if hidden and weakest:
        key = Key(*version, _weakest_of_all(weakest))
        each = weight(at)
        added[key] = replace(
            added[key], canary_passes=passed * each, canary_failures=(hidden - passed) * each
        )
    return added


def canaries_of(verdict: Fact) -> tuple[int, int]:
    """How many of the platform's hidden tasks decided, and how many passed every clause."""
    facts = verdict["facts"]
    return facts.get("canaries", 0), facts.get("canary_passes", 0)


def _weakest_of_all(clauses: Mapping[str, Mapping[str, Any]]) -> str:
    """The dimension that hidden tasks speak for: to pass every clause is to pass its clause too."""
    found = next(iter(clauses))
    for name in clauses:
        if _is_weaker(clauses[name], clauses[found]):
            found = name
    return found


def only_canaries(tally: Tally) -> Tally:
    """What is left of a verdict that both sides dropped: the platform's own hidden tasks."""
    return replace(tally, verdicts=0, passes=0, failures=0, decayed_passes=0, decayed_failures=0)


def version_of(fact: Fact) -> VersionKey:
    """Whom a fact about an agent's work is about."""
    return VersionKey(fact["subjects"]["agent"], fact["subjects"]["agent_version"])


def _units(clause: Mapping[str, Any]) -> int:
    return int(clause["passes"] + clause["failures"])


def _is_weaker(clause: Mapping[str, Any], rival: Mapping[str, Any]) -> bool:
    mine, theirs = clause["passes"] * _units(rival), rival["passes"] * _units(clause)
    return bool((mine, -_units(clause), clause["key"]) < (theirs, -_units(rival), rival["key"]))


def _tally(clause: Mapping[str, Any], at: datetime) -> Tally:
    each = weight(at)
    return Tally(
        verdicts=1,
        passes=clause["passes"],
        failures=clause["failures"],
        decayed_passes=clause["passes"] * each,
        decayed_failures=clause["failures"] * each,
        promise_bps=clause["promise_bps"],
        floor_bps=clause["floor_bps"],
        first_at=at,
        last_at=at,
    )


def table(tallies: Mapping[Key, Tally]) -> bytes:
    """The tallies as canonical JSON rows in key order: two folds agree when these bytes do."""
    return canonical([row_of(key, tallies[key]) for key in sorted(tallies)])


def row_of(key: Key, tally: Tally) -> dict[str, object]:
    """One row of the table; what may outgrow a JSON number is text."""
    return {
        **key._asdict(),
        "method": METHOD,
        "verdicts": tally.verdicts,
        "passes": tally.passes,
        "failures": tally.failures,
        "decayed_passes": str(tally.decayed_passes),
        "decayed_failures": str(tally.decayed_failures),
        "credited_passes": str(tally.credited_passes),
        "credited_failures": str(tally.credited_failures),
        "canary_passes": str(tally.canary_passes),
        "canary_failures": str(tally.canary_failures),
        "buyers": tally.buyers,
        "promise_bps": tally.promise_bps,
        "floor_bps": tally.floor_bps,
        "first_at": instant(tally.first_at),
        "last_at": instant(tally.last_at),
    }
