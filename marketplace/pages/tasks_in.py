"""Golden sets as people bring them: pasted or uploaded, JSON Lines or CSV."""

import csv
import io
import json
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from pacts.tasksets import TaskDraft, TaskSetRefused, parse_jsonl

MOST_BYTES = 4 * 1024 * 1024
MOST_COLUMNS = 40
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": True}

EXAMPLE = (
    '{"input": {"text": "Wo bleibt meine Lieferung?"}, "expected": {"language": "de"}}\n'
    '{"input": {"text": "asdf 4711"}, "expected": null, "in_scope": false}'
)


def read_tasks(text: str) -> list[TaskDraft]:
    """Tasks from JSON Lines, or from CSV when the first line is a header and not JSON.

    A CSV column is `input.<name>` or `expected.<name>`, or `in_scope` (true/false) or `stratum`.
    Raises `TaskSetRefused` naming the line and what to do.
    """
    start = text.lstrip("\ufeff \t\r\n")
    return parse_jsonl(text.lstrip("\ufeff")) if start[:1] in ("{", "") else _read_csv(start)


def _read_csv(text: str) -> list[TaskDraft]:
    rows = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(rows)]
        _check_header(header)
        lines = [_line(header, cells, rows.line_num) for cells in rows if any(cells)]
    except csv.Error as error:
        raise TaskSetRefused(f"line {rows.line_num} is not CSV: {error}") from error
    return parse_jsonl("\n".join(lines))


def _check_header(header: list[str]) -> None:
    if len(header) > MOST_COLUMNS or len(set(header)) != len(header):
        raise TaskSetRefused(f"line 1: use at most {MOST_COLUMNS} columns, each name once")
    for name in header:
        kind, _, field = name.partition(".")
        if name not in ("in_scope", "stratum") and not (kind in ("input", "expected") and field):
            raise TaskSetRefused(
                f"line 1: column “{name[:40]}” is unknown; name the columns input.<field>, "
                "expected.<field>, in_scope or stratum, or give one JSON object on each line"
            )
    if not any(name.startswith("input.") for name in header):
        raise TaskSetRefused("line 1: there is no input column; name one input.text, for example")


def _line(header: list[str], cells: list[str], number: int) -> str:
    if len(cells) != len(header):
        raise TaskSetRefused(f"line {number}: {len(cells)} cells, but {len(header)} columns")
    task: dict[str, Any] = {"input": {}}
    for name, cell in zip(header, cells, strict=True):
        kind, _, field = name.partition(".")
        if field:
            task.setdefault(kind, {})[field] = cell
        elif name == "stratum":
            task["stratum"] = cell
        elif cell.strip().lower() in _WORDS:
            task["in_scope"] = _WORDS[cell.strip().lower()]
        else:
            raise TaskSetRefused(f"line {number}: in_scope is “{cell[:20]}”; write true or false")
    if any(name.startswith("expected.") for name in header) and not any(task["expected"].values()):
        task["expected"] = None
    return json.dumps(task, ensure_ascii=False)


class TasksField(forms.CharField):
    """Pasted tasks; `clean` gives the drafts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}),
            max_length=MOST_BYTES,
            strip=False,
            **kwargs,
        )


def tasks_of(pasted: str, upload: "UploadedFile[bytes] | None") -> list[TaskDraft]:
    """Tasks from a file if one was given, else from what was pasted. Raises ValidationError."""
    try:
        return read_tasks(_decoded(upload) if upload else pasted)
    except TaskSetRefused as error:
        text = str(error)
        raise forms.ValidationError(text[:1].upper() + text[1:] + ".") from error


def _decoded(upload: "UploadedFile[bytes]") -> str:
    if (upload.size or 0) > MOST_BYTES:
        raise TaskSetRefused(f"the file is larger than {MOST_BYTES // 1024 // 1024} MB; split it")
    try:
        content: bytes = upload.read()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskSetRefused("the file is not UTF-8 text; save it as UTF-8") from error
