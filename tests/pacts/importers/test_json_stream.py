"""JSON read through a window: the same value as whole, and nothing kept that nobody asks for."""

import io
import json
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.importers import json_stream
from pacts.importers.json_stream import NotJson, SeveralValues, load

NAMES = st.sampled_from(["a", "b", "score", "ü", 'q"', ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
)


def read(data: bytes) -> Any:
    return load(io.BytesIO(data))


@settings(max_examples=80, deadline=None)
@given(value=VALUES, window=st.integers(2, 40), encoding=st.sampled_from(["utf-8", "utf-16"]))
def test_a_window_of_any_size_reads_what_the_whole_reads(
    value: Any, window: int, encoding: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "WINDOW", window)
        assert read(json.dumps(value, ensure_ascii=False, indent=1).encode(encoding)) == value


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=60) | st.text(max_size=60).map(str.encode), window=st.integers(2, 9))
def test_whatever_python_calls_no_json_is_none_through_a_window(data: bytes, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "WINDOW", window)
        with suppress(NotJson):
            read(data)
            json.loads(data)


def test_conversations_are_dropped_while_they_are_read_and_so_are_the_ends_of_long_texts() -> None:
    row = {"id": 1, "messages": [{"content": "secret"}], "name": "n" * 9_000, "score": 0.5}
    (kept,) = read(json.dumps([row]).encode())
    assert kept == {"id": 1, "name": "n" * 4_000, "score": 0.5}


def test_memory_does_not_grow_with_the_conversations() -> None:
    def peak(size: int) -> int:
        row = {"task_id": 1, "reward": 1.0, "traj": [{"content": "x" * size}] * 4}
        data = json.dumps([row] * 400).encode()
        tracemalloc.start()
        try:
            assert len(read(data)) == 400
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(8_000) < 12 * 2**20  # of 13 MB of JSON, and 26 MB would be no more


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'[{"a": "xy', "Unterminated string, at character 8: the file ends there"),
        (b"[1, 2", "a “,” is missing, at character 6: the file ends there"),
        (b'{"a" 1}', "a “:” is missing, at character 6"),
        (b"[1,]", "Expecting value, at character 4"),
        (b"[" * 5_000, "nested deeper than 200 levels"),
        (b"[" + b"9" * 5_000 + b"]", "too many digits"),
        (b'"\xff"', "not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(data: bytes, why: str) -> None:
    with pytest.raises(NotJson, match=why):
        read(data)


def test_two_values_are_told_from_a_broken_one() -> None:
    with pytest.raises(SeveralValues):
        read(b'{"a": 1}\n{"a": 2}')


def test_a_list_made_to_keep_the_reader_busy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "WINDOW", 100)
    monkeypatch.setattr(json_stream, "MOST_WALKED", 1_000)
    with pytest.raises(NotJson, match="more than 1,000 values"):
        read(b"[" + b"1," * 5_000 + b"1]")
