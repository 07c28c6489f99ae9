"""Single files to take along from the page that shows them: a task set, a tryout task by task."""

import json
from collections.abc import Iterator

from django.http import HttpRequest, StreamingHttpResponse

from marketplace.models import Tryout
from marketplace.pages.visitors import find, party_of
from marketplace.tryouts import boards, starting
from pacts.models import TaskSetVersion
from settlement import spreadsheets
from settlement.spreadsheets import Cell

CHUNK = 100


def task_set_lines(request: HttpRequest, task_set_version_id: str) -> StreamingHttpResponse:
    """One version as JSON Lines, just as it can be brought again."""
    own = TaskSetVersion.objects.filter(task_set__owner=party_of(request))
    version = find(own, pk=task_set_version_id)
    return _sent(_task_lines(version), f"{version.pk}.jsonl", "application/jsonl")


def _task_lines(version: TaskSetVersion) -> Iterator[str]:
    names = ("input", "expected", "in_scope", "stratum", "session", "paraphrases")
    rows = version.tasks.order_by("position").values(*names)
    for row in rows.iterator(chunk_size=1_000):
        said = {name: value for name, value in row.items() if value not in ("", [])}
        yield json.dumps(said, ensure_ascii=False) + "\n"


def tryout_csv(request: HttpRequest, tryout_id: str) -> StreamingHttpResponse:
    """A tryout task by task as CSV that no spreadsheet runs: a row for each task and agent."""
    rows = Tryout.objects.filter(party=party_of(request)).select_related("task_set_version")
    made = find(rows, pk=tryout_id)
    lines = spreadsheets.lines(_tryout_rows(made))
    return _sent(lines, f"{made.pk}.csv", "text/csv; charset=utf-8")


def _tryout_rows(made: Tryout) -> Iterator[tuple[Cell, ...]]:
    yield ("task", "input", "expected", "agent", "said", "answer", "reasons")
    entries, runs = boards.entries_of(made), starting.runs_of(made)
    marked = boards.marks_of(made, runs, len(entries))
    for first in range(0, len(marked), CHUNK):
        for row in boards.rows_of(marked[first : first + CHUNK], runs, len(entries)):
            given = json.dumps(row.task.input, ensure_ascii=False)
            expected = json.dumps(row.task.expected, ensure_ascii=False)
            for entry, cell in zip(entries, row.cells, strict=True):
                yield (
                    *(row.task.position + 1, given, expected, entry.listing.agent.name),
                    *(cell.said, cell.output or cell.error),
                    "; ".join(f"{clause}: {reason}" for clause, reason in cell.reasons),
                )


def _sent(lines: Iterator[str], name: str, kind: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
