"""Run logs of other harnesses in: one file per format, all of them in one visible table.

What is imported is history for screening. It never becomes a trial, an observation or a verdict of
ours, so no money can rest on it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pacts.importers import (
    agentdojo,
    autogpt,
    function_calling,
    inspect_logs,
    junit,
    promptfoo,
    tables,
    tau_bench,
)
from pacts.importers.files import Member, members, members_at
from pacts.importers.run import ImportedRun, RunsMalformed

__all__ = ["FORMATS", "Format", "RunsMalformed", "read_folder", "read_runs"]

MOST_TRIALS = 1_000_000
MOST_NAMED = 5
MOST_REPEAT = 2**31 - 1
LONGEST_NAME = 160


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: what people call it, which files are of it by what is in them, and how they
    are read."""

    name: str
    title: str
    select: Callable[[Sequence[Member]], list[Member]]
    read: Callable[[Sequence[Member]], list[ImportedRun]]


# Asked in this order: the more a format demands of a file, the earlier it is asked.
FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format(inspect_logs.NAME, "inspect_ai logs", inspect_logs.select, inspect_logs.read),
        Format(junit.NAME, "JUnit XML", junit.select, junit.read),
        Format(
            function_calling.NAME,
            "Function-calling score and result files (BFCL)",
            function_calling.select,
            function_calling.read,
        ),
        Format(agentdojo.NAME, "AgentDojo runs", agentdojo.select, agentdojo.read),
        Format(tau_bench.NAME, "τ-bench, τ²-bench", tau_bench.select, tau_bench.read),
        Format(promptfoo.NAME, "promptfoo JSON", promptfoo.select, promptfoo.read),
        Format(autogpt.NAME, "Auto-GPT-Benchmarks reports", autogpt.select, autogpt.read),
        Format(tables.NAME, "CSV, a trial a row", tables.select, tables.read),
    )
}


def read_runs(*, name: str, data: bytes, format: str | None = None) -> list[ImportedRun]:
    """The runs in a file or archive, in the named format or the ones its files look like.

    Raises RunsMalformed, which says what to do.
    """
    return _runs(name, members(name, data), format)


def read_folder(*, path: Path, format: str | None = None) -> list[ImportedRun]:
    """The runs in a file, an archive or a folder on disk, as `read_runs`. Raises RunsMalformed."""
    return _runs(path.name, members_at(path), format)


def _runs(name: str, files: Sequence[Member], format: str | None) -> list[ImportedRun]:
    if not files:
        raise RunsMalformed(f"{name} holds no file")
    if format and format not in FORMATS:
        raise RunsMalformed(f"{format!r} is no format: choose one of {', '.join(FORMATS)}")
    chosen, left = _shared_out(files, format)
    runs = [run for one, own in chosen for run in FORMATS[one].read(own)]
    if not any(run.trials for run in runs):
        raise RunsMalformed("there is no trial in the file")
    if sum(len(run.trials) for run in runs) > MOST_TRIALS:
        raise RunsMalformed(f"more than {MOST_TRIALS:,} trials: split the file")
    return _told_apart([_with_left(_checked(run), left) for run in runs if run.trials])


def _checked(run: ImportedRun) -> ImportedRun:
    """Refuse trials that cannot be told apart. Raises RunsMalformed."""
    seen: set[tuple[str, int, str]] = set()
    for trial in run.trials:
        key = trial.task, trial.repeat, trial.attack
        if not trial.task:
            raise RunsMalformed(f"{run.benchmark}: a trial names no task")
        if trial.repeat > MOST_REPEAT:
            raise RunsMalformed(f"{run.benchmark}: {trial.repeat} is no number of a try")
        if key in seen:
            raise RunsMalformed(
                f"{run.benchmark}: try {trial.repeat} of the task {trial.task} appears twice"
            )
        seen.add(key)
    return run


def _shared_out(
    files: Sequence[Member], format: str | None
) -> tuple[list[tuple[str, list[Member]]], list[Member]]:
    """Each format's own files, and those that are nobody's. Raises RunsMalformed."""
    chosen: list[tuple[str, list[Member]]] = []
    left = list(files)
    for one in [FORMATS[format]] if format else FORMATS.values():
        own = one.select(left)
        if own:
            chosen.append((one.name, own))
            taken = set(map(id, own))
            left = [member for member in left if id(member) not in taken]
    broken = list(filter(None, (member.broken() for member in left)))
    if broken:
        raise RunsMalformed(broken[0])
    if chosen:
        return chosen, left
    if format:
        return [(format, list(files))], []  # which says what it misses
    raise RunsMalformed(_unknown(files))


def _unknown(files: Sequence[Member]) -> str:
    said = next(filter(None, map(function_calling.missing, files)), "")
    tabular = len(files) == 1 and tables.missing(files[0])
    titles = "; ".join(one.title for one in FORMATS.values())
    unknown = f"the file looks like none of: {titles}. Name its format if it is one"
    return said or tabular or unknown


def _with_left(run: ImportedRun, left: Sequence[Member]) -> ImportedRun:
    if not left:
        return run
    more = f" and {len(left) - MOST_NAMED} more" if len(left) > MOST_NAMED else ""
    named = ", ".join(member.name for member in left[:MOST_NAMED])
    return replace(run, notes=[*run.notes, f"beside it and not read: {named}{more}"])


def _told_apart(runs: Sequence[ImportedRun]) -> list[ImportedRun]:
    """Runs of one agent on one benchmark are numbered, in the order of their files."""
    alike = Counter((run.agent, run.benchmark) for run in runs)
    seen: Counter[tuple[str, str]] = Counter()
    apart = []
    for run in runs:
        name = run.agent, run.benchmark
        seen[name] += 1
        numbered = f"{run.benchmark[:LONGEST_NAME]}, {seen[name]} of {alike[name]}"
        apart.append(replace(run, benchmark=numbered) if alike[name] > 1 else run)
    return apart
