"""Amounts: strict in, exact through every division, written as people expect."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.fees import apportion
from settlement.money import (
    EXPONENTS,
    LARGEST,
    AmountMalformed,
    CurrencyUnknown,
    Money,
    parse,
    read,
    written,
)
from settlement.shares import SharesIncomplete, divide

amounts = st.integers(0, LARGEST)
bps = st.integers(0, 10_000)


@pytest.mark.parametrize(
    "hostile",
    ["", "-1", "+1", "1.0", "1e9", "1_000", " 1", "1\n", "٣", "0x10", "1" * 16, "NaN", "１"],
)
def test_minor_units_are_ascii_digits_and_nothing_else(hostile: str) -> None:
    with pytest.raises(AmountMalformed):
        parse(hostile, "USD")


@pytest.mark.parametrize("hostile", [12, 1.5, None, True, b"12"])
def test_an_amount_that_is_not_text_is_not_parsed(hostile: object) -> None:
    with pytest.raises(AmountMalformed):
        parse(hostile, "USD")  # type: ignore[arg-type]


def test_an_unknown_currency_is_refused_in_any_spelling() -> None:
    for code in ("usd", "XXX", "", "USD ", None):
        with pytest.raises(CurrencyUnknown):
            Money(1, code)  # type: ignore[arg-type]


def test_a_float_or_a_boolean_is_no_amount_of_money() -> None:
    for amount in (1.0, True, -1, LARGEST + 1):
        with pytest.raises(AmountMalformed):
            Money(amount, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "code", "minor"),
    [("12.5", "USD", 1250), ("12", "JPY", 12), ("0.125", "KWD", 125), ("3", "USDC", 3_000_000)],
)
def test_people_write_as_many_decimals_as_the_currency_has(
    typed: str, code: str, minor: int
) -> None:
    assert read(typed, code) == Money(minor, code)


@pytest.mark.parametrize(("typed", "code"), [("1.005", "USD"), ("1.5", "JPY"), (".5", "USD")])
def test_more_precision_than_the_currency_has_is_refused_not_rounded(typed: str, code: str) -> None:
    with pytest.raises(AmountMalformed):
        read(typed, code)


def test_money_is_written_by_its_exponent() -> None:
    assert str(Money(123_456, "USD")) == "USD 1,234.56"
    assert str(Money(5, "USDC")) == "USDC 0.000005"
    assert str(Money(1_000, "JPY")) == "JPY 1,000"


@given(amounts, st.sampled_from(sorted(EXPONENTS)))
def test_what_is_written_reads_back_equal(amount: int, code: str) -> None:
    money = Money(amount, code)
    assert read(written(money).replace(",", ""), code) == money


@given(amounts, st.lists(bps, min_size=1, max_size=5))
def test_shares_add_up_and_none_is_a_unit_away_from_its_exact_part(
    amount: int, cuts: list[int]
) -> None:
    edges = [0, *sorted(cuts), 10_000]
    shares = [after - before for before, after in pairwise(edges)]
    parts = divide(amount, shares)
    assert sum(parts) == amount
    assert all(
        abs(part * 10_000 - amount * share) < 10_000
        for part, share in zip(parts, shares, strict=True)
    )


def test_the_odd_unit_goes_to_the_largest_remainder_and_a_tie_to_the_first() -> None:
    assert divide(100, [3_333, 3_333, 3_334]) == [33, 33, 34]
    assert divide(1, [5_000, 5_000]) == [1, 0]
    assert divide(10, [3_330, 6_670]) == [3, 7]


@pytest.mark.parametrize("shares", [[5_000], [5_000, 5_001], [-1, 10_001]])
def test_shares_that_do_not_add_up_divide_nothing(shares: list[int]) -> None:
    with pytest.raises(SharesIncomplete):
        divide(100, shares)


@given(amounts, bps, bps)
def test_released_refunded_and_fee_are_always_the_whole(amount: int, share: int, fee: int) -> None:
    parts = apportion(amount=amount, share_bps=share, fee_bps=fee)
    assert parts.released + parts.refunded + parts.fee == amount
    assert min(parts.released, parts.refunded, parts.fee) >= 0


@given(amounts, bps)
def test_a_refund_carries_no_fee(amount: int, fee: int) -> None:
    parts = apportion(amount=amount, share_bps=0, fee_bps=fee)
    assert (parts.released, parts.fee, parts.refunded) == (0, 0, amount)
