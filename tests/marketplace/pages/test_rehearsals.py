"""Dry runs and adversarial runs on their pages and through the API."""

import json
from typing import Any

import pytest
from django.utils.timezone import now as clock

from pacts import publishing, rehearsing, runner
from pacts.models import Agent, AgentVersion, PactVersion, Rehearsal
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser_of, token_in

pytestmark = pytest.mark.django_db

TASKS = "\n".join(
    json.dumps({"input": {"number": n}, "expected": {"answer": 2 * n}}) for n in range(3)
)


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def drafted(bob: cast.Actor, url: str = cast.DEAD_END) -> tuple[AgentVersion, PactVersion]:
    version = cast.agent_of(bob, url)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    return version, publishing.draft_pact(agent=version.agent, data=cast.pact_terms())


def work() -> Rehearsal:
    run = Rehearsal.objects.get()
    while rehearsing.rehearse(rehearsal_id=run.pk, egress=runner.egress()):
        pass
    return run


def test_a_builder_tries_a_draft_and_reads_of_each_task_why() -> None:
    bob = cast.bob()
    client = browser_of(bob)
    with cast.agent_service(lambda given: {"answer": 2}) as url:
        _, pact = drafted(bob, url)
        there = f"/builder/pacts/{pact.id}/dry-run/"
        form = client.get(there)
        sent = {"tasks": TASKS, "idempotency_key": token_in(form)}
        started = client.post(there, sent)
        assert started.status_code == 302
        waiting = client.get(started["Location"]).content.decode()
        assert 'data-state="running"' in waiting
        work()
    page = client.get(started["Location"]).content.decode()
    assert 'data-state="done"' in page
    assert "1 of 3 kept" in page
    assert page.count('data-failed="yes"') == 2
    assert client.get(f"{started['Location']}live/?seen=done-3").status_code == 204


def test_pasted_answers_need_one_line_for_each_task_and_nothing_typed_is_lost() -> None:
    bob = cast.bob()
    client = browser_of(bob)
    _, pact = drafted(bob)
    there = f"/builder/pacts/{pact.id}/dry-run/"
    sent = {"tasks": TASKS, "answers": '{"answer": 0}', "idempotency_key": "k" * 22}
    page = client.post(there, sent).content.decode()
    assert "3 tasks and 1 answers" in page
    assert "&quot;number&quot;: 2" in page
    assert not Rehearsal.objects.exists()


def test_an_adversarial_run_shows_its_families_and_its_failing_cases() -> None:
    bob = cast.bob()
    client = browser_of(bob)
    with cast.agent_service(lambda given: {"answer": 2}) as url:
        drafted(bob, url)
        there = "/builder/agents/doubler/adversarial/"
        sent = {
            "tasks": TASKS,
            "families": ["malformed"],
            "idempotency_key": token_in(client.get(there)),
        }
        started = client.post(there, sent)
        work()
    page = client.get(started["Location"]).content.decode()
    assert page.count('data-test="family"') == 1
    assert "it answered although there was nothing to answer" in page.lower()


def test_a_program_starts_reads_and_deletes_a_run() -> None:
    bob = cast.bob()
    program = program_of(bob)
    version, pact = drafted(bob)
    asked = {
        "kind": "dry_run",
        "agent_version": version.id,
        "pact_version": pact.id,
        "tasks": [{"input": {"number": 1}, "expected": {"answer": 2}}],
        "answers": [{"answer": 2}],
    }
    made = program.ask("POST", "/api/v1/rehearsals", asked)
    assert made.status_code == 201, made.content
    work()
    there = f"/api/v1/rehearsals/{made.json()['id']}"
    body = program.ask("GET", there).json()
    assert body["state"] == "done"
    assert body["clauses"][0]["passes"] == 1
    assert body["cases"][0]["checks"][0]["outcome"] == "pass"
    assert program.ask("DELETE", there).status_code == 204
    assert program.ask("GET", there).status_code == 404


def test_a_foreign_run_is_no_page_and_no_noun() -> None:
    bob, mallory = cast.bob(), cast.mallory()
    version, _ = drafted(bob)
    asked = {"kind": "ping", "agent_version": version.id}
    made = program_of(bob).ask("POST", "/api/v1/rehearsals", asked).json()["id"]
    for method in ("GET", "DELETE"):
        there = f"/api/v1/rehearsals/{made}"
        assert program_of(mallory).ask(method, there).status_code == 404
    assert browser_of(mallory).get(f"/rehearsals/{made}/").status_code == 404
    started = program_of(mallory).ask("POST", "/api/v1/rehearsals", asked)
    assert started.status_code == 404


def test_a_ping_from_the_checklist_leads_to_what_came_back() -> None:
    bob = cast.bob()
    client = browser_of(bob)
    with cast.agent_service(lambda given: {"declined": True}) as url:
        drafted(bob, url)
        page = client.get("/builder/agents/doubler/readiness/")
        sent = {"idempotency_key": token_in(page)}
        started = client.post("/builder/agents/doubler/ping/", sent)
        work()
    assert "it answers" in client.get(started["Location"]).content.decode()
    after = client.get("/builder/agents/doubler/readiness/").content.decode()
    assert 'data-step="alive" data-state="done"' in after
