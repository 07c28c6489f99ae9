"""pass@k and pass^k per task: unbiased, null where there are too few tries, both reported."""

from typing import Any

import pytest

from pacts.checks import CHECKS
from pacts.judging import Reckoning
from pacts.repetition import Repetition
from pacts.terms import clause_from_json
from pacts.tries import Outcome, Try
from pacts.units import unit_of
from tests.pacts.pacts_of_bob import clause

SOLVED = {"check": "equality", "params": {"field": "language"}}


def many(outcome: Outcome, count: int) -> list[Outcome]:
    return [outcome] * count


def tries(trials: int, passes: int, task: str = "t") -> list[Try]:
    outcomes = many("pass", passes) + many("fail", trials - passes)
    return [Try(task=task, outcome=outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("trials", "passes", "k", "all_of_k"),
    [(5, 4, 3, 0.4), (8, 6, 4, 0.214286), (10, 9, 5, 0.5), (5, 3, 5, 0.0)],
)
def test_both_figures_of_a_task_are_unbiased(
    trials: int, passes: int, k: int, all_of_k: float
) -> None:
    found = Repetition(k)
    found.add(tries(trials, passes))
    assert found.all_of_k == pytest.approx(all_of_k, abs=1e-6)
    assert found.any_of_k == 1.0
    strict = clause_from_json(clause(check="consistency", unit="task", repeats=k))
    assert unit_of(clause=strict, tries=tries(trials, passes)) == pytest.approx(all_of_k, abs=1e-6)


def test_a_task_with_too_few_decided_tries_is_null_for_both() -> None:
    found = Repetition(3)
    found.add([*tries(2, 2), Try(task="t", outcome="null"), Try(task="t", outcome="error")])
    assert (found.tasks, found.nulls, found.any_of_k, found.all_of_k) == (0, 1, None, None)
    within = clause_from_json(clause(check="solved_within", params=SOLVED, unit="task", repeats=3))
    assert unit_of(clause=within, tries=tries(2, 2)) == "null"
    assert unit_of(clause=within, tries=tries(5, 1)) == pytest.approx(0.6)


def test_a_verdict_on_repeats_tells_both_figures() -> None:
    strict = clause_from_json(clause(check="consistency", unit="task", repeats=3))
    reckoning = Reckoning([strict])
    for n in range(20):
        reckoning.add({strict.key: tries(5, 4 if n % 2 else 5, task=str(n))})
    reckoning.add({strict.key: tries(2, 2, task="few")})
    found = reckoning.verdict().clauses[0]
    assert "pass@3 100.0%, pass^3 70.0%." in found.reason
    assert "1 null" in found.reason


def test_what_is_tried_once_tells_of_no_repeats() -> None:
    plain = clause_from_json(clause())
    reckoning = Reckoning([plain])
    reckoning.add({plain.key: tries(1, 1)})
    assert "pass@" not in reckoning.verdict().clauses[0].reason


# --- metamorphic units -------------------------------------------------------------------------


def varied(base: Outcome, *variants: Outcome) -> list[Try]:
    return [
        Try(task="t", outcome=base),
        *(Try(task="t", outcome=o, variant=f"c/typos/{n}") for n, o in enumerate(variants)),
    ]


@pytest.mark.parametrize(
    ("found", "invariance", "worst"),
    [
        (varied("pass", "pass", "pass"), 1.0, 1.0),
        (varied("pass", "pass", "fail"), 0.5, 0.0),
        (varied("fail", "fail", "fail"), 1.0, 0.0),
        (varied("fail", "pass", "fail", "fail", "fail"), 0.75, 0.0),
        (varied("pass", "null", "pass"), 1.0, 1.0),
        (varied("pass"), "not_applicable", "not_applicable"),
        (varied("null", "pass"), "null", "null"),
        (varied("error", "pass"), "error", "error"),
        (varied("pass", "null", "error"), "null", "null"),
    ],
)
def test_a_task_and_its_variants_make_one_unit(
    found: list[Try], invariance: float | str, worst: float | str
) -> None:
    params: dict[str, Any] = {"check": "equality", "params": {"field": "x"}}
    for kind, expected in (("invariance", invariance), ("worst_variant", worst)):
        gathers = CHECKS[kind].gathers
        assert gathers is not None
        assert gathers(params, 0.9, found) == expected


def test_what_wording_costs_is_carried_as_specified() -> None:
    # y = (x_var − (1−d)·x_base + (1−d)) / (2−d), with 1 − d the promise.
    check = CHECKS["variant_drop"]
    assert check.gathers is not None
    for promise in (0.8, 0.95):
        drop = 1 - promise
        for base, variants in (("pass", 1), ("pass", 2), ("fail", 3), ("fail", 0)):
            outcomes = many("pass", variants) + many("fail", 3 - variants)
            x_base, x_var = float(base == "pass"), variants / 3
            y = (x_var - (1 - drop) * x_base + (1 - drop)) / (2 - drop)
            found = check.gathers({}, promise, varied(base, *outcomes))  # type: ignore[arg-type]
            assert found == pytest.approx(y)
        mean = check.scale({}, promise).inward(promise)
        assert mean == pytest.approx((1 - drop) / (2 - drop))
