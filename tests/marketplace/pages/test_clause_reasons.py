"""A verdict's reason is a record in English; pages write its numbers and words as everywhere."""

import pytest
from django.utils.translation import override

from marketplace.pages import clause_reasons, wording
from pacts.statistics import judge_clause
from pacts.terms import clause_from_json
from tests.pacts.pacts_of_bob import clause

BROKEN = (
    "93 of 110 tasks (84.5%), somewhere from 71.5% to 93.8%, against a promise of 95.00% and a"
    " floor of 90.00%: the promise was shown broken at unit 60."
)


def plain(text: str) -> str:
    return text.replace(wording.NARROW, " ")


def test_shares_are_written_as_everywhere_else() -> None:
    assert plain(clause_reasons.said(BROKEN)) == (
        "93 of 110 tasks (84.5 %), somewhere from 71.5 % to 93.8 %, against a promise of 95 % and"
        " a floor of 90 %: the promise was shown broken at unit 60."
    )


def test_repetition_is_told_without_its_formulas() -> None:
    tail = " Over 8 tasks, 4 null: pass@2 100.0%, pass^2 87.5%."
    assert plain(clause_reasons.said(BROKEN + tail)).endswith(
        " Over 8 tasks, one of 2 tries at least is right in 100.0 %, every one in 87.5 %."
        " 4 tasks came to nothing."
    )


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("No task decided anything: the window is still open.", "No task decided anything: "),
        (
            "9 of 10 calls (90.0%) against a promise of 97.50%: every unit was counted, and too"
            " many failed.",
            "9 of 10 calls (90.0 %), promised 97.5 %: every unit was counted",
        ),
        (
            "1200 of 5000 units were checked: the whole is shown to be above the floor.",
            "1,200 of 5,000 units were checked: the whole",
        ),
        ("Whatever was said before 2026.", "Whatever was said before 2026."),
        ("", ""),
    ],
)
def test_every_form_of_a_reason_is_said(stored: str, shown: str) -> None:
    assert plain(clause_reasons.said(stored)).startswith(shown)


@pytest.mark.parametrize(("passes", "failures"), [(0, 0), (9, 1), (60, 0), (20, 40)])
def test_what_the_statistics_say_today_is_read_back(passes: int, failures: int) -> None:
    values = [1.0] * passes + [0.0] * failures
    verdict = judge_clause(clause=clause_from_json(clause()), values=values)
    shown = clause_reasons.said(verdict.reason)
    assert "%" not in shown.replace(f"{wording.NARROW}%", "")
    with override("de"):
        assert clause_reasons.said(verdict.reason).split(": ")[-1] != shown.split(": ")[-1]
