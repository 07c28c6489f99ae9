"""Run logs of other harnesses in: one file per format, all of them in one visible table.

What is imported is history for screening. It never becomes a trial, an observation or a verdict of
ours, so no money can rest on it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
from pacts.importers.files import Member, members
from pacts.importers.run import ImportedRun, RunsMalformed

__all__ = ["FORMATS", "Format", "RunsMalformed", "format_of", "read_runs"]

MOST_TRIALS = 1_000_000


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: what people call it, whether files are of it, and how they are read."""

    name: str
    title: str
    recognises: Callable[[Sequence[Member]], bool]
    read: Callable[[Sequence[Member]], list[ImportedRun]]


# Asked in this order: the more a format demands of a file, the earlier it is asked.
FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format(autogpt.NAME, "Auto-GPT-Benchmarks reports", autogpt.recognises, autogpt.read),
        Format(junit.NAME, "JUnit XML", junit.recognises, junit.read),
        Format(
            function_calling.NAME,
            "Function-calling score and result files (BFCL)",
            function_calling.recognises,
            function_calling.read,
        ),
        Format(agentdojo.NAME, "AgentDojo runs", agentdojo.recognises, agentdojo.read),
        Format(tau_bench.NAME, "τ-bench, τ²-bench", tau_bench.recognises, tau_bench.read),
        Format(promptfoo.NAME, "promptfoo JSON", promptfoo.recognises, promptfoo.read),
        Format(inspect_logs.NAME, "inspect_ai logs", inspect_logs.recognises, inspect_logs.read),
        Format(tables.NAME, "CSV, a trial a row", tables.recognises, tables.read),
    )
}


def read_runs(*, name: str, data: bytes, format: str | None = None) -> list[ImportedRun]:
    """The runs in a file or archive, in the named format or the one it looks like.

    Raises RunsMalformed, which says what to do.
    """
    files = members(name, data)
    if not files:
        raise RunsMalformed(f"{name} holds no file")
    wanted = format or format_of(files)
    if wanted not in FORMATS:
        raise RunsMalformed(f"{wanted!r} is no format: choose one of {', '.join(FORMATS)}")
    runs = FORMATS[wanted].read(files)
    if not any(run.trials for run in runs):
        raise RunsMalformed("there is no trial in the file")
    if sum(len(run.trials) for run in runs) > MOST_TRIALS:
        raise RunsMalformed(f"more than {MOST_TRIALS:,} trials: split the file")
    return _told_apart([run for run in runs if run.trials])


def _told_apart(runs: Sequence[ImportedRun]) -> list[ImportedRun]:
    """Runs of one agent on one benchmark are numbered, in the order of their files."""
    alike = Counter((run.agent, run.benchmark) for run in runs)
    seen: Counter[tuple[str, str]] = Counter()
    apart = []
    for run in runs:
        name = run.agent, run.benchmark
        seen[name] += 1
        numbered = f"{run.benchmark}, {seen[name]} of {alike[name]}"
        apart.append(replace(run, benchmark=numbered) if alike[name] > 1 else run)
    return apart


def format_of(files: Sequence[Member]) -> str:
    """The format the files look like. Raises RunsMalformed."""
    for name, one in FORMATS.items():
        try:
            if one.recognises(files):
                return name
        except RunsMalformed:
            continue
    if len(files) == 1 and files[0].name.lower().endswith((".csv", ".tsv")):
        return tables.NAME  # which says what its first line lacks
    titles = "; ".join(one.title for one in FORMATS.values())
    raise RunsMalformed(f"the file looks like none of: {titles}. Name its format if it is one")
