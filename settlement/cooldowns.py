"""How long a payout waits, by the age of the account: a stolen or throw-away account is noticed
before its money has left. Plain Python; the table is shown to whoever asks for a payout.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

# From this age on, so long; the last row that fits applies.
Cooldowns = tuple[tuple[timedelta, timedelta], ...]
# As published at first. A policy may set other ages and waits; none is ever longer than the first.
COOLDOWNS: Cooldowns = (
    (timedelta(days=0), timedelta(days=10)),
    (timedelta(days=7), timedelta(days=7)),
    (timedelta(days=30), timedelta(days=3)),
    (timedelta(days=90), timedelta(days=1)),
    (timedelta(days=180), timedelta(days=0)),
)


def cooldowns_of(values: Mapping[str, int]) -> Cooldowns:
    """The rows a policy sets, in days: `payout_age_1` and on, `payout_wait_0` and on.

    A key it lacks has its default.
    """
    return tuple(
        (
            timedelta(days=values.get(f"payout_age_{row}", since.days)),
            timedelta(days=values.get(f"payout_wait_{row}", wait.days)),
        )
        for row, (since, wait) in enumerate(COOLDOWNS)
    )


def cooldown_at(age: timedelta, rows: Cooldowns = COOLDOWNS) -> timedelta:
    """The wait of a payout asked for at this age of the account: 10 days down to none.

    At exactly a row's age that row applies; an age below zero, by a clock set back, is new.
    """
    waits = [wait for since, wait in rows if age >= since]
    return waits[-1] if waits else rows[0][1]


def cooldown_of(*, created_at: datetime, now: datetime, rows: Cooldowns = COOLDOWNS) -> timedelta:
    """The wait of a payout asked for now by an account created then."""
    return cooldown_at(now - created_at, rows)
