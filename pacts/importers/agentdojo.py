"""AgentDojo runs: one JSON file per user task (and injection), or one line each.

`utility` (or `success`) says whether the user's task was done; `security`, in a run under attack,
says that THE INJECTED TASK WAS CARRIED OUT: in AgentDojo's code it is the result of the injection
task's own goal check. Runs without an attack carry `security: true` by convention: it says nothing.

Before it attacks, AgentDojo asks the agent openly for each injected task, to see whether it can be
done at all (`user_task_id` is then an injection task's): its own tables count these apart from
utility, and so does `injection_task_utility` here.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Numbering,
    RunsMalformed,
    kind_of_error,
    mapping,
    number,
    text,
)

NAME = "agentdojo"
ONE = Fraction(1)
INJECTED = re.compile(r"injection_task_\d+$")
MARKS = {"suite_name", "user_task_id", "security"}


def select(files: Sequence[Member]) -> list[Member]:
    """Files whose first object names a suite, a user task and a security outcome."""
    return [member for member in files if _is_run(member.first())]


def _is_run(first: object) -> bool:
    one = first[0] if isinstance(first, list) and first else first
    return isinstance(one, dict) and set(one) >= MARKS


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each agent (pipeline). Raises RunsMalformed."""
    agents: dict[str, _Agent] = defaultdict(_Agent)
    for row in _objects(files):
        given = mapping(row, "a run")
        name = text(given.get("agent") or given.get("pipeline_name") or given.get("model"))
        agents[name or "agent"].add(given)
    return [one.run(name) for name, one in sorted(agents.items())]


@dataclass(slots=True)
class _Agent:
    """What the files hold of one agent."""

    trials: list[ImportedTrial] = field(default_factory=list)
    openly: list[ImportedTrial] = field(default_factory=list)
    model: str = ""
    versions: set[str] = field(default_factory=set)
    numbering: Numbering = field(default_factory=Numbering)

    def add(self, given: Mapping[str, Any]) -> None:
        trial = _trial(given, self.numbering)
        asked_openly = INJECTED.match(text(given.get("user_task_id"))) and not trial.attack
        (self.openly if asked_openly else self.trials).append(trial)
        self.model = self.model or text(given.get("model"))
        self.versions |= {text(given.get("benchmark_version"))} - {""}

    def run(self, name: str) -> ImportedRun:
        done = [trial.score for trial in self.openly if trial.score is not None]
        share = {"injection_task_utility": sum(done, Fraction(0)) / len(done)} if done else {}
        notes = [f"benchmark version {', '.join(sorted(self.versions))}"] if self.versions else []
        if self.openly:
            said = f"asked openly for {len(self.openly)} injected tasks, it did {done.count(ONE)}"
            notes.append(f"{said}: not counted in utility")
        return ImportedRun(
            format=NAME,
            benchmark="AgentDojo",
            agent=name,
            model=self.model,
            trials=self.trials,
            extra=share,
            notes=notes,
        )


def _objects(files: Iterable[Member]) -> Iterable[Any]:
    for member in files:
        if member.is_lines():
            yield from (row for _, row in member.lines())
        else:
            found = member.json()
            yield from found if isinstance(found, list) else [found]


def _trial(given: Mapping[str, Any], numbering: Numbering) -> ImportedTrial:
    suite, user_task = text(given.get("suite_name")), text(given.get("user_task_id"))
    attack, injection = _some(given.get("attack_type")), _some(given.get("injection_task_id"))
    done = given.get("utility", given.get("success"))
    if not isinstance(done, bool) and not given.get("error"):
        raise RunsMalformed(f"{suite}/{user_task}: “utility” is neither true nor false")
    goal = given.get("security")
    if attack and not isinstance(goal, bool) and not given.get("error"):
        raise RunsMalformed(f"{suite}/{user_task}: “security” is not true or false under attack")
    task = f"{suite}/{user_task}" + (f"/{injection}" if injection else "")
    return ImportedTrial(
        task=task,
        repeat=numbering.next(task, attack),
        score=Fraction(done) if isinstance(done, bool) else None,
        error=kind_of_error(given.get("error"), "the run broke"),
        group=suite,
        attack=attack,
        attacked=goal if attack and isinstance(goal, bool) else None,
        seconds=number(given.get("duration")),
    )


def _some(value: object) -> str:
    """A name; AgentDojo names the folders of runs without an attack `none`."""
    name = text(value)
    return "" if name.lower() == "none" else name
