"""Small and large claims, deposits and how many at once: exact, per currency."""

import pytest

from pacts.procedure.limits import RULES, deposit, most_open, needs_second, track


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (5_000, "USD", "small"),
        (5_001, "USD", "full"),
        (7_500, "JPY", "small"),
        (7_501, "JPY", "full"),
        (50_000, "KWD", "small"),
        (50_001, "KWD", "full"),
        (50_000_000, "USDC", "small"),
    ],
)
def test_up_to_its_limit_a_claim_is_small(amount: int, currency: str, expected: str) -> None:
    assert track(amount=amount, currency=currency) == expected


def test_strictly_above_the_limit_a_second_person_is_needed() -> None:
    assert not needs_second(amount=500_000, currency="EUR")
    assert needs_second(amount=500_001, currency="EUR")


def test_a_currency_no_longer_offered_is_handled_with_the_greater_care() -> None:
    assert track(amount=1, currency="XXX") == "full"
    assert needs_second(amount=1, currency="XXX")


def test_a_clean_record_files_for_nothing_and_losing_costs_more_each_time() -> None:
    asked = [deposit(amount=10_001, lost=lost) for lost in range(6)]
    assert asked == [0, 201, 501, 1_001, 1_001, 1_001]
    assert deposit(amount=1, lost=9) == 1


def test_everybody_may_always_have_one_case_open() -> None:
    allowed = [most_open(lost=lost) for lost in range(6)]
    assert allowed == sorted(allowed, reverse=True)
    assert allowed[-1] == 1 == most_open(lost=10**6)
    assert len(RULES.most_open) == len(RULES.deposit_bps)
