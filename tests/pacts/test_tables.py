"""Files of tasks: three kinds alike, each mistake placed, nothing hostile unfolded."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.tables import (
    MAX_TASKS,
    TaskDraft,
    TaskSetRefused,
    parse_csv,
    parse_jsonl,
    parse_parquet,
    read_file,
    read_text,
)


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


def repeated(text: str, times: int) -> pa.Array:
    """One text said once and pointed at many times, so that making the file costs nothing."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([text]))


def test_the_three_kinds_say_the_same() -> None:
    wanted = [
        TaskDraft({"text": "Hallo"}, {"language": "de"}, True, "short", "s1"),
        TaskDraft({"text": "asdf"}, None, False, "", ""),
    ]
    lines = (
        '{"input": {"text": "Hallo"}, "expected": {"language": "de"}, "stratum": "short", '
        '"session": "s1"}\n{"input": {"text": "asdf"}, "expected": null, "in_scope": false}\n'
    )
    table = (
        "input.text,expected.language,in_scope,stratum,session\n"
        "Hallo,de,true,short,s1\nasdf,,no,,\n"
    )
    columns = {
        "input.text": ["Hallo", "asdf"],
        "expected.language": ["de", None],
        "in_scope": [True, False],
        "stratum": ["short", None],
        "session": ["s1", None],
    }
    for data in (lines.encode(), table.encode("utf-8-sig"), parquet(columns)):
        assert read_file(data) == wanted


def test_parquet_keeps_numbers_lists_and_structs() -> None:
    [task] = parse_parquet(
        parquet({"input.n": [7], "input.words": [["a", "b"]], "expected.sum": [{"x": 1.5}]})
    )
    assert (task.input, task.expected) == ({"n": 7, "words": ["a", "b"]}, {"sum": {"x": 1.5}})


def test_paraphrases_come_with_their_task() -> None:
    [task] = parse_jsonl('{"input": {"q": "a"}, "paraphrases": [{"q": "b"}, {"q": "c"}]}')
    assert task.paraphrases == ({"q": "b"}, {"q": "c"})


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12),
            st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_texts_survive_csv_and_parquet_alike(rows: list[tuple[str, str, bool]]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    header = "input.text,expected.answer,in_scope\n"
    body = "".join(f"{quoted(a)},{quoted('=' + b)},{str(c).lower()}\n" for a, b, c in rows)
    found = parse_csv(header + body)
    assert [(t.input["text"], t.in_scope) for t in found] == [(a, c) for a, _, c in rows]
    columns = {
        "input.text": [a for a, _, _ in rows],
        "expected.answer": ["=" + b for _, b, _ in rows],
        "in_scope": [c for _, _, c in rows],
    }
    assert parse_parquet(parquet(columns)) == found


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"input": 7}', "line 2: give an object"),
        ("[1, 2]", "line 2: give an object"),
        ('{"input": {}, "hint": 1}', "line 2: unknown field hint"),
        ('{"input": {}, "expected": 7}', "“expected” must be"),
        ('{"input": {}, "in_scope": 1}', "“in_scope” must be"),
        ('{"input": {}, "stratum": ["x"]}', "“stratum” must be text"),
        ('{"input": {}, "session": "' + "x" * 41 + '"}', "“session” must be text"),
        ('{"input": {}, "paraphrases": [7]}', "“paraphrases” must be"),
        ('{"input": {"a": NaN}}', "line 2 is not JSON"),
        ('{"input": {"a": 1, "a": 2}}', "line 2 is not JSON"),
        ('{"input": {"a": "\\u0000"}}', "NUL"),
        ('{"input": {"a": "' + "x" * 262_200 + '"}}', "line 2 is longer"),
    ],
)
def test_a_line_that_does_not_fit_is_named(line: str, says: str) -> None:
    with pytest.raises(TaskSetRefused, match=says):
        parse_jsonl('{"input": {}}\n' + line)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"text": ["a"]}, "column “text” is unknown"),
        ({"expected.x": ["a"]}, "no input column"),
        ({"input.a": [float("nan")]}, "row 1"),
        ({"input.a": [b"\xff"]}, "row 1"),
        ({"input.a": ["x"], "in_scope": ["perhaps"]}, "row 1: in_scope"),
        ({"input.a": ["x\x00"]}, "NUL"),
        ({"input.a": [2**60]}, "row 1"),
        ({f"input.c{i}": [1] for i in range(41)}, "at most 40 columns"),
        ({"input.a": pa.array([], pa.string())}, "no tasks"),
    ],
)
def test_a_parquet_file_that_does_not_fit_is_refused_by_row(
    columns: dict[str, Any], says: str
) -> None:
    with pytest.raises(TaskSetRefused, match=says):
        parse_parquet(parquet(columns))


def test_a_parquet_bomb_is_refused_unopened() -> None:
    bomb = parquet({"input.text": ["x" * 68_000_000]}, use_dictionary=False)
    assert len(bomb) < 10_000_000
    with pytest.raises(TaskSetRefused, match="unfolds to"):
        read_file(bomb)


def test_a_text_said_once_and_pointed_at_ten_thousand_times_is_weighed_each_time() -> None:
    hidden = parquet({"input.text": repeated("x" * 200_000, 9_000)})
    assert len(hidden) < 1_000_000
    with pytest.raises(TaskSetRefused, match="unfolds to more"):
        read_file(hidden)
    long = parquet({"input.text": repeated("x" * 5_000_000, 100)})
    with pytest.raises(TaskSetRefused, match="row 1 is longer"):
        read_file(long)


def test_a_dictionary_inside_lists_that_could_unfold_without_end_is_refused_unopened() -> None:
    lists = [["x" * 6_000_000] * 100]
    hidden = parquet({"input.words": lists}, use_dictionary=True)
    assert len(hidden) < 1_000_000
    with pytest.raises(TaskSetRefused, match="without dictionaries"):
        read_file(hidden)
    fine = parquet({"input.words": [["a", "b"] * 20] * 200}, use_dictionary=True)
    assert len(read_file(fine)) == 200


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(TaskSetRefused, match="at most"):
        parse_parquet(parquet({"input.n": list(range(MAX_TASKS + 1))}))
    with pytest.raises(TaskSetRefused, match="at most"):
        parse_jsonl('{"input": {}}\n' * (MAX_TASKS + 1))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_parquet_file_is_refused_or_read_and_never_a_crash(data: st.DataObject) -> None:
    whole = bytearray(parquet({"input.text": ["a", "b"], "expected.n": [1, 2]}))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(5, len(whole)))
    try:
        found = read_file(bytes(whole[:cut]))
    except TaskSetRefused:
        return
    assert all(isinstance(task, TaskDraft) for task in found)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\xff\xfea", "UTF-8"),
        (b"x" * 10_000_001, "larger than 10 MB"),
        (b"PAR1", "Parquet"),
        (b"", "no tasks"),
    ],
)
def test_what_is_no_file_of_tasks_is_told_so(data: bytes, says: str) -> None:
    with pytest.raises(TaskSetRefused, match=says):
        read_file(data)


def test_a_json_list_is_not_json_lines() -> None:
    with pytest.raises(TaskSetRefused, match="line 1"):
        read_text(json.dumps([{"input": {}}]))
