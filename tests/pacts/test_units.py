from typing import Any

from pacts.terms import clause_from_json
from pacts.units import Try, Units, units
from tests.pacts.pacts_of_bob import clause


def _of(*tries: Try, **changes: Any) -> Units:
    return units(clause=clause_from_json(clause(**changes)), tries=tries)


def test_every_call_is_a_unit_and_what_decided_nothing_is_counted_apart() -> None:
    found = _of(
        Try(task="a", outcome="pass"),
        Try(task="g", outcome="fail"),
        Try(task="b", outcome="error"),
        Try(task="c", outcome="skipped"),
        Try(task="d", outcome="not_applicable"),
        Try(task="e", outcome="null"),
        Try(task="f", outcome="pass", value=0.5),
    )
    assert found == Units(values=(1, 0, 0.5), errors=1, nulls=1, skipped=1, not_applicable=1)


def test_a_task_enters_once_with_the_mean_of_its_tries_at_its_last_try() -> None:
    found = _of(
        Try(task="a", outcome="pass"),
        Try(task="b", outcome="pass"),
        Try(task="a", outcome="fail"),
    )
    assert found.values == (1, 0.5)


def test_repeats_make_pass_hat_k_of_each_task() -> None:
    tries = [Try(task="a", outcome=o) for o in ("pass", "pass", "pass", "pass", "fail")]
    assert _of(*tries, unit="task", repeats=3).values == (0.4,)


def test_a_task_tried_too_seldom_is_null_not_failed() -> None:
    found = _of(
        Try(task="a", outcome="pass"),
        Try(task="a", outcome="error"),
        Try(task="b", outcome="not_applicable"),
        Try(task="b", outcome="not_applicable"),
        unit="task",
        repeats=2,
    )
    assert found == Units(values=(), nulls=1, not_applicable=1)


def test_a_task_that_decided_nothing_counts_as_its_gravest_outcome() -> None:
    found = _of(Try(task="a", outcome="skipped"), Try(task="a", outcome="error"), unit="task")
    assert found == Units(values=(), errors=1)
