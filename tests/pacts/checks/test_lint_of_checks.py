"""What the linter makes of what each check says of itself."""

import pytest

from pacts.checks import CHECKS, Check
from pacts.lint import Finding, lint
from pacts.terms import parse
from reputation.canonical import JsonValue
from tests.pacts.pacts_of_bob import clause, pact

VACUOUS = [(check, params) for check in CHECKS.values() for params in check.vacuous]


def errors(kind: str, params: dict[str, JsonValue]) -> dict[str, Finding]:
    found = lint(parse(pact(clause(check=kind, params=params))))
    return {finding.code: finding for finding in found if finding.severity == "error"}


@pytest.mark.parametrize(("check", "params"), VACUOUS, ids=[check.kind for check, _ in VACUOUS])
def test_no_clause_may_ask_for_nothing(check: Check, params: dict[str, JsonValue]) -> None:
    finding = errors(check.kind, params)["vacuous"]
    assert all(kind in finding.remedy for kind in check.neighbours)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("exact_match", "equality"),
        ("pii", "sensitive_data"),
        ("Prompt-Leak", "canary"),
        ("sql", "sql_statement"),
        ("latancy", "latency"),
        ("faithfulness", "grounding"),
    ],
)
def test_a_name_from_elsewhere_is_answered_with_the_one_it_has_here(
    written: str, meant: str
) -> None:
    assert f"“{meant}” is nearest" in errors(written, {})["unknown_check"].message


def test_a_time_beyond_the_deadline_is_no_time_limit() -> None:
    assert "vacuous" in errors("availability", {"within_ms": 20_000})
    assert errors("availability", {"within_ms": 19_999}) == {}
