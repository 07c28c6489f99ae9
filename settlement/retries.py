"""When the database gives up on a transaction because of others, do it again from the start.

Locks are taken in one order everywhere, so a deadlock is rare; when one happens all the same, or a
serialization fails, PostgreSQL has undone the transaction and it may simply be repeated. Doors are
idempotent, so repeating is safe. Nobody is shown a deadlock.
"""

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.5
_UNDONE = {"40P01", "40001"}  # deadlock_detected, serialization_failure
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class TooContended(RuntimeError):
    """Too many act on this at once; nothing was done, and asking again is safe."""


def retried(act: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """`act`, repeated while the database undoes it because of others, with jittered pauses.

    Within a caller's transaction it runs once: only the outermost can be repeated. Raises
    TooContended after MOST_ATTEMPTS.
    """

    @functools.wraps(act)
    def repeated(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        if connection.in_atomic_block:
            return act(*args, **kwargs)
        for attempt in range(MOST_ATTEMPTS):
            try:
                return act(*args, **kwargs)
            except OperationalError as error:
                if not was_undone(error):
                    raise
                last = error
            log.info("%s was undone by the database and is repeated: %s", act.__name__, last)
            time.sleep(pause_after(attempt))
        raise TooContended("too many act on this at once; nothing was done, try again") from last

    return repeated


def was_undone(error: OperationalError) -> bool:
    """Whether PostgreSQL undid the transaction for the sake of another one."""
    return getattr(error.__cause__, "sqlstate", None) in _UNDONE


def pause_after(attempt: int) -> float:
    """Seconds: doubling from the first, at most the longest, anywhere in its upper half."""
    whole: float = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
    return whole * (0.5 + random.random() / 2)  # noqa: S311 - jitter, not a secret
