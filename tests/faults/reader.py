"""Somebody who reads the totals all the time, and remembers whether they were ever wrong."""

import threading
import time
from types import TracebackType

import psycopg

from tests.faults.stack import Stack

# One statement sees one snapshot: whatever is in flight, money is neither made nor lost in it.
TOTALS = """
    SELECT a.currency_id, sum(a.balance + coalesce(q.total, 0)),
           (SELECT coalesce(sum(e.amount), 0) FROM settlement_entry e
             WHERE e.currency = a.currency_id)
      FROM settlement_account a
      LEFT JOIN (SELECT account_id, sum(amount) AS total FROM settlement_queuedcredit
                  GROUP BY account_id) q ON q.account_id = a.id
     GROUP BY a.currency_id"""


class Reader:
    """Reads from a thread for the length of a block. Invariant 9: every reader saw zero."""

    def __init__(self, stack: Stack) -> None:
        self.looks = 0
        self.wrong: list[tuple[object, ...]] = []
        self._stack = stack
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._over.is_set():
            try:
                with self._stack.database() as connection:
                    while not self._over.wait(0.1):
                        self._look(connection)
            except (psycopg.Error, OSError, ValueError):  # the database, or its address, is away
                time.sleep(0.1)

    def _look(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        rows = connection.execute(TOTALS.encode()).fetchall()
        self.looks += 1
        self.wrong += [row for row in rows if row[1:] != (0, 0)]
