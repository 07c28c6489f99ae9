import jsonschema
import pytest

from marketplace.sample.agents import AGENTS, BUILDERS, agents_of, get_agent
from marketplace.sample.kinds import KINDS, SampleKind, get_kind
from marketplace.sample.tasks import benchmark_tasks, buyer_tasks
from pacts import terms
from pacts.checks import CHECKS


def test_every_agent_has_a_kind_a_builder_a_price_and_a_slug_of_its_own() -> None:
    assert len({agent.slug for agent in AGENTS}) == len(AGENTS) == 9
    assert {agent.kind for agent in AGENTS} == {kind.slug for kind in KINDS}
    assert {agent.builder for agent in AGENTS} == {builder.slug for builder in BUILDERS}
    assert all(agent.price > 0 for agent in AGENTS)
    assert get_agent("plain-words") in agents_of("language")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_a_kinds_clauses_can_be_read_as_pact_clauses(kind: SampleKind) -> None:
    clauses = [terms.clause_from_json(clause) for clause in kind.clauses]
    for clause in clauses:
        CHECKS[clause.check].validate_params(clause.params)
    assert len({clause.check for clause in clauses}) >= 4
    assert sum(clause.weight_bps for clause in clauses) == 10_000
    assert all(clause.floor_bps < clause.promise_bps for clause in clauses)
    assert sum(clause.critical for clause in clauses) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_expected_answer_fits_the_output_schema(kind: SampleKind) -> None:
    validator = jsonschema.Draft202012Validator(kind.output_schema)
    for task in benchmark_tasks(kind.slug) + buyer_tasks(kind.slug):
        validator.validate(task.expected | {"declined": not task.in_scope})
    assert not validator.is_valid({kind.field: None})
    assert not validator.is_valid({kind.field: None, "declined": True, "more": 1})


def test_a_kind_is_found_by_its_slug_or_not_at_all() -> None:
    assert get_kind("dates").field == "date"
    with pytest.raises(KeyError):
        get_kind("poems")
