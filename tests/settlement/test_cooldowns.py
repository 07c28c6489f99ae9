"""The younger the account, the longer its payouts wait."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.cooldowns import COOLDOWNS, cooldown_at, cooldown_of

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("age", "days"),
    [
        (timedelta(0), 10),
        (7 * DAY - TICK, 10),
        (7 * DAY, 7),
        (30 * DAY - TICK, 7),
        (30 * DAY, 3),
        (90 * DAY, 1),
        (180 * DAY - TICK, 1),
        (180 * DAY, 0),
        (-DAY, 10),
    ],
)
def test_each_row_begins_at_exactly_its_age(age: timedelta, days: int) -> None:
    assert cooldown_at(age) == days * DAY


@given(st.timedeltas(timedelta(0), timedelta(days=4_000)), st.timedeltas(timedelta(0), 400 * DAY))
def test_growing_older_never_makes_the_wait_longer(age: timedelta, more: timedelta) -> None:
    assert timedelta(0) <= cooldown_at(age + more) <= cooldown_at(age) <= 10 * DAY


def test_the_table_is_in_order() -> None:
    assert sorted(COOLDOWNS) == list(COOLDOWNS)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert cooldown_of(created_at=now - 40 * DAY, now=now) == 3 * DAY
