"""Checks on what an agent reports beside its answer, and how a report is read."""

from typing import Any

import pytest

from pacts.answers import Cost, Facts, ToolCall, Usage, read_facts
from tests.pacts.checks.answering import ask, outcome


def called(*names: str, **arguments: Any) -> Facts:
    return Facts(tool_calls=tuple(ToolCall(name=name, arguments=arguments) for name in names))


def test_a_whole_report_is_read() -> None:
    facts = read_facts(
        {
            "output": {},
            "tool_calls": [{"name": "find", "arguments": {"q": 1}, "result": [2]}],
            "usage": {"input_tokens": 5, "output_tokens": 2},
            "cost": {"micros": 30, "currency": "USD"},
            "final_state": {"a": 1},
        }
    )
    assert facts.tool_calls == (ToolCall(name="find", arguments={"q": 1}, result=[2]),)
    assert facts.usage == Usage(input_tokens=5, output_tokens=2)
    assert facts.cost == Cost(micros=30, currency="USD")
    assert facts.final_state == {"a": 1}
    assert facts.problems == ()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("tool_calls", {}),
        ("tool_calls", [{}]),
        ("tool_calls", [{"name": 1}]),
        ("tool_calls", [{"name": "x" * 201}]),
        ("tool_calls", [{"name": "x"}] * 1001),
        ("usage", {"input_tokens": -1, "output_tokens": 0}),
        ("usage", {"input_tokens": True, "output_tokens": 0}),
        ("usage", 5),
        ("cost", {"micros": 1.5, "currency": "USD"}),
        ("cost", {"micros": 1, "currency": "usd"}),
        ("final_state", []),
    ],
)
def test_a_report_nobody_can_read_is_no_clean_report(member: str, value: Any) -> None:
    facts = read_facts({"output": {}, member: value})
    assert getattr(facts, member) is None
    assert facts.problems[0].startswith(f"{member}:")


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("tool_calls", {"allow": [{"name": "a"}]}),
        ("trajectory", {"most_steps": 3}),
        ("final_state", {}),
        ("cost", {"most_tokens": 5}),
        ("cost", {"most_micros": 5, "currency": "EUR"}),
    ],
)
def test_whoever_promises_it_must_report_it(kind: str, params: dict[str, Any]) -> None:
    assert outcome(kind, params, expected={"a": 1}, output={}) == "fail"
    broken = Facts(problems=("tool_calls: not a list",))
    assert outcome(kind, params, expected={"a": 1}, output={}, facts=broken) == "fail"


def test_using_no_tool_proves_nothing_unless_agreed() -> None:
    params: dict[str, Any] = {"allow": [{"name": "a"}]}
    assert outcome("tool_calls", params, output={}, facts=called()) == "not_applicable"
    passing = {**params, "when_none": "pass"}
    assert outcome("tool_calls", passing, output={}, facts=called()) == "pass"
    required = {**params, "required": ["a"]}
    assert outcome("tool_calls", required, output={}, facts=called()) == "fail"


def test_one_fitting_entry_of_a_tool_is_enough() -> None:
    allow = [
        {"name": "pay", "arguments": {"properties": {"n": {"const": 1}}}},
        {"name": "pay", "arguments": {"properties": {"n": {"const": 2}}}},
    ]
    for n, expected in ((1, "pass"), (2, "pass"), (3, "fail")):
        assert outcome("tool_calls", {"allow": allow}, output={}, facts=called("pay", n=n)) == (
            expected
        )


@pytest.mark.parametrize(
    ("order", "names", "expected"),
    [
        ("exact", ["a", "b"], "pass"),
        ("exact", ["a", "x", "b"], "fail"),
        ("in_order", ["a", "x", "b"], "pass"),
        ("in_order", ["b", "a"], "fail"),
        ("any_order", ["b", "a"], "pass"),
        ("any_order", ["b", "a", "a"], "fail"),
        ("includes", ["b", "x", "a"], "pass"),
        ("includes", ["b"], "fail"),
        ("only", ["b"], "pass"),
        ("only", ["b", "b"], "fail"),
    ],
)
def test_steps_are_taken_in_the_agreed_order(order: str, names: list[str], expected: str) -> None:
    params = {"steps": ["a", "b"], "order": order}
    assert outcome("trajectory", params, output={}, facts=called(*names)) == expected


def test_the_same_call_again_and_again_is_a_loop_and_another_one_is_not() -> None:
    params = {"most_repeats": 2}
    assert outcome("trajectory", params, output={}, facts=called("a", "a", "a")) == "fail"
    calls = tuple(ToolCall(name="a", arguments={"page": n}) for n in range(9))
    assert outcome("trajectory", params, output={}, facts=Facts(tool_calls=calls)) == "pass"


def test_a_cost_in_another_currency_is_not_converted() -> None:
    params = {"most_micros": 5, "currency": "EUR"}
    facts = Facts(cost=Cost(micros=1, currency="USD"))
    assert "USD" in ask("cost", params, output={}, facts=facts).reason


def test_a_call_that_failed_has_no_cost_to_judge() -> None:
    assert outcome("cost", {"most_tokens": 5}, fault="agent") == "not_applicable"
