"""promptfoo's JSON output (`promptfoo eval -o out.json`): every prompt and provider on every test.

A result with `failureReason` 2, or with an error and no grading, is an error of the call and has no
outcome (promptfoo counts it in `stats.errors`); otherwise `success` decides, not `score`. Each
provider and prompt is one run. The counts in `stats` must be the counts of the rows.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Numbering,
    RunsMalformed,
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
    """`results.results` is a list and `results.stats` an object."""
    if len(files) != 1 or files[0].data.lstrip()[:1] != b"{":
        return False
    table = _table(files[0].json())
    return isinstance(table.get("results"), list) and isinstance(table.get("stats"), dict)


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each provider and prompt. Raises RunsMalformed."""
    whole_file = mapping(files[0].json(), files[0].name)
    table = _table(whole_file)
    numbering = Numbering()
    runs: dict[tuple[str, str], list[ImportedTrial]] = defaultdict(list)
    for row in sequence(table.get("results"), "results.results"):
        result = mapping(row, "a result")
        provider, prompt = _provider(result), text(result.get("promptIdx", 0))
        runs[provider, prompt].append(_trial(result, provider, prompt, numbering))
    _check(mapping(table.get("stats"), "results.stats"), runs)
    config = whole_file.get("config")
    name = text(config.get("description")) if isinstance(config, dict) else ""
    several = len({prompt for _, prompt in runs}) > 1
    return [
        ImportedRun(
            format=NAME,
            benchmark=name or "promptfoo",
            agent=f"{provider}, prompt {prompt}" if several else provider,
            model=provider,
            made_at=moment(table.get("timestamp") or whole_file.get("createdAt")),
            trials=trials,
        )
        for (provider, prompt), trials in runs.items()
    ]


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
        error=(text(result.get("error")) or "the call failed") if broken else "",
        seconds=_seconds(result.get("latencyMs")),
        tokens=whole(usage.get("total")) if isinstance(usage, dict) else None,
        cost_usd=number(result.get("cost")),
    )


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
