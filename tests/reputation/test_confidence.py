"""The vectors are the specification's; the larger file is read where it is present."""

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reputation.confidence import (
    Evidence,
    RateOutOfRange,
    ValueOutOfRange,
    bounded_ln_e_breach,
    bounded_ln_e_met,
    confidence_sequence,
    ln_e_breach,
    ln_e_met,
    pass_at_k,
    pass_hat_k,
    reaches,
)

COUNTS = [
    # promise, floor, passes, failures, ln E_breach, ln E_met
    (0.95, 0.95, 100, 0, -1.755212, 3.677809),
    (0.95, 0.95, 95, 5, -0.864440, -0.636638),
    (0.95, 0.95, 180, 20, 2.634695, -2.072102),
    (0.95, 0.95, 160, 40, 25.247528, -3.745722),
    (0.95, 0.90, 48, 0, -1.726584, 3.234233),
    (0.95, 0.90, 95, 5, -1.188408, 1.336582),
    (0.95, 0.90, 180, 20, 3.639814, -1.636132),
    (0.95, 0.90, 285, 15, -1.836741, 4.519440),
    (0.95, 0.90, 930, 70, 1.522321, 3.182446),
    (0.95, 0.90, 0, 3, 4.520176, -1.453005),
    (0.99, 0.98, 190, 10, 5.867272, -2.230087),
    (0.99, 0.98, 990, 10, -1.923323, 2.682605),
    (0.80, 0.70, 160, 40, -1.849058, 4.607996),
]
SEQUENCES = [
    # passes, failures, low, high at 95 %
    (20, 0, 0.774580, 1.0),
    (59, 0, 0.916631, 1.0),
    (19, 1, 0.645348, 0.999859),
    (48, 2, 0.807244, 0.998871),
    (95, 5, 0.850455, 0.992891),
    (285, 15, 0.898802, 0.981860),
    (950, 50, 0.923490, 0.970340),
    (9500, 500, 0.942605, 0.957173),
    (60, 40, 0.437226, 0.756602),
]
SCORES = [0.9, 1, 0.75, 0.6, 1, 1, 0.8, 0.85, 0.95, 0.7] * 5
BOUNDED = [
    (0.85, 0.85, -0.529599, -0.062907),
    (0.90, 0.80, 1.942091, 1.610217),
    (0.95, 0.95, 16.883784, -1.312206),
]
MARTINGALE = [
    # evidence, promise, floor, true rate, its expectation after 30 calls
    (ln_e_breach, 0.95, 0.95, 0.97, 0.513113606),
    (ln_e_met, 0.95, 0.95, 0.90, 0.557310954),
    (ln_e_breach, 0.95, 0.90, 0.97, 0.520645797),
    (ln_e_met, 0.95, 0.90, 0.85, 0.486253169),
]
PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "statistics" / "vectors.json"

rates = st.floats(0.05, 0.95)
outcomes = st.lists(st.sampled_from([0.0, 1.0]), max_size=60)


@pytest.mark.parametrize(("promise", "floor", "passes", "failures", "breach", "met"), COUNTS)
def test_evidence_from_counts_is_the_specified_number(
    promise: float, floor: float, passes: int, failures: int, breach: float, met: float
) -> None:
    at = {"passes": passes, "failures": failures, "promise": promise, "floor": floor}
    assert ln_e_breach(**at) == pytest.approx(breach, abs=1e-6)
    assert ln_e_met(**at) == pytest.approx(met, abs=1e-6)


@pytest.mark.parametrize(("promise", "floor", "breach", "met"), BOUNDED)
def test_evidence_from_scores_is_the_specified_number(
    promise: float, floor: float, breach: float, met: float
) -> None:
    assert bounded_ln_e_breach(SCORES, promise=promise, floor=floor) == pytest.approx(
        breach, abs=1e-6
    )
    assert bounded_ln_e_met(SCORES, promise=promise, floor=floor) == pytest.approx(met, abs=1e-6)


@pytest.mark.parametrize(("passes", "failures", "low", "high"), SEQUENCES)
def test_confidence_sequences_are_the_specified_numbers(
    passes: int, failures: int, low: float, high: float
) -> None:
    assert confidence_sequence(passes=passes, failures=failures) == pytest.approx(
        (low, high), abs=1e-6
    )


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published vectors are not beside the tree")
def test_the_published_vectors_hold() -> None:
    published = json.loads(PUBLISHED.read_text())
    for v in published["counts"]:
        at = {"passes": v["S"], "failures": v["F"], "promise": v["p0"], "floor": v["p1"]}
        assert ln_e_breach(**at) == pytest.approx(v["ln_e_breach"], abs=1e-5)
        assert ln_e_met(**at) == pytest.approx(v["ln_e_met"], abs=1e-5)
    for v in published["cs"]:
        assert confidence_sequence(passes=v["S"], failures=v["F"]) == pytest.approx(
            (v["lo"], v["hi"]), abs=1e-6
        )
    for v in published["pass_k"]:
        at_k = {"trials": v["n"], "passes": v["c"], "k": v["k"]}
        assert pass_hat_k(**at_k) == pytest.approx(v["pass_hat"], abs=1e-6)
        assert pass_at_k(**at_k) == pytest.approx(v["pass_at"], abs=1e-6)


@pytest.mark.parametrize(
    ("n", "c", "k", "expected"), [(5, 4, 3, 0.4), (8, 6, 4, 3 / 14), (10, 9, 5, 0.5), (5, 3, 5, 0)]
)
def test_pass_hat_k_is_unbiased_for_one_task(n: int, c: int, k: int, expected: float) -> None:
    assert pass_hat_k(trials=n, passes=c, k=k) == pytest.approx(expected)


def test_fewer_trials_than_k_say_nothing() -> None:
    assert pass_hat_k(trials=2, passes=2, k=3) is None
    assert pass_at_k(trials=2, passes=0, k=3) is None


@pytest.mark.parametrize(
    ("promise", "floor"), [(0.95, 0.95), (0.95, 0.90), (0.8, 0.6), (0.99, 0.98)]
)
@pytest.mark.parametrize("n", [1, 7, 60, 200])
def test_evidence_is_a_martingale_at_the_boundary_of_its_hypothesis(
    promise: float, floor: float, n: int
) -> None:
    assert _expectation(ln_e_met, n, floor, promise, floor) == pytest.approx(1, abs=1e-9)
    assert _expectation(ln_e_breach, n, promise, promise, floor) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("evidence", "promise", "floor", "rate", "expected"), MARTINGALE)
def test_evidence_shrinks_inside_its_hypothesis(
    evidence: Callable[..., float], promise: float, floor: float, rate: float, expected: float
) -> None:
    assert _expectation(evidence, 30, rate, promise, floor) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(outcomes, rates, rates)
def test_a_stream_of_zeros_and_ones_equals_its_counts(
    values: list[float], a: float, b: float
) -> None:
    promise, floor = max(a, b), min(a, b)
    stream = Evidence(promise=promise, floor=floor)
    for value in values:
        stream.add(value)
    passes = int(sum(values))
    at = {"passes": passes, "failures": len(values) - passes, "promise": promise, "floor": floor}
    assert stream.ln_e_met == pytest.approx(ln_e_met(**at), abs=1e-7)
    assert stream.ln_e_breach == pytest.approx(ln_e_breach(**at), abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), rates, rates)
def test_more_failures_never_help_met_nor_hurt_breach(n: int, a: float, b: float) -> None:
    promise, floor = max(a, b), min(a, b)
    met = [ln_e_met(passes=n - f, failures=f, promise=promise, floor=floor) for f in range(n)]
    breach = [ln_e_breach(passes=n - f, failures=f, promise=promise, floor=floor) for f in range(n)]
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(met))
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(breach))


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 5000), st.floats(0, 5000))
def test_a_confidence_sequence_holds_the_observed_rate(passes: float, failures: float) -> None:
    low, high = confidence_sequence(passes=passes, failures=failures)
    assert 0 <= low <= high <= 1
    if passes + failures > 0:
        assert low - 1e-9 <= passes / (passes + failures) <= high + 1e-9


def test_nothing_seen_is_no_knowledge() -> None:
    assert confidence_sequence(passes=0, failures=0) == (0, 1)


def test_a_rate_at_the_edge_is_refused() -> None:
    for promise, floor in ((1.0, 0.9), (0.9, 0.0), (0.8, 0.9), (math.nan, 0.5)):
        with pytest.raises(RateOutOfRange):
            ln_e_met(passes=1, failures=0, promise=promise, floor=floor)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf])
def test_a_value_outside_the_unit_interval_is_refused(value: float) -> None:
    with pytest.raises(ValueOutOfRange):
        Evidence(promise=0.9, floor=0.8).add(value)


def test_a_threshold_is_reached_exactly_at_one_over_the_risk() -> None:
    assert reaches(math.log(20), risk=0.05)
    assert not reaches(math.log(20) - 1e-9, risk=0.05)


def _expectation(
    evidence: Callable[..., float], n: int, rate: float, promise: float, floor: float
) -> float:
    """The expected value after n independent calls of the given true rate, summed exactly."""
    return math.fsum(
        math.exp(
            _ln_binomial(n, f, rate)
            + evidence(passes=n - f, failures=f, promise=promise, floor=floor)
        )
        for f in range(n + 1)
    )


def _ln_binomial(n: int, failures: int, mean: float) -> float:
    chosen = math.lgamma(n + 1) - math.lgamma(failures + 1) - math.lgamma(n - failures + 1)
    return chosen + (n - failures) * math.log(mean) + failures * math.log(1 - mean)
