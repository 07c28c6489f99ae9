"""Function-calling score files of the Berkeley leaderboard (BFCL), with or without result files.

A score file is JSON Lines: a header `{accuracy, correct_count, total_count}` and one line for each
test that FAILED; a test that passed is in the result file (`{id, result, latency, …}` a line) and
not in the score file. Without the result file the passes have numbers and no names.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Published,
    RunsMalformed,
    label,
    mapping,
    share,
    text,
    total,
    whole,
)

NAME = "function_calling"
HEADER = {"accuracy", "correct_count", "total_count"}


def select(files: Sequence[Member]) -> list[Member]:
    """Score files, by the header they begin with, and the result files that lie alike."""
    scores = [member for member in files if _header(member) is not None]
    places = {_place(member) for member in scores}
    beside = [member for member in files if places and _place(member) in places]
    return [*scores, *(m for m in beside if m not in scores and _is_result(m))]


def missing(file: Member) -> str:
    """What a result file without its score file is told; "" for any other file."""
    if not (_is_result(file) and '"result"' in file.start()):
        return ""
    return f"{file.name} holds answers and no outcomes: bring the score file that judges them"


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each score file. Raises RunsMalformed."""
    results = {_place(member): member for member in files if _header(member) is None}
    scores = [(member, header) for member in files if (header := _header(member)) is not None]
    if not scores:
        raise RunsMalformed(f"{files[0].name} does not begin with a header {sorted(HEADER)}")
    return [_run(member, header, results.get(_place(member))) for member, header in scores]


def _header(member: Member) -> Mapping[str, Any] | None:
    found = member.first()
    return found if isinstance(found, dict) and set(found) >= HEADER else None


def _is_result(member: Member) -> bool:
    row = member.first()
    return isinstance(row, dict) and "id" in row


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
    tests, correct = whole(header["total_count"]), whole(header["correct_count"])
    failed = _by_id(score, list(score.lines())[1:])
    if tests is None or correct is None or tests - correct != len(failed):
        raise RunsMalformed(
            f"{score.name} states {correct} of {tests} correct and lists {len(failed)} failures"
        )
    asked = _by_id(result, result.lines()) if result else {}
    if result and (len(asked) != tests or not set(failed) <= set(asked)):
        raise RunsMalformed(f"{result.name} holds {len(asked)} tests, {score.name} {tests}")
    names = list(asked) or [*failed, *(f"passed {at}" for at in range(1, correct + 1))]
    return ImportedRun(
        format=NAME,
        benchmark=f"BFCL {_category(score)}",
        agent=_agent(score, failed),
        trials=[_trial(name, failed.get(name), asked.get(name, {})) for name in names],
        published=[Published("accuracy", share(header["accuracy"], "accuracy"), 4)],
        notes=[] if result else ["no result file: the tests that passed are not named"],
    )


def _by_id(member: Member, lines: Iterable[tuple[int, Any]]) -> dict[str, Mapping[str, Any]]:
    rows: dict[str, Mapping[str, Any]] = {}
    for at, line in lines:
        row = mapping(line, f"{member.name}, line {at}")
        name = label(row.get("id")) or f"line {at}"
        if name in rows:
            raise RunsMalformed(f"{member.name}, line {at}: the test {name} appears twice")
        rows[name] = row
    return rows


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
        error=_error(failure) if failure else "",
        seconds=total(asked.get("latency")),
        tokens=whole(total(asked.get("output_token_count"))),
    )


def _error(failure: Mapping[str, Any]) -> str:
    """Its type, which files of conversations hold one level deeper."""
    deeper = failure.get("error")
    stated = failure.get("error_type") or (isinstance(deeper, dict) and deeper.get("error_type"))
    return text(stated) or "failed"
