"""The tables of the specification, found by the exact programme."""

import pytest

from pacts.sample_sizes import Risks, boundary, calls_to_verdict, run_at
from pacts.scales import PLAIN, Scale
from reputation.confidence import Evidence, reaches

ZONE = Risks(promise=0.95, floor=0.90)
STRICT = Risks(promise=0.95, floor=0.95)
TABLE = [
    # units, zone breached from, zone met up to, strict breached from, strict met up to
    (3, 3, None, 3, None),
    (5, 3, None, 3, None),
    (10, 4, None, 4, None),
    (20, 6, None, 5, None),
    (30, 7, None, 7, None),
    (46, 8, 0, 8, None),
    (48, 8, 0, 9, None),
    (50, 8, 0, 9, None),
    (75, 10, 1, 11, None),
    (85, 11, 1, 12, 0),
    (100, 12, 2, 13, 0),
    (150, 16, 6, 17, 0),
    (200, 20, 9, 21, 2),
    (300, 27, 17, 28, 5),
    (500, 41, 31, 42, 11),
    (1000, 74, 70, 73, 30),
    (2000, 135, 157, 132, 71),
]


@pytest.mark.parametrize(("units", "zb", "zm", "sb", "sm"), TABLE)
def test_the_integer_boundaries_are_the_specified_ones(
    units: int, zb: int, zm: int | None, sb: int, sm: int | None
) -> None:
    zone, strict = boundary(units, ZONE), boundary(units, STRICT)
    assert (zone.breached_from, zone.met_up_to) == (zb, zm)
    assert (strict.breached_from, strict.met_up_to) == (sb, sm)


@pytest.mark.parametrize(
    ("rate", "expected", "met"),
    [
        (0.80, 32.3, 0.0000),
        (0.90, 160.3, 0.0379),
        (0.93, 304.7, 0.5955),
        (0.95, 185.3, 0.9705),
        (0.97, 97.9, 0.9988),
        (0.99, 59.1, 1.0),
        (1.0, 46.0, 1.0),
    ],
)
def test_expected_units_in_the_zone_are_the_specified_ones(
    rate: float, expected: float, met: float
) -> None:
    run = run_at(rate, ZONE, horizon=20_000)
    assert run.expected_units == pytest.approx(expected, abs=0.06)
    assert run.met == pytest.approx(met, abs=6e-5)
    assert run.met + run.breached == pytest.approx(1, abs=1e-8)


def test_false_verdicts_of_a_strict_clause_grow_as_specified() -> None:
    run = run_at(0.95, STRICT, horizon=1_000)
    assert run.breached == pytest.approx(0.0235, abs=6e-5)
    assert run.met == pytest.approx(0.0275, abs=6e-5)


@pytest.mark.parametrize(
    ("promise", "floor", "perfect", "on_promise", "method"),
    [
        (0.80, 0.60, 10, 35, "exact"),
        (0.90, 0.80, 22, 86, "exact"),
        (0.95, 0.90, 46, 185, "exact"),
        (0.95, 0.92, 60, 439, "exact"),
        (0.99, 0.98, 237, 985, "exact"),
        (0.95, 0.95, 85, None, "exact"),
    ],
)
def test_calls_to_a_verdict_are_the_specified_ones(
    promise: float, floor: float, perfect: int, on_promise: int | None, method: str
) -> None:
    found = calls_to_verdict(promise=promise, floor=floor)
    assert (found.perfect, found.on_promise, found.method) == (perfect, on_promise, method)


@pytest.mark.parametrize(
    ("promise", "floor", "perfect", "exact"),
    [(0.995, 0.99, 477, 1988.1), (0.999, 0.998, 2393, 10001.5), (0.95, 0.94, 82, 3224)],
)
def test_far_verdicts_are_approximated_within_four_percent(
    promise: float, floor: float, perfect: int, exact: float
) -> None:
    found = calls_to_verdict(promise=promise, floor=floor)
    assert found.perfect == perfect
    assert found.method == "approximation"
    assert found.on_promise == pytest.approx(exact, rel=0.04)


@pytest.mark.parametrize(
    ("scale", "perfect", "on_promise"),
    [(Scale(low=-4, high=5), 254, 562), (Scale(low=0, high=1.95), 49, 272), (PLAIN, 46, 185)],
)
def test_a_scale_of_its_own_takes_the_calls_it_takes(
    scale: Scale, perfect: int, on_promise: int
) -> None:
    found = calls_to_verdict(promise=0.95, floor=0.90, scale=scale)
    assert (found.perfect, found.on_promise, found.method) == (perfect, on_promise, "exact")


def test_the_estimate_of_calls_on_a_scale_is_what_the_verdict_itself_takes() -> None:
    scale = Scale(low=-4, high=5)
    evidence = Evidence(promise=scale.inward(0.95), floor=scale.inward(0.90))
    for units in range(1, 255):
        evidence.add(scale.inward(1))
        assert reaches(evidence.ln_e_met, risk=0.05) == (units == 254)


def test_a_rough_estimate_on_a_scale_is_near_the_exact_one() -> None:
    risks = Risks(promise=0.95, floor=0.90, scale=Scale(low=-9, high=10))
    exact = calls_to_verdict(promise=0.95, floor=0.90, scale=risks.scale).on_promise
    assert exact is not None
    assert 0.85 < risks.rough / exact < 1.15
