"""Hints to the workers. The row is the truth: a lost, doubled or late hint changes nothing."""

import logging

from celery import current_app
from kombu.exceptions import KombuError

log = logging.getLogger(__name__)


def hint(task: str, *args: str | int) -> bool:
    """Tell the workers by name that a row waits; False if the broker is away (a sweep finds it).

    Never raises for a missing broker, nor waits for one: the caller's fact is stored already.
    """
    try:
        current_app.send_task(task, args=args, retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        log.warning("no hint for %s: %s", task, error)
        return False
    return True
