"""τ-bench and τ²-bench trajectories: tasks, trials and a reward each.

A trial passed when its reward is 1, within 10^-6, as τ-bench's own `is_successful` has it. τ-bench
is a list of `{task_id, trial, reward, info, traj}`; τ²-bench an object with `info`, `tasks` and
`simulations` (`task_id`, `trial`, `reward_info.reward`, `duration`, `agent_cost`). A simulation
without a reward, or that ended by an error of the harness, has no outcome.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    RunsMalformed,
    mapping,
    moment,
    number,
    sequence,
    text,
)

NAME = "tau_bench"
MOST_ASKED = 20
NEAR = 1e-6
BROKEN = {"infrastructure_error", "unexpected_error"}


def recognises(files: Sequence[Member]) -> bool:
    """A list whose rows have a task, a trial and a reward, or an object with simulations."""
    return any(_is_log(member) for member in files[:MOST_ASKED])


def _is_log(member: Member) -> bool:
    if member.data.lstrip()[:1] not in (b"[", b"{"):
        return False
    try:
        log = member.json()
    except RunsMalformed:
        return False
    if isinstance(log, list):
        return bool(log) and isinstance(log[0], dict) and {"task_id", "reward"} <= set(log[0])
    return isinstance(log, dict) and "simulations" in log and "info" in log


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each file of trajectories; a folder may hold others. Raises RunsMalformed."""
    chosen = list(files) if len(files) == 1 else [member for member in files if _is_log(member)]
    return [_read(member) for member in chosen]


def _read(member: Member) -> ImportedRun:
    log = member.json()
    run = _second(log) if isinstance(log, dict) else _first(sequence(log, "the file"), member)
    tried = [(trial.task, trial.repeat) for trial in run.trials]
    if len(tried) != len(set(tried)):
        raise RunsMalformed(f"{member.name}: a trial of a task appears twice")
    return run


def _first(rows: Sequence[Any], file: Member) -> ImportedRun:
    trials = []
    for row in rows:
        given = mapping(row, "a trial")
        score = _reward(given.get("reward"))
        trials.append(
            ImportedTrial(
                task=text(given.get("task_id")),
                repeat=_repeat(given),
                score=score,
                error="" if score is not None else "no reward",
                cost_usd=_cost(given),
            )
        )
    return ImportedRun(format=NAME, benchmark="τ-bench", agent=file.stem, trials=trials)


def _second(log: Mapping[str, Any]) -> ImportedRun:
    info = mapping(log.get("info"), "info")
    domain = text(_within(info, "environment_info", "domain_name"))
    trials = [_simulation(mapping(s, "a simulation"), domain) for s in _simulations(log)]
    return ImportedRun(
        format=NAME,
        benchmark=f"τ²-bench {domain}".strip(),
        agent=text(_within(info, "agent_info", "implementation"))
        or text(_within(info, "agent_info", "llm")),
        model=text(_within(info, "agent_info", "llm")),
        made_at=moment(log.get("timestamp")),
        trials=trials,
    )


def _simulations(log: Mapping[str, Any]) -> list[Any]:
    return sequence(log.get("simulations"), "simulations")


def _simulation(given: Mapping[str, Any], domain: str) -> ImportedTrial:
    ended = text(given.get("termination_reason"))
    score = None if ended in BROKEN else _reward(_within(given, "reward_info", "reward"))
    return ImportedTrial(
        task=text(given.get("task_id")),
        repeat=_repeat(given),
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


def _repeat(given: Mapping[str, Any]) -> int:
    trial = given.get("trial", 0)
    if isinstance(trial, bool) or not isinstance(trial, int) or trial < 0:
        raise RunsMalformed(f"a trial's number is {trial!r}")
    return trial


def _cost(given: Mapping[str, Any]) -> float | None:
    return number(_within(given, "info", "agent_cost"))


def _within(given: Mapping[str, Any], outer: str, inner: str) -> object:
    found = given.get(outer)
    return found.get(inner) if isinstance(found, dict) else None
