"""AgentDojo runs: one JSON file per user task (and injection), or one line each.

`utility` (or `success`) says whether the user's task was done; `security`, in a run under attack,
says that THE INJECTED TASK WAS CARRIED OUT: in AgentDojo's code it is the result of the injection
task's own goal check. Runs without an attack carry `security: true` by convention: it says nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
MARKS = {"suite_name", "user_task_id", "security"}


def recognises(files: Sequence[Member]) -> bool:
    """The first object names a suite, a user task and a security outcome."""
    named = [member for member in files if member.name.endswith((".json", ".jsonl"))]
    first = next(iter(_objects(named[:1])), None)
    return isinstance(first, dict) and set(first) >= MARKS


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each agent (pipeline). Raises RunsMalformed."""
    numbering = Numbering()
    runs: dict[str, list[ImportedTrial]] = defaultdict(list)
    models: dict[str, str] = {}
    for row in _objects(files):
        given = mapping(row, "a run")
        agent = text(given.get("agent") or given.get("pipeline_name") or given.get("model"))
        models[agent] = text(given.get("model"))
        runs[agent].append(_trial(given, agent, numbering))
    return [
        ImportedRun(
            format=NAME, benchmark="AgentDojo", agent=agent, model=models[agent], trials=trials
        )
        for agent, trials in sorted(runs.items())
    ]


def _objects(files: Iterable[Member]) -> Iterable[Any]:
    for member in files:
        if member.name.endswith(".jsonl"):
            yield from (row for _, row in member.lines())
        elif member.name.endswith(".json"):
            found = member.json()
            yield from found if isinstance(found, list) else [found]


def _trial(given: Mapping[str, Any], agent: str, numbering: Numbering) -> ImportedTrial:
    suite, user_task = text(given.get("suite_name")), text(given.get("user_task_id"))
    attack, injection = text(given.get("attack_type")), text(given.get("injection_task_id"))
    done = given.get("utility", given.get("success"))
    if not isinstance(done, bool) and not given.get("error"):
        raise RunsMalformed(f"{suite}/{user_task}: “utility” is neither true nor false")
    goal = given.get("security")
    if attack and not isinstance(goal, bool) and not given.get("error"):
        raise RunsMalformed(f"{suite}/{user_task}: “security” is not true or false under attack")
    task = f"{suite}/{user_task}" + (f"/{injection}" if injection else "")
    return ImportedTrial(
        task=task,
        repeat=numbering.next(agent, task, attack),
        score=Fraction(done) if isinstance(done, bool) else None,
        error=kind_of_error(given.get("error"), "the run broke"),
        group=suite,
        attack=attack,
        attacked=goal if attack and isinstance(goal, bool) else None,
        seconds=number(given.get("duration")),
    )
