"""The loop on data nobody here made: real hires, counted by the platform, paid by their verdict.

The agents are the sample's pure functions behind a real HTTP service. What the platform counts is
held against a count made here, and where the source published a figure, against that.
"""

import csv
import json
import lzma
import math
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pycld2
import pytest

from marketplace.sample.agents import get_agent
from pacts.models import ClauseVerdict, Verdict
from pacts.tasksets import TaskDraft
from tests.cast import clause
from tests.stories.story import CURE, TICK, Story, story_of

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CELLS = {
    "Danish": "da",
    "Dutch": "nl",
    "English": "en",
    "Finnish": "fi",
    "French": "fr",
    "German": "de",
    "Italian": "it",
    "Polish": "pl",
    "Portuguese": "pt",
    "Spanish": "es",
    "Swedish": "sv",
}
FEW = 15

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public data is not here")

Answers = Callable[[dict[str, Any]], dict[str, Any]]


# --- languages -----------------------------------------------------------------------------------


def lines_of(length: str) -> dict[str, list[str]]:
    """Language code → its lines, of one length."""
    with tarfile.open(DATA / "golden_langid" / "language_testdata.tar.xz") as archive:
        found = {}
        for code in CELLS.values():
            member = archive.extractfile(f"{length}/{code}.txt")
            assert member is not None
            found[code] = member.read().decode().rstrip("\n").split("\n")
    return found


def published(length: str) -> dict[str, str]:
    """Language code → CLD2's published accuracy in percent, to one place."""
    path = DATA / "golden_langid" / f"published_{length}_accuracy.csv"
    with path.open() as file:
        cells = {row["language"]: row["cld2"] for row in csv.DictReader(file)}
    return {code: f"{float(cells[name]):.1f}" for name, code in CELLS.items()}


def first_of_cld2(given: Mapping[str, Any]) -> dict[str, Any]:
    """The first language CLD2 names, reliable or not: what the publisher counted."""
    try:
        return {"language": pycld2.detect(given["text"])[2][0][1]}
    except pycld2.error:
        return {"language": None}


def language_tasks(lines: Mapping[str, list[str]], few: int | None = FEW) -> list[TaskDraft]:
    return [
        TaskDraft({"text": line}, {"language": code}, True, code)
        for code, texts in lines.items()
        for line in texts[:few]
    ]


@pytest.mark.parametrize("length", ["sentences", "word-pairs", "single-words"])
def test_cld2_reproduces_every_published_cell(length: str) -> None:
    counted = {}
    for code, lines in lines_of(length).items():
        right = sum(first_of_cld2({"text": line})["language"] == code for line in lines)
        counted[code] = f"{100 * right / len(lines):.1f}"
    assert counted == published(length)


def test_a_hire_for_a_whole_cell_counts_what_was_published() -> None:
    lines = {"da": lines_of("word-pairs")["da"]}
    with hired(first_of_cld2, language_tasks(lines, None), right("language")) as (_, verdict):
        found = verdict.clauses.get()
    assert found.passes + found.failures == 1_000
    assert f"{found.passes / 10:.1f}" == published("word-pairs")["da"] == "56.1"


@pytest.mark.parametrize(
    ("slug", "length", "outcome"),
    [
        ("first-guess", "sentences", "met"),
        ("plain-words", "sentences", "met"),
        ("first-guess", "word-pairs", "breached"),
        ("plain-words", "word-pairs", "breached"),
    ],
)
def test_language_agents_are_paid_for_sentences_and_not_for_word_pairs(
    slug: str, length: str, outcome: str
) -> None:
    tasks = language_tasks(lines_of(length))
    with hired(get_agent(slug).load_answer(), tasks, right("language")) as (story, verdict):
        assert verdict.outcome == outcome, verdict.clauses.get().reason
        is_paid_by_its_verdict(story, verdict)


# --- dates ---------------------------------------------------------------------------------------


def date_tasks(language: str, locale: str) -> list[TaskDraft]:
    """Expressions with exactly one reading: a day, or two equal ones seen from both sides."""
    with tarfile.open(DATA / "golden_dates" / "date_specs.tar.xz") as archive:
        member = archive.extractfile(f"{language}/DateParser.json")
        assert member is not None
        specs = json.loads(member.read().decode("utf-8-sig"))
    tasks = []
    for spec in specs:
        days = readings(spec)
        if len(days) == 1:
            written_on = spec.get("Context", {}).get("ReferenceDateTime", "2016-11-07")[:10]
            given = {"text": spec["Results"][0]["Text"], "locale": locale}
            tasks.append(TaskDraft(given | {"reference_date": written_on}, {"date": days.pop()}))
    return tasks


def readings(spec: dict[str, Any]) -> set[str]:
    if len(spec["Results"]) != 1:
        return set()
    value = spec["Results"][0].get("Value") or {}
    sides = [value.get(f"{side}Resolution") or {} for side in ("Future", "Past")]
    return {side["date"] for side in sides if side.get("date")}


@pytest.mark.parametrize(
    ("slug", "outcome"), [("any-day-anywhere", "breached"), ("house-rules", "met")]
)
def test_the_date_agent_that_fails_aloud_is_paid_and_the_one_that_guesses_is_not(
    slug: str, outcome: str
) -> None:
    tasks = date_tasks("English", "en-US") + date_tasks("Spanish", "es-ES")
    honest = clause(
        check="no_confident_error",
        dimension="honesty",
        params={"field": "date", "confidence_field": "confidence", "confident_bps": 1},
        promise_bps=9500,
        floor_bps=9000,
    )
    answer = get_agent(slug).load_answer()
    with hired(answer, tasks, honest) as (story, verdict):
        assert verdict.outcome == outcome, verdict.clauses.get().reason
        is_paid_by_its_verdict(story, verdict)
    silent = sum(answer(task.input)["date"] not in (None, expected(task)) for task in tasks)
    assert ClauseVerdict.objects.get().failures == silent


def expected(task: TaskDraft) -> str:
    assert task.expected is not None
    return str(task.expected["date"])


# --- intents -------------------------------------------------------------------------------------


class Nearest:
    """The intent of the most similar question it was trained on, or None below `sure` (0 to 1).

    Similarity is the cosine over words, each weighed by how rare it is.
    """

    def __init__(self, examples: list[list[str]], *, sure: float) -> None:
        bags = [words_of(text) for text, _ in examples]
        seen = Counter(word for bag in bags for word in bag)
        self._weight = {word: math.log(len(bags) / count) for word, count in seen.items()}
        self._intents = [intent for _, intent in examples]
        self._lengths = [self._length(bag) for bag in bags]
        self._where: dict[str, list[int]] = defaultdict(list)
        for number, bag in enumerate(bags):
            for word in bag:
                self._where[word].append(number)
        self._sure = sure

    def _length(self, bag: set[str]) -> float:
        rarest = max(self._weight.values())
        squares = [self._weight.get(word, rarest) ** 2 for word in sorted(bag)]
        return math.sqrt(sum(squares)) or 1.0

    def __call__(self, given: dict[str, Any]) -> dict[str, Any]:
        asked = words_of(given["text"])
        scores: dict[int, float] = defaultdict(float)
        for word in sorted(asked):
            for number in self._where.get(word, ()):
                scores[number] += self._weight[word] ** 2 / self._lengths[number]
        best = max(scores, key=lambda number: (scores[number], -number), default=None)
        if best is None or scores[best] / self._length(asked) < self._sure:
            return {"intent": None, "declined": True}
        return {"intent": self._intents[best], "declined": False}


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[a-z']+", text))


def intents() -> dict[str, list[list[str]]]:
    path = DATA / "golden_intents_clinc150" / "train_val_oos_train_oos_val.json.xz"
    found: dict[str, list[list[str]]] = json.loads(lzma.decompress(path.read_bytes()))
    return found


@pytest.mark.parametrize(
    ("sure", "right", "outcome", "scope"),
    [
        (0.0, 87, "breached", "breached"),
        (0.5, 73, "met", "met"),
    ],
)
def test_who_always_answers_is_right_more_often_and_loses_on_a_buyers_mix(
    sure: float, right: int, outcome: str, scope: str
) -> None:
    data = intents()
    tasks = [TaskDraft({"text": text}, {"intent": name}) for text, name in data["val"][::25]]
    tasks += [TaskDraft({"text": text}, None, in_scope=False) for text, _ in data["oos_val"][::2]]
    rates = {"weight_bps": 5_000, "floor_bps": 3_500}
    promised = [
        clause("right", params={"field": "intent"}, promise_bps=5_500, **rates),
        clause("scope", check="scope", dimension="scope", critical=True, promise_bps=7_500, **rates)
        | {"params": {"field": "intent"}},
    ]
    with hired(Nearest(data["train"], sure=sure), tasks, *promised) as (story, verdict):
        assert verdict.clauses.get(key="right").passes == right
        assert (verdict.outcome, verdict.clauses.get(key="scope").outcome) == (outcome, scope)
        is_paid_by_its_verdict(story, verdict)


# --- the hire ------------------------------------------------------------------------------------


def right(field: str) -> dict[str, Any]:
    return clause(
        params={"field": field, "expected_field": field}, promise_bps=8500, floor_bps=7500
    )


@contextmanager
def hired(
    answer: Answers, tasks: list[TaskDraft], *clauses: dict[str, Any]
) -> Iterator[tuple[Story, Verdict]]:
    """A hire on these tasks up to its verdict."""
    with story_of(answer, clauses=list(clauses), volume={"calls_per_milestone": len(tasks)}) as it:
        it.drafts = tasks
        it.alice_hires_and_pays()
        verdict = it.the_work_is_judged(at=it.judged_at)
    yield it, verdict


def is_paid_by_its_verdict(story: Story, verdict: Verdict) -> None:
    if verdict.outcome == "met":
        story.alice_accepts(at=story.judged_at)
        assert story.purses() == (0, 9_500, 500)
    else:
        story.the_sweep_looks(at=story.judged_at)
        story.the_sweep_looks(at=story.judged_at + CURE + TICK)
        assert story.purses() == (10_000, 0, 0)
    assert story.standing().dimensions
