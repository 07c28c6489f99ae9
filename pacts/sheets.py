"""Tables of tasks whose columns do not say what they are: read, guessed at, mapped to tasks.

A sheet comes as CSV (comma, semicolon, tab or bar), as JSON Lines, as a JSON list of objects, or as
Parquet. What somebody's spreadsheet calls its columns is theirs; a mapping says of each whether it
is part of the input, of the expected answer, or nothing. No line that fails keeps another one from
being read: every problem names its place and what to do. Pure.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from pacts import tables
from pacts.strict_json import MalformedJson, parse_json
from pacts.tables import TaskDraft, TaskSetRefused
from reputation.canonical import JsonValue, NotCanonical, check

Role = Literal["input", "expected", "in_scope", "stratum", "session", "ignore"]
Kind = Literal["as_is", "number", "json"]
ROLES: tuple[Role, ...] = get_args(Role)
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_PROBLEMS = 50
LONGEST_FIELD = 60
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_ .-]{0,59}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,10})?")
_DELIMITERS = (",", ";", "\t", "|")
_TELLING: Mapping[Role, frozenset[str]] = {
    "expected": frozenset(
        {"expected", "answer", "label", "target", "output", "gold", "truth", "solution", "result"}
        | {"reference", "correct", "erwartet", "antwort", "ergebnis", "lösung", "soll"}
    ),
    "stratum": frozenset({"stratum", "group", "category", "segment", "topic", "gruppe"}),
    "session": frozenset({"session", "conversation", "thread", "sitzung"}),
    "in_scope": frozenset({"in_scope", "in scope"}),
    "ignore": frozenset({"id", "nr", "no", "#", "index", "row", "note", "notes", "comment"}),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line, and what to do; `place` is as `line 3` or `the header`."""

    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row that could be read: its place in the file and its values by column."""

    place: str
    values: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it came. `columns` in the order they were first seen."""

    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """What one column is for. `field` names the member of the input or the expected answer."""

    role: Role
    field: str = ""
    kind: Kind = "as_is"


def read(data: bytes) -> Sheet:
    """A sheet from a file, told by its content. Raises TaskSetRefused when nothing can be read."""
    if len(data) > tables.MOST_BYTES:
        raise TaskSetRefused(f"the file is larger than {tables.MOST_BYTES // 1_000_000} MB")
    if data[:4] == b"PAR1":
        return _parquet(data)
    if data[:4] == b"PK\x03\x04":
        raise TaskSetRefused("this is a spreadsheet; save it as CSV (UTF-8) and bring that")
    return read_text(text_of(data))


def text_of(data: bytes) -> str:
    """A file's text, empty for one that is not text. Raises TaskSetRefused for another encoding."""
    if data[:4] == b"PAR1":
        return ""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskSetRefused("the file is not UTF-8 text; save it as UTF-8") from error


def read_text(text: str) -> Sheet:
    """A sheet from pasted text. Raises TaskSetRefused when there is nothing in it."""
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        raise TaskSetRefused("there is nothing to read; paste a table or choose a file")
    if start[0] == "[":
        return _sheet(_list(start))
    if start[0] == "{":
        return _sheet(_lines(text.lstrip("\ufeff")))
    return _csv(text.lstrip("\ufeff"))


def _list(text: str) -> Iterator[SheetRow | Problem]:
    try:
        found = parse_json(text.encode())
    except (MalformedJson, UnicodeEncodeError) as error:
        raise TaskSetRefused(f"this is not a JSON list: {error}; or give one object a line") from (
            error
        )
    assert isinstance(found, list), "it begins with a bracket"
    for number, item in enumerate(found, 1):
        yield _flat(f"item {number}", item)


def _lines(text: str) -> Iterator[SheetRow | Problem]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"line {number}"
        if len(line) > tables.MOST_ROW_BYTES:
            yield Problem(place, f"is longer than {tables.MOST_ROW_BYTES} characters; shorten it")
            continue
        try:
            yield _flat(place, parse_json(line.encode()))
        except (MalformedJson, UnicodeEncodeError) as error:
            yield Problem(place, f"is not JSON: {error}; give one object on each line")


def _flat(place: str, item: JsonValue) -> SheetRow | Problem:
    """Members of `input` and `expected` become columns `input.<field>` of their own."""
    if not isinstance(item, dict):
        return Problem(place, "is not an object; give {…} with named fields")
    values: dict[str, JsonValue] = {}
    for name, value in item.items():
        if name in ("input", "expected") and isinstance(value, dict):
            values |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            values[name] = value
    return SheetRow(place, values)


def _csv(text: str) -> Sheet:
    delimiter = _delimiter(text.split("\n", 1)[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    csv.field_size_limit(tables.MOST_ROW_BYTES)
    try:
        header = [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise TaskSetRefused(f"the header is not CSV: {error}") from error
    if len(set(header)) != len(header) or "" in header:
        raise TaskSetRefused("the header needs a name for each column, each name once")
    return _sheet(_cells(reader, header), columns=tuple(header))


def _cells(reader: Any, header: Sequence[str]) -> Iterator[SheetRow | Problem]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(f"line {reader.line_num}", f"is not CSV: {error}")
            return
        if not any(cells):
            continue
        place = f"line {reader.line_num}"
        if len(cells) == len(header):
            yield SheetRow(place, dict(zip(header, cells, strict=True)))
        else:
            yield Problem(
                place,
                f"has {len(cells)} cells, the header {len(header)}; put text that holds the "
                "separator into double quotes",
            )


def _delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=bare.count)


def _parquet(data: bytes) -> Sheet:
    found = tables.parquet_rows(data, any_columns=True)
    return _sheet(_flat_row(place, row) for place, row in found)


def _flat_row(place: str, row: dict[str, Any]) -> SheetRow | Problem:
    try:
        check(row)
    except NotCanonical as error:
        return Problem(place, f"{error}; use texts, numbers, lists and objects")
    return _flat(place, row)


def _sheet(found: Iterator[SheetRow | Problem], columns: tuple[str, ...] = ()) -> Sheet:
    rows: list[SheetRow] = []
    problems: list[Problem] = []
    names = dict.fromkeys(columns)
    _refuse_wide(names)
    for one in found:
        if isinstance(one, Problem):
            if len(problems) < MOST_PROBLEMS:
                problems.append(one)
            continue
        if len(rows) == tables.MAX_TASKS:
            raise TaskSetRefused(f"at most {tables.MAX_TASKS} tasks fit in one set; split it")
        rows.append(one)
        names |= dict.fromkeys(one.values)
        _refuse_wide(names)
    return Sheet(tuple(names), tuple(rows), tuple(problems))


def _refuse_wide(names: Mapping[str, None]) -> None:
    if len(names) > tables.MOST_COLUMNS:
        raise TaskSetRefused(
            f"a table has at most {tables.MOST_COLUMNS} columns; leave some of them out"
        )


def guess(sheet: Sheet) -> dict[str, Use]:
    """What each column probably is: by its name, else a text to the agent."""
    found = {name: _guessed(name, sheet) for name in sheet.columns}
    if found and not any(use.role == "input" for use in found.values()):
        first = next(iter(found))
        found[first] = Use("input", field_name(first), found[first].kind)
    return found


def _guessed(name: str, sheet: Sheet) -> Use:
    kind = _kind([row.values.get(name) for row in sheet.rows])
    role, _, field = name.partition(".")
    if field and role in ("input", "expected"):
        return Use("input" if role == "input" else "expected", field_name(field), kind)
    words = set(re.split(r"[\s_.-]+", name.lower())) | {name.lower()}
    for role_name, telling in _TELLING.items():
        if words & telling:
            return Use(role_name, field_name(name) if role_name == "expected" else "", kind)
    return Use("input", field_name(name), kind)


def _kind(values: Sequence[JsonValue]) -> Kind:
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    if not texts or len(texts) < len([one for one in values if one not in (None, "")]):
        return "as_is"
    if all(_NUMBER.fullmatch(text.strip()) for text in texts):
        return "number"
    return "json" if all(text.lstrip()[:1] in ("{", "[") for text in texts) else "as_is"


def field_name(text: str) -> str:
    """A column's name as a field: what is no letter, digit, `_`, `-` or `.` becomes `_`."""
    bare = re.sub(r"[^A-Za-z0-9_.-]+", "_", text.strip()).strip("_.-")[:LONGEST_FIELD]
    return bare if bare and not bare[0].isdigit() else f"field_{bare}".rstrip("_")


def tasks_of(sheet: Sheet, uses: Mapping[str, Use]) -> tuple[list[TaskDraft], list[Problem]]:
    """Every row as a task, and what kept others from becoming one, at most 50 problems.

    Raises TaskSetRefused for a mapping that no row can follow.
    """
    refuse_unusable(uses)
    drafts: list[TaskDraft] = []
    problems: list[Problem] = []
    for row in sheet.rows:
        try:
            drafts.append(tables.draft_of(row.place, _task(row, uses)))
        except (TaskSetRefused, _Unread) as error:
            said = str(error).removeprefix(f"{row.place}: ").removeprefix(f"{row.place} ")
            if len(problems) < MOST_PROBLEMS:
                problems.append(Problem(row.place, said))
    return drafts, problems


def refuse_unusable(uses: Mapping[str, Use]) -> None:
    """Raises TaskSetRefused, naming the column and what to do."""
    if not any(use.role == "input" for use in uses.values()):
        raise TaskSetRefused("choose at least one column as input: it is what the agent is given")
    taken: set[tuple[str, str]] = set()
    for name, use in uses.items():
        if use.role in ("ignore",):
            continue
        named = use.field if use.role in ("input", "expected") else ""
        if use.role in ("input", "expected") and not _FIELD.fullmatch(named):
            raise TaskSetRefused(
                f"the column “{name[:40]}” needs a field name: letters, digits, _, - and ."
            )
        if (use.role, named) in taken:
            what = f"{use.role}.{named}" if named else use.role
            raise TaskSetRefused(f"two columns are both “{what}”; give one of them another place")
        taken.add((use.role, named))


class _Unread(ValueError):
    """A cell that is not what its column is read as."""


def _task(row: SheetRow, uses: Mapping[str, Use]) -> dict[str, JsonValue]:
    given: dict[str, JsonValue] = {}
    expected: dict[str, JsonValue] = {}
    task: dict[str, JsonValue] = {"input": given}
    for name, use in uses.items():
        value = _value(name, row.values.get(name), use.kind)
        if use.role == "input" and value is not None:
            given[use.field] = value
        elif use.role == "expected":
            expected[use.field] = value
        elif use.role == "in_scope" and value not in (None, ""):
            task["in_scope"] = _truth(name, value)
        elif use.role in ("stratum", "session") and value not in (None, ""):
            task[use.role] = value if isinstance(value, str | int) else str(value)
    if not given:
        raise _Unread("the input is empty; fill it in or leave the line out")
    if any(value not in (None, "") for value in expected.values()):
        task["expected"] = expected
    return task


def _value(column: str, value: JsonValue, kind: Kind) -> JsonValue:
    if not isinstance(value, str) or kind == "as_is":
        return value
    text = value.strip()
    if not text:
        return None
    if kind == "number":
        return _number(column, text)
    try:
        return parse_json(text.encode())
    except (MalformedJson, UnicodeEncodeError) as error:
        raise _Unread(f"“{column}” is not JSON: {error}; read the column as text instead") from (
            error
        )


def _number(column: str, text: str) -> JsonValue:
    if not _NUMBER.fullmatch(text):
        raise _Unread(f"“{column}” is “{text[:20]}”, no number; read the column as text instead")
    try:
        exact = Decimal(text)
    except InvalidOperation as error:  # pragma: no cover - the pattern admits none
        raise _Unread(f"“{column}” is no number") from error
    return int(exact) if "." not in text else float(exact)


def _truth(column: str, value: JsonValue) -> bool:
    if isinstance(value, bool):
        return value
    found = tables.WORDS.get(str(value).strip().lower())
    if found is None:
        raise _Unread(f"“{column}” is “{str(value)[:20]}”; write true or false")
    return found


def to_lines(sheet: Sheet) -> str:
    """The rows as JSON Lines `[place, {column: value}]`, for keeping; `from_lines` reads them."""
    return "\n".join(
        json.dumps([row.place, dict(row.values)], ensure_ascii=False) for row in sheet.rows
    )


def from_lines(text: str, columns: Sequence[str], problems: Sequence[Problem] = ()) -> Sheet:
    """A sheet as it was kept."""
    rows = [json.loads(line) for line in text.split("\n") if line]
    return Sheet(tuple(columns), tuple(SheetRow(*row) for row in rows), tuple(problems))
