"""τ-bench and τ²-bench trajectories: tasks, trials and a reward each.

A trial passed when its reward is 1, within 10^-6, as τ-bench's own `is_successful` has it. τ-bench
is a list of `{task_id, trial, reward, info, traj}`; a trial that broke has reward 0 and counts, as
it does in τ-bench's own figures. τ²-bench is an object with `info`, `tasks` and `simulations`
(`task_id`, `trial`, `reward_info.reward`, `duration`, `agent_cost`), or with a `simulation_index`
beside a folder of simulations. A simulation without a reward, or one that τ²-bench leaves out of
its own figures (`infrastructure_error`, `context_window_exceeded`), has no outcome.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Numbering,
    RunsMalformed,
    kind_of_error,
    label,
    mapping,
    moment,
    number,
    sequence,
    text,
)

NAME = "tau_bench"
NEAR = 1e-6
BROKEN = {"infrastructure_error", "context_window_exceeded"}
INDEX = "simulation_index"


def select(files: Sequence[Member]) -> list[Member]:
    """Lists whose rows have a task and a reward, objects with simulations, and such simulations."""
    logs = [member for member in files if _is_log(member.first())]
    folders = tuple(
        str(PurePosixPath(log.name).parent / "simulations") + "/"
        for log in logs
        if isinstance(log.first(), dict)
    )
    beside = [member for member in files if folders and _within_folder(member, folders)]
    return [*logs, *(member for member in beside if member not in logs)]


def _within_folder(member: Member, folders: tuple[str, ...]) -> bool:
    return f"./{member.name}".startswith(tuple(f"./{one.removeprefix('./')}" for one in folders))


def _is_log(log: object) -> bool:
    if isinstance(log, list):
        return bool(log) and isinstance(log[0], dict) and {"task_id", "reward"} <= set(log[0])
    return isinstance(log, dict) and "info" in log and bool({"simulations", INDEX} & set(log))


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each file of trajectories. Raises RunsMalformed."""
    logs = [member for member in files if _is_log(member.first())]
    if not logs:
        raise RunsMalformed(f"{files[0].name} holds neither trials with rewards nor simulations")
    return [_read(member) for member in logs]


def _read(member: Member) -> ImportedRun:
    log = member.json()
    return _second(log) if isinstance(log, dict) else _first(sequence(log, "the file"), member)


def _first(rows: Sequence[Any], file: Member) -> ImportedRun:
    numbering = Numbering()
    trials = []
    for row in rows:
        given = mapping(row, "a trial")
        task, score = label(given.get("task_id")), _reward(given.get("reward"))
        said = kind_of_error(_within(given, "info", "error"), "the trial broke")
        trials.append(
            ImportedTrial(
                task=task,
                repeat=_repeat(given, numbering, task),
                score=score,
                error=said or ("" if score is not None else "no reward"),
                cost_usd=number(_within(given, "info", "agent_cost")),
            )
        )
    broke = sum(bool(trial.error) and trial.score is not None for trial in trials)
    counted = f"{broke} trials broke and count as failures, as τ-bench counts them"
    return ImportedRun(
        format=NAME,
        benchmark="τ-bench",
        agent=file.stem,
        trials=trials,
        notes=[counted] if broke else [],
    )


def _second(log: Mapping[str, Any]) -> ImportedRun:
    info = mapping(log.get("info"), "info")
    domain = text(_within(info, "environment_info", "domain_name"))
    numbering = Numbering()
    simulations = sequence(log.get("simulations") or log.get(INDEX), "simulations")
    trials = [_simulation(mapping(s, "a simulation"), domain, numbering) for s in simulations]
    return ImportedRun(
        format=NAME,
        benchmark=f"τ²-bench {domain}".strip(),
        agent=text(_within(info, "agent_info", "implementation"))
        or text(_within(info, "agent_info", "llm")),
        model=text(_within(info, "agent_info", "llm")),
        made_at=moment(log.get("timestamp")),
        trials=trials,
    )


def _simulation(given: Mapping[str, Any], domain: str, numbering: Numbering) -> ImportedTrial:
    ended, task = text(given.get("termination_reason")), label(given.get("task_id"))
    stated = given.get("reward", _within(given, "reward_info", "reward"))
    score = None if ended in BROKEN else _reward(stated)
    return ImportedTrial(
        task=task,
        repeat=_repeat(given, numbering, task),
        score=score,
        error="" if score is not None else ended or "no reward",
        group=domain,
        seconds=number(given.get("duration")),
        cost_usd=number(given.get("agent_cost")),
    )


def _reward(value: object) -> Fraction | None:
    found = number(value)
    if found is None:
        return None
    return Fraction(1) if abs(found - 1) <= NEAR else Fraction(0)


def _repeat(given: Mapping[str, Any], numbering: Numbering, task: str) -> int:
    trial = given.get("trial")
    if trial is None:
        return numbering.next(task)
    if isinstance(trial, bool) or not isinstance(trial, int) or trial < 0:
        raise RunsMalformed(f"a trial's number is {trial!r}")
    return trial


def _within(given: Mapping[str, Any], outer: str, inner: str) -> object:
    found = given.get(outer)
    return found.get(inner) if isinstance(found, dict) else None
