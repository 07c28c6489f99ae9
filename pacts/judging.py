"""The verdict of a run from what its checks said, task by task: the same for a worker that reads
rows and for whoever verifies an exported bundle offline."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pacts.conclusions import CombinedVerdict, combine
from pacts.plans import plan_for
from pacts.repetition import Repetition
from pacts.statistics import ClauseVerdict, Tally
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


class Reckoning:
    """Every clause's tally, fed one task at a time; holds nothing that grows with the tasks, but
    for clauses that count sessions, whose tasks are kept together until the verdict."""

    def __init__(
        self, clauses: Sequence[Clause], *, sessions: Mapping[str, str] | None = None
    ) -> None:
        """`sessions` names the session of each task that belongs to one."""
        self.clauses = tuple(clauses)
        self._sessions = sessions or {}
        self._open: dict[tuple[int, str], list[Try]] = {}
        self.tallies = [Tally(clause) for clause in clauses]
        self._plan = plan_for(clauses)
        self._repeats = {
            clause.key: Repetition(clause.repeats)
            for clause in clauses
            if clause.unit == "task" and clause.repeats > 1
        }

    def add(self, tries: TaskTries) -> None:
        """All tries of one task. A clause that looked at none of them is left as it is."""
        for place, tally in enumerate(self.tallies):
            key = tally.clause.key
            found = [one for one in tries.get(key, ()) if self._plan.sees(key, one.variant)]
            if found and key in self._repeats:
                self._repeats[key].add(found)
            session = self._sessions.get(found[0].task) if found else None
            if session and tally.clause.unit == "session":
                # A session takes its place at its last task, as a task does at its last try.
                earlier = self._open.pop((place, session), [])
                self._open[(place, session)] = [*earlier, *found]
            elif found:
                _count(tally, unit_of(clause=tally.clause, tries=found))

    @property
    def decided(self) -> bool:
        """Whether more tasks could be spared: every clause has latched and stands, or a critical
        one is breached. Never by a census, which is about every single unit."""
        if any(clause.unit == "session" for clause in self.clauses):
            return False  # a session is whole only at the end
        found = [tally.decided for tally in self.tallies]
        if any(
            status == "breached" and clause.critical
            for status, clause in zip(found, self.clauses, strict=True)
        ):
            return True
        return None not in found

    def verdict(self) -> CombinedVerdict:
        """The verdict over everything fed so far, its window closed."""
        for (place, _), found in self._open.items():
            tally = self.tallies[place]
            _count(tally, unit_of(clause=tally.clause, tries=found))
        self._open = {}
        judged = [self._told(tally.verdict()) for tally in self.tallies]
        return combine(clauses=self.clauses, verdicts=judged)

    def _told(self, verdict: ClauseVerdict) -> ClauseVerdict:
        """A verdict on repeated tasks tells both figures, whichever of them it is about."""
        repeats = str(self._repeats.get(verdict.key, ""))
        return replace(verdict, reason=f"{verdict.reason} {repeats}") if repeats else verdict


def _count(tally: Tally, unit: float | Outcome) -> None:
    if isinstance(unit, str):
        name = _COUNTED[unit]
        setattr(tally, name, getattr(tally, name) + 1)
    else:
        tally.add(unit)


def judge(
    clauses: Sequence[Clause],
    tasks: Iterable[TaskTries],
    *,
    sessions: Mapping[str, str] | None = None,
) -> CombinedVerdict:
    """The verdict over all tasks, in the order of events (a task's place is its last try)."""
    reckoning = Reckoning(clauses, sessions=sessions)
    for tries in tasks:
        reckoning.add(tries)
    return reckoning.verdict()
