"""Whatever an agent answers, a check comes to an answer of its own and never breaks."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pacts.answers import Facts, ToolCall
from pacts.checks import CHECKS, Check

OUTCOMES = {"pass", "fail", "error", "skipped", "not_applicable"}


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"a": [value]}
    return value


MUCH = 30_000
TEXTS = {
    "a long text": "a" * 300_000,
    "a lot of joiners": "a'" * MUCH,
    "a lot of sentence ends": "." * MUCH + '"' * MUCH + "x",
    "a lot of marks": "e" + "\u0301\u0327" * MUCH,
    "a lot of cards": "4111 1111 1111 1112 " * (MUCH // 20),
    "a lot of escapes": "%41" * (MUCH // 3),
    "a lot of entities": "&#65;" * (MUCH // 5),
    "lone surrogates": "\ud800\udfff\ud800 text " * 100,
    "controls": "".join(map(chr, range(32))) * 100,
    "noncharacters": "\ufffe\uffff\U0010ffff\ufdd0" * 100,
    "brackets": "(" * 100_000,
    "a unit bomb": "5 m**99999",
    "a number bomb": "9" * 100_000,
    "an exponent bomb": "1e999999 m",
    "nothing": "",
    "a NUL": "a\x00b",
    "statements": "select 1;" * 1_000,
}
VALUES = {
    "not a number": float("nan"),
    "infinity": float("inf"),
    "a huge integer": 10**4000,
    "a deep tree": nested(60),
    "true": True,
    "null": None,
    "a long list": [0] * 100_000,
    "an empty object": {},
}


def fields_of(output: Any, value: Any) -> Any:
    """The same answer with every field replaced."""
    if isinstance(output, dict):
        return {**dict.fromkeys(output, value), "more": value}
    return value


def answers(check: Check, value: Any) -> Iterator[str]:
    for fixture in (check.good[0], check.bad[0]):
        call = replace(
            fixture.call,
            output=fields_of(fixture.call.output or {"text": 1}, value),
            facts=Facts(
                tool_calls=(ToolCall(name="x", arguments={"a": value}),),
                final_state={"a": value},
            ),
        )
        answer = check.answer(fixture.params, call)
        assert "broke" not in answer.reason, (check.kind, answer.reason)
        assert answer.value is None or 0 <= answer.value <= 1
        assert len(answer.reason) <= 200
        assert answer.reason.isprintable()
        yield answer.outcome


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_no_text_breaks_a_check(check: Check) -> None:
    for text in TEXTS.values():
        assert set(answers(check, text)) <= OUTCOMES


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_no_value_breaks_a_check(check: Check) -> None:
    for value in VALUES.values():
        assert set(answers(check, value)) <= OUTCOMES
