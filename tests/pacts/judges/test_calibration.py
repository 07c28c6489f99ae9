"""How far a jury may be believed: the arithmetic, and its direction simulated."""

import random

import pytest

from pacts import statistics
from pacts.checks.judged_anchored import audited, audited_range
from pacts.judges.calibration import Agreement, cohens_kappa, figures, refusal
from pacts.judges.sampling import is_drawn
from pacts.scales import PLAIN, Scale, interval
from pacts.terms import Clause, clause_from_json
from reputation.confidence import confidence_sequence
from tests.pacts.pacts_of_bob import clause as clause_data

LENIENT = Agreement(pass_pass=198, fail_pass=2, pass_fail=60, fail_fail=40)
HARSH = Agreement(pass_pass=186, fail_pass=14, pass_fail=30, fail_fail=70)


def test_a_lenient_judge_is_refused_with_the_arithmetic() -> None:
    # Sensitivity .99 and 60 % of failures passed: a 90 % agent looks 95.1 %.
    found = refusal(LENIENT, promise=0.95, floor=0.90)
    assert found is not None
    assert "0.9000 × 0.9900 + 0.1000 × 0.6000 = 95.10%" in found
    assert "bias is +5.10%" in found
    assert "±2.50%" in found


def test_a_harsh_judge_is_refused_at_the_promise() -> None:
    found = refusal(HARSH, promise=0.99, floor=0.98)
    assert found is not None
    assert found.startswith("at the promise of 99.00%")


def test_a_good_judge_may_decide_a_wide_zone_and_not_a_narrow_one() -> None:
    good = Agreement(pass_pass=398, fail_pass=2, pass_fail=10, fail_fail=190)
    assert refusal(good, promise=0.95, floor=0.90) is None
    assert refusal(good, promise=0.95, floor=0.948) is not None
    assert refusal(good, promise=0.95, floor=0.95) is not None


def test_exactly_half_the_distance_is_still_allowed() -> None:
    # Bias at p: p·1 + (1 − p)·0.25 − p = (1 − p)/4, so 2.5 % at the floor of 90 %.
    counts = Agreement(pass_pass=100, pass_fail=25, fail_fail=75)
    assert refusal(counts, promise=0.95, floor=0.90) is None
    one_more = Agreement(pass_pass=100, pass_fail=26, fail_fail=75)
    assert refusal(one_more, promise=0.95, floor=0.90) is not None


def test_too_few_labels_or_too_many_abstentions_are_refused() -> None:
    few = Agreement(pass_pass=100, fail_fail=99)
    assert "199 labels" in (refusal(few, promise=0.95, floor=0.9) or "")
    enough = Agreement(pass_pass=100, fail_fail=100)
    assert refusal(enough, promise=0.95, floor=0.9) is None
    mute = Agreement(pass_pass=100, fail_fail=100, abstained=30)
    assert "abstained" in (refusal(mute, promise=0.95, floor=0.9) or "")
    onesided = Agreement(pass_pass=200)
    assert "failed some" in (refusal(onesided, promise=0.95, floor=0.9) or "")


def test_the_figures_carry_confidence_sequences() -> None:
    found = figures(LENIENT)
    assert found.sensitivity.point == pytest.approx(0.99)
    assert (found.sensitivity.low, found.sensitivity.high) == confidence_sequence(
        passes=198, failures=2
    )
    assert found.bias(0.9) == pytest.approx(0.051)
    low, high = found.bias_range(0.9)
    assert low < 0.051 < high


def test_kappa_is_agreement_beyond_chance() -> None:
    # Cohen's own kind of example: 20 + 15 of 50 agree; chance is .5.
    pairs = [
        *[("pass", "pass")] * 20,
        *[("pass", "fail")] * 5,
        *[("fail", "pass")] * 10,
        *[("fail", "fail")] * 15,
    ]
    assert cohens_kappa(pairs) == pytest.approx(0.4)  # type: ignore[arg-type]
    assert cohens_kappa([]) is None
    assert cohens_kappa([("pass", "pass")] * 3) is None


# --- the audit ---------------------------------------------------------------------------------


def zone(**changes: object) -> Clause:
    """Promise .95, floor .90, decided by an audited jury that people read a fifth of."""
    params = {"jury": "sha256:" + "0" * 64, "rule": "majority", "review_bps": 2000}
    check = {"check": "judged_anchored", "params": params} | changes
    return clause_from_json(clause_data(**check, min_count=1))


def test_promise_and_floor_are_carried_as_the_findings_are() -> None:
    scale = audited_range(0.2)
    assert scale == Scale(low=-4, high=5)
    assert scale.inward(0.95) == pytest.approx(0.55)
    assert scale.outward(scale.inward(0.9)) == pytest.approx(0.9)
    assert {audited(j, y, 0.2) for j in (0, 1) for y in (0, 1)} == {0, 5, -4, 1}


def test_an_audit_corrects_any_judge_on_average() -> None:
    rng = random.Random(7)
    found = [
        audited(judge, people if rng.random() < 0.2 else None, 0.2)
        for _ in range(40_000)
        for people in [float(rng.random() < 0.9)]
        for judge in [float(people or rng.random() < 0.6)]
    ]
    assert sum(found) / len(found) == pytest.approx(0.9, abs=0.01)


def verdicts_of(rate: float, *, passes_failures: float, audit: bool, runs: int) -> dict[str, int]:
    """Verdicts over an agent of this rate by a judge that passes that share of real failures."""
    scale = audited_range(0.5)
    clause = zone(
        **(
            {"params": {"jury": "sha256:" + "0" * 64, "rule": "majority", "review_bps": 5000}}
            if audit
            else {"check": "equality", "params": {"field": "x"}}
        )
    )
    rng = random.Random(11)
    found = {"met": 0, "breached": 0, "undetermined": 0}
    for _ in range(runs):
        tally = statistics.Tally(clause)
        for _ in range(1500):
            people = float(rng.random() < rate)
            judge = float(people or rng.random() < passes_failures)
            seen = people if audit and rng.random() < 0.5 else None
            tally.add(scale.inward(audited(judge, seen, 0.5)) if audit else judge)
            if tally.decided:
                break
        found[tally.verdict().status] += 1
    return found


def test_a_lenient_judge_alone_turns_the_verdict_round_and_an_audited_one_does_not() -> None:
    # A 90 % agent, zone .95/.90, a judge that passes 60 % of real failures.
    alone = verdicts_of(0.90, passes_failures=0.6, audit=False, runs=40)
    assert alone["met"] >= 36
    checked = verdicts_of(0.90, passes_failures=0.6, audit=True, runs=40)
    assert checked["met"] <= 3
    assert checked["breached"] >= 30


def test_the_interval_around_an_audited_mean_uses_the_findings_themselves() -> None:
    scale = audited_range(0.2)
    kept = {scale.inward(1.0): 270, scale.inward(0.0): 30}
    low, high = interval(kept, scale)
    assert 0.7 < low < 0.9 < high <= 1
    assert interval({}, scale) == (0.0, 1.0)
    ones = {1.0: 95, 0.0: 5}
    plain_low, plain_high = interval(ones, PLAIN)
    assert (plain_low, plain_high) == pytest.approx(
        confidence_sequence(passes=95, failures=5), abs=0.01
    )


def test_a_draw_takes_the_share_it_says() -> None:
    for bps in (100, 2000, 9_999, 10_000):
        drawn = sum(
            is_drawn(seed=b"s" * 32, position=n, probability_bps=bps) for n in range(20_000)
        )
        assert drawn / 20_000 == pytest.approx(bps / 10_000, abs=0.01)
