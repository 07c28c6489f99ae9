"""Pacts through the API: drafted from text, template or another version; reviewed; compared."""

from typing import Any

import pytest
from django.test import Client

from pacts.models import PactVersion
from pacts.pact_schema import pact_schema
from pacts.templates_library import library, template_called
from pacts.terms import digest
from pacts.texts import read_terms, write_yaml
from tests import cast
from tests.marketplace.api.programs import Program, program_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


def test_a_draft_is_written_in_yaml_and_read_back_as_yaml(bob: cast.Actor) -> None:
    agent, program = cast.agent_of(bob).agent_id, program_of(bob)
    text = write_yaml(template_called("support").terms)
    made = program.post("pacts", {"agent": agent, "text": text})
    assert made.status_code == 201, made.content
    shown = program.get(f"pact-versions/{made.json()['id']}/text")
    assert shown["Content-Type"] == "application/yaml"
    assert digest(read_terms(shown.content.decode())) == made.json()["digest"]


def test_a_mistake_in_a_text_is_answered_with_its_line(bob: cast.Actor) -> None:
    agent, program = cast.agent_of(bob).agent_id, program_of(bob)
    text = write_yaml(template_called("support").terms).replace("9000", "90000", 1)
    refused = program.post("pacts", {"agent": agent, "text": text})
    assert refused.status_code == 422
    assert "Line " in refused.json()["detail"]
    assert "out of range" in refused.json()["detail"]
    assert not PactVersion.objects.exists()


@pytest.mark.parametrize("template", [one.slug for one in library()])
def test_every_template_is_forked_by_its_name_and_can_be_published(
    bob: cast.Actor, template: str
) -> None:
    agent, program = cast.agent_of(bob).agent_id, program_of(bob)
    fork = program.post("pacts", {"agent": agent, "template": template}).json()
    assert program.get(f"pact-versions/{fork['id']}/lint").json()["publishable"]
    published = program.post(f"pact-versions/{fork['id']}/publication", {})
    assert published.status_code == 201
    assert published.json()["digest"] == digest(template_called(template).terms)


def test_a_published_pact_of_another_builder_may_be_forked_and_a_draft_may_not(
    bob: cast.Actor,
) -> None:
    mallory = cast.mallory()
    other = cast.agent_of(mallory, name="Other")
    published = cast.pact_of(other, mallory)
    draft = (
        program_of(mallory).post("pacts", {"agent": other.agent_id, "template": "support"}).json()
    )
    agent, program = cast.agent_of(bob).agent_id, program_of(bob)
    assert program.post("pacts", {"agent": agent, "version": published.id}).status_code == 201
    assert program.post("pacts", {"agent": agent, "version": draft["id"]}).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"text": "a: 1", "template": "support"}, {"terms": {}, "text": "a: 1"}]
)
def test_a_draft_comes_from_exactly_one_place(bob: cast.Actor, body: dict[str, Any]) -> None:
    agent = cast.agent_of(bob).agent_id
    refused = program_of(bob).post("pacts", {"agent": agent, **body})
    assert refused.status_code == 400
    assert "exactly one" in refused.content.decode()


def test_an_unknown_template_is_answered_with_those_there_are(bob: cast.Actor) -> None:
    agent = cast.agent_of(bob).agent_id
    refused = program_of(bob).post("pacts", {"agent": agent, "template": "astrology"})
    assert refused.status_code == 422
    assert "support" in refused.json()["detail"]


def test_a_text_is_reviewed_without_being_kept(bob: cast.Actor) -> None:
    program = program_of(bob)
    good = program.post("pact-reviews", {"terms": cast.pact_terms()}).json()
    assert good["publishable"]
    assert any("a perfect agent needs about" in one["message"] for one in good["findings"])
    bad = program.post("pact-reviews", {"text": "version: earnest-pact/1\ntitle: 7"}).json()
    assert (bad["publishable"], bad["line"], bad["column"]) == (False, 2, 1)
    assert not PactVersion.objects.exists()


def test_a_review_needs_somebody_to_answer_for_its_cost() -> None:
    assert Program().post("pact-reviews", {"terms": cast.pact_terms()}).status_code == 401


def test_two_versions_are_compared_clause_by_clause(bob: cast.Actor) -> None:
    agent, program = cast.agent_of(bob), program_of(bob)
    first = cast.pact_of(agent, bob)
    weaker = cast.pact_of(agent, bob, cast.pact_terms(clauses=[cast.clause(promise_bps=8500)]))
    for address in (
        f"pact-versions/{weaker.id}/difference",
        f"pact-versions/{weaker.id}/difference?against={first.id}",
    ):
        found = program.get(address).json()
        assert (found["old"], found["new"], found["weakens"]) == (first.id, weaker.id, True)
        [change] = found["changes"]
        assert (change["key"], change["direction"]) == ("accuracy", "weaker")
        assert change["changed"] == {"promise_bps": [9000, 8500]}
    alone = program.get(f"pact-versions/{first.id}/difference").json()
    assert (alone["changes"], alone["weakens"]) == ([], False)


def test_the_schema_stands_at_a_stable_address_for_editors() -> None:
    for address in ("/pacts/language.json", "/api/v1/pact-schema"):
        answer = Client().get(address)
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("application/schema+json")
        assert answer.json() == pact_schema()


def test_the_library_is_everybodys_to_read() -> None:
    listed = Program().get("pact-templates").json()
    assert [one["slug"] for one in listed] == [one.slug for one in library()]
    assert Program().get("pact-templates/support").json()["work"] == "support"
    assert Program().get("pact-templates/astrology").status_code == 404
