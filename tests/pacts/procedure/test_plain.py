"""What the rule decides alone, and what it leaves to people."""

from typing import Any

import pytest

from pacts.procedure.plain import Reading, decide_plainly

EXACT = {"accuracy": "exact/1", "speed": "latency/1"}


def reading(outcome: str = "met", share: int = 10_000, **clauses: str) -> Reading:
    found = clauses or {"accuracy": outcome, "speed": outcome}
    return Reading(
        outcome=outcome,
        earned_share_bps=share,
        clauses={key: (said, 9, 1) for key, said in found.items()},
    )


def decided(**changes: Any) -> Any:
    case: dict[str, Any] = {
        "ground": "performance",
        "contested": ("accuracy",),
        "checks": EXACT,
        "original": reading(),
        "again": reading(),
        "on_breach": "refund",
    }
    return decide_plainly(**case | changes)


def test_the_same_answer_again_confirms_the_verdict_with_clause_and_reason() -> None:
    found = decided()
    assert (found.award_bps, found.clauses, found.confirms) == (10_000, ("accuracy",), True)
    assert "accuracy (exact/1): met, 9 of 10 passed" in found.reasons
    assert "confirms the verdict" in found.reasons


def test_a_corrected_check_corrects_the_award() -> None:
    found = decided(again=reading("breached", share=6_000))
    assert (found.award_bps, found.confirms) == (0, False)
    assert "corrects the verdict" in found.reasons
    prorated = decided(again=reading("breached", share=6_000), on_breach="prorate")
    assert prorated.award_bps == 6_000


@pytest.mark.parametrize("ground", ["scope", "invalid_input", "misrepresentation", "non_delivery"])
def test_what_no_check_measures_is_a_persons(ground: str) -> None:
    assert decided(ground=ground) is None


@pytest.mark.parametrize("kind", ["judged/1", "judged_anchored/1", "reviewed/1"])
def test_a_contested_opinion_is_a_persons_and_one_nobody_contests_is_not(kind: str) -> None:
    checks = EXACT | {"accuracy": kind}
    assert decided(checks=checks) is None
    assert decided(checks=checks, contested=()) is None
    assert decided(checks=checks, contested=("speed",)) is not None


def test_no_clause_named_contests_all_of_them() -> None:
    assert decided(contested=()).clauses == ("accuracy", "speed")


@pytest.mark.parametrize(
    "again",
    [
        reading("undetermined"),
        reading("met", accuracy="undetermined", speed="met"),
        reading("met", speed="met"),
    ],
)
def test_answers_that_tell_nothing_any_more_leave_it_to_a_person(again: Reading) -> None:
    assert decided(again=again) is None


def test_a_clause_the_pact_does_not_have_decides_nothing() -> None:
    assert decided(contested=("beauty",)) is None
