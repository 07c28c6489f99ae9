"""Whatever is sent, the answer is a problem that says what to do, and never a 500."""

from typing import Any

import pytest
from django.test import Client

from tests import cast
from tests.marketplace.api.programs import Program, program_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Program:
    return program_of(cast.alice())


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() - {"errors"} == {"type", "title", "status", "detail"}
    assert body["status"] == status
    return body


HOSTILE = {
    b'{"name": NaN}': "NaN is not JSON",
    b'{"name": "a", "name": "b"}': "the same key twice",
    b'{"name": "\\ud800"}': "lone surrogate",
    b'{"name": "a\\u0000b"}': "NUL",
    b'{"name": ' + b"[" * 5000 + b"]" * 5000 + b"}": "nested",
    b'{"name": 1e400000}': "number",
    b'{"name"': "not JSON",
    b"\xff\xfe": "UTF-8",
}


@pytest.mark.parametrize("body", HOSTILE)
def test_a_body_that_is_not_strict_json_is_refused_with_the_reason(
    alice: Program, body: bytes
) -> None:
    answer = alice.ask("POST", "parties", body)
    assert HOSTILE[body] in problem(answer, 400)["detail"]


def test_a_body_longer_than_the_limit_is_refused_by_its_size(alice: Program) -> None:
    answer = alice.ask("POST", "parties", b'{"name": "' + b"a" * 1_000_001 + b'"}')
    assert "1000000 bytes" in problem(answer, 413)["detail"]


def test_another_content_type_is_refused(alice: Program) -> None:
    answer = alice.ask("POST", "parties", b"name=a", content_type="text/plain")
    assert "text/plain" in problem(answer, 415)["detail"]


@pytest.mark.parametrize("body", [[], [1], "text", 7, None, True])
def test_a_body_that_is_no_object_is_refused(alice: Program, body: Any) -> None:
    import json

    problem(alice.ask("POST", "parties", json.dumps(body).encode()), 400)


def test_every_wrong_field_is_named(alice: Program) -> None:
    errors = problem(alice.post("parties", {"kind": "club"}), 400)["errors"]
    assert {error["field"] for error in errors} == {"name", "kind"}


def test_a_wrong_field_deep_inside_is_named_by_its_place(alice: Program) -> None:
    tasks = [{"input": {}}, {"input": 7}]
    answer = alice.post("task-sets", {"name": "Numbers", "work": "sums", "tasks": tasks})
    assert problem(answer, 400)["errors"][0]["field"] == "tasks.1.input"


@pytest.mark.parametrize("path", ["nothing", "agents/agt_1", "agents/..%2f", "agents/%00"])
def test_an_unknown_address_answers_with_a_problem(path: str) -> None:
    problem(Program().get(path), 404)


@pytest.mark.parametrize(
    "query",
    ["name=%00", "cursor=%00", "cursor=cD0lMDA%3D", "cursor=cD1mb28%3D", "limit=-1", "work=%ff"],
)
def test_a_hostile_query_is_never_a_fault(query: str) -> None:
    assert Program().get(f"agents?{query}").status_code < 500


def test_a_filter_with_an_unknown_choice_is_refused() -> None:
    assert "state" in problem(Program().get("listings?state=melted"), 400)["errors"][0]["field"]


def test_a_method_the_noun_lacks_is_refused(alice: Program) -> None:
    assert problem(alice.ask("DELETE", "agents"), 405)


def test_an_unknown_key_is_refused_and_told_apart_from_none() -> None:
    answer = Program("ek_unknown").get("me")
    assert "unknown, expired or revoked" in problem(answer, 401)["detail"]
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_browser_needs_its_csrf_token() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.alice().user)
    answer = browser.post("/api/v1/parties", {"name": "Another"}, content_type="application/json")
    assert "CSRF" in problem(answer, 403)["detail"]


def test_a_fault_of_ours_says_nothing_about_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret is swordfish")

    monkeypatch.setattr("marketplace.api.agents.Agents.get_queryset", fail)
    answer = Program().get("agents")
    assert problem(answer, 500)
    assert b"swordfish" not in answer.content
