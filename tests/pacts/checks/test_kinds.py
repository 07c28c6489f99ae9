from typing import Any

import pytest

from pacts.checks import CHECKS, BadParams, Call


def outcome(kind: str, params: dict[str, Any], **call: Any) -> str:
    CHECKS[kind].validate_params(params)
    return CHECKS[kind].answer(params, Call(**call)).outcome


@pytest.mark.parametrize(
    ("abstention", "expected"), [("fail", "fail"), ("pass", "pass"), ("skip", "skipped")]
)
@pytest.mark.parametrize("output", [{"declined": True}, {"x": None}, {"x": 1, "declined": True}])
def test_declining_counts_as_the_clause_says(
    abstention: str, expected: str, output: dict[str, Any]
) -> None:
    params = {"field": "x", "abstention": abstention}
    assert outcome("equality", params, expected={"x": 1}, output=output) == expected


def test_a_missing_field_is_a_malformed_answer_not_a_refusal() -> None:
    params = {"field": "x", "abstention": "pass"}
    assert outcome("equality", params, expected={"x": 1}, output={}) == "fail"
    assert outcome("equality", params, expected={"x": 1}, output={"declined": "yes"}) == "fail"


def test_a_task_without_its_expected_answer_is_the_buyer_s_error() -> None:
    answer = CHECKS["equality"].answer({"field": "x"}, Call(expected={}, output={"x": 1}))
    assert (answer.outcome, answer.fault) == ("error", "buyer")


def test_equality_does_not_count_tasks_out_of_scope() -> None:
    assert outcome("equality", {"field": "x"}, in_scope=False, output={"x": 1}) == "not_applicable"


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (1, 1.0, "pass"),
        (True, 1, "fail"),
        (0, False, "fail"),
        ("1", 1, "fail"),
        ([1, 2], [1, 2], "pass"),
        ([1, 2], [2, 1], "fail"),
        ({"a": 1, "b": [True]}, {"b": [True], "a": 1}, "pass"),
        ({"a": 1}, {"a": 1, "b": None}, "fail"),
        ("", "", "pass"),
    ],
)
def test_equality_is_json_equality(found: Any, wanted: Any, expected: str) -> None:
    assert outcome("equality", {"field": "x"}, expected={"x": wanted}, output={"x": found}) == (
        expected
    )


def test_text_is_compared_after_the_agreed_steps_only() -> None:
    call = {"expected": {"x": "Straße"}, "output": {"x": " STRASSE "}}
    assert outcome("equality", {"field": "x"}, **call) == "fail"
    assert outcome("equality", {"field": "x", "normalise": ["strip"]}, **call) == "fail"
    assert outcome("equality", {"field": "x", "normalise": ["strip", "casefold"]}, **call) == "pass"
    wide = {"expected": {"x": "ABC"}, "output": {"x": "ＡＢＣ"}}
    assert outcome("equality", {"field": "x", "normalise": ["nfkc"]}, **wide) == "pass"


def test_scope_counts_over_refusal_only_where_agreed() -> None:
    refused = {"in_scope": True, "output": {"declined": True}}
    assert outcome("scope", {}, **refused) == "not_applicable"
    assert outcome("scope", {"counts": "both"}, **refused) == "fail"
    assert outcome("scope", {}, output={"declined": True}) == "not_applicable"


def test_no_answer_out_of_scope_is_a_failure_of_scope() -> None:
    assert outcome("scope", {}, in_scope=False, fault="agent") == "fail"


def test_a_crash_is_no_confident_error() -> None:
    params = {"field": "x", "confidence_field": "c", "confident_bps": 5000}
    assert outcome("no_confident_error", params, fault="agent") == "not_applicable"


@pytest.mark.parametrize("claimed", [None, True, "0.1", -1, 2, [0.1]])
def test_a_confidence_that_says_nothing_counts_as_certainty(claimed: Any) -> None:
    params = {"field": "x", "confidence_field": "c", "confident_bps": 10_000}
    call = {"expected": {"x": 1}, "output": {"x": 2, "c": claimed}}
    assert outcome("no_confident_error", params, **call) == "fail"


def test_latency_is_met_exactly_at_the_limit() -> None:
    assert outcome("latency", {"limit_ms": 100}, latency_ms=100.0, output={}) == "pass"
    assert outcome("latency", {"limit_ms": 100}, latency_ms=100.001, output={}) == "fail"
    assert outcome("latency", {"limit_ms": 100}, output={}) == "error"


@pytest.mark.parametrize("expected", [{}, {"t": []}, {"t": ""}, {"t": ["a", ""]}, {"t": [1]}])
def test_contains_never_passes_for_want_of_texts(expected: dict[str, Any]) -> None:
    params = {"field": "x", "expected_field": "t"}
    assert outcome("contains", params, expected=expected, output={"x": "abc"}) == "error"


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("contains", {"field": "x"}),
        ("contains", {"field": "x", "texts": [""]}),
        ("contains", {"field": "x", "texts": ["a"], "expected_field": "y"}),
        ("regex", {"field": "x", "pattern": "(?=a)b"}),
        ("regex", {"field": "x", "pattern": r"(a)\1"}),
        ("regex", {"field": "x", "pattern": "("}),
        ("regex", {"field": "x", "pattern": "(a{1000}){1000}"}),
        ("regex", {"field": "x", "pattern": "a" * 2000}),
        ("latency", {"limit_ms": 0}),
        ("latency", {"limit_ms": 1.5}),
        ("equality", {"field": ""}),
        ("equality", {"field": "x", "normalise": ["upper"]}),
        ("json_schema", {"schema": {"properties": {"a": {"$ref": "https://example.org/s"}}}}),
    ],
)
def test_bad_parameters_are_refused(kind: str, params: dict[str, Any]) -> None:
    with pytest.raises(BadParams):
        CHECKS[kind].validate_params(params)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("json_schema", {"schema": True}),
        ("json_schema", {"schema": False}),
        ("json_schema", {"schema": {}}),
        ("json_schema", {"schema": {"type": "object"}}),
        ("json_schema", {"schema": {"anyOf": [{"type": "string"}, {"not": {"type": "null"}}]}}),
        ("json_schema", {"schema": {"properties": {"a": {"type": "string"}}}}),
        ("regex", {"field": "x", "pattern": ".*"}),
        ("regex", {"field": "x", "pattern": "(?s).+"}),
        ("regex", {"field": "x", "pattern": "a*|.+"}),
        ("regex", {"field": "x", "pattern": "x*", "match": "anywhere"}),
    ],
)
def test_a_vacuous_clause_is_recognised(kind: str, params: dict[str, Any]) -> None:
    CHECKS[kind].validate_params(params)
    assert CHECKS[kind].vacuity(params)


def test_a_catastrophic_pattern_costs_nothing() -> None:
    call = {"output": {"x": "a" * 1_000_000 + "!"}}
    assert outcome("regex", {"field": "x", "pattern": "(a+)+$"}, **call) == "fail"
    schema = {"properties": {"x": {"pattern": "^(a+)+$"}}, "required": ["x"]}
    assert outcome("json_schema", {"schema": schema}, **call) == "fail"
