"""From answers to units: one unit enters a verdict once, whatever it took to measure it.

Repeats of one task are not independent evidence, whatever the clause's unit: each task enters as
one value, the mean of its tries, or, where the unit is the task and `repeats` k > 1, the unbiased
pass^k of the task. A production call is a task of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pacts.terms import Clause
from reputation.confidence import pass_hat_k

Outcome = Literal["pass", "fail", "error", "skipped", "not_applicable", "null"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One check's answer on one trial of one task; `null` is a trial that came to nothing through
    no fault of the agent. `value` is in [0, 1]; None stands for 1 on pass and 0 on fail."""

    task: str
    outcome: Outcome
    value: float | None = None


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
    repeats = clause.repeats if clause.unit == "task" else 1
    return _count([_unit(group, repeats) for group in by_task.values()])


def _unit(tries: Sequence[Try], repeats: int) -> float | Outcome:
    """The unit's value, or the outcome that kept it from having one."""
    values = [_value(each) for each in tries if each.outcome in ("pass", "fail")]
    if repeats > 1 and values:
        passes = sum(each.outcome == "pass" for each in tries)
        kept = pass_hat_k(trials=len(values), passes=passes, k=repeats)
        return "null" if kept is None else kept
    if values:
        return sum(values) / len(values)
    outcomes = {each.outcome for each in tries}
    gravest: tuple[Outcome, ...] = ("null", "error", "skipped", "not_applicable")
    return next(outcome for outcome in gravest if outcome in outcomes)


def _value(each: Try) -> float:
    if each.value is not None:
        return each.value
    return 1.0 if each.outcome == "pass" else 0.0


def _count(found: Sequence[float | Outcome]) -> Units:
    return Units(
        values=tuple(unit for unit in found if not isinstance(unit, str)),
        errors=found.count("error"),
        nulls=found.count("null"),
        skipped=found.count("skipped"),
        not_applicable=found.count("not_applicable"),
    )
