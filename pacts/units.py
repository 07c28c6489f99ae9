"""From answers to units: one unit enters a verdict once, whatever it took to measure it.

Repeats of one task are not independent evidence, whatever the clause's unit: each task enters as
one value, the mean of its tries, or, where the unit is the task and `repeats` k > 1, the unbiased
pass^k of the task. A production call is a task of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pacts.checks import CHECKS, Check
from pacts.terms import Clause
from pacts.tries import Outcome, Try, gravest
from reputation.confidence import pass_at_k, pass_hat_k

__all__ = ["Outcome", "Try", "Units", "unit_of", "units"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What `statistics.judge_clause` takes: values in the order of events, and what did not
    count."""

    values: tuple[float, ...]
    errors: int = 0
    nulls: int = 0
    skipped: int = 0
    not_applicable: int = 0


def units(*, clause: Clause, tries: Iterable[Try]) -> Units:
    """The units of a clause from its tries in the order of events.

    A task takes its place at its last try. A task that decided nothing counts once, as its gravest
    outcome: null, error, skipped, not applicable. With repeats k, fewer than k deciding tries make
    the task null, unless the clause never applied to it.
    """
    by_task: dict[str, list[Try]] = {}
    for each in tries:
        by_task[each.task] = [*by_task.pop(each.task, []), each]
    return _count([unit_of(clause=clause, tries=group) for group in by_task.values()])


def unit_of(*, clause: Clause, tries: Sequence[Try]) -> float | Outcome:
    """What all tries of one task come to: a value, or the outcome that kept it from having one.

    A task whose tries the run cut off is `stopped` where it would be null.
    """
    tried = [each for each in tries if each.outcome != "stopped"]
    found = _unit(clause, CHECKS.get(clause.check), tried) if tried else "null"
    return "stopped" if found == "null" and len(tried) < len(tries) else found


def _unit(clause: Clause, check: Check | None, tries: Sequence[Try]) -> float | Outcome:
    if check and check.gathers:
        return check.gathers(clause.params, clause.promise, tries)
    values = [each.score for each in tries if each.decided]
    repeats = clause.repeats if clause.unit == "task" else 1
    if repeats > 1 and values:
        passes = sum(each.outcome == "pass" for each in tries)
        of_k = pass_at_k if clause.check == "solved_within" else pass_hat_k
        kept = of_k(trials=len(values), passes=passes, k=repeats)
        return "null" if kept is None else kept
    return sum(values) / len(values) if values else gravest(list(tries))


def _count(found: Sequence[float | Outcome]) -> Units:
    return Units(
        values=tuple(unit for unit in found if not isinstance(unit, str)),
        errors=found.count("error"),
        nulls=found.count("null"),
        skipped=found.count("skipped") + found.count("stopped"),
        not_applicable=found.count("not_applicable"),
    )
