"""What the sample marketplace tells is what its agents do: the orders, and the reasons given.

langdetect samples at random, so its figures are held to ranges that it leaves less than once in
many thousand runs; everything else is exact.
"""

import functools

import jsonschema
import pytest

from marketplace.sample.agents import AGENTS, SampleAgent, get_agent
from marketplace.sample.kinds import get_kind
from marketplace.sample.measure import Measurement, measure, measure_consistency
from marketplace.sample.tasks import benchmark_tasks, buyer_tasks

MARCH_14 = {"locale": "fr-FR", "reference_date": "2026-03-14"}


@functools.cache
def on_benchmark(slug: str) -> Measurement:
    agent = get_agent(slug)
    return measure(
        answer=agent.load_answer(),
        tasks=benchmark_tasks(agent.kind),
        main_field=get_kind(agent.kind).field,
    )


@functools.cache
def on_buyers_tasks(slug: str) -> Measurement:
    agent = get_agent(slug)
    return measure(
        answer=agent.load_answer(),
        tasks=buyer_tasks(agent.kind),
        main_field=get_kind(agent.kind).field,
    )


def test_langdetect_leads_the_benchmark_by_never_declining() -> None:
    first, plain = on_benchmark("first-guess").in_scope, on_benchmark("plain-words").in_scope
    assert first.declined_in_scope == 0
    assert (plain.right, plain.declined_in_scope, plain.silent_errors) == (136, 22, 2)
    assert first.right >= 142


def test_langdetect_guesses_wrong_on_a_buyers_messages_where_cld2_declines() -> None:
    first, plain = on_buyers_tasks("first-guess"), on_buyers_tasks("plain-words")
    counted = plain.in_scope
    assert (counted.right, counted.declined_in_scope, counted.silent_errors) == (100, 26, 4)
    assert 82 <= first.in_scope.right <= 108
    assert 26 <= first.in_scope.silent_errors <= 52
    assert plain.out_of_scope.right == 40
    assert first.out_of_scope.right <= 20


def test_a_threshold_on_langdetects_own_probability_leaves_many_wrong_guesses() -> None:
    first, sure = on_buyers_tasks("first-guess"), on_buyers_tasks("sure-guess")
    assert sure.silent_errors < first.silent_errors
    assert sure.in_scope.silent_errors >= 9
    assert sure.out_of_scope.right <= 30


def test_langdetect_changes_its_mind_and_cld2_does_not() -> None:
    tasks = [task for task in buyer_tasks("language") if task.in_scope]
    same = {
        slug: measure_consistency(
            answer=get_agent(slug).load_answer(), tasks=tasks, main_field="language", repeats=3
        )
        for slug in ("first-guess", "plain-words")
    }
    assert same["plain-words"] == 1.0
    assert 0.80 <= same["first-guess"] < 1.0


def test_langdetect_reads_the_storys_examples_as_the_story_says() -> None:
    answer = get_agent("first-guess").load_answer()
    answers = [answer({"text": "it does not work"})["language"] for _ in range(20)]
    assert "af" in answers
    assert answer({"text": "haha"})["language"] == "so"
    assert get_agent("plain-words").load_answer()({"text": "haha"})["declined"]


def test_dateutil_reads_the_whole_benchmark_and_dateparser_all_but_two_formats() -> None:
    assert on_benchmark("any-day").in_scope.accuracy == 1.0
    assert on_benchmark("any-day-anywhere").in_scope.accuracy == 1.0
    rules = on_benchmark("house-rules")
    assert (rules.in_scope.right, rules.silent_errors) == (140, 0)
    missed = {name for name, tally in rules.strata.items() if tally.declined_in_scope}
    assert missed == {"iso_basic", "iso_basic_time"}


def test_dateutil_is_silently_wrong_on_a_buyers_dates_and_dateparser_never() -> None:
    plain, fuzzy = on_buyers_tasks("any-day"), on_buyers_tasks("any-day-anywhere")
    assert (plain.in_scope.right, plain.in_scope.silent_errors) == (68, 17)
    assert (fuzzy.in_scope.right, fuzzy.in_scope.silent_errors) == (70, 27)
    assert (plain.out_of_scope.right, fuzzy.out_of_scope.right) == (37, 21)
    rules = on_buyers_tasks("house-rules")
    assert (rules.in_scope.right, rules.out_of_scope.right) == (110, 48)


@pytest.mark.parametrize(
    ("slug", "text", "day"),
    [
        ("any-day", "05/04/2026", "2026-05-04"),
        ("house-rules", "05/04/2026", "2026-04-05"),
        ("any-day", "10:30", "2026-03-14"),
        ("house-rules", "10:30", None),
        ("any-day", "5 de abril de 2026", None),
        ("any-day-anywhere", "5 de abril de 2026", "2026-05-14"),
    ],
)
def test_the_date_agents_read_the_storys_examples_as_the_story_says(
    slug: str, text: str, day: str | None
) -> None:
    assert get_agent(slug).load_answer()({"text": text, **MARCH_14})["date"] == day


def test_json_repair_mends_the_whole_benchmark_and_json5_five_kinds_less() -> None:
    assert on_benchmark("mend-all").in_scope.accuracy == 1.0
    assert on_benchmark("mend-some").in_scope.accuracy == 1.0
    whole = on_benchmark("all-or-nothing")
    refused = [name for name, tally in whole.strata.items() if tally.declined_in_scope]
    assert (whole.in_scope.right, len(refused), whole.silent_errors) == (98, 5, 0)


def test_json_repair_books_orders_that_were_cut_off_and_json5_refuses_them_all() -> None:
    everything, some = on_buyers_tasks("mend-all"), on_buyers_tasks("mend-some")
    whole = on_buyers_tasks("all-or-nothing")
    assert everything.in_scope.right == some.in_scope.right == 100
    assert everything.strata["truncated"].silent_errors == 40
    assert everything.out_of_scope.silent_errors == 50
    assert some.strata["truncated"].silent_errors == 18
    assert (whole.in_scope.right, whole.in_scope.declined_in_scope) == (95, 5)
    assert (whole.out_of_scope.right, whole.silent_errors) == (60, 0)


def test_a_price_that_lost_its_last_digits_is_returned_as_a_price() -> None:
    cut = {"text": '{"order": "A-1", "total": 12'}
    assert get_agent("mend-all").load_answer()(cut)["document"] == {"order": "A-1", "total": 12}
    assert get_agent("all-or-nothing").load_answer()(cut)["declined"]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.slug)
def test_every_answer_fits_the_schema_and_says_declined_exactly_when_it_is_empty(
    agent: SampleAgent,
) -> None:
    kind, answer = get_kind(agent.kind), agent.load_answer()
    validator = jsonschema.Draft202012Validator(kind.output_schema)
    for task in benchmark_tasks(agent.kind) + buyer_tasks(agent.kind):
        output = answer(task.input)
        validator.validate(output)
        assert output["declined"] is (output[kind.field] is None)
