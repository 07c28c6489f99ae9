"""Tables of tasks as a party brings them: kept, mapped column by column, made a task set."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from marketplace.models import TaskSheet
from pacts import sheets, tasksets
from pacts.models import Party, TaskSetVersion, User
from pacts.sheets import Problem, Sheet, Use
from pacts.tables import TaskDraft, TaskSetRefused

KEPT = timedelta(days=7)
LONGEST_SHOWN_TEXT = 200_000  # characters; a longer text is changed in its own file


def bring(
    *, party: Party, name: str, work: str, data: bytes | str, by: User, now: datetime
) -> TaskSheet:
    """Keep a table until its columns are mapped; lines that cannot be read are kept as problems.

    Raises `pacts.tables.TaskSetRefused` where nothing can be read at all.
    """
    sheet, text = _read(data)
    row = TaskSheet(party=party, name=name, work=work, brought_by=by, brought_at=now)
    _fill(row, sheet, text)
    row.save(force_insert=True)
    return row


def bring_again(*, row: TaskSheet, data: bytes | str) -> TaskSheet:
    """Read a corrected text in the place of the one before. Raises `TaskSetRefused`."""
    sheet, text = _read(data)
    with transaction.atomic():
        row = TaskSheet.objects.select_for_update(of=("self",)).get(pk=row.pk)
        _refuse_used(row)
        _fill(row, sheet, text)
        row.save(update_fields=["columns", "size", "text", "rows", "problems"])
    return row


def lines_of(text: str) -> str:
    """A text with one character at the end of each line, however a browser or a file ends it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fingerprint(row: TaskSheet) -> str:
    """What is the same as long as the table reads the same: whoever looked at it has seen this."""
    return sha256(json.dumps([row.columns, row.rows, row.problems]).encode()).hexdigest()


def _read(data: bytes | str) -> tuple[Sheet, str]:
    if isinstance(data, str):
        found = sheets.read_text(data)
        text = data
    else:
        found, text = sheets.read(data), sheets.text_of(data)
    if not found.rows:
        first = found.problems[0] if found.problems else None
        what = f": {first.place} {first.sentence}" if first else ""
        raise TaskSetRefused(f"no line of it could be read{what}")
    if any("\x00" in line for line in (text, *found.columns)):
        raise TaskSetRefused("text with a NUL character cannot be stored; remove it")
    return found, text


def _fill(row: TaskSheet, sheet: Sheet, text: str) -> None:
    row.columns, row.size = list(sheet.columns), len(sheet.rows)
    row.text = text if len(text) <= LONGEST_SHOWN_TEXT else ""
    row.rows = sheets.to_lines(sheet)
    row.problems = json.dumps([[one.place, one.sentence] for one in sheet.problems])


def sheet_of(row: TaskSheet) -> Sheet:
    """The table again. Raises `TaskSetRefused` once it was made a task set and forgotten."""
    _refuse_used(row)
    problems = [Problem(*one) for one in json.loads(row.problems or "[]")]
    return sheets.from_lines(row.rows, row.columns, problems)


def _refuse_used(row: TaskSheet) -> None:
    if row.task_set_version_id:
        raise TaskSetRefused("this table was made a task set already; open that one")
    if not row.rows:
        raise TaskSetRefused("this table was forgotten after a week; bring it again")


def mapped(row: TaskSheet, uses: Mapping[str, Use]) -> tuple[list[TaskDraft], list[Problem]]:
    """Its tasks by a mapping, and everything wrong with the others. Raises `TaskSetRefused`."""
    sheet = sheet_of(row)
    drafts, problems = sheets.tasks_of(sheet, {name: uses[name] for name in sheet.columns})
    return drafts, [*sheet.problems, *problems]


def keep(
    *,
    row: TaskSheet,
    uses: Mapping[str, Use],
    leave_out: bool,
    now: datetime,
    seen: str | None = None,
) -> TaskSetVersion:
    """Make it a task set, once. With `leave_out` the lines that have a problem stay out of it; with
    `seen`, the `fingerprint` of what somebody looked at, nothing else than that is kept.

    Raises `TaskSetRefused`; nothing is lost then.
    """
    with transaction.atomic():
        row = TaskSheet.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if row.task_set_version:
            return row.task_set_version
        if seen is not None and seen != fingerprint(row):
            raise TaskSetRefused(
                "the text was read again since you looked at it; look at the tasks below, then "
                "keep them"
            )
        drafts, problems = mapped(row, uses)
        if problems and not leave_out:
            first = problems[0]
            raise TaskSetRefused(
                f"not every line can be used; {first.place}: {first.sentence}. Correct what has a "
                "problem, or leave those lines out"
            )
        version = tasksets.create_task_set(
            owner=row.party, name=row.name, work=row.work, tasks=drafts, now=now
        )
        row.task_set_version = version
        row.text = row.rows = row.problems = ""
        row.save()
    return version


def forget_old(*, now: datetime) -> int:
    """Empty tables that nobody mapped within a week; returns how many."""
    old = TaskSheet.objects.filter(brought_at__lt=now - KEPT).exclude(rows="")
    return old.update(text="", rows="", problems="")
