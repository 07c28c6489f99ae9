"""What a rehearsal showed: clause by clause for a dry run, family by family for an adversarial one.

A dry run is added up by the same code as a verdict (`judging`), so what it shows is what the same
answers would have shown in a hire; nothing of it is kept as a verdict.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pacts import adversity, terms
from pacts.adversity import Adversity
from pacts.checks import CHECKS
from pacts.conclusions import CombinedVerdict
from pacts.judging import judge
from pacts.models import Rehearsal, RehearsedCase
from pacts.statistics import ClauseVerdict
from pacts.terms import Clause
from pacts.tries import Try


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One check's answer on one call."""

    clause: str
    title: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One case as people read it."""

    case: RehearsedCase
    input: Any
    said: tuple[Said, ...]
    adversity: Adversity | None = None

    @property
    def failed(self) -> bool:
        return self.case.outcome == "fell" or any(s.outcome == "fail" for s in self.said)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseSeen:
    """One clause over all calls. `unseen` says why it was not looked at, else empty."""

    clause: Clause
    verdict: ClauseVerdict
    unseen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a dry run came to; `verdict` is what these answers would come to in a hire."""

    clauses: tuple[ClauseSeen, ...]
    verdict: CombinedVerdict


@dataclass(frozen=True, slots=True)
class FamilySeen:
    """One family of adversities: how many held, fell, and nobody can tell."""

    name: str
    held: int
    fell: int
    unseen: int


_UNSEEN = RehearsedCase.Outcome.UNSEEN


def looked_at(rehearsal: Rehearsal) -> list[Looked]:
    """Every case that was asked: failing ones first, then those for a person to look at."""
    titles = {c["key"]: c["title"] for c in (rehearsal.terms or {}).get("clauses", ())}
    cases = rehearsal.cases.filter(state=RehearsedCase.State.DONE).order_by("position")
    found = [_looked(case, titles) for case in cases]
    return sorted(found, key=lambda one: (not one.failed, one.case.outcome != _UNSEEN))


def _looked(case: RehearsedCase, titles: dict[str, str]) -> Looked:
    said = tuple(
        Said(
            clause=one["clause"],
            title=titles.get(one["clause"], one["clause"]),
            outcome=one["outcome"],
            reason=one["reason"],
        )
        for one in (json.loads(case.answers) if case.answers else ())
    )
    return Looked(
        case=case,
        input=json.loads(case.input) if case.input else None,
        said=said,
        adversity=_named(case.key),
    )


def _named(key: str) -> Adversity | None:
    try:
        return adversity.adversity(key) if key else None
    except KeyError:  # of a suite of earlier
        return None


def dry_run_of(rehearsal: Rehearsal) -> DryRun | None:
    """What a dry run shows so far; None before its first answer."""
    if rehearsal.terms is None:
        return None
    clauses = terms.parse(rehearsal.terms).clauses
    cases = list(rehearsal.cases.filter(state=RehearsedCase.State.DONE).order_by("position"))
    if not cases:
        return None
    verdict = judge(clauses, _tries(cases))
    seen = {one["clause"] for case in cases for one in _answers(case)}
    return DryRun(
        clauses=tuple(
            ClauseSeen(
                clause=clause,
                verdict=judged,
                unseen="" if clause.key in seen else _why_unseen(clause, rehearsal),
            )
            for clause, judged in zip(clauses, verdict.clauses, strict=True)
        ),
        verdict=verdict,
    )


def _why_unseen(clause: Clause, rehearsal: Rehearsal) -> str:
    check = CHECKS.get(clause.check)
    if check and check.asks_panel:
        return "a jury or people answer this one; a dry run asks neither"
    if rehearsal.pasted:
        return "nobody was called, so nothing was timed and no task was varied"
    return "the call budget ended before a call this clause looks at"


def _answers(case: RehearsedCase) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(case.answers) if case.answers else []
    return found


def _tries(cases: Sequence[RehearsedCase]) -> list[dict[str, list[Try]]]:
    by_task: dict[int, dict[str, list[Try]]] = defaultdict(lambda: defaultdict(list))
    for case in cases:
        for one in _answers(case):
            by_task[case.task][one["clause"]].append(
                Try(
                    task=str(case.task),
                    outcome=one["outcome"],
                    value=one["value"],
                    variant=case.variant,
                )
            )
    return list(by_task.values())


def families_of(rehearsal: Rehearsal) -> list[FamilySeen]:
    """How each family went, in the order of the suite."""
    counts = Counter(
        rehearsal.cases.filter(state=RehearsedCase.State.DONE).values_list("family", "outcome")
    )
    names = dict.fromkeys([*adversity.FAMILIES, *rehearsal.cases.values_list("family", flat=True)])
    return [
        FamilySeen(name, *(counts[name, outcome] for outcome in ("held", "fell", "unseen")))
        for name in names
        if any(counts[name, outcome] for outcome in ("held", "fell", "unseen"))
    ]


def answered(rehearsal: Rehearsal) -> bool:
    """Whether at least one call was answered in the agreed form."""
    done = rehearsal.cases.filter(state=RehearsedCase.State.DONE)
    return not rehearsal.pasted and done.filter(fault="").exists()
