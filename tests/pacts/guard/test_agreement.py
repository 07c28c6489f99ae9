"""Where the guard says pass or fail, the server says the same; where it cannot tell, it says so."""

import re
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.answers import Cost, Facts, Usage
from pacts.checks import CHECKS
from pacts.checks.check import Call
from pacts.guard import patterns
from pacts.guard.clauses import KINDS, Seen, clauses_of
from pacts.guard.schemas import schema_test
from pacts.patterns import PatternRefused, pattern
from pacts.schemas import SchemaRefused, schema

DECIDED = ("pass", "fail", "not_applicable")


def both(check: str, params: dict[str, Any], call: Call) -> tuple[str, str]:
    """What the guard and what the server say."""
    facts = call.facts
    seen = Seen(
        output=call.output,
        latency_ms=call.latency_ms,
        fault=call.fault,
        error=call.error,
        in_scope=call.in_scope,
        usage=asdict(facts.usage) if facts.usage else None,
        cost=asdict(facts.cost) if facts.cost else None,
    )
    (clause,) = clauses_of([{"key": "k", "check": check, "params": params}])
    return clause.answer(seen).outcome, CHECKS[check].answer(params, call).outcome


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that has only the standard library."""

    def absent(source: str) -> Any:
        raise ImportError(source)

    monkeypatch.setattr(patterns, "_Re2", absent)


@pytest.mark.parametrize("engine", ["re2", "standard library"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_fixtures_of_every_check_come_out_alike(
    kind: str, engine: str, request: pytest.FixtureRequest
) -> None:
    if engine != "re2":
        request.getfixturevalue("without_re2")
    check = CHECKS[kind]
    decided = 0
    for fixture in (*check.good, *check.bad):
        ours, theirs = both(kind, dict(fixture.params), fixture.call)
        assert ours in (theirs, "skipped")
        decided += ours != "skipped"
    assert decided


SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([1.0, 2.5, "", "a", "b1"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "declined"]), inner, max_size=3)
    ),
    max_leaves=6,
)
TYPES = st.sampled_from(["null", "boolean", "string", "number", "integer", "array", "object"])
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=3, unique_by=repr),
        "const": SCALARS,
        "minimum": st.integers(-3, 3),
        "exclusiveMaximum": st.integers(-3, 3),
        "multipleOf": st.integers(1, 3),
        "minLength": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "minProperties": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
        "pattern": st.sampled_from(["^[a-z]+$", "[0-9]", "a|b", "^.$"]),
        "format": st.sampled_from(["date", "email"]),
        "title": st.just("a remark"),
    },
)
SCHEMAS = st.recursive(
    LEAVES | st.booleans(),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "contains": inner,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
        },
    ),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(source=SCHEMAS.filter(lambda source: isinstance(source, dict)), value=VALUES)
def test_a_schema_means_the_same_here_and_there(source: Any, value: Any) -> None:
    try:
        theirs = schema(source).problem(value) is None
    except SchemaRefused:
        return
    ours = schema_test(source)(value)
    assert ours is None or ours == theirs


PIECES = st.sampled_from(
    [
        *("a", "b", "[ab]", ".", r"\d", r"\w", r"\s", "a+", "[ab]*", "b?", "(?:ab)+", "a{2,3}"),
        *("(a|b)", "^", "$", "(?:a|ab)", r"\.", "[^a]", "a+?", "(ab)*", r"\pL", "(?i)a", "a**"),
        "[[:alpha:]]",
    ]
)


@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(PIECES, max_size=4), text=st.text("ab1. \n\tÄ\v", max_size=8))
def test_a_pattern_means_the_same_here_and_there(pieces: list[str], text: str) -> None:
    source = "".join(pieces)
    try:
        theirs = pattern(source)
    except PatternRefused:
        return
    try:
        ours: Any = patterns._Bounded(source)
    except (patterns._Foreign, re.error):
        return
    for mine, full in ((ours.full(text), True), (ours.anywhere(text), False)):
        wanted = (theirs.fullmatch(text) if full else theirs.search(text)) is not None
        assert mine == "undecided" or (mine == "yes") == wanted


@pytest.mark.parametrize(
    "attack",
    ["(a+)+$", "(a|a)*b", "(a|ab)*c", "(?:a?){30}a{30}", "(.*)*x", "(a*)*b", r"(\w+\s?)+$"],
)
@pytest.mark.usefixtures("without_re2")
def test_a_pattern_that_would_hold_the_process_is_left_to_the_server(attack: str) -> None:
    assert patterns.pattern(attack).full("a" * 40) == "undecided"


@pytest.mark.usefixtures("without_re2")
def test_a_text_too_long_for_a_pattern_is_left_to_the_server() -> None:
    found = patterns.pattern("[ab]*[ab]*c")
    assert found.full("ab" * 100) == "no"
    assert found.full("ab" * 100_000) == "undecided"


@settings(max_examples=100, deadline=None)
@given(
    text=st.text(max_size=30) | st.none(),
    least=st.integers(0, 10),
    most=st.integers(10, 30),
    unit=st.sampled_from(["characters", "words", "sentences", "tokens"]),
)
def test_lengths_are_counted_alike(text: str | None, least: int, most: int, unit: str) -> None:
    params = {"field": "t", "unit": unit, "least": least, "most": most}
    ours, theirs = both("length", params, Call(output={"t": text}))
    assert ours in (theirs, "skipped")


@settings(max_examples=100, deadline=None)
@given(
    tokens=st.integers(0, 20),
    micros=st.integers(0, 20),
    currency=st.sampled_from(["USD", "EUR"]),
    reported=st.booleans(),
)
def test_costs_are_judged_alike(tokens: int, micros: int, currency: str, reported: bool) -> None:
    facts = Facts(
        usage=Usage(input_tokens=tokens, output_tokens=1) if reported else None,
        cost=Cost(micros=micros, currency=currency),
    )
    params = {"most_micros": 10, "currency": "USD", "most_tokens": 10, "tokens": "total"}
    ours, theirs = both("cost", params, Call(output={}, facts=facts))
    assert ours == theirs
