"""The same agents on public data that nobody here made, where it is present."""

import json
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from marketplace.sample.agents import get_agent
from marketplace.sample.language_tasks import LANGUAGES
from marketplace.sample.measure import Measurement, measure
from marketplace.sample.task import SampleTask

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
LINES = 60

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public data is not here")


def read_languages(length: str) -> list[SampleTask]:
    with tarfile.open(DATA / "golden_langid" / "language_testdata.tar.xz") as archive:
        tasks = []
        for language in LANGUAGES:
            member = archive.extractfile(f"{length}/{language}.txt")
            assert member is not None
            lines = member.read().decode().splitlines()[:LINES]
            tasks += [SampleTask({"text": x}, {"language": language}, length, True) for x in lines]
    return tasks


def measure_language(slug: str, length: str) -> Measurement:
    answer = get_agent(slug).load_answer()
    return measure(answer=answer, tasks=read_languages(length), main_field="language")


def test_langdetect_is_right_more_often_than_cld2_on_public_sentences() -> None:
    first = measure_language("first-guess", "sentences").in_scope
    plain = measure_language("plain-words", "sentences").in_scope
    assert first.accuracy > plain.accuracy > 0.9


def test_cld2_is_silently_wrong_less_than_half_as_often_on_public_word_pairs() -> None:
    first = measure_language("first-guess", "word-pairs").in_scope
    sure = measure_language("sure-guess", "word-pairs").in_scope
    plain = measure_language("plain-words", "word-pairs").in_scope
    assert first.silent_errors > sure.silent_errors > plain.silent_errors
    assert plain.silent_errors * 2 < first.silent_errors


@pytest.mark.parametrize(("language", "locale"), [("English", "en-US"), ("Spanish", "es-ES")])
def test_only_dateparser_is_never_silently_wrong_on_public_dates(
    language: str, locale: str
) -> None:
    wrong = Counter(
        {
            slug: count_silent_errors(slug, language, locale)
            for slug in ("any-day", "any-day-anywhere", "house-rules")
        }
    )
    assert wrong["house-rules"] == 0
    assert 0 < wrong["any-day"] < wrong["any-day-anywhere"]


def count_silent_errors(slug: str, language: str, locale: str) -> int:
    answer, wrong = get_agent(slug).load_answer(), 0
    for text, reference, days in read_dates(language):
        fields = {"text": text, "locale": locale, "reference_date": reference}
        given = answer(fields)["date"]
        wrong += given is not None and given not in days
    return wrong


def read_dates(language: str) -> list[tuple[str, str, set[str]]]:
    """Date expression, day it was written on, and the days it may mean."""
    with tarfile.open(DATA / "golden_dates" / "date_specs.tar.xz") as archive:
        member = archive.extractfile(f"{language}/DateParser.json")
        assert member is not None
        specs = json.loads(member.read().decode("utf-8-sig"))
    dates: list[tuple[str, str, set[str]]] = []
    for spec in specs:
        if len(spec["Results"]) != 1:
            continue
        value = spec["Results"][0].get("Value") or {}
        resolutions = [value.get(f"{side}Resolution") or {} for side in ("Future", "Past")]
        days = {found["date"] for found in resolutions if found.get("date")}
        reference = spec.get("Context", {}).get("ReferenceDateTime", "2016-11-07")[:10]
        if days:
            dates.append((spec["Results"][0]["Text"], reference, days))
    return dates
