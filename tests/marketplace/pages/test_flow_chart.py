"""Pictures of money: both sides add up, and every ribbon stays inside its picture."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.pages.flow_chart import Flow, Sum, flow

amounts = st.lists(st.integers(0, 10**15), min_size=1, max_size=8)


def drawn(left: list[int], right: list[int]) -> Flow | None:
    """The picture of these amounts."""
    return flow(
        title="Balance",
        currency="EUR",
        left=[Sum(f"from {n}", one) for n, one in enumerate(left)],
        right=[Sum(f"to {n}", one) for n, one in enumerate(right)],
    )


@given(amounts)
def test_a_picture_shows_every_amount_and_nothing_outside_its_rows(left: list[int]) -> None:
    total = sum(left)
    made = drawn(left, [total // 3, total - total // 3])
    if not total:
        assert made is None
        return
    assert made is not None
    assert sum(one.amount for one in made.left) == sum(one.amount for one in made.right) == total
    assert len(made.ribbons) == len(made.left) + len(made.right)
    assert 0 <= made.top <= made.top + made.bar <= made.height
    for ribbon in made.ribbons:
        ys = [float(y) for y in re.findall(r"(?:^M0|^M100| 47| 53|V) ?(-?[\d.]+)", ribbon.path)]
        assert ys
        assert all(-3 <= y <= made.height + 3 for y in ys), ribbon.path


def test_money_neither_appears_nor_vanishes_in_a_picture() -> None:
    with pytest.raises(ValueError, match="10 came in, 9 went out"):
        drawn([10], [9])


def test_a_sum_of_nothing_has_no_ribbon() -> None:
    made = drawn([0, 5], [5])
    assert made is not None
    assert [one.amount for one in made.left] == [5]
