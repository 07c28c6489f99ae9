"""Every template is fit to be published as it is, and its checks tell right answers from wrong."""

from typing import Any

import pytest

from pacts.checks import CHECKS, Call
from pacts.lint import lint
from pacts.templates_library import Template, UnknownTemplate, library, template_called
from pacts.terms import parse, to_json
from pacts.texts import read_terms, write_yaml

WANTED = {
    *("support", "coding", "extraction", "retrieval", "text-to-sql"),
    *("classification", "translation", "research"),
}
TOLD_APART = {"citations", "grounding", "sql_result", "sql_statement"}
RHINE = "Cologne lies on the Rhine, the longest river of the country."
# What every task asks with; templates read of it what they need.
TEXTS: list[Any] = [
    {"id": "s1", "text": "Apollo 11 landed on the Moon on 20 July 1969."},
    {"id": "s2", "text": RHINE},
]
INPUT: dict[str, Any] = {"question": "Which river?", "sources": TEXTS, "documents": TEXTS}
# For each: what the task expects, a right answer, and a wrong one.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "support": (
        {"action": "refund", "facts": ["14 days"]},
        {"action": "Refund", "reply": "You have 14 days to send it back."},
        {"action": "none", "reply": "Hello."},
    ),
    "coding": (
        {"results": [1, 4]},
        {"code": "def f(x): return x * x", "results": [1, 4]},
        {"code": "def f(x): return x", "results": [1, 2]},
    ),
    "extraction": (
        {"fields": {"total": 12.5, "vat_id": None}},
        {"fields": {"total": 12.50, "vat_id": None}, "confidence": 0.9},
        {"fields": {"total": 12.5, "vat_id": "DE1"}, "confidence": 0.9},
    ),
    "retrieval": (
        {"answer": "the Rhine"},
        {"answer": "The Rhine.", "citations": [{"source": "s2", "quote": RHINE}]},
        {"answer": "The Elbe, 1094 km", "citations": [{"source": "s2", "quote": "on the Elbe"}]},
    ),
    "text-to-sql": (
        {
            "database": {
                "tables": {"orders": {"columns": {"n": "INT"}, "rows": [[1], [2], [3]]}},
            },
            "rows": [[1], [2]],
        },
        {"sql": "SELECT n FROM orders WHERE n < 3 ORDER BY n DESC"},
        {"sql": "DELETE FROM orders; SELECT 1"},
    ),
    "classification": (
        {"label": "complaint"},
        {"label": "Complaint", "confidence": 0.97},
        {"label": "praise", "confidence": 0.97},
    ),
    "translation": (
        {"text": "The train leaves at 10:15.", "terms": ["10:15"]},
        {"text": "The train leaves at 10:15."},
        {"text": "Ananas"},
    ),
    "research": (
        {"answer": "1969"},
        {
            "answer": "1969.",
            "report": "Apollo 11 landed on 20 July 1969.",
            "citations": [
                {"source": "s1", "quote": "Apollo 11 landed on the Moon"},
                {"source": "s1", "quote": "landed on the Moon on 20 July 1969"},
            ],
        },
        {
            "answer": "1970",
            "report": "Apollo 12 landed in 1970.",
            "citations": [{"source": "s1", "quote": "Apollo 11 landed on the Moon"}],
        },
    ),
}


def test_the_library_has_every_kind_of_work_it_is_known_for() -> None:
    assert {template.slug for template in library()} >= WANTED
    assert set(CASES) >= WANTED


@pytest.mark.parametrize("template", library(), ids=lambda template: template.slug)
def test_a_template_can_be_published_as_it_is_and_nothing_warns_of_it(template: Template) -> None:
    grave = [found for found in lint(template.terms) if found.severity != "note"]
    assert grave == []


@pytest.mark.parametrize("template", library(), ids=lambda template: template.slug)
def test_a_template_is_whole(template: Template) -> None:
    terms = template.terms
    assert len(terms.clauses) >= 4
    assert len({clause.dimension for clause in terms.clauses}) >= 3
    assert terms.disqualifying
    assert terms.residual_risks
    assert terms.scope.declines
    assert read_terms(write_yaml(terms)) == terms
    assert parse(to_json(terms)) == terms


@pytest.mark.parametrize("slug", sorted(CASES))
def test_a_templates_checks_pass_a_right_answer_and_fail_a_wrong_one(slug: str) -> None:
    expected, right, wrong = CASES[slug]
    for clause in template_called(slug).terms.clauses:
        outcomes = [
            CHECKS[clause.check]
            .answer(
                clause.params,
                Call(input=INPUT, expected=expected, output=output, in_scope=True, latency_ms=1.0),
            )
            .outcome
            for output in (right, wrong)
        ]
        assert outcomes[0] == "pass", (slug, clause.key)
        if clause.check in TOLD_APART or (clause.critical and clause.check != "scope"):
            assert outcomes[1] == "fail", (slug, clause.key)


def test_templates_quote_sources_and_run_queries() -> None:
    kinds = {slug: {c.check for c in template_called(slug).terms.clauses} for slug in CASES}
    assert kinds["retrieval"] >= {"citations", "grounding"}
    assert kinds["research"] >= {"citations", "grounding"}
    assert kinds["text-to-sql"] >= {"sql_result", "sql_statement"}


@pytest.mark.parametrize(
    "sql", ["SELECT n FROM secrets", "UPDATE orders SET n = 1", "SELECT 1; ;x"]
)
def test_a_query_beyond_the_agreed_tables_breaks_the_promise_to_only_read(sql: str) -> None:
    clauses = template_called("text-to-sql").terms.clauses
    (reads,) = [clause for clause in clauses if clause.key == "only-reads"]
    answer = CHECKS[reads.check].answer(reads.params, Call(output={"sql": sql}, in_scope=True))
    assert answer.outcome == "fail"


def test_a_template_nobody_wrote_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownTemplate, match="support"):
        template_called("astrology")
