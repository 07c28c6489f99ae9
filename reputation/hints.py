"""Hints to the workers. The row is the truth: a hint that is lost, doubled or late changes nothing."""

import logging

from celery import current_app
from kombu.exceptions import KombuError

log = logging.getLogger(__name__)


def hint(task: str, *args: str | int) -> bool:
    """Tell the workers by name that a row waits; False when the broker is away (a sweep will find it).

    Never raises for a missing broker, and never waits for one: the caller's fact is already stored.
    """
    try:
        current_app.send_task(task, args=args, retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        log.warning("no hint for %s: %s", task, error)
        return False
    return True
