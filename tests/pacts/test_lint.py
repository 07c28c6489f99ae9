from typing import Any

import pytest

from pacts.lint import Finding, lint
from pacts.terms import parse
from tests.pacts.pacts_of_bob import clause, pact


def found(*clauses: dict[str, Any], **changes: Any) -> list[Finding]:
    return lint(parse(pact(*clauses, **changes)))


def errors(*clauses: dict[str, Any], **changes: Any) -> set[tuple[str, str]]:
    return {(f.code, f.path) for f in found(*clauses, **changes) if f.severity == "error"}


def test_a_complete_pact_has_no_error_and_says_how_long_a_verdict_takes() -> None:
    findings = found()
    assert [f.severity for f in findings] == ["note"]
    assert findings[0].message == (
        "a perfect agent needs about 46 clean calls, an agent exactly on its promise about 185"
    )


def test_a_pact_without_clauses_is_refused() -> None:
    assert errors(clauses=[]) == {("no_clauses", "$.clauses")}


@pytest.mark.parametrize("name", ["window", "consequence", "owner", "review_cadence_days"])
def test_a_threshold_without_its_consequences_is_decoration(name: str) -> None:
    assert (f"no_{name}", f"$.clauses[0].{name}") in errors(clause(**{name: None}))


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"promise_bps": 0, "floor_bps": 0}, "vacuous", "promise_bps"),
        ({"floor_bps": 0}, "vacuous", "floor_bps"),
        ({"promise_bps": 10_000}, "perfection", "promise_bps"),
        ({"promise_bps": 8900}, "floor_above_promise", "floor_bps"),
        ({"check": "vibes"}, "unknown_check", "check"),
        ({"params": {}}, "params", "params"),
        ({"params": {"field": "x", "normalise": ["rot13"]}}, "params", "params.normalise.0"),
        ({"check": "json_schema", "params": {"schema": {}}}, "vacuous", "params"),
        ({"check": "json_schema", "params": {"schema": True}}, "vacuous", "params"),
        ({"check": "json_schema", "params": {"schema": {"$ref": "#"}}}, "params", "params"),
        ({"check": "regex", "params": {"field": "x", "pattern": ".*"}}, "vacuous", "params"),
        ({"check": "regex", "params": {"field": "x", "pattern": "(?<=a)b"}}, "params", "params"),
        ({"check": "latency", "params": {"limit_ms": 20_000}}, "vacuous", "params"),
        ({"check": "consistency"}, "repeats", "repeats"),
        ({"repeats": 3}, "repeats", "unit"),
        ({"window": {"kind": "days", "n": 400}}, "unbounded", "window.n"),
        ({"window": {"kind": "calls", "n": 10**9}}, "unbounded", "window.n"),
        ({"window": {"kind": "calls", "n": 45}}, "unenforceable", "window"),
        ({"min_count": 500}, "unenforceable", "min_count"),
    ],
)
def test_what_cannot_be_kept_to_or_enforced_is_refused(
    changes: dict[str, Any], code: str, place: str
) -> None:
    assert (code, f"$.clauses[0].{place}") in errors(clause(**changes))


def test_a_window_that_cannot_see_enough_says_the_numbers() -> None:
    [finding] = [
        f for f in found(clause(window={"kind": "calls", "n": 40})) if f.code == "unenforceable"
    ]
    assert "about 40 calls" in finding.message
    assert "about 46 clean calls" in finding.message
    assert "about 185" in finding.message
    assert finding.remedy


def test_a_window_that_only_a_perfect_agent_fits_is_a_warning() -> None:
    codes = {f.code: f.severity for f in found(clause(window={"kind": "calls", "n": 100}))}
    assert codes["often_undetermined"] == "warning"
    assert not errors(clause(window={"kind": "calls", "n": 100}))


def test_volume_tells_what_a_milestone_or_a_day_sees() -> None:
    milestone = clause(window={"kind": "milestone"})
    assert "volume_unknown" in {f.code for f in found(milestone)}
    assert errors(milestone, volume={"calls_per_milestone": 30})
    assert not errors(milestone, volume={"calls_per_milestone": 300})
    days = clause(window={"kind": "days", "n": 10})
    assert errors(days, volume={"calls_per_day": 4})
    assert not errors(days, volume={"calls_per_day": 5})


def test_repeats_use_calls_up() -> None:
    consistent = clause(check="consistency", unit="task", repeats=4)
    assert errors({**consistent, "window": {"kind": "calls", "n": 160}})
    assert not errors({**consistent, "window": {"kind": "calls", "n": 200}})


def test_weights_share_out_the_whole_price() -> None:
    assert ("weights", "$.clauses") in errors(clause(weight_bps=9999))
    halves = [clause(key=key, weight_bps=5000) for key in ("a", "b")]
    assert not errors(*halves)


def test_two_clauses_of_one_key_are_refused() -> None:
    assert ("duplicate_key", "$.clauses") in errors(
        clause(weight_bps=5000), clause(weight_bps=5000)
    )


def test_a_breach_that_costs_nothing_is_refused() -> None:
    free = clause(key="free", weight_bps=0, consequence="reduce")
    assert ("toothless", "$.clauses[1].weight_bps") in errors(clause(), free)
    assert not errors(clause(), {**free, "consequence": "withhold"})


def test_a_census_may_promise_everything_and_needs_no_number_of_calls() -> None:
    census = clause(
        estimand="realized",
        promise_bps=10_000,
        floor_bps=10_000,
        window={"kind": "calls", "n": 5},
    )
    assert not errors(census)


def test_a_strict_clause_that_asks_a_person_is_a_warning() -> None:
    strict = clause(floor_bps=9500, on_undetermined="human_review")
    assert "strict" in {f.code for f in found(strict)}


def test_an_agent_that_always_declines_is_warned_of() -> None:
    weak = clause(params={"field": "x", "abstention": "pass"})
    assert ("weak", "warning") in {(f.code, f.severity) for f in found(weak)}


def test_a_refused_output_schema_is_found() -> None:
    assert ("output_schema", "$.output_schema") in errors(
        output_schema={"$ref": "https://a.example"}
    )


def test_every_error_says_what_to_do() -> None:
    findings = found(
        clause(owner=None, promise_bps=0, params={}, window=None), output_schema={"x": 1}
    )
    assert all(f.remedy and f.message for f in findings if f.severity != "note")


def test_a_disqualifying_mode_needs_a_clause_that_finds_it_and_vetoes() -> None:
    mode = {"mode": "Names a language that does not exist", "clause": "accuracy"}
    place = "$.disqualifying[0].clause"
    assert ("undetected", place) in errors(disqualifying=[mode | {"clause": "nothing"}])
    assert ("not_disqualifying", place) in errors(disqualifying=[mode])
    assert not errors(clause(severity="critical"), disqualifying=[mode])


@pytest.mark.parametrize(
    ("who", "code"),
    [("self", "interested"), ("buyer", "interested"), ("third_party", "third_party")],
)
def test_an_evaluator_who_is_not_the_platform_is_warned_of(who: str, code: str) -> None:
    assert (code, "warning") in {(f.code, f.severity) for f in found(independence=who)}
    assert not {f.code for f in found(independence="platform")} & {"interested", "third_party"}


def test_a_census_has_no_risk_to_spread() -> None:
    census = clause(estimand="realized", risk_over="lifetime", window={"kind": "calls", "n": 50})
    assert "no_risk_to_spend" in {f.code for f in found(census)}


def test_an_audited_jury_and_a_drop_need_the_calls_of_their_own_scale() -> None:
    jury = {"jury": "sha256:" + "0" * 64, "rule": "majority", "review_bps": 2000}
    audited = clause(check="judged_anchored", params=jury, window={"kind": "calls", "n": 300})
    said = {f.code: f.message for f in found(audited)}
    assert said["effort"] == (
        "a perfect agent needs about 254 clean calls, an agent exactly on its promise about 562, "
        "while people find what the jury found; every correction makes it longer"
    )
    assert "often_undetermined" in said
    assert errors({**audited, "window": {"kind": "calls", "n": 250}})
