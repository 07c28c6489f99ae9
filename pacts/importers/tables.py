"""Plain CSV: one trial a row, under a header line, with commas, semicolons, tabs or bars between.

Columns, by name, in any order and any case: a task and an outcome are needed; `repeat`, `group`,
`agent`, `error`, `attack`, `attacked`, `seconds`, `tokens`, `cost_usd` may be there, by the names
in COLUMNS. An outcome is a word of WORDS, a score from 0 to 1 or a percentage, and empty or a word
of NULLS where there was none. A file with a byte order mark is read by it, any other as UTF-8, or
as Windows-1252 where it is not UTF-8.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Numbering,
    RunsMalformed,
    label,
    number,
    text,
    whole,
)

NAME = "csv"
LATIN = "cp1252"
ONE, ZERO = Fraction(1), Fraction(0)
DECIMAL = re.compile(r"([0-9]{1,18}(?:[.,][0-9]{1,18})?|[.,][0-9]{1,18})\s*(%?)")
PASSED = "true|yes|pass|passed|1|correct|success|successful|ok|y|t|c|right|solved|resolved|✓|✔|✅"
FAILED = "false|no|fail|failed|0|incorrect|failure|unsuccessful|n|f|i|wrong|unsolved|unresolved|✗|✘"
NO_OUTCOME = "-|–|null|none|nan|na|n/a|nil|error|errored|skip|skipped|timeout|unknown|pending"
WORDS = dict.fromkeys(PASSED.split("|"), ONE) | dict.fromkeys(FAILED.split("|"), ZERO)
NULLS = set(NO_OUTCOME.split("|"))
TASKS = (
    *("task", "task_id", "id", "test", "task_name", "test_id", "test_name", "case", "case_id"),
    *("sample", "sample_id", "instance_id", "name", "question_id"),
)
OUTCOMES = (
    *("passed", "success", "score", "result", "is_correct", "correct", "resolved", "pass"),
    *("successful", "outcome", "reward", "status", "verdict", "grade", "accuracy"),
)
COLUMNS = {
    "repeat": ("repeat", "trial", "attempt", "epoch", "run", "iteration"),
    "group": ("group", "category", "suite", "domain", "subject", "stratum"),
    "agent": ("agent", "model", "agent_name", "model_name"),
    "error": ("error", "error_type"),
    "attack": ("attack", "attack_type"),
    "attacked": ("attacked", "attack_success"),
    "seconds": ("seconds", "duration", "latency", "time", "duration_s", "latency_s"),
    "tokens": ("tokens", "total_tokens"),
    "cost_usd": ("cost_usd", "cost"),
}
SEPARATORS = ",;\t|"
LONGEST = 1 << 20


def select(files: Sequence[Member]) -> list[Member]:
    """Texts whose first line names a task and an outcome."""
    return [member for member in files if _is_table(member)]


def _is_table(file: Member) -> bool:
    if b"\x00" in file.head() and file.encoding() == "utf-8":
        return False
    try:
        names = _names(_reader(file))
    except RunsMalformed:
        return False
    return bool(_column(names, TASKS) and _column(names, OUTCOMES))


def missing(file: Member) -> str:
    """What a table is told whose first line names no task or no outcome; "" for other files."""
    if not file.name.lower().endswith((".csv", ".tsv")):
        return ""
    if b"\x00" in file.head() and file.encoding() == "utf-8":
        return f"{file.name} holds NUL characters: it is no text; save it as CSV (UTF-8)"
    names = _names(_reader(file))
    lacking = [
        f"“{wanted[0]}” (or {', '.join(wanted[1:4])})"
        for wanted in (TASKS, OUTCOMES)
        if not _column(names, wanted)
    ]
    return (
        f"the first line names {', '.join(filter(None, names[:12])) or 'nothing'}; rename the "
        f"column that is meant by {' and by '.join(lacking)}"
    )


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each agent named in each file. Raises RunsMalformed."""
    return [run for file in files for run in _read(file)]


def _read(file: Member) -> list[ImportedRun]:
    reader = _reader(file)
    names = _names(reader)
    if not (_column(names, TASKS) and _column(names, OUTCOMES)):
        raise RunsMalformed(missing(file) or f"{file.name}: the first line names no columns")
    columns = {name: _column(names, known) for name, known in COLUMNS.items()}
    columns |= {"task": _column(names, TASKS), "outcome": _column(names, OUTCOMES)}
    numbering = Numbering()
    runs: dict[str, list[ImportedTrial]] = defaultdict(list)
    seen: set[tuple[object, ...]] = set()
    try:
        for cells in reader:
            if any(cells):
                where = f"line {reader.line_num}"
                if len(cells) > len(names):
                    raise RunsMalformed(f"{where}: {len(cells)} cells, but {len(names)} columns")
                row = dict(zip(names, cells, strict=False))
                given = {name: row.get(column, "") for name, column in columns.items()}
                agent = text(given["agent"]) or file.stem
                trial = _trial(given, agent, numbering, where)
                _check_once(seen, (agent, trial.task, trial.attack, trial.repeat), where)
                runs[agent].append(trial)
    except csv.Error as error:
        raise RunsMalformed(f"line {reader.line_num} is not CSV: {error}") from error
    notes = [] if _encoding(file) != LATIN else ["the file is not UTF-8; read as Windows-1252"]
    return [
        ImportedRun(format=NAME, benchmark=file.stem, agent=agent, trials=trials, notes=notes)
        for agent, trials in sorted(runs.items())
    ]


def _check_once(seen: set[tuple[object, ...]], key: tuple[object, ...], where: str) -> None:
    if key in seen:
        raise RunsMalformed(f"{where}: repeat {key[3]} of the task {key[1]} appears twice")
    seen.add(key)


def _reader(file: Member) -> "csv._reader":  # type: ignore[name-defined]
    csv.field_size_limit(LONGEST)
    first = file.start().splitlines()[:1]
    separator = max(SEPARATORS, key=first[0].count) if first else ","
    lines = _unmarked(file.texts(_encoding(file)))
    return csv.reader(lines, delimiter=separator, strict=True)


def _unmarked(lines: Iterator[str]) -> Iterator[str]:
    """The lines without a byte order mark, and without what Excel says of its separator."""
    for at, line in enumerate(lines):
        if at or not line.lower().startswith("sep="):
            yield line.removeprefix("\ufeff") if at == 0 else line


def _encoding(file: Member) -> str:
    if file.encoding() != "utf-8":
        return file.encoding()
    try:
        for _ in file.texts():
            pass
    except RunsMalformed:
        return LATIN
    return "utf-8"


def _names(reader: "csv._reader") -> list[str]:  # type: ignore[name-defined]
    try:
        return [_key(name) for name in next(reader, [])]
    except csv.Error as error:
        raise RunsMalformed(f"the first line is not CSV: {error}") from error


def _key(name: str) -> str:
    return "_".join(name.strip().lower().replace("-", " ").split())


def _column(names: Sequence[str], wanted: Sequence[str]) -> str:
    return next((name for name in wanted if name in names), "")


def _trial(given: Mapping[str, str], agent: str, numbering: Numbering, where: str) -> ImportedTrial:
    name = label(given["task"])
    if not name:
        raise RunsMalformed(f"{where}: the task has no name")
    attack = "" if given["attack"].strip().lower() in {"none", *NULLS} else text(given["attack"])
    repeat, attacked = given["repeat"].strip(), given["attacked"].strip()
    score, spent = _score(given["outcome"], where), _number(given["tokens"])
    word = text(given["outcome"]).lower()
    return ImportedTrial(
        task=name,
        repeat=_whole(repeat) if repeat.isdecimal() else numbering.next(agent, name, attack),
        score=score,
        error=text(given["error"]) or ("" if score is not None else word or "no outcome"),
        group=text(given["group"]),
        attack=attack,
        attacked=_score(attacked, where) == 1 if attack and attacked else None,
        seconds=_number(given["seconds"]),
        tokens=None if spent is None else whole(spent),
        cost_usd=_number(given["cost_usd"].replace("$", "")),
    )


def _whole(repeat: str) -> int:
    return int(repeat[:9])


def _score(given: str, where: str) -> Fraction | None:
    word = given.strip().lower()
    if not word or word in NULLS:
        return None
    if word in WORDS:
        return WORDS[word]
    score = _decimal(word)
    if score is None or not 0 <= score <= 1:
        raise RunsMalformed(f"{where}: {given.strip()[:40]!r} is no outcome: pass, fail or 0 to 1")
    return score


def _decimal(word: str) -> Fraction | None:
    """A plain decimal, with a point or a comma, and perhaps a sign for per cent."""
    found = DECIMAL.fullmatch(word)
    if not found:
        return None
    value = Fraction(found[1].replace(",", "."))
    return value / 100 if found[2] else value


def _number(given: str) -> float | None:
    try:
        return number(float(given)) if given and len(given) <= 40 else None
    except ValueError:
        return None
