"""Loud, silent, confident, degraded: each told by what a caller could see, and by nothing else."""

from typing import Any

import pytest

from pacts.failure_modes import Mode, Seen, SeenTrial, mode_of, report

RIGHT = Seen(kind="equality", outcome="pass", value=1)
WRONG = Seen(kind="equality", outcome="fail", value=0)
PARTLY = Seen(kind="equality", outcome="fail", value=0.4)
SLOW = Seen(kind="latency", outcome="fail", value=0)
MALFORMED = Seen(kind="json_schema", outcome="fail", value=0)
SURE = Seen(kind="no_confident_error", outcome="fail", value=0)
OFF = Seen(kind="scope", outcome="not_applicable")


def trial(*seen: Seen, **changes: Any) -> SeenTrial:
    fields: dict[str, Any] = {"position": 0, "state": "done", "fault": "none", "seen": seen}
    return SeenTrial(**fields | changes)


@pytest.mark.parametrize(
    ("one", "mode"),
    [
        (trial(RIGHT, OFF), "sound"),
        (trial(WRONG), "silent"),
        (trial(WRONG, confidence=0.79), "silent"),
        (trial(WRONG, confidence=0.8), "confident"),
        (trial(WRONG, SURE), "confident"),
        (trial(WRONG, MALFORMED), "loud"),
        (trial(WRONG, fault="agent"), "loud"),
        (trial(WRONG, declined=True), "loud"),
        (trial(WRONG, declined=True, in_scope=False), "silent"),
        (trial(RIGHT, SLOW), "degraded"),
        (trial(WRONG, SLOW), "silent"),
        (trial(PARTLY), "degraded"),
        (trial(OFF), "not_counted"),
        (trial(), "not_counted"),
        (trial(WRONG, state="null"), "not_counted"),
        (trial(RIGHT, state="skipped"), "not_counted"),
    ],
)
def test_every_trial_is_exactly_one_mode(one: SeenTrial, mode: Mode) -> None:
    assert mode_of(one) == mode


def test_a_run_that_gets_worse_beyond_chance_says_so() -> None:
    right: list[Mode] = ["sound"]
    wrong: list[Mode] = ["silent"]
    modes = right * 100 + wrong * 50 + right * 50
    found = report(enumerate(modes), total=200)
    assert found.worsens
    assert found.halves == ((0, 100), (50, 100))
    assert (found.judged, found.failing) == (200, 50)


def test_a_run_that_fails_evenly_does_not_get_worse() -> None:
    four: list[Mode] = ["sound", "silent", "sound", "not_counted"]
    modes = four * 50
    found = report(enumerate(modes), total=200)
    assert not found.worsens
    assert found.counts["not_counted"] == 50


def test_a_run_of_nothing_is_a_report_of_nothing() -> None:
    found = report([], total=0)
    assert (found.judged, found.failing, found.worsens) == (0, 0, False)
