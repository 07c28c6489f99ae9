"""Hints to the workers. The row is the truth: a lost, doubled or late hint changes nothing.

A thread of its own posts them, so that nobody who has just stored a fact waits for a broker that
is slow or gone (connecting to a dead one takes its client six seconds).
"""

import logging
import os
import threading
from queue import Empty, Full, Queue

from celery import current_app

log = logging.getLogger(__name__)

MOST_WAITING = 1000

Hint = tuple[str, tuple[str | int, ...]]


class Outbox:
    """One process's hints on their way to the broker."""

    def __init__(self) -> None:
        self.waiting: Queue[Hint] = Queue(MOST_WAITING)
        threading.Thread(target=self._post_all, name="hints", daemon=True).start()

    def _post_all(self) -> None:
        while True:
            task, args = self.waiting.get()
            try:
                current_app.send_task(task, args=args, retry=False, ignore_result=True)
            except Exception as error:  # whatever ails the broker, the sweeps find the rows
                log.warning("no hint for %s: %s", task, error)
                self._drop_all()

    def _drop_all(self) -> None:
        """What piled up behind a dead broker is old news; the sweeps will have found it."""
        try:
            while True:
                self.waiting.get_nowait()
        except Empty:
            return


_outboxes: dict[int, Outbox] = {}
_lock = threading.Lock()


def hint(task: str, *args: str | int) -> None:
    """Tell the workers by name that a row waits. Returns at once, and never raises."""
    try:
        _outbox().waiting.put_nowait((task, args))
    except Full:
        log.warning("no hint for %s: the broker does not keep up", task)


def _outbox() -> Outbox:
    """This process's outbox; a forked child starts its own thread."""
    pid = os.getpid()
    with _lock:
        if pid not in _outboxes:
            _outboxes[pid] = Outbox()
        return _outboxes[pid]
