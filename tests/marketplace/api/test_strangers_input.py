"""What strangers send about agents, pacts and tasks: refused in words, whatever it is."""

from typing import Any

import pytest

from pacts.models import Agent, PactVersion
from tests import cast
from tests.marketplace.api.programs import Program, program_of

pytestmark = pytest.mark.django_db

URLS = [
    "",
    "agent",
    "ftp://agent.example/run",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://user:word@agent.example/",
    "http://agent.example\\@127.0.0.1/",
    "http://agent.example:0/",
    "http://agent.example:99999/",
    "http://[::1",
    "http://127.0.0.1\r\nHost: x/",
    "http://" + "a" * 3000 + ".example/",
]


def refused(answer: Any) -> dict[str, Any]:
    assert 400 <= answer.status_code < 500, answer.content
    body: dict[str, Any] = answer.json()
    assert len(body["detail"]) > 15
    return body


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.mark.parametrize("url", URLS)
def test_an_address_nobody_may_call_registers_no_agent(bob: cast.Actor, url: str) -> None:
    body = {"name": "Doubler", "work": "arithmetic", "endpoint": url}
    refused(program_of(bob).post("agents", body))
    assert not Agent.objects.exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://169.254.169.254/", "http://[::]/"])
def test_an_address_inside_proves_no_control(bob: cast.Actor, url: str) -> None:
    program = program_of(bob)
    made = program.post("agents", {"name": "Inside", "work": "arithmetic", "endpoint": url})
    if made.status_code == 201:
        refused(program.ask("PUT", f"agents/{made.json()['id']}/control-proof"))
    assert not Agent.objects.filter(control_proved_at__isnull=False).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"version": "earnest-pact/9"},
        {"clauses": []},
        {"clauses": [{}]},
        {"surprise": 1},
        {"clauses": [cast.clause(check="regex", params={"field": "a", "pattern": "(?<=a)b"})]},
        {"clauses": [cast.clause(check="regex", params={"field": "a", "pattern": "(" * 2000})]},
        {"clauses": [cast.clause(check="json_schema", params={"schema": {"$ref": "http://x/"}})]},
        {"clauses": [cast.clause(check="unknown")]},
        {"clauses": [cast.clause(promise_bps=10**30)]},
        {"clauses": [cast.clause(promise_bps=0.9)]},
    ],
)
def test_terms_nobody_could_keep_are_never_published(
    bob: cast.Actor, change: dict[str, Any]
) -> None:
    program, agent = program_of(bob), cast.agent_of(bob).agent_id
    drafted = program.post("pacts", {"agent": agent, "terms": cast.pact_terms(**change)})
    if drafted.status_code == 201:
        version = drafted.json()["id"]
        report = program.get(f"pact-versions/{version}/lint").json()
        assert not report["publishable"]
        assert report["findings"][0]["message"]
        refused(program.post(f"pact-versions/{version}/publication"))
    else:
        refused(drafted)
    assert not PactVersion.objects.filter(published_at__isnull=False).exists()


@pytest.mark.parametrize(
    "tasks",
    [
        [],
        {},
        "x",
        [1],
        [{}],
        [{"input": []}],
        [{"input": {}, "expected": 1}],
        [{"input": {}, "in_scope": "maybe"}],
        [{"input": {}, "stratum": "s" * 41}],
        [{"input": {"n": 2**60}}],
    ],
)
def test_tasks_that_cannot_be_used_make_no_set(tasks: Any) -> None:
    body = {"name": "Numbers", "work": "arithmetic", "tasks": tasks}
    refused(program_of(cast.alice()).post("task-sets", body))


def test_a_pact_of_somebody_elses_agent_is_drafted_by_nobody_else(bob: cast.Actor) -> None:
    agent = cast.agent_of(bob).agent_id
    body = {"agent": agent, "terms": cast.pact_terms()}
    answer = program_of(cast.mallory()).post("pacts", body)
    absent = program_of(cast.alice()).post("pacts", {**body, "agent": "agt_1"})
    assert (answer.status_code, answer.content) == (404, absent.content)


def test_the_tasks_of_somebody_else_are_never_tried_or_hired_with(bob: cast.Actor) -> None:
    version = cast.agent_of(bob)
    tasks = cast.golden_set(cast.alice(), cast.doubling_tasks(2))
    body = {
        "agent_version": version.id,
        "pact_version": cast.pact_of(version, bob).id,
        "task_set_version": tasks.id,
    }
    assert program_of(cast.mallory()).post("evaluations", body).status_code == 404


def test_an_agent_that_is_not_offered_is_tried_by_its_builder_alone(bob: cast.Actor) -> None:
    version = cast.agent_of(bob)
    Agent.objects.update(control_proved_at="2026-01-01T00:00:00Z")
    pact = cast.pact_of(version, bob)

    def attempt(actor: cast.Actor) -> Any:
        tasks = cast.golden_set(actor, cast.doubling_tasks(2))
        return program_of(actor).post(
            "evaluations",
            {
                "agent_version": version.id,
                "pact_version": pact.id,
                "task_set_version": tasks.id,
            },
        )

    assert "not offered" in refused(attempt(cast.alice()))["detail"]
    assert attempt(bob).json()["purpose"] == "screening"


def test_nobody_without_a_key_makes_anything() -> None:
    for path in ("agents", "pacts", "task-sets", "listings", "engagements", "deposits"):
        assert Program().post(path, {}).status_code == 401, path
