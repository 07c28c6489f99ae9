"""Task sets as people bring them: JSON Lines, CSV or Parquet, read strictly and within limits.

JSON Lines and CSV are UTF-8 text; CSV and Parquet name columns `input.<field>`, `expected.<field>`,
`in_scope`, `stratum` or `session`. A file has at most 10 MB and 10,000 tasks; a Parquet file may
unfold to at most 64 MB and 40 columns, read a batch at a time. Every refusal names its line or row.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue, NotCanonical, check

MAX_TASKS = 10_000
MOST_BYTES = 10_000_000
MOST_UNFOLDED = 64 * 1024 * 1024
MOST_COLUMNS = 40
MOST_ROW_BYTES = 256 * 1024
FIELDS = ("input", "expected", "in_scope", "stratum", "session", "paraphrases")
LONGEST_NAME = 40
MOST_PARAPHRASES = 5
_PARQUET = b"PAR1"
_SPREADSHEET = b"PK\x03\x04"
_PLAIN = ("in_scope", "stratum", "session")
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": True}


class TaskSetRefused(ValueError):
    """The tasks cannot be used; the message names the line and what to do."""


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """One task before it is stored: `input` and `expected` are JSON objects, `stratum` names a
    group of tasks, `session` tasks that are one unit together, `paraphrases` the owner's own
    rewordings, each an object whose members replace those of the input."""

    input: dict[str, Any]
    expected: dict[str, Any] | None
    in_scope: bool = True
    stratum: str = ""
    session: str = ""
    paraphrases: tuple[dict[str, Any], ...] = ()


def read_file(data: bytes) -> list[TaskDraft]:
    """Tasks from a file of any of the three kinds, told apart by its content. TaskSetRefused."""
    if len(data) > MOST_BYTES:
        raise TaskSetRefused(f"the file is larger than {MOST_BYTES // 1_000_000} MB; split it")
    if data[:4] == _PARQUET:
        return parse_parquet(data)
    if data[:4] == _SPREADSHEET:
        raise TaskSetRefused("this is a spreadsheet; save it as CSV (UTF-8)")
    try:
        return read_text(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise TaskSetRefused("the file is not UTF-8 text; save it as UTF-8") from error


def read_text(text: str) -> list[TaskDraft]:
    """Tasks from JSON Lines, or from CSV when the text does not start with an object."""
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] in ("{", "["):
        return parse_jsonl(text.lstrip("\ufeff"))
    return parse_csv(start) if start else parse_jsonl("")


def parse_jsonl(text: str) -> list[TaskDraft]:
    """Tasks from JSON Lines: `{"input": {…}, "expected": {…}, "in_scope"?: bool, "stratum"?: str,
    "session"?: str, "paraphrases"?: [{…}]}`. Raises TaskSetRefused naming the first bad line."""
    lines = ((f"line {n}", line) for n, line in enumerate(text.split("\n"), 1) if line.strip())
    return _all(_of_line(place, line) for place, line in lines)


def parse_csv(text: str) -> list[TaskDraft]:
    """Tasks from CSV with a header. Raises TaskSetRefused naming the line."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(rows)]
        _check_columns("line 1", header)
        return _all(_of_cells(rows, header))
    except csv.Error as error:
        raise TaskSetRefused(f"line {rows.line_num} is not CSV: {error}") from error


def parse_parquet(data: bytes) -> list[TaskDraft]:
    """Tasks from a Parquet file, whose columns are plain values, lists or structs. Nothing is
    unfolded before the file's own description says that it fits. Raises TaskSetRefused."""
    return _all(_of_row(place, row) for place, row in parquet_rows(data))


def parquet_rows(data: bytes, *, any_columns: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a Parquet file with their places, within the same limits; with `any_columns`
    whatever its columns are called. Raises TaskSetRefused."""
    try:
        with pq.ParquetFile(pa.BufferReader(data), **_LIMITS) as described:
            names = described.schema_arrow.names
            if not any_columns:
                _check_columns("the file", names)
            _check_described(described.metadata, names)
            texts = [name for name in names if _is_text(described, name)]
        # A text said once in a dictionary stays there, however many rows point at it.
        with pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts, **_LIMITS) as file:
            yield from _of_batches(file)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, TaskSetRefused):
            raise
        reason = str(error).split("\n")[0][:120]
        raise TaskSetRefused(f"the file cannot be read as Parquet: {reason}") from error


_LIMITS: dict[str, Any] = {
    "thrift_string_size_limit": 1_000_000,
    "thrift_container_size_limit": 100_000,
    "memory_map": False,
}


def _is_text(file: pq.ParquetFile, name: str) -> bool:
    kind = file.schema_arrow.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _check_described(meta: pq.FileMetaData, names: Sequence[str]) -> None:
    """What the file says of itself: cheap to read, and enough to refuse a bomb unopened."""
    if meta.num_rows > MAX_TASKS:
        raise TaskSetRefused(f"at most {MAX_TASKS} tasks fit in one set; there are {meta.num_rows}")
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    unfolded = sum(group.total_byte_size for group in groups)
    if unfolded > MOST_UNFOLDED:
        raise TaskSetRefused(f"the file unfolds to {unfolded} bytes; at most {MOST_UNFOLDED} fit")
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    for chunk in chunks:
        # Inside lists and structs a dictionary is written out: at worst its longest text each time.
        nested = chunk.path_in_schema not in names
        worst = chunk.num_values * chunk.total_uncompressed_size
        if nested and chunk.has_dictionary_page and worst > 8 * MOST_UNFOLDED:
            raise TaskSetRefused(
                f"the column {chunk.path_in_schema[:60]} may unfold to {worst} bytes; write the "
                "file without dictionaries (use_dictionary=False), or as JSON Lines"
            )


def _of_batches(file: pq.ParquetFile) -> Iterator[tuple[str, dict[str, Any]]]:
    # What a file says of itself may be a lie: what really unfolds is weighed as it comes.
    number = unfolded = 0
    for batch in file.iter_batches(batch_size=16, use_threads=False):
        for index in range(batch.num_rows):
            number += 1
            [row] = batch.slice(index, 1).to_pylist()
            weight = sum(_weight(value) for value in row.values())
            unfolded += weight
            if weight > MOST_ROW_BYTES:
                raise TaskSetRefused(f"row {number} is longer than {MOST_ROW_BYTES} characters")
            if unfolded > MOST_UNFOLDED:
                raise TaskSetRefused(f"the file unfolds to more than {MOST_UNFOLDED} bytes")
            yield f"row {number}", row


def _weight(value: object) -> int:
    """Characters of a value, and one for each value inside it."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return 1 + sum(len(str(key)) + _weight(inner) for key, inner in value.items())
    return 1 + sum(map(_weight, value)) if isinstance(value, list) else 1


def _of_row(place: str, row: dict[str, Any]) -> TaskDraft:
    task: dict[str, Any] = {"input": {}}
    for name, value in row.items():
        kind, _, field = name.partition(".")
        if field:
            task.setdefault(kind, {})[field] = value
        elif name == "in_scope" and isinstance(value, str):
            task["in_scope"] = _truth(place, value)
        elif value is not None:
            task[name] = value
    expected = task.get("expected")
    if isinstance(expected, dict) and all(value is None for value in expected.values()):
        task["expected"] = None
    try:
        check(task)
    except NotCanonical as error:
        raise TaskSetRefused(f"{place}: {error}; use texts, numbers, lists and objects") from error
    return draft_of(place, task)


def _of_line(place: str, line: str) -> TaskDraft:
    if len(line) > MOST_ROW_BYTES:
        raise TaskSetRefused(f"{place} is longer than {MOST_ROW_BYTES} characters")
    try:
        return draft_of(place, parse_json(line.encode()))
    except (MalformedJson, UnicodeEncodeError) as error:
        raise TaskSetRefused(f"{place} is not JSON: {error}") from error


def _of_cells(rows: Any, header: Sequence[str]) -> Iterator[TaskDraft]:
    for cells in rows:
        if not any(cells):
            continue
        place = f"line {rows.line_num}"
        if len(cells) != len(header):
            raise TaskSetRefused(f"{place}: {len(cells)} cells, but {len(header)} columns")
        row = dict(zip(header, cells, strict=True))
        yield _of_line(place, json.dumps(_task(place, row), ensure_ascii=False))


def _task(place: str, row: dict[str, str]) -> dict[str, Any]:
    task: dict[str, Any] = {"input": {}}
    for name, cell in row.items():
        kind, _, field = name.partition(".")
        if field:
            task.setdefault(kind, {})[field] = cell
        elif name == "in_scope":
            task["in_scope"] = _truth(place, cell)
        else:
            task[name] = cell
    if "expected" in task and not any(task["expected"].values()):
        task["expected"] = None
    return task


def _truth(place: str, cell: str) -> bool:
    found = WORDS.get(cell.strip().lower())
    if found is None:
        raise TaskSetRefused(f"{place}: in_scope is “{cell[:20]}”; write true or false")
    return found


def _check_columns(place: str, names: Sequence[str]) -> None:
    if len(names) > MOST_COLUMNS or len(set(names)) != len(names):
        raise TaskSetRefused(f"{place}: use at most {MOST_COLUMNS} columns, each name once")
    for name in names:
        kind, _, field = name.partition(".")
        if name not in _PLAIN and not (kind in ("input", "expected") and field):
            raise TaskSetRefused(
                f"{place}: column “{name[:40]}” is unknown; name the columns input.<field>, "
                "expected.<field>, in_scope, stratum or session, or give one JSON object a line"
            )
    if not any(name.startswith("input.") for name in names):
        raise TaskSetRefused(f"{place}: there is no input column; name one input.text, for example")


def draft_of(place: str, data: JsonValue) -> TaskDraft:
    """One task from `{"input": {…}, "expected": {…}, …}`. Raises TaskSetRefused naming `place`."""
    given = data.get("input") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(given, dict):
        raise TaskSetRefused(f"{place}: give an object whose “input” is an object")
    if _has_nul(data):
        raise TaskSetRefused(f"{place}: text with a NUL character cannot be stored")
    if unknown := sorted(set(data) - set(FIELDS)):
        raise TaskSetRefused(f"{place}: unknown field {unknown[0][:40]}; known: {list(FIELDS)}")
    expected, in_scope = data.get("expected"), data.get("in_scope", True)
    if expected is not None and not isinstance(expected, dict):
        raise TaskSetRefused(f"{place}: “expected” must be an object or null")
    if not isinstance(in_scope, bool):
        raise TaskSetRefused(f"{place}: “in_scope” must be true or false")
    return TaskDraft(
        given,
        expected,
        in_scope,
        _name(place, data, "stratum"),
        _name(place, data, "session"),
        _paraphrases(place, data.get("paraphrases")),
    )


def _name(place: str, data: dict[str, JsonValue], field: str) -> str:
    value = data.get(field)
    if value is None:
        return ""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > LONGEST_NAME:
        raise TaskSetRefused(
            f"{place}: “{field}” must be text of at most {LONGEST_NAME} characters"
        )
    return text


def _paraphrases(place: str, value: JsonValue) -> tuple[dict[str, Any], ...]:
    if value is None:
        return ()
    good = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    if not isinstance(value, list) or not good or len(value) > MOST_PARAPHRASES:
        raise TaskSetRefused(
            f"{place}: “paraphrases” must be at most {MOST_PARAPHRASES} objects in a list"
        )
    return tuple(each for each in value if isinstance(each, dict))


def _has_nul(value: JsonValue) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(inner) for key, inner in value.items())
    return isinstance(value, list) and any(_has_nul(inner) for inner in value)


def _all(drafts: Iterator[TaskDraft]) -> list[TaskDraft]:
    found: list[TaskDraft] = []
    for draft in drafts:
        if len(found) == MAX_TASKS:
            raise TaskSetRefused(f"at most {MAX_TASKS} tasks fit in one set; there are more")
        found.append(draft)
    if not found:
        raise TaskSetRefused("there are no tasks: give one JSON object on each line, or a table")
    return found
