"""promptfoo's JSON output (`promptfoo eval -o out.json`): every prompt and provider on every test.

A result with `failureReason` 2, or with an error and no grading, is an error of the call and has no
outcome (promptfoo counts it in `stats.errors`); otherwise `success` decides, not `score`. Each
provider and prompt is one run. The counts in `stats` must be the counts of the rows. JSON Lines
(`-o out.jsonl`) hold the rows alone, older files a table of prompts by tests.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    mapping,
    moment,
    number,
    sequence,
    text,
    whole,
)

NAME = "promptfoo"
ERROR = 2  # ResultFailureReason.ERROR
COUNTED = {"successes": True, "failures": False, "errors": None}


def recognises(files: Sequence[Member]) -> bool:
    """`results` holds rows or a table, or every line is a result."""
    if len(files) != 1 or files[0].data.lstrip()[:1] != b"{":
        return False
    if files[0].name.endswith(".jsonl"):
        _, first = next(files[0].lines())
        return isinstance(first, dict) and {"success", "promptIdx", "provider"} <= set(first)
    table = _table(files[0].json())
    return isinstance(table.get("results"), list) or isinstance(table.get("table"), dict)


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each provider and prompt. Raises RunsMalformed."""
    if files[0].name.endswith(".jsonl"):
        whole_file: Mapping[str, Any] = {}
        table: Mapping[str, Any] = {"results": [row for _, row in files[0].lines()]}
    else:
        whole_file = mapping(files[0].json(), files[0].name)
        table = _table(whole_file)
    numbering = Numbering()
    runs: dict[tuple[str, str], list[ImportedTrial]] = defaultdict(list)
    for row in _rows(table):
        result = mapping(row, "a result")
        provider, prompt = _provider(result), text(result.get("promptIdx", 0))
        runs[provider, prompt].append(_trial(result, provider, prompt, numbering))
    _check(_stated(table), runs)
    return _named(runs, whole_file, moment(table.get("timestamp") or whole_file.get("createdAt")))


def _named(
    runs: Mapping[tuple[str, str], list[ImportedTrial]],
    whole_file: Mapping[str, Any],
    made_at: datetime | None,
) -> list[ImportedRun]:
    config = whole_file.get("config")
    name = text(config.get("description")) if isinstance(config, dict) else ""
    several = len({prompt for _, prompt in runs}) > 1
    return [
        ImportedRun(
            format=NAME,
            benchmark=name or "promptfoo",
            agent=f"{provider}, prompt {prompt}" if several else provider,
            model=provider,
            made_at=made_at,
            trials=trials,
        )
        for (provider, prompt), trials in runs.items()
    ]


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


def _stated(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """The counts the file states; {} where it states none."""
    stats = table.get("stats")
    return stats if isinstance(stats, dict) else {}


def _table(log: object) -> Mapping[str, Any]:
    found = log.get("results") if isinstance(log, dict) else None
    return found if isinstance(found, dict) else {}


def _provider(result: Mapping[str, Any]) -> str:
    provider = result.get("provider")
    if isinstance(provider, dict):
        return text(provider.get("label")) or text(provider.get("id")) or "provider"
    return text(provider) or "provider"


def _trial(
    result: Mapping[str, Any], provider: str, prompt: str, numbering: Numbering
) -> ImportedTrial:
    success = result.get("success")
    if not isinstance(success, bool):
        raise RunsMalformed("a result says neither success nor failure")
    case = result.get("testCase")
    named = text(case.get("description")) if isinstance(case, dict) else ""
    task = text(result.get("testIdx")) or named or text(result.get("id")) or "0"
    broken = result.get("failureReason") == ERROR or (
        "failureReason" not in result and result.get("error") and not result.get("gradingResult")
    )
    usage = result.get("tokenUsage")
    return ImportedTrial(
        task=task,
        repeat=numbering.next(provider, prompt, task),
        score=None if broken and not success else Fraction(success),
        error=_error(result.get("error")) if broken else "",
        seconds=_seconds(result.get("latencyMs")),
        tokens=whole(usage.get("total")) if isinstance(usage, dict) else None,
        cost_usd=number(result.get("cost")),
    )


def _error(said: object) -> str:
    return kind_of_error(said, "the call failed") or "the call failed"


def _seconds(milliseconds: object) -> float | None:
    found = number(milliseconds)
    return None if found is None else found / 1000


def _check(stats: Mapping[str, Any], runs: Mapping[Any, Sequence[ImportedTrial]]) -> None:
    """promptfoo's own counts, where it gives them."""
    outcomes = [trial.passed for trials in runs.values() for trial in trials]
    for name, outcome in COUNTED.items():
        stated = whole(stats.get(name))
        if stated is not None and stated != outcomes.count(outcome):
            raise RunsMalformed(
                f"the file states {stated} {name}, its rows hold {outcomes.count(outcome)}"
            )
