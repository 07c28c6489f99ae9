import copy
import json
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.terms import (
    Clause,
    FailureMode,
    Independence,
    PactTerms,
    Scope,
    TermsError,
    Volume,
    Window,
    canonical,
    digest,
    parse,
    suffices,
    to_json,
)
from tests.pacts.pacts_of_bob import clause, pact

words = st.text("abc é漢 ", min_size=1, max_size=20).filter(str.strip)
slugs = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True)
windows = st.one_of(
    st.none(),
    st.just(Window(kind="milestone")),
    st.builds(Window, kind=st.sampled_from(["calls", "days"]), size=st.integers(1, 10**6)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
clauses = st.builds(
    Clause,
    key=slugs,
    title=words,
    dimension=slugs,
    check=words,
    params=st.dictionaries(st.text(max_size=5), json_values, max_size=3),
    unit=st.sampled_from(["call", "task", "session"]),
    estimand=st.sampled_from(["propensity", "realized"]),
    promise_bps=st.integers(0, 10_000),
    floor_bps=st.integers(0, 10_000),
    window=windows,
    min_count=st.integers(1, 1000),
    weight_bps=st.integers(0, 10_000),
    severity=st.sampled_from(["normal", "critical"]),
    risk_over=st.sampled_from(["window", "lifetime"]),
    on_undetermined=st.sampled_from(["release", "prorate", "withhold", "extend", "human_review"]),
    consequence=st.sampled_from([None, "withhold", "reduce"]),
    owner=st.none() | words,
    review_cadence_days=st.none() | st.integers(1, 3660),
    repeats=st.integers(1, 100),
)
pacts = st.builds(
    PactTerms,
    title=words,
    summary=st.text(max_size=20),
    scope=st.builds(Scope, takes=st.lists(words, max_size=3).map(tuple)),
    clauses=st.lists(clauses, max_size=4).map(tuple),
    disqualifying=st.lists(st.builds(FailureMode, mode=words, clause=slugs), max_size=2).map(tuple),
    residual_risks=st.lists(words, max_size=2).map(tuple),
    independence=st.sampled_from(["self", "buyer", "platform", "third_party"]),
    on_breach=st.sampled_from(["refund", "prorate"]),
    output_schema=st.none() | st.dictionaries(st.text(max_size=5), json_values, max_size=2),
    volume=st.none() | st.builds(Volume, calls_per_day=st.none() | st.integers(1, 10**6)),
)


@settings(max_examples=60, deadline=None)
@given(pacts)
def test_what_is_written_reads_back_equal_with_the_same_digest(terms: PactTerms) -> None:
    again = parse(json.loads(canonical(terms)))
    assert again == terms
    assert digest(again) == digest(terms)


def test_defaults_are_written_out_so_a_signature_covers_them() -> None:
    written = to_json(parse(pact()))["clauses"]
    assert isinstance(written, list)
    assert isinstance(written[0], dict)
    assert written[0]["alpha_bps"] == 500
    assert written[0]["on_error"] == "rerun"


def test_key_order_does_not_change_the_digest() -> None:
    data = pact()
    assert digest(parse(data)) == digest(parse(dict(reversed(data.items()))))


def test_terms_are_frozen_and_hold_no_door_to_the_caller_s_data() -> None:
    data = pact()
    terms = parse(data)
    before = digest(terms)
    data["clauses"][0]["params"]["field"] = "changed"
    assert digest(terms) == before
    with pytest.raises(FrozenInstanceError):
        terms.title = "changed"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (["version"], "earnest-pact/2", "$.version"),
        (["title"], "  ", "$.title"),
        (["titel"], "x", "$.titel"),
        (["scope", "in"], "everything", "$.scope.in"),
        (["scope", "in"], [""], "$.scope.in"),
        (["on_breach"], "sue", "$.on_breach"),
        (["output_schema"], True, "$.output_schema"),
        (["clauses"], {}, "$.clauses"),
        (["clauses", 0], "clause", "$.clauses[0]"),
        (["clauses", 0, "key"], "Not A Key", "$.clauses[0].key"),
        (["clauses", 0, "promise_bps"], 0.95, "$.clauses[0].promise_bps"),
        (["clauses", 0, "promise_bps"], True, "$.clauses[0].promise_bps"),
        (["clauses", 0, "promise_bps"], 10_001, "$.clauses[0].promise_bps"),
        (["clauses", 0, "promise_bps"], "9500", "$.clauses[0].promise_bps"),
        (["clauses", 0, "window"], {"kind": "forever"}, "$.clauses[0].window.kind"),
        (["clauses", 0, "window"], {"kind": "calls"}, "$.clauses[0].window.n"),
        (["clauses", 0, "window"], {"kind": "milestone", "n": 1}, "$.clauses[0].window.n"),
        (["clauses", 0, "window"], {"kind": "calls", "n": 0}, "$.clauses[0].window.n"),
        (["clauses", 0, "critical"], "yes", "$.clauses[0].critical"),
        (["clauses", 0, "severity"], "grave", "$.clauses[0].severity"),
        (["clauses", 0, "risk_over"], "eternity", "$.clauses[0].risk_over"),
        (["disqualifying"], ["leaks"], "$.disqualifying[0]"),
        (["disqualifying"], [{"mode": "leaks"}], "$.disqualifying[0].clause"),
        (["residual_risks"], "some", "$.residual_risks"),
        (["independence"], "third party", "$.independence"),
        (["clauses", 0, "consequence"], "shame", "$.clauses[0].consequence"),
        (["clauses", 0, "params"], [], "$.clauses[0].params"),
        (["clauses", 0, "params"], {"x": 2**60}, "$.clauses[0].params.x"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_its_cure(
    path: list[Any], value: object, place: str
) -> None:
    data = copy.deepcopy(pact())
    target: Any = data
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    with pytest.raises(TermsError) as caught:
        parse(data)
    assert caught.value.path == place
    assert caught.value.remedy


@pytest.mark.parametrize("missing", ["key", "title", "dimension", "check", "promise_bps"])
def test_a_missing_field_is_named(missing: str) -> None:
    with pytest.raises(TermsError) as caught:
        parse(pact(clause(**{missing: None})))
    assert caught.value.path == f"$.clauses[0].{missing}"


@pytest.mark.parametrize("data", [None, [], "pact", 7, float("nan"), {"a": float("inf")}])
def test_what_is_no_pact_at_all_is_refused(data: object) -> None:
    with pytest.raises(TermsError):
        parse(data)


def test_too_many_clauses_and_too_many_bytes_are_refused() -> None:
    with pytest.raises(TermsError, match="at most 40"):
        parse(pact(*[clause(key=f"c{i}") for i in range(41)]))
    with pytest.raises(TermsError, match="bytes"):
        parse(pact(clause(params={"x": "y" * 300_000})))


def test_a_clause_is_found_by_its_key() -> None:
    terms = parse(pact())
    assert terms.clause("accuracy").promise == 0.95
    with pytest.raises(KeyError):
        terms.clause("speed")


def test_pacts_signed_before_there_was_a_severity_keep_their_meaning() -> None:
    grave = parse(pact(clause(critical=True)))
    assert grave.clauses[0].severity == "critical"
    assert parse(pact(clause(critical=False))) == parse(pact())
    assert digest(grave) == digest(parse(pact(clause(severity="critical"))))
    with pytest.raises(TermsError, match="severity says it already"):
        parse(pact(clause(critical=True, severity="normal")))


def test_a_number_that_is_whole_may_be_written_with_a_point() -> None:
    assert digest(parse(pact(clause(promise_bps=9500.0)))) == digest(parse(pact()))


@pytest.mark.parametrize(
    ("evaluator", "required", "enough"),
    [
        ("platform", "platform", True),
        ("third_party", "platform", True),
        ("buyer", "platform", False),
        ("self", "self", True),
        ("platform", "third_party", False),
        ("oracle", "self", False),
    ],
)
def test_an_evaluation_counts_where_it_is_independent_enough(
    evaluator: str, required: Independence, enough: bool
) -> None:
    assert suffices(evaluator, required=required) is enough


def test_a_session_is_a_unit_and_failure_modes_name_the_clause_that_finds_them() -> None:
    terms = parse(
        pact(
            clause(unit="session"),
            disqualifying=[{"mode": "Names a language that does not exist", "clause": "accuracy"}],
            residual_risks=["Dialects are told apart badly"],
        )
    )
    assert terms.clauses[0].unit == "session"
    assert terms.disqualifying == (
        FailureMode(mode="Names a language that does not exist", clause="accuracy"),
    )
