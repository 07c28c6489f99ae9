"""From whole numbers to what people read."""

import pytest

from reputation.standing import Composite, DimensionStanding, combine, describe, standing
from reputation.tallies import Key, Tally, weight
from tests.reputation.cast import AGENT, NOON, VERSION, clause, days, fact, settlement, verdict


def seen(
    passes: int, failures: int, *, dimension: str = "accuracy", age: float = 0, floor: int = 9000
) -> DimensionStanding:
    at = NOON - days(age)
    tally = Tally(
        verdicts=1,
        passes=passes,
        failures=failures,
        decayed_passes=passes * weight(at),
        decayed_failures=failures * weight(at),
        promise_bps=9500,
        floor_bps=floor,
        first_at=at,
        last_at=at,
    )
    return describe(Key(AGENT, VERSION, dimension), tally, now=NOON)


@pytest.mark.parametrize(
    ("passes", "failures", "low", "high"),
    [
        (20, 0, 0.774580, 1),
        (19, 1, 0.645348, 0.999859),
        (95, 5, 0.850455, 0.992891),
        (9500, 500, 0.942605, 0.957173),
    ],
)
def test_fresh_evidence_has_the_published_interval(
    passes: int, failures: int, low: float, high: float
) -> None:
    shown = seen(passes, failures)
    assert shown.lower_bps is not None
    assert shown.upper_bps is not None
    assert shown.lower_bps == int(low * 10_000)
    assert 0 <= shown.upper_bps - high * 10_000 < 1
    assert shown.estimate_bps == round(10_000 * passes / (passes + failures))


def test_under_twenty_units_there_is_no_number() -> None:
    shown = seen(19, 0)
    assert shown.is_new
    assert (shown.estimate_bps, shown.lower_bps, shown.upper_bps) == (None, None, None)
    assert shown.status == "undetermined"
    assert not seen(20, 0).is_new


def test_age_widens_the_interval_and_leaves_the_estimate() -> None:
    fresh, old = seen(95, 5), seen(95, 5, age=28)
    assert old.estimate_bps == fresh.estimate_bps == 9500
    assert old.decayed_passes == 95 / 4
    assert old.lower_bps is not None
    assert fresh.lower_bps is not None
    assert old.lower_bps < fresh.lower_bps
    assert old.age == days(28)


def test_evidence_of_long_ago_says_almost_nothing() -> None:
    shown = seen(10_000, 0, age=3650)
    assert (shown.lower_bps, shown.upper_bps, shown.status) == (0, 10_000, "undetermined")


def test_new_evidence_outweighs_old() -> None:
    good, bad = fact(verdict(clause(50, 0), at=NOON - days(140))), fact(verdict(clause(25, 25)))
    facts = [good, bad, fact(settlement(good["id"])), fact(settlement(bad["id"]))]
    shown = standing(facts, now=NOON)[VERSION]["accuracy"]
    assert (shown.passes, shown.failures) == (75, 25)
    assert shown.estimate_bps == 5005


def test_a_dimension_is_breached_only_when_its_whole_interval_is_below_the_floor() -> None:
    assert seen(61, 39).status == "breached"
    assert seen(95, 5).status == "undetermined"
    assert seen(990, 10).status == "met"


# --- one number for a version -------------------------------------------------------------------


def both(safety: DimensionStanding) -> Composite:
    return combine([seen(9600, 400), seen(9800, 200, dimension="scope"), safety])


def test_ninety_four_overall_and_sixty_one_in_safety_shows_sixty_one() -> None:
    whole = combine(
        [seen(9900, 100, dimension=name) for name in "abcdefg"]
        + [seen(610, 390, dimension="safety")]
    )
    assert whole.overall_bps == (7 * 9900 + 6100) // 8 == 9425
    assert (whole.shown_bps, whole.capped_by, whole.status) == (6100, "safety", "breached")
    assert whole.score_bps == 6100


def test_an_unproven_dimension_makes_the_whole_provisional() -> None:
    whole = both(seen(63, 7, dimension="safety"))
    assert whole.status == "undetermined"
    assert whole.capped_by is None
    assert whole.shown_bps == whole.overall_bps == (9600 + 9800 + 9000) // 3


def test_a_new_dimension_has_no_part_in_the_number_but_in_the_status() -> None:
    whole = both(seen(5, 0, dimension="safety"))
    assert whole.overall_bps == 9700
    assert whole.status == "undetermined"


def test_the_score_is_a_lower_bound_that_all_dimensions_share() -> None:
    alone, whole = seen(9600, 400), both(seen(9600, 400, dimension="safety"))
    assert whole.status == "met"
    assert alone.lower_bps is not None
    assert whole.score_bps is not None
    assert whole.overall_bps is not None
    assert whole.score_bps < whole.overall_bps
    assert combine([alone]).score_bps == alone.lower_bps
    triple = combine([seen(9600, 400, dimension=name) for name in "abc"]).score_bps
    assert triple is not None
    assert triple < alone.lower_bps


def test_weights_move_the_number_and_never_the_cap() -> None:
    parts = [seen(9900, 100), seen(610, 390, dimension="safety")]
    whole = combine(parts, weights={"accuracy": 99})
    assert whole.overall_bps == (99 * 9900 + 6100) // 100
    assert whole.shown_bps == 6100


def test_without_evidence_there_is_no_number() -> None:
    none = combine([])
    assert (none.overall_bps, none.score_bps, none.shown_bps) == (None, None, None)
    assert none.status == "undetermined"
    assert combine([seen(19, 0)]).score_bps is None
