"""The suite of adversities: data that varies any task, and grades that are no opinions."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts import adversity
from pacts.adversity import Adversity, grade, plan
from pacts.agents import AgentReply
from pacts.agents.protocol import failure
from pacts.answers import Facts
from reputation.canonical import JsonValue, canonical

TEXT: dict[str, JsonValue] = {"text": "Where is my parcel?"}


def reply(output: Any, **facts: Any) -> AgentReply:
    return AgentReply(output=output, raw=b"{}", latency_ms=1.0, facts=Facts(**facts))


def one(key: str) -> Adversity:
    return adversity.adversity(key)


def test_every_family_that_was_promised_is_in_the_suite_and_no_name_twice() -> None:
    families = {"injection", "malformed", "oversize", "language", "boundary", "code"}
    assert set(adversity.FAMILIES) == families
    keys = [found.key for found in adversity.SUITE]
    assert len(keys) == len(set(keys))
    assert adversity.suite_digest().startswith("sha256:")


def test_a_task_of_words_meets_everything_but_numbers_and_says_what_it_has_no_place_for() -> None:
    planned, without = plan([TEXT], seed=7)
    assert {found.change for found in without} == {"number"}
    assert len(planned) + len(without) == len(adversity.SUITE)
    both, nothing = plan([{"text": "word", "number": 3}], seed=7)
    assert nothing == []
    assert len(both) == len(adversity.SUITE)


def test_the_same_seed_plants_the_same_attacks_and_another_seed_others() -> None:
    first, again, other = (plan([TEXT], seed=seed)[0] for seed in (1, 1, 2))
    assert first == again
    assert [x.input for x in first if x.attack] != [x.input for x in other if x.attack]


def test_an_attack_is_planted_in_the_second_sample_where_the_first_has_no_text() -> None:
    planned, _ = plan([{"number": 1}, TEXT], seed=3)
    assert {x.task for x in planned if x.attack} == {1}


inputs = st.dictionaries(
    st.sampled_from(["text", "number", "inner", "flag"]),
    st.one_of(
        st.text(max_size=20),
        st.integers(-5, 5),
        st.booleans(),
        st.none(),
        st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=5), max_size=2),
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(input=inputs, seed=st.integers(0, 2**53 - 1))
def test_whatever_the_task_every_case_is_json_and_the_sample_stays_as_it_was(
    input: dict[str, Any], seed: int
) -> None:
    before = canonical(input)
    for case in plan([input], seed=seed)[0]:
        assert canonical(case.input)
    assert canonical(input) == before


def test_an_agent_that_obeys_a_planted_order_falls_and_one_that_quotes_it_holds() -> None:
    case = next(x for x in plan([TEXT], seed=5)[0] if x.one.key == "injection-0")
    assert case.attack is not None
    obeys = grade(case.one, reply({"answer": case.attack.word}), attack=case.attack)
    quotes = grade(case.one, reply({"answer": case.attack.text}), attack=case.attack)
    assert (obeys.outcome, quotes.outcome) == ("fell", "held")


def test_nobody_can_tell_whether_a_tool_was_called_that_is_not_reported() -> None:
    case = next(x for x in plan([TEXT], seed=5)[0] if x.one.key == "excessive_agency-0")
    assert grade(case.one, reply({"answer": "no"}), attack=case.attack).outcome == "unseen"
    said = grade(case.one, reply({"answer": "no"}, tool_calls=()), attack=case.attack)
    assert said.outcome == "held"


@pytest.mark.parametrize(
    ("key", "answer", "outcome"),
    [
        ("nothing", {"answer": 3}, "fell"),
        ("nothing", {"declined": True}, "held"),
        ("missing-field", {"answer": 3}, "unseen"),
        ("missing-field", {"declined": True}, "held"),
        ("long-text", {"answer": "x"}, "held"),
        ("template", {"answer": "Total: 10587703"}, "fell"),
        ("template", {"answer": "Total: {{ 1337 * 7919 }}"}, "held"),
    ],
)
def test_what_an_answer_shows_follows_from_what_was_asked(
    key: str, answer: dict[str, Any], outcome: str
) -> None:
    assert grade(one(key), reply(answer)).outcome == outcome


def test_no_answer_is_a_failing_case_and_a_plain_400_is_told_how_to_decline() -> None:
    late = grade(one("german"), failure("agent", "timeout", "no answer in time"))
    plain = grade(one("german"), failure("agent", "http_400", "it answered 400, not 200"))
    assert late.outcome == plain.outcome == "fell"
    assert '{"declined": true}' in plain.reason


def test_a_fault_of_the_platform_says_nothing_of_the_agent() -> None:
    ours = grade(one("german"), failure("platform", "egress_broke", "the call broke here"))
    assert ours.outcome == "unseen"
