"""From clause verdicts to the whole pact's: its outcome and the share of the price it earned."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import get_args

from pacts.statistics import ClauseCounts, ClauseVerdict, Status
from pacts.terms import WHOLE, Clause, OnUndetermined

# From the mildest to the strictest; the declaration in the pact language keeps this order.
RULES: tuple[OnUndetermined, ...] = get_args(OnUndetermined)


class NoClauses(ValueError):
    """A pact without clauses proves nothing and has no verdict."""


class VerdictsDoNotMatch(ValueError):
    """The clause verdicts are not exactly those of the pact's clauses, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedVerdict:
    """The evaluation's verdict. `earned_share_bps` is what is earned for certain; `rule` is the
    strictest rule among the undetermined clauses (None if there is none, or nothing is left to
    decide because a veto took the whole share); `vetoed_by` names the clauses that did."""

    status: Status
    earned_share_bps: int
    rule: OnUndetermined | None
    vetoed_by: tuple[str, ...]
    reason: str
    clauses: tuple[ClauseVerdict, ...]


def combine(*, clauses: Sequence[Clause], verdicts: Sequence[ClauseVerdict]) -> CombinedVerdict:
    """The verdict of the whole pact and the share of the price it earned.

    Any breached clause makes it breached; else any undetermined one makes it undetermined. A
    breached clause that is critical or whose consequence is `withhold` takes the whole share; any
    other breached clause takes its weight. An undetermined clause earns as its rule says: release
    all of its weight, prorate weight × estimate / promise rounded down, the others nothing yet.
    """
    if not clauses:
        raise NoClauses("a pact without clauses has no verdict")
    if [c.key for c in clauses] != [v.key for v in verdicts]:
        raise VerdictsDoNotMatch("one verdict per clause, in the order of the pact")
    pairs = list(zip(clauses, verdicts, strict=True))
    vetoes = tuple(c.key for c, v in pairs if v.status == "breached" and _takes_all(c))
    open_rules = [c.on_undetermined for c, v in pairs if v.status == "undetermined"]
    return CombinedVerdict(
        status=_worst([v.status for v in verdicts]),
        earned_share_bps=0 if vetoes else sum(_earned(c, v) for c, v in pairs),
        rule=None if vetoes or not open_rules else max(open_rules, key=RULES.index),
        vetoed_by=vetoes,
        reason=_combined_reason(pairs),
        clauses=tuple(verdicts),
    )


def _worst(statuses: Sequence[Status]) -> Status:
    if "breached" in statuses:
        return "breached"
    return "undetermined" if "undetermined" in statuses else "met"


def _takes_all(clause: Clause) -> bool:
    # A clause that names no consequence cannot be published; should one be judged, it fails closed.
    return clause.critical or clause.consequence != "reduce"


def _earned(clause: Clause, verdict: ClauseVerdict) -> int:
    if verdict.status == "met":
        return clause.weight_bps
    if verdict.status == "breached":
        return 0
    if clause.on_undetermined == "release":
        return clause.weight_bps
    return _prorated(clause, verdict.counts) if clause.on_undetermined == "prorate" else 0


def _prorated(clause: Clause, counts: ClauseCounts) -> int:
    """weight × estimate / promise, at most the weight, rounded down; exact for whole counts."""
    if not counts.units or not clause.promise_bps:
        return 0
    kept = Fraction(counts.passes) / counts.units / Fraction(clause.promise_bps, WHOLE)
    return int(clause.weight_bps * min(Fraction(1), kept))


def _combined_reason(pairs: Sequence[tuple[Clause, ClauseVerdict]]) -> str:
    parts = []
    for status, words in (("breached", "broken"), ("undetermined", "undecided")):
        titles = [c.title for c, v in pairs if v.status == status]
        if titles:
            parts.append(f"{words}: {'; '.join(titles)}")
    return ". ".join(part[:1].upper() + part[1:] for part in parts) or "Every clause was met"
