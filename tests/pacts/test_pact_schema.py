"""The published schema and the parser are one language, whatever is thrown at them."""

import copy
import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.checks import CHECKS
from pacts.pact_schema import pact_schema
from pacts.terms import TermsError, parse, to_json
from tests.pacts.pacts_of_bob import clause, pact
from tests.pacts.test_terms import clauses, json_values, pacts

SCHEMA = jsonschema_rs.Draft202012Validator(pact_schema(), offline=True)
PARAMS = [(kind, dict(fixture.params)) for kind, check in CHECKS.items() for fixture in check.good]
texts = st.text(st.characters(codec="utf-8"), max_size=6)
anything = st.one_of(
    json_values,
    texts,
    st.sampled_from([None, True, 0, 1, 9500.0, 0.5, 10**9, 10**9 + 1, -1, "", " ", "\x1f", "\x85"]),
    st.sampled_from(["milestone", "calls", "third_party", "critical", "session", [], {}, [{}]]),
)
names = st.sampled_from(
    [*to_json(parse(pact())), *clause(), "critical", "severity", "risk_over", "n", "mode", "x"]
)


def reads(data: Any) -> bool:
    """Whether the parser takes it, and the schema of every clause's check its parameters."""
    try:
        terms = parse(data)
    except TermsError:
        return False
    return all(each.check in CHECKS and _fits(each.check, each.params) for each in terms.clauses)


def _fits(kind: str, params: Any) -> bool:
    schema = CHECKS[kind].params_schema
    return jsonschema_rs.Draft202012Validator(schema, offline=True).is_valid(dict(params))


def objects(value: Any) -> list[Any]:
    """Every object and list inside, itself included."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [found for each in inner for found in objects(each)]


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A good pact with up to three changes anywhere in it."""
    terms: Any = to_json(draw(pacts))
    terms["clauses"] = [to_clause(draw) for _ in range(draw(st.integers(0, 2)))]
    for _ in range(draw(st.integers(0, 3))):
        target = draw(st.sampled_from(objects(terms)))
        if isinstance(target, list):
            target.append(draw(anything))
        elif draw(st.booleans()) and target:
            target.pop(draw(st.sampled_from(sorted(target))))
        else:
            target[draw(names)] = draw(anything)
    found: dict[str, Any] = terms
    return found


def to_clause(draw: st.DrawFn) -> dict[str, Any]:
    kind, params = draw(st.sampled_from(PARAMS))
    return {**draw(clauses).to_json(), "check": kind, "params": copy.deepcopy(params)}


@settings(max_examples=250, deadline=None)
@given(spoiled())
def test_the_schema_accepts_what_the_parser_reads_and_nothing_else(data: dict[str, Any]) -> None:
    assert SCHEMA.is_valid(data) == reads(data), json.dumps(data)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(spoiled())
def test_the_schema_accepts_what_the_parser_reads_over_and_over(data: dict[str, Any]) -> None:
    assert SCHEMA.is_valid(data) == reads(data), json.dumps(data)


@pytest.mark.parametrize(("kind", "params"), PARAMS)
def test_every_check_s_fixtures_fit_the_schema(kind: str, params: dict[str, Any]) -> None:
    data = pact(clause(check=kind, params=params))
    assert SCHEMA.is_valid(data), [str(error) for error in SCHEMA.iter_errors(data)]


@pytest.mark.parametrize(
    "changes",
    [
        {"check": "vibes"},
        {"params": {"field": 7}},
        {"check": "latency", "params": {}},
        {"check": "latency", "params": None},
        {"promise_bps": 10_001},
        {"promise_bps": "9500"},
        {"window": {"kind": "milestone", "n": 1}},
        {"severity": "critical", "critical": True},
        {"title": "\x1f"},
        {"key": "Upper"},
    ],
)
def test_a_mistake_in_a_clause_is_underlined_by_an_editor(changes: dict[str, Any]) -> None:
    data = pact(clause(**changes))
    assert not SCHEMA.is_valid(data)
    assert not reads(data)


def test_the_schema_is_a_schema_and_needs_nothing_from_elsewhere() -> None:
    schema = pact_schema()
    jsonschema_rs.meta.validate(schema)
    refs = [node["$ref"] for node in objects(schema) if isinstance(node, dict) and "$ref" in node]
    assert refs
    assert all(isinstance(ref, str) and ref.startswith("#/$defs/") for ref in refs)


def test_the_deprecated_spelling_is_read_and_marked() -> None:
    assert SCHEMA.is_valid(pact(clause(critical=True)))
    fields: Any = pact_schema()["$defs"]
    assert fields["clause"]["properties"]["critical"]["deprecated"] is True
