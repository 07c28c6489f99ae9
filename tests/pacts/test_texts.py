"""Pacts as text: both formats in and out, every mistake placed, nothing hostile unfolded."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pacts.terms import PactTerms, digest, parse
from pacts.texts import TextRefused, read, read_terms, write_json, write_yaml, written_yaml
from tests.pacts.pacts_of_bob import clause, pact
from tests.pacts.test_terms import json_values, pacts

GOOD = write_yaml(parse(pact()))
printable = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(pacts)
def test_yaml_and_json_read_back_equal_with_the_same_digest(terms: PactTerms) -> None:
    for text in (write_yaml(terms), write_json(terms)):
        assert read_terms(text) == terms
        assert digest(read_terms(text)) == digest(terms)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(printable, json_values | printable | st.floats(-1e300, 1e300), max_size=4))
@example(
    {"no": "no", "12:30": "12:30", "x": "1e5", "y": "0x1f", "z": "~", "": "", "a": "2026-01-01"}
)
@example({"a": "null", "b": "true", "c": "<<", "d": "1_000", "e": ".5", "f": "+1", "g": "\x85"})
def test_any_value_survives_being_written_as_yaml(value: dict[str, Any]) -> None:
    assert read(written_yaml(value)).value == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("0777", 777),
        ("1_000", "1_000"),
        ("'95'", "95"),
        ("95.0", 95.0),
        ("~", None),
        ("", None),
        ("True", True),
    ],
)
def test_a_scalar_means_what_it_shows(written: str, value: object) -> None:
    assert read(f"x: {written}").value == {"x": value}


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (GOOD.replace("promise_bps: 9500", "promise_bps: 95000"), (20, 3), "out of range"),
        (GOOD.replace("kind: calls", "kind: forever"), (25, 5), "milestone, calls, days"),
        (GOOD.replace("n: 400", "m: 400"), (24, 3), "$.clauses[0].window.n: this is missing"),
        ("version: earnest-pact/1", (1, 1), "$.title: this is missing"),
        ("a: 1\nb: 2\na: 3", (3, 1), "second time"),
        ('{"a": 1,\n "a": 2}', (2, 2), "second time"),
        ('{"a": 1,\n}', (2, 1), "not JSON"),
        ("a:\n\t- b", (2, 1), "indent with spaces"),
        ("a: [1, 2", (2, 1), "not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_column(
    text: str, place: tuple[int, int], says: str
) -> None:
    with pytest.raises(TextRefused, match=f"^line {place[0]}, column {place[1]}: ") as caught:
        read_terms(text)
    assert (caught.value.line, caught.value.column) == place
    assert says in str(caught.value)


def test_a_mistake_in_json_is_placed_too() -> None:
    text = json.dumps(pact(clause(promise_bps="x")), indent=2)
    line = 1 + text[: text.index('"promise_bps"')].count("\n")
    with pytest.raises(TextRefused, match=f"^line {line}, column 7: "):
        read_terms(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x [1]\nb: *x", "anchor"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "anchor"),
        ("x: !!python/object/apply:os.system [id]", "tag"),
        ("x: !!int 7", "tag"),
        ("!!map {a: 1}", "tag"),
        ("%TAG ! tag:x.example:\n---\na: 1", "TAG"),
        ("<<: {a: 1}", "merge"),
        ("? [a]\n: b", "key"),
        ("a: 1\n---\nb: 2", "second document"),
        ("x: .inf", "finite"),
        ("x: 1e999", "too large"),
        ("x: 1" + "0" * 5_000, "too l"),
        ("x: 9007199254740993", "too large"),
        ("", "empty"),
        (" \n", "empty"),
        ("# nothing but words", "empty"),
        ("a\x00b: 1", "not YAML"),
        ("x: \ud800", "surrogate"),
        ('{"x": NaN}', "NaN"),
        ("#" * 262_145, "bytes"),
    ],
)
def test_what_unfolds_calls_or_cannot_be_held_is_refused(text: str, says: str) -> None:
    with pytest.raises(TextRefused, match=says) as caught:
        read(text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "- " * 100_000, "- a\n" * 50_000, "{a: " * 50_000, '{"a":' * 50_000]
)
def test_deep_and_endless_texts_are_refused_before_they_cost_anything(text: str) -> None:
    with pytest.raises(TextRefused):
        read(text)
