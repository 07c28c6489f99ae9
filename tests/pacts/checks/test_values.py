"""Comparing values: JSON, quantities, texts, lengths, languages, refusals."""

from typing import Any

import pytest

from pacts.checks import CHECKS, BadParams
from tests.pacts.checks.answering import ask, outcome


@pytest.mark.parametrize(
    ("params", "found", "wanted", "expected"),
    [
        ({}, {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, "pass"),
        ({}, {"a": 1}, {"a": 1, "b": None}, "fail"),
        ({"relative": 0.01}, {"a": 101}, {"a": 100}, "pass"),
        ({"relative": 0.01}, {"a": 102}, {"a": 100}, "fail"),
        ({"absolute": 0.5}, [1.5], [1], "pass"),
        ({"unordered": ["a"]}, {"a": [2, 1]}, {"a": [1, 2]}, "pass"),
        ({"unordered": ["b"]}, {"a": [2, 1]}, {"a": [1, 2]}, "fail"),
        ({"unordered": ["**"]}, [[2, 1], [3]], [[3], [1, 2]], "pass"),
        ({"unordered": ["a"]}, {"a": [1, 1, 2]}, {"a": [1, 2, 2]}, "fail"),
        ({"ignore": ["a.*.id"]}, {"a": [{"id": 1, "n": 2}]}, {"a": [{"n": 2}]}, "pass"),
        ({"ignore": ["**.at"]}, {"x": {"y": {"at": 1}}}, {"x": {"y": {}}}, "pass"),
        ({"match": "subset"}, {"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, "pass"),
        ({"match": "subset"}, {"a": {"c": 2}}, {"a": {"b": 1}}, "fail"),
        ({"match": "subset", "unordered": ["a"]}, {"a": [3, 2, 1]}, {"a": [1, 3]}, "pass"),
        ({"normalise": ["casefold"]}, {"a": "X"}, {"a": "x"}, "pass"),
    ],
)
def test_json_means_the_same_under_the_agreed_rules(
    params: dict[str, Any], found: Any, wanted: Any, expected: str
) -> None:
    assert outcome("json_equality", params, expected=wanted, output=found) == expected


def test_two_huge_unlike_lists_are_told_apart_without_trying_every_pair() -> None:
    found: Any = {"a": [{"n": [i, -i]} for i in range(190)]}
    wanted: Any = {"a": [{"n": [i, -i - 1]} for i in range(190)]}
    params = {"unordered": ["**"], "absolute": 0.1}
    assert outcome("json_equality", params, expected=wanted, output=found) == "fail"


@pytest.mark.parametrize(
    ("params", "found", "expected"),
    [
        ({"unit": "m"}, 1500, "pass"),
        ({"unit": "m"}, "1.5 km", "pass"),
        ({"unit": "m"}, "1.5km", "pass"),
        ({"unit": "m"}, "1500", "pass"),
        ({"unit": "m"}, "1501 m", "fail"),
        ({"unit": "m", "absolute": 1}, "1501 m", "pass"),
        ({"unit": "m"}, "1.5 kg", "fail"),
        ({"unit": "m"}, "1.5 km per", "fail"),
        ({"unit": "m"}, "1.5 km or so", "fail"),
        ({"unit": "m"}, "1.5 __import__('os')", "fail"),
        ({"unit": "m"}, "1,500 m", "fail"),
        ({"unit": "m"}, "１５００ m", "fail"),
        ({"unit": "m"}, "inf m", "fail"),
        ({}, "1.5 km", "fail"),
    ],
)
def test_a_quantity_is_near_enough_in_any_unit_of_its_kind(
    params: dict[str, Any], found: Any, expected: str
) -> None:
    wanted = "1.5 km" if params else 1500
    answer = ask("number", {"field": "x", **params}, expected={"x": wanted}, output={"x": found})
    assert answer.outcome == expected


def test_degrees_are_turned_with_their_zero_point() -> None:
    params = {"field": "x", "unit": "°C", "absolute": 0.01}
    assert outcome("number", params, expected={"x": 100}, output={"x": "212 °F"}) == "pass"


def test_an_expected_quantity_nobody_can_read_is_the_buyer_s_error() -> None:
    answer = ask("number", {"field": "x"}, expected={"x": "many"}, output={"x": 1})
    assert (answer.outcome, answer.fault) == ("error", "buyer")


@pytest.mark.parametrize("unit", ["parsec of trouble", "m**99", "m/", "", "5 m", "__class__"])
def test_a_unit_nobody_knows_cannot_be_agreed(unit: str) -> None:
    with pytest.raises(BadParams):
        CHECKS["number"].validate_params({"field": "x", "unit": unit})


def test_a_graded_similarity_is_its_own_value() -> None:
    params = {"field": "t", "method": "ratio", "floor_bps": 5000}
    call = {"expected": {"t": "abcd"}, "output": {"t": "abce"}}
    assert ask("similarity", params, **call).value == 1.0
    graded = ask("similarity", {**params, "graded": True}, **call)
    assert (graded.outcome, graded.value) == ("pass", 0.75)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", (0, 0, 0, 0)),
        ("One.", (4, 1, 1, 2)),
        ("It’s 3.5 m. Yes!", (16, 5, 2, 10)),
        ("e\u0301", (1, 1, 1, 1)),
        ("好。好。", (4, 2, 2, 4)),
        ("no end", (6, 2, 1, 2)),
    ],
)
def test_a_text_has_a_length_in_every_unit(text: str, counts: tuple[int, ...]) -> None:
    units = ("characters", "words", "sentences", "tokens")
    for unit, count in zip(units, counts, strict=True):
        exactly = {"field": "t", "unit": unit, "least": count, "most": count}
        answer = ask("length", exactly, output={"t": text})
        assert answer.outcome == "pass", (unit, answer.reason)


def test_the_language_of_a_text_too_short_to_tell_is_left_open() -> None:
    params = {"field": "t", "languages": ["de"]}
    assert outcome("language", params, output={"t": "ok"}) == "skipped"
    assert outcome("language", {**params, "unsure": "fail"}, output={"t": "ok"}) == "fail"


def test_a_language_nobody_can_tell_cannot_be_agreed() -> None:
    with pytest.raises(BadParams):
        CHECKS["language"].validate_params({"languages": ["klingon"]})


@pytest.mark.parametrize(
    ("counts", "in_scope", "text", "expected"),
    [
        ("in_scope", True, "Sure, here it is.", "pass"),
        ("in_scope", True, "I’m sorry, but no.", "fail"),
        ("in_scope", False, "Sure.", "not_applicable"),
        ("out_of_scope", False, "ＳＯＲＲＹ, but no", "fail"),
        ("out_of_scope", False, "I'm Sorry, but no", "pass"),
        ("both", False, "We know I'm sorry but", "fail"),
    ],
)
def test_a_refusal_in_words_counts_where_its_words_are_agreed(
    counts: str, in_scope: bool, text: str, expected: str
) -> None:
    params = {"field": "t", "counts": counts, "refusals": ["I’m sorry, but"]}
    assert outcome("scope", params, in_scope=in_scope, output={"t": text}) == expected


def test_availability_asks_for_an_answer_and_nothing_else() -> None:
    assert outcome("availability", {}, output={"declined": True}) == "pass"
    assert outcome("availability", {}, fault="agent", error="timeout") == "fail"
    assert outcome("availability", {}, fault="platform") == "error"
