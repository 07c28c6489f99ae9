"""The verdict of a run from what its checks said, task by task: the same for a worker that reads
rows and for whoever verifies an exported bundle offline."""

from collections.abc import Iterable, Mapping, Sequence

from pacts.conclusions import CombinedVerdict, combine
from pacts.plans import plan_for
from pacts.statistics import Tally
from pacts.terms import Clause
from pacts.units import Outcome, Try, unit_of

# One task's tries by clause key, in the order of the run.
TaskTries = Mapping[str, Sequence[Try]]

_COUNTED = {
    "error": "errors",
    "null": "nulls",
    "skipped": "skipped",
    "stopped": "skipped",
    "not_applicable": "not_applicable",
}


class Jury:
    """Every clause's tally, fed one task at a time; holds nothing that grows with the tasks."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        self.clauses = tuple(clauses)
        self.tallies = [Tally(clause) for clause in clauses]
        self._plan = plan_for(clauses)

    def add(self, tries: TaskTries) -> None:
        """All tries of one task. A clause that looked at none of them is left as it is."""
        for tally in self.tallies:
            key = tally.clause.key
            found = [one for one in tries.get(key, ()) if self._plan.sees(key, one.variant)]
            if found:
                _count(tally, unit_of(clause=tally.clause, tries=found))

    @property
    def decided(self) -> bool:
        """Whether more tasks could be spared: every clause has latched and stands, or a critical
        one is breached. Never by a census, which is about every single unit."""
        found = [tally.decided for tally in self.tallies]
        if any(
            status == "breached" and clause.critical
            for status, clause in zip(found, self.clauses, strict=True)
        ):
            return True
        return None not in found

    def verdict(self) -> CombinedVerdict:
        """The verdict over everything fed so far, its window closed."""
        judged = [tally.verdict() for tally in self.tallies]
        return combine(clauses=self.clauses, verdicts=judged)


def _count(tally: Tally, unit: float | Outcome) -> None:
    if isinstance(unit, str):
        name = _COUNTED[unit]
        setattr(tally, name, getattr(tally, name) + 1)
    else:
        tally.add(unit)


def judge(clauses: Sequence[Clause], tasks: Iterable[TaskTries]) -> CombinedVerdict:
    """The verdict over all tasks, in the order of events (a task's place is its last try)."""
    jury = Jury(clauses)
    for tries in tasks:
        jury.add(tries)
    return jury.verdict()
