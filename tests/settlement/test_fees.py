"""Fees in bands: exact, marginal, rounded once, and the same as a flat rate where bands agree."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement import escrow as escrows
from settlement.fees import FeeBand, apportion, banded
from settlement.receipts import holds
from settlement.shares import SharesIncomplete, allot
from tests.settlement.hires import funded

BANDS = (FeeBand(0, 500), FeeBand(1_000, 300), FeeBand(5_000, 100))
amounts = st.integers(1, 10**15 - 1)
rates = st.integers(0, 10_000)
bands = st.builds(
    lambda first, rest: (FeeBand(0, first), *(FeeBand(a, b) for a, b in sorted(rest.items()))),
    rates,
    st.dictionaries(st.integers(1, 10**15 - 1), rates, max_size=4),
)


def test_each_band_takes_its_rate_of_its_own_part_alone() -> None:
    division = apportion(amount=8_000, share_bps=10_000, fee_bps=500, fee_bands=BANDS)
    assert division.fee == 50 + 120 + 30
    assert banded(8_000, BANDS) == [(1_000, BANDS[0]), (4_000, BANDS[1]), (3_000, BANDS[2])]


def test_bands_cut_what_was_earned_not_what_was_priced() -> None:
    division = apportion(amount=8_000, share_bps=1_250, fee_bps=500, fee_bands=BANDS)
    assert (division.earned, division.fee) == (1_000, 50)


def test_a_refund_carries_no_fee_in_any_band() -> None:
    division = apportion(amount=8_000, share_bps=0, fee_bps=500, fee_bands=BANDS)
    assert (division.released, division.fee, division.refunded) == (0, 0, 8_000)


def test_rounding_happens_once_over_all_bands_and_a_tie_serves_the_builder() -> None:
    halves = (FeeBand(0, 5_000), FeeBand(1, 5_000), FeeBand(2, 5_000))
    assert apportion(amount=3, share_bps=10_000, fee_bps=5_000, fee_bands=halves).fee == 1


@given(amounts, rates, bands)
def test_nothing_is_lost_and_the_fee_is_within_one_unit_of_exact(
    amount: int, share: int, steps: tuple[FeeBand, ...]
) -> None:
    division = apportion(amount=amount, share_bps=share, fee_bps=steps[0].fee_bps, fee_bands=steps)
    assert division.released + division.fee + division.refunded == amount
    assert min(division.released, division.fee, division.refunded) >= 0
    parts = banded(division.earned, steps)
    assert sum(part for part, _ in parts) == division.earned
    exact = Fraction(sum(part * band.fee_bps for part, band in parts), 10_000)
    assert abs(Fraction(division.fee) - exact) <= Fraction(1, 2)


@given(amounts, rates, rates, st.sets(st.integers(1, 10**15 - 1), max_size=4))
def test_bands_of_one_rate_are_that_flat_rate(
    amount: int, share: int, rate: int, cuts: set[int]
) -> None:
    same = (FeeBand(0, rate), *(FeeBand(cut, rate) for cut in sorted(cuts)))
    flat = apportion(amount=amount, share_bps=share, fee_bps=rate)
    assert apportion(amount=amount, share_bps=share, fee_bps=rate, fee_bands=same) == flat


def test_parts_that_do_not_make_whole_units_are_refused() -> None:
    with pytest.raises(SharesIncomplete):
        allot([1, 2])


@pytest.mark.django_db
def test_agreed_bands_are_signed_taken_and_printed_on_the_receipt() -> None:
    made = funded(price=8_000, fee_bands=[(0, 500), (1_000, 300), (5_000, 100)])
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=made.escrow.funded_at)  # type: ignore[arg-type]
    assert made.balances() == (0, 7_800, 200)
    receipt = made.escrow.receipt
    assert holds(receipt)
    assert '"fee_bands":[{"above":0,"amount":1000,"fee_bps":500}' in receipt.body
    assert "each band's rate on its own part" in receipt.body
