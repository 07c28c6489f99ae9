"""Function-calling score files of the Berkeley leaderboard (BFCL), with or without result files.

A score file is JSON Lines: a header `{accuracy, correct_count, total_count}` and one line for each
test that FAILED; a test that passed is in the result file (`{id, result, latency, …}` a line) and
not in the score file. Without the result file the passes have numbers and no names.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Published,
    RunsMalformed,
    mapping,
    number,
    share,
    text,
    whole,
)

NAME = "function_calling"
HEADER = {"accuracy", "correct_count", "total_count"}


def recognises(files: Sequence[Member]) -> bool:
    """At least one file begins with a score header."""
    return any(_header(member) is not None for member in files)


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each score file. Raises RunsMalformed."""
    results = {_place(member): member for member in files if _header(member) is None}
    return [
        _run(member, header, results.get(_place(member)))
        for member in files
        if (header := _header(member)) is not None
    ]


def _header(member: Member) -> Mapping[str, Any] | None:
    first = member.data.lstrip().split(b"\n", 1)[0]
    if not first.startswith(b"{"):
        return None
    try:
        found = Member(member.name, first).json()
    except RunsMalformed:
        return None
    return found if isinstance(found, dict) and set(found) >= HEADER else None


def _category(member: Member) -> str:
    return member.stem.removesuffix("_score").removesuffix("_result")


def _place(member: Member) -> tuple[str, ...]:
    """Model and category: where a score file and its result file lie alike."""
    return (*_folders(member), _category(member))


def _folders(member: Member) -> list[str]:
    """The model's folder and those in it, below `score` or `result` where the archive has them."""
    folders = list(PurePosixPath(member.name).parts[:-1])
    kinds = [at for at, folder in enumerate(folders) if folder in ("score", "result")]
    return folders[kinds[0] + 1 :] if kinds else folders


def _run(score: Member, header: Mapping[str, Any], result: Member | None) -> ImportedRun:
    total, correct = whole(header["total_count"]), whole(header["correct_count"])
    failed = {
        text(mapping(row, score.name).get("id")): mapping(row, score.name)
        for at, row in list(score.lines())[1:]
    }
    if total is None or correct is None or total - correct != len(failed):
        raise RunsMalformed(
            f"{score.name} states {correct} of {total} correct and lists {len(failed)} failures"
        )
    asked = _asked(result) if result else {}
    if result and (len(asked) != total or not set(failed) <= set(asked)):
        raise RunsMalformed(f"{result.name} holds {len(asked)} tests, {score.name} {total}")
    names = list(asked) or [*failed, *(f"passed {at}" for at in range(1, correct + 1))]
    return ImportedRun(
        format=NAME,
        benchmark=f"BFCL {_category(score)}",
        agent=_agent(score, failed),
        trials=[_trial(name, failed.get(name), asked.get(name, {})) for name in names],
        published=[Published("accuracy", share(header["accuracy"], "accuracy"), 4)],
        notes=[] if result else ["no result file: the tests that passed are not named"],
    )


def _asked(result: Member) -> dict[str, Mapping[str, Any]]:
    rows = [mapping(row, result.name) for _, row in result.lines()]
    return {text(row.get("id")): row for row in rows}


def _agent(score: Member, failed: Mapping[str, Mapping[str, Any]]) -> str:
    named = {text(row.get("model_name")) for row in failed.values()} - {""}
    folders = _folders(score)
    if "score" in PurePosixPath(score.name).parts[:-1] and folders:
        return folders[0]
    return next(iter(named)) if len(named) == 1 else folders[-1] if folders else score.stem


def _trial(name: str, failure: Mapping[str, Any] | None, asked: Mapping[str, Any]) -> ImportedTrial:
    return ImportedTrial(
        task=name,
        score=Fraction(failure is None),
        error=text(failure.get("error_type")) if failure else "",
        seconds=number(asked.get("latency")),
        tokens=whole(asked.get("output_token_count")),
    )
