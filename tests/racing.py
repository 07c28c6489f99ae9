"""Real races: threads with connections of their own that start at the same moment."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def in_parallel(count: int, act: Callable[[], Any]) -> list[Any]:
    """Run `act` in that many threads at once; what each returned or raised."""
    results: list[Any] = []
    ready = threading.Barrier(count)

    def work() -> None:
        try:
            ready.wait()
            results.append(act())
        except Exception as error:  # the test looks at what each racer got
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
