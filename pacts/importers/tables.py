"""Plain CSV: one trial a row, under a header line, with commas, semicolons or tabs between.

Columns, by name, in any order: `task` and one of `passed` or `score` are needed; `repeat`, `group`,
`agent`, `error`, `attack`, `attacked`, `seconds`, `tokens`, `cost_usd` may be there. `passed` is
true/false, yes/no, pass/fail or 1/0, empty for no outcome; a score is from 0 to 1.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Numbering,
    RunsMalformed,
    number,
    text,
)

NAME = "csv"
WORDS = {
    **dict.fromkeys(("true", "yes", "pass", "passed", "1", "correct", "success"), Fraction(1)),
    **dict.fromkeys(("false", "no", "fail", "failed", "0", "incorrect", "failure"), Fraction(0)),
}
TASKS, OUTCOMES = ("task", "task_id", "id", "test"), ("passed", "success", "score", "result")
LONGEST = 1 << 20


def recognises(files: Sequence[Member]) -> bool:
    """The first line names a task and an outcome."""
    if len(files) != 1:
        return False
    try:
        names = _names(_reader(files[0]))
    except RunsMalformed:
        return False
    return bool(_column(names, TASKS) and _column(names, OUTCOMES))


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each agent named. Raises RunsMalformed."""
    reader = _reader(files[0])
    names = _names(reader)
    task, outcome = _column(names, TASKS), _column(names, OUTCOMES)
    if not task or not outcome:
        missing = [
            f"“{wanted[0]}” (or {', '.join(wanted[1:])})"
            for wanted, found in ((TASKS, task), (OUTCOMES, outcome))
            if not found
        ]
        raise RunsMalformed(
            f"the first line names {', '.join(filter(None, names[:12])) or 'nothing'}; rename the "
            f"column that is meant by {' and by '.join(missing)}"
        )
    numbering = Numbering()
    runs: dict[str, list[ImportedTrial]] = defaultdict(list)
    try:
        for row in reader:
            if any(row):
                given = dict(zip(names, row, strict=False))
                agent = text(given.get("agent")) or files[0].stem
                where = f"line {reader.line_num}"
                runs[agent].append(_trial(given, agent, task, outcome, numbering, where))
    except csv.Error as error:
        raise RunsMalformed(f"line {reader.line_num} is not CSV: {error}") from error
    return [
        ImportedRun(format=NAME, benchmark=files[0].stem, agent=agent, trials=trials)
        for agent, trials in sorted(runs.items())
    ]


def _reader(file: Member) -> "csv._reader":  # type: ignore[name-defined]
    try:
        decoded = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RunsMalformed("the file is not UTF-8 text") from error
    csv.field_size_limit(LONGEST)
    first = decoded.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    return csv.reader(io.StringIO(decoded, newline=""), delimiter=separator, strict=True)


def _names(reader: "csv._reader") -> list[str]:  # type: ignore[name-defined]
    try:
        return [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise RunsMalformed(f"the first line is not CSV: {error}") from error


def _column(names: Sequence[str], wanted: Sequence[str]) -> str:
    return next((name for name in wanted if name in names), "")


def _trial(
    given: Mapping[str, str],
    agent: str,
    task: str,
    outcome: str,
    numbering: Numbering,
    where: str,
) -> ImportedTrial:
    name = text(given.get(task))
    if not name:
        raise RunsMalformed(f"{where}: the task has no name")
    attack = text(given.get("attack"))
    attacked = given.get("attacked", "").strip()
    repeat = given.get("repeat", "").strip()
    score = _score(given.get(outcome, ""), where)
    return ImportedTrial(
        task=name,
        repeat=int(repeat) if repeat.isdecimal() else numbering.next(agent, name, attack),
        score=score,
        error=text(given.get("error")) or ("" if score is not None else "no outcome"),
        group=text(given.get("group")),
        attack=attack,
        attacked=_score(attacked, where) == 1 if attack and attacked else None,
        seconds=_number(given.get("seconds")),
        tokens=None if (spent := _number(given.get("tokens"))) is None else int(spent),
        cost_usd=_number(given.get("cost_usd")),
    )


def _score(given: str, where: str) -> Fraction | None:
    word = given.strip().lower()
    if not word:
        return None
    if word in WORDS:
        return WORDS[word]
    try:
        score = Fraction(word) if len(word) <= 40 and "e" not in word and "/" not in word else None
    except ValueError:
        score = None
    if score is None or not 0 <= score <= 1:
        raise RunsMalformed(f"{where}: {given.strip()[:40]!r} is no outcome: pass, fail or 0 to 1")
    return score


def _number(given: str | None) -> float | None:
    try:
        return number(float(given)) if given and len(given) <= 40 else None
    except ValueError:
        return None
