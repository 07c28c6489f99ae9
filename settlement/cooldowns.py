"""How long a payout waits, by the age of the account: a stolen or throw-away account is noticed
before its money has left. Plain Python; the table is shown to whoever asks for a payout.
"""

from datetime import datetime, timedelta

# From this age on, so many days; the last row that fits applies.
COOLDOWNS: tuple[tuple[timedelta, timedelta], ...] = (
    (timedelta(days=0), timedelta(days=10)),
    (timedelta(days=7), timedelta(days=7)),
    (timedelta(days=30), timedelta(days=3)),
    (timedelta(days=90), timedelta(days=1)),
    (timedelta(days=180), timedelta(days=0)),
)


def cooldown_at(age: timedelta) -> timedelta:
    """The wait of a payout asked for at this age of the account: 10 days down to none.

    At exactly a row's age that row applies; an age below zero, by a clock set back, is new.
    """
    waits = [wait for since, wait in COOLDOWNS if age >= since]
    return waits[-1] if waits else COOLDOWNS[0][1]


def cooldown_of(*, created_at: datetime, now: datetime) -> timedelta:
    """The wait of a payout asked for now by an account created then."""
    return cooldown_at(now - created_at)
