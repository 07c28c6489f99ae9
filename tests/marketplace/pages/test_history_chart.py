"""A standing over time: versions stay apart, nothing leaves the picture, gaps are no zeros."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketplace.pages.history_chart import HEIGHT, WIDTH, Reading, history

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
bps = st.integers(0, 10_000)


def readings(values: list[tuple[int, int]], version: int = 1) -> list[Reading]:
    """One a day: what is proven, and what was measured."""
    return [
        Reading(BEGAN + timedelta(days=day), version, lower, measured)
        for day, (lower, measured) in enumerate(values)
    ]


@given(st.lists(st.tuples(bps, bps), min_size=2, max_size=30))
def test_everything_lies_inside_the_picture(values: list[tuple[int, int]]) -> None:
    made = history(readings([(min(one), max(one)) for one in values]))
    assert made is not None
    places = " ".join(part.band for part in made.stretches)
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", places)
    assert len(points) == 2 * len(values)  # the band of a stretch: there and back again
    for x, y in points:
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT
    assert made.levels
    assert all(0 <= float(level.y) <= HEIGHT for level in made.levels)


def test_a_new_version_starts_a_line_of_its_own() -> None:
    first = readings([(9_000, 9_900), (9_100, 9_900)])
    second = Reading(BEGAN + timedelta(days=9), 2, 8_000, 9_000, breached=True)
    made = history([*first, second])
    assert made is not None
    assert len(made.stretches) == 2
    assert [mark.label for mark in made.versions] == ["v1", "v2"]
    assert len(made.broken) == 1


def test_marks_too_close_to_be_read_keep_their_lines_and_lose_their_names() -> None:
    crowd = [Reading(BEGAN + timedelta(seconds=one), one, 9_000, 9_500) for one in range(1, 60)] + [
        Reading(BEGAN + timedelta(days=9), 60, 9_000, 9_500)
    ]
    made = history(crowd)
    assert made is not None
    assert len(made.versions) == 60
    assert [mark.label for mark in made.versions if mark.label] == ["v1", "v60"]


def test_one_number_is_no_history_and_no_number_is_no_zero() -> None:
    assert history(readings([(9_000, 9_500)])) is None
    gap = Reading(BEGAN + timedelta(days=1), 1, None, None)
    one, two = readings([(9_000, 9_500), (9_000, 9_500)])
    made = history([one, gap, two])
    assert made is not None
    assert made.stretches[0].lower.count(",") == 2


def test_changes_of_one_moment_are_drawn_without_dividing_by_nothing() -> None:
    assert history([Reading(BEGAN, 1, 9_000, 9_500)] * 2) is not None
