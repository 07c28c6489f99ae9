"""promptfoo's JSON output (`promptfoo eval -o out.json`): every prompt and provider on every test.

A result with `failureReason` 2, or with an error and no grading, is an error of the call and has no
outcome (promptfoo counts it in `stats.errors`); otherwise `success` decides, not `score`. Each
provider and prompt is one run; `namedScores` stand beside the outcome. With `repeat`, tests alike
in variables, description and assertions are repeats of one. What `stats` and the `metrics` of a
prompt count is held against the rows. JSON Lines (`-o out.jsonl`) hold the rows alone, older files
a table of prompts by tests.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
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
    some_share,
    text,
    whole,
)

NAME = "promptfoo"
ERROR = 2  # ResultFailureReason.ERROR
STATS = ("successes", "failures", "errors")
_Place = tuple[str, str]  # provider and prompt
METRICS = ("testPassCount", "testFailCount", "testErrorCount")
MARKS = {"success", "promptIdx", "provider"}


def select(files: Sequence[Member]) -> list[Member]:
    """Objects whose `results` hold rows or a table, and lines of results."""
    return [member for member in files if _is_output(member.first())]


def _is_output(first: object) -> bool:
    if isinstance(first, dict) and set(first) >= MARKS:
        return True
    table = _table(first)
    return isinstance(table.get("results"), list) or isinstance(table.get("table"), dict)


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each provider and prompt of each file. Raises RunsMalformed."""
    return [run for file in files for run in _read(file)]


def _read(file: Member) -> list[ImportedRun]:
    if file.is_lines() or (isinstance(file.first(), dict) and set(file.json()) >= MARKS):
        whole_file: Mapping[str, Any] = {}
        table: Mapping[str, Any] = {"results": [row for _, row in file.lines()]}
    else:
        whole_file = mapping(file.json(), file.name)
        table = _table(whole_file)
    tasks, numbering = _Tasks(_repeats(whole_file)), Numbering()
    runs: dict[_Place, list[ImportedTrial]] = defaultdict(list)
    for row in _rows(table):
        result = mapping(row, "a result")
        place = _provider(result), text(result.get("promptIdx", 0))
        runs[place].append(_trial(result, place, tasks, numbering))
    made_at = moment(table.get("timestamp") or whole_file.get("createdAt"))
    wrong = _stats_wrong(table, [trial for trials in runs.values() for trial in trials])
    return _named(runs, table, whole_file, made_at, wrong)


def _named(
    runs: Mapping[_Place, list[ImportedTrial]],
    table: Mapping[str, Any],
    whole_file: Mapping[str, Any],
    made_at: datetime | None,
    wrong: list[str],
) -> list[ImportedRun]:
    """Runs under their provider's name, with the prompt's number where it had several."""
    config = whole_file.get("config")
    name = text(config.get("description")) if isinstance(config, dict) else ""
    prompts = Counter(provider for provider, _ in runs)
    return [
        ImportedRun(
            format=NAME,
            benchmark=name or "promptfoo",
            agent=f"{provider}, prompt {prompt}" if prompts[provider] > 1 else provider,
            model=provider,
            made_at=made_at,
            trials=trials,
            wrong=[*wrong, *_metrics_wrong(_prompts(table), prompt, trials)],
        )
        for (provider, prompt), trials in runs.items()
    ]


@dataclass(slots=True)
class _Tasks:
    """What a test is called: its place in the file, or, with repeats, what it is alike in."""

    repeats: int
    places: dict[str, int] = field(default_factory=dict)

    def name(self, result: Mapping[str, Any]) -> str:
        case = result.get("testCase")
        told = case if isinstance(case, dict) else {}
        if self.repeats > 1:
            alike = [told.get(part) for part in ("description", "assert")]
            key = json.dumps([result.get("vars", told.get("vars")), *alike], sort_keys=True)
            return str(self.places.setdefault(key, len(self.places)))
        return (
            text(result.get("testIdx"))
            or label(told.get("description"))
            or text(result.get("id"))
            or "0"
        )


def _repeats(whole_file: Mapping[str, Any]) -> int:
    config = whole_file.get("config")
    for part in ("evaluateOptions", "commandLineOptions"):
        options = config.get(part) if isinstance(config, dict) else None
        if isinstance(options, dict) and whole(options.get("repeat")):
            return whole(options["repeat"]) or 1
    return 1


def _rows(table: Mapping[str, Any]) -> list[Any]:
    """The results, or the cells of a table as older versions and the viewer write it: a column is
    a prompt with its provider, a line a test."""
    if isinstance(table.get("results"), list) and table["results"]:
        return sequence(table["results"], "results.results")
    if not isinstance(table.get("table"), dict):
        return []
    heads = _heads(table["table"])
    rows = []
    for at, line in enumerate(sequence(table["table"].get("body"), "results.table.body")):
        test = mapping(line, "a line of the table")
        for column, cell in enumerate(sequence(test.get("outputs"), "outputs")):
            found = mapping(cell, "a cell of the table")
            provider = heads[column].get("provider") if column < len(heads) else None
            place = {"promptIdx": column, "testIdx": test.get("testIdx", at)}
            named = {"provider": provider or found.get("provider"), "success": found.get("pass")}
            rows.append({**found, **place, **named})
    return rows


def _heads(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    head = mapping(table.get("head"), "results.table.head")
    return [mapping(one, "a prompt") for one in sequence(head.get("prompts"), "prompts")]


def _prompts(table: Mapping[str, Any]) -> list[Any]:
    listed = table.get("prompts")
    if not isinstance(listed, list):
        head = table.get("table")
        head = head.get("head") if isinstance(head, dict) else None
        listed = head.get("prompts") if isinstance(head, dict) else None
    return listed if isinstance(listed, list) else []


def _table(log: object) -> Mapping[str, Any]:
    found = log.get("results") if isinstance(log, dict) else None
    return found if isinstance(found, dict) else {}


def _provider(result: Mapping[str, Any]) -> str:
    provider = result.get("provider")
    if isinstance(provider, dict):
        return text(provider.get("label")) or text(provider.get("id")) or "provider"
    return text(provider) or "provider"


def _trial(
    result: Mapping[str, Any], place: _Place, tasks: _Tasks, numbering: Numbering
) -> ImportedTrial:
    success = result.get("success")
    if not isinstance(success, bool):
        raise RunsMalformed("a result says neither success nor failure")
    task = tasks.name(result)
    broken = result.get("failureReason") == ERROR or (
        "failureReason" not in result and result.get("error") and not result.get("gradingResult")
    )
    usage, named = result.get("tokenUsage"), result.get("namedScores")
    scores = named.items() if isinstance(named, dict) else ()
    return ImportedTrial(
        task=task,
        repeat=numbering.next(*place, task),
        score=None if broken and not success else Fraction(success),
        error=_error(result.get("error")) if broken else "",
        seconds=_seconds(result.get("latencyMs")),
        tokens=whole(usage.get("total")) if isinstance(usage, dict) else None,
        cost_usd=number(result.get("cost")),
        named={
            text(name): share for name, value in scores if (share := some_share(value)) is not None
        },
    )


def _error(said: object) -> str:
    return kind_of_error(said, "the call failed") or "the call failed"


def _seconds(milliseconds: object) -> float | None:
    found = number(milliseconds)
    return None if found is None else found / 1000


def _counts(trials: Sequence[ImportedTrial]) -> tuple[int, int, int]:
    outcomes = [trial.passed for trial in trials]
    return outcomes.count(True), outcomes.count(False), outcomes.count(None)


def _stats_wrong(table: Mapping[str, Any], trials: Sequence[ImportedTrial]) -> list[str]:
    stats = table.get("stats")
    return _wrong("the file", stats if isinstance(stats, dict) else {}, STATS, trials)


def _metrics_wrong(
    prompts: Sequence[Any], prompt: str, trials: Sequence[ImportedTrial]
) -> list[str]:
    """promptfoo lists its prompts in the order of their `promptIdx`."""
    at = int(prompt) if prompt.isdecimal() and len(prompt) < 9 else len(prompts)
    told = prompts[at] if at < len(prompts) else None
    metrics = told.get("metrics") if isinstance(told, dict) else None
    found = metrics if isinstance(metrics, dict) else {}
    return _wrong(f"prompt {prompt}", found, METRICS, trials)


def _wrong(
    what: str, stated: Mapping[str, Any], names: Sequence[str], trials: Sequence[ImportedTrial]
) -> list[str]:
    """Counts the rows do not show. Before there were errors, they were counted as failures."""
    passes, failures, errors = _counts(trials)
    shown = dict(zip(names, (passes, failures, errors), strict=True))
    if whole(stated.get(names[2])) is None and whole(stated.get(names[1])) == failures + errors:
        shown.pop(names[1])
    return [
        f"{what} states {count} {name}, its rows hold {shown[name]}"
        for name in shown
        if (count := whole(stated.get(name))) is not None and count != shown[name]
    ]
