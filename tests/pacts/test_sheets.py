"""Tables as people have them: any column names, any separator, and every bad line named."""

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts import sheets
from pacts.sheets import Use
from pacts.tables import MOST_COLUMNS, TaskSetRefused

INPUT, EXPECTED = Use("input", "q"), Use("expected", "a")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_in_the_header(separator: str) -> None:
    sheet = sheets.read_text(f"q{separator}a\n1, 5{separator}2\n".replace("1, 5", "x"))
    assert sheet.columns == ("q", "a")
    assert sheet.rows[0].values == {"q": "x", "a": "2"}


def test_json_lines_a_json_list_and_parquet_say_the_same() -> None:
    rows = [{"q": "one", "a": 1}, {"q": "two", "a": 2}]
    lines = sheets.read("\n".join(json.dumps(row) for row in rows).encode())
    listed = sheets.read_text(json.dumps(rows))
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    packed = sheets.read(sink.getvalue())
    for sheet in (lines, listed, packed):
        assert [dict(row.values) for row in sheet.rows] == rows
    assert [row.place for row in listed.rows] == ["item 1", "item 2"]


def test_our_own_format_is_guessed_without_a_word() -> None:
    sheet = sheets.read_text('{"input": {"text": "a"}, "expected": {"label": "b"}}')
    uses = sheets.guess(sheet)
    assert uses == {
        "input.text": Use("input", "text"),
        "expected.label": Use("expected", "label"),
    }
    [task], problems = sheets.tasks_of(sheet, uses)
    assert (task.input, task.expected, problems) == ({"text": "a"}, {"label": "b"}, [])


def test_columns_are_guessed_by_their_names_and_cells() -> None:
    sheet = sheets.read_text("ID;Frage;Antwort;Gruppe\n1;5;6;kurz\n2;7;8;lang\n")
    uses = sheets.guess(sheet)
    assert [uses[name].role for name in sheet.columns] == [
        *("ignore", "input", "expected", "stratum")
    ]
    assert uses["Frage"].kind == "number"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("q,a\n1,2\n3\n", "line 3", "has 1 cells, the header 2"),
        ('{"q": 1}\nnot json\n', "line 2", "is not JSON"),
        ('{"q": 1}\n[1]\n', "line 2", "is not an object"),
        ('[{"q": 1}, 2]', "item 2", "is not an object"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_the_others_are_kept(
    text: str, place: str, says: str
) -> None:
    sheet = sheets.read_text(text)
    assert len(sheet.rows) == 1
    assert (sheet.problems[0].place, says in sheet.problems[0].sentence) == (place, True)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "nothing to read"),
        (b"PK\x03\x04", "save it as CSV"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a,a\n1,2\n", "each name once"),
        (b"[1, 2", "not a JSON list"),
        (b"PAR1nonsense", "cannot be read as Parquet"),
        (",".join(f"c{n}" for n in range(MOST_COLUMNS + 1)).encode() + b"\n1\n", "columns"),
    ],
)
def test_what_cannot_be_read_at_all_says_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(TaskSetRefused, match=says):
        sheets.read(data)


@pytest.mark.parametrize(
    ("uses", "says"),
    [
        ({"q": Use("ignore"), "a": EXPECTED}, "at least one column as input"),
        ({"q": INPUT, "a": Use("input", "q")}, "two columns are both"),
        ({"q": Use("input", ""), "a": EXPECTED}, "needs a field name"),
        ({"q": Use("input", "x/y"), "a": EXPECTED}, "needs a field name"),
    ],
)
def test_a_mapping_that_no_line_can_follow_is_refused(uses: dict[str, Use], says: str) -> None:
    with pytest.raises(TaskSetRefused, match=says):
        sheets.tasks_of(sheets.read_text("q,a\n1,2\n"), uses)


def test_what_a_cell_is_read_as_is_kept_to() -> None:
    sheet = sheets.read_text('q,a\n1,"{""b"": [1]}"\n1.5,[\nx,{}\n,{}\n')
    uses = {"q": Use("input", "q", "number"), "a": Use("expected", "a", "json")}
    tasks, problems = sheets.tasks_of(sheet, uses)
    assert [(task.input, task.expected) for task in tasks] == [({"q": 1}, {"a": {"b": [1]}})]
    assert [one.place for one in problems] == ["line 3", "line 4", "line 5"]
    assert "is not JSON" in problems[0].sentence
    assert "no number" in problems[1].sentence
    assert "the input is empty" in problems[2].sentence


CELLS = st.text(alphabet=st.characters(exclude_characters="\x00", codec="utf-8"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_every_line_becomes_a_task_or_a_problem_and_none_is_lost(rows: list[Any]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("q", "a"), *rows])
    sheet = sheets.read_text(out.getvalue())
    tasks, problems = sheets.tasks_of(sheet, {"q": INPUT, "a": EXPECTED})
    said = sum(1 for row in rows if any(row))
    assert len(tasks) + len(problems) + len(sheet.problems) == said
    kept = sheets.from_lines(sheets.to_lines(sheet), sheet.columns, sheet.problems)
    assert kept == sheet
