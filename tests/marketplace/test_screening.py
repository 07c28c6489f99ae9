"""Two orders side by side: how far they agree, and whom buyers followed."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.models import HireChoice
from marketplace.ranks import agreement, midranks
from marketplace.screening import _count

VALUES = st.lists(st.integers(0, 5), min_size=2, max_size=6)


def choice(by_benchmark: int | None, by_pact: int | None, rated: int = 4) -> HireChoice:
    return HireChoice(rated=rated, by_benchmark=by_benchmark, by_pact=by_pact, work="w")


def test_ranks_of_a_textbook_and_ties_share_their_places() -> None:
    assert midranks([10, 20, 20, 5]) == [2, 3.5, 3.5, 1]
    found = agreement(
        [106, 86, 100, 101, 99, 103, 97, 113, 112, 110], [7, 0, 27, 50, 28, 29, 20, 12, 6, 17]
    )
    assert found.rho == pytest.approx(-29 / 165)
    assert 0.5 < (found.p_value or 0) < 0.75


def test_the_p_value_of_few_pairs_counts_every_order() -> None:
    found = agreement([1, 2, 3, 4], [1, 2, 3, 4])
    assert found.rho == pytest.approx(1)
    assert found.p_value == 2 / len(list(permutations(range(4))))
    assert found.says_little


def test_one_value_on_one_side_has_no_correlation() -> None:
    assert agreement([1, 1, 1], [1, 2, 3]).rho is None
    assert agreement([], []).says_little


@given(one=VALUES, data=st.data())
def test_the_correlation_is_symmetric_and_turns_with_the_order(
    one: list[int], data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.integers(0, 5), min_size=len(one), max_size=len(one)))
    there, back = agreement(one, other), agreement(other, one)
    turned = agreement(one, [-value for value in other])
    if there.rho is None:
        assert back.rho is turned.rho is None
        return
    assert -1 - 1e-9 <= there.rho <= 1 + 1e-9
    assert back.rho == pytest.approx(there.rho)
    assert turned.rho == pytest.approx(-there.rho)


def test_a_hire_follows_what_ranked_the_hired_agent_higher() -> None:
    found = _count(
        [choice(1, 3), choice(2, 1), choice(1, 1), choice(None, 2), choice(1, 2, rated=1)]
    )
    assert (found.hires, found.comparable, found.disagreed) == (5, 3, 2)
    assert (found.benchmark, found.pact, found.benchmark_share) == (1, 1, 0.5)
    assert _count([]).benchmark_share is None
