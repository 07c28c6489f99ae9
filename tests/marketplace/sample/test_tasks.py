"""The task sets are the same on every machine, and each holds what its docstring says."""

from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest

from marketplace.sample.draw import Draw
from marketplace.sample.kinds import KINDS
from marketplace.sample.language_tasks import LANGUAGES
from marketplace.sample.phrases import PHRASES
from marketplace.sample.sentences import SENTENCES
from marketplace.sample.task import SampleTask, compute_digest
from marketplace.sample.tasks import benchmark_tasks, buyer_tasks

Maker = Callable[[str], list[SampleTask]]

DIGESTS: dict[tuple[str, Maker], str] = {
    (
        "language",
        benchmark_tasks,
    ): "b112c2b792c4808d5df2c4a8c0622f60276a76b6cf0604b787d5e42608b5a3c2",
    ("language", buyer_tasks): "676bb589d437ef25c2c55977b471f4098fdd76c9758ee330526f720bc63b2617",
    ("dates", benchmark_tasks): "6bbefe5ec9c6f45016392dade335d6735fd68ed2482abfeaba37cd2f0947603b",
    ("dates", buyer_tasks): "7626f5e41403f327aca5d25b6f7283183651f12e473c921fd9dcd1bbe1d435c6",
    (
        "documents",
        benchmark_tasks,
    ): "ddeb2a9d895e7854d84e69be16005d3c4712d69a3cee13916cb26ac5e1d2b4f3",
    ("documents", buyer_tasks): "405a6932ee772e296bcd28aa1ccc79a1cb6c77b679bae065b3631cd31847e621",
}

STRATA = {
    "language": {"short": 50, "noisy": 50, "mixed": 30, "out_of_scope": 50},
    "dates": {"short": 40, "written": 30, "mixed": 20, "noisy": 20, "out_of_scope": 48},
    "documents": {
        "clean": 40,
        "wrapped": 40,
        "damaged": 20,
        "truncated": 40,
        "no_document": 10,
        "two_documents": 10,
    },
}


@pytest.mark.parametrize(("kind", "make"), DIGESTS)
def test_a_set_is_the_same_on_every_machine(kind: str, make: Maker) -> None:
    assert compute_digest(make(kind)) == DIGESTS[kind, make]
    assert compute_digest(make(kind)) == compute_digest(make(kind))


@pytest.mark.parametrize("kind", [kind.slug for kind in KINDS])
def test_a_buyers_set_has_the_strata_it_says(kind: str) -> None:
    assert Counter(task.stratum for task in buyer_tasks(kind)) == STRATA[kind]


@pytest.mark.parametrize("kind", [kind.slug for kind in KINDS])
def test_a_benchmark_has_between_150_and_200_tasks_all_in_scope(kind: str) -> None:
    tasks = benchmark_tasks(kind)
    assert 150 <= len(tasks) <= 200
    assert all(task.in_scope for task in tasks)


def test_out_of_scope_tasks_and_only_they_expect_nothing() -> None:
    for known in KINDS:
        for task in benchmark_tasks(known.slug) + buyer_tasks(known.slug):
            assert (task.expected[known.field] is not None) is task.in_scope


def test_a_buyers_strata_are_mixed_so_that_no_half_holds_one_whole() -> None:
    for kind in KINDS:
        tasks = buyer_tasks(kind.slug)
        first_half = {task.stratum for task in tasks[: len(tasks) // 2]}
        assert first_half == {task.stratum for task in tasks[len(tasks) // 2 :]}


def test_no_message_is_the_same_in_two_languages() -> None:
    texts = [text for source in (SENTENCES, PHRASES) for code in source for text in source[code]]
    assert len(texts) == len(set(texts)) == 26 * len(LANGUAGES)


def test_a_truncated_document_never_ends_where_the_document_does() -> None:
    for task in buyer_tasks("documents"):
        if task.stratum == "truncated":
            assert not task.input["text"].endswith("}")


def test_a_draw_is_the_same_for_the_same_seed_and_stays_in_its_range() -> None:
    first, second = Draw("x"), Draw("x")
    numbers = [first.integer(3, 5) for _ in range(200)]
    assert numbers == [second.integer(3, 5) for _ in range(200)]
    assert set(numbers) == {3, 4, 5}
    assert sorted(first.shuffled("abcdef")) == list("abcdef")
    day = date(2024, 2, 28)
    assert {first.day(day, date(2024, 3, 1)).day for _ in range(50)} == {28, 29, 1}
