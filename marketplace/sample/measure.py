"""Runs an agent's function over a task set and counts, without HTTP and without a verdict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.sample.task import SampleTask

Answer = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass
class Tally:
    """Counts of tasks. A silent error is an answer that is given and wrong.

    Right out of scope means declined, so `right + declined_in_scope + silent_errors == tasks`.
    """

    tasks: int = 0
    right: int = 0
    declined_in_scope: int = 0
    silent_errors: int = 0

    @property
    def accuracy(self) -> float:
        """Share of tasks answered rightly, in [0, 1]; 0 for no tasks."""
        return self.right / self.tasks if self.tasks else 0.0

    def count(self, *, answer: Any, expected: Any) -> None:
        self.tasks += 1
        if answer == expected:
            self.right += 1
        elif answer is None:
            self.declined_in_scope += 1
        else:
            self.silent_errors += 1


@dataclass
class Measurement:
    """`in_scope` and `out_of_scope` split the whole; `strata` splits it by the tasks' strata."""

    in_scope: Tally = field(default_factory=Tally)
    out_of_scope: Tally = field(default_factory=Tally)
    strata: dict[str, Tally] = field(default_factory=dict)

    @property
    def silent_errors(self) -> int:
        return self.in_scope.silent_errors + self.out_of_scope.silent_errors


def measure(*, answer: Answer, tasks: Sequence[SampleTask], main_field: str) -> Measurement:
    """One call per task, in order."""
    result = Measurement()
    for task in tasks:
        given, expected = answer(task.input)[main_field], task.expected[main_field]
        scope = result.in_scope if task.in_scope else result.out_of_scope
        for tally in (scope, result.strata.setdefault(task.stratum, Tally())):
            tally.count(answer=given, expected=expected)
    return result


def measure_consistency(
    *, answer: Answer, tasks: Sequence[SampleTask], main_field: str, repeats: int
) -> float:
    """Share of tasks, in [0, 1], whose `repeats` answers are all the same, right or wrong."""
    same = 0
    for task in tasks:
        given = [answer(task.input)[main_field] for _ in range(repeats)]
        same += all(other == given[0] for other in given[1:])
    return same / len(tasks)
