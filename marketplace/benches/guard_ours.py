"""The guard in a process of its own, without Django: what it adds to a call, and what it keeps.

`python -P marketplace/benches/guard_ours.py ADDRESS SPOOL BACK_TO_BACK PACED MILLION` prints one
line of JSON. A call is a function that gives the answer at once, so all that is measured is ours:
records are checked, redacted, spooled and sent to ADDRESS meanwhile.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

PACT = [
    {
        "key": "form",
        "check": "regex",
        "params": {"field": "day", "pattern": "[0-9]{4}-[0-9]{2}-[0-9]{2}"},
    },
    {
        "key": "shape",
        "check": "json_schema",
        "params": {
            "schema": {
                "type": "object",
                "properties": {"day": {"type": "string"}, "total": {"type": "integer"}},
                "required": ["day", "total"],
            }
        },
    },
]
PACE_SECONDS = 0.001
BLOCK = 2_000  # fits the queue of 10,000, so that every call measured is one that is kept


def agent(question: str) -> dict[str, object]:
    """Answers at once."""
    return {"day": "2024-02-29", "total": 12}


def main(address: str, spool: str, back_to_back: int, paced: int, many: int) -> None:
    began = time.perf_counter()
    from pacts.guard import PactGuard

    imported = time.perf_counter() - began
    guard = PactGuard(agent_version="agv_0190f3c2", base_url=address, spool=spool, pact=PACT)
    guarded = guard(agent)
    timed(guarded, BLOCK, 0)

    def settle() -> None:
        while guard.status()["pending"]:
            time.sleep(0.01)

    found: dict[str, Any] = {
        "import_s": imported,
        "back_to_back": added(agent, guarded, back_to_back, 0, settle),
        "paced": added(agent, guarded, paced, PACE_SECONDS, settle),
    }
    found["dropped_while_measured"] = guard.status()["dropped"]
    quarter = many // 4
    timed(guarded, quarter, 0)
    before = resident_kb()
    for _ in range(3):
        timed(guarded, quarter, 0)
    found["growth_mb"] = max(resident_kb() - before, 0) / 1024
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    guard.flush(60)
    sys.stdout.write(json.dumps(found | {"status": guard.status()}) + "\n")
    guard.close(5)


def added(
    bare: Callable[[str], object],
    guarded: Callable[[str], object],
    calls: int,
    pause: float,
    settle: Callable[[], None],
) -> dict[str, float]:
    """Microseconds that the guard adds: at the median over the bare median, and at the 99th
    percentile over the bare median too, so nothing is hidden by a bare call that was slow itself.
    Blocks take turns."""
    plain: list[int] = []
    ours: list[int] = []
    while len(ours) < calls:
        settle()
        plain += timed(bare, min(BLOCK, calls), pause)
        ours += timed(guarded, min(BLOCK, calls), pause)
    plain.sort()
    ours.sort()
    base = plain[len(plain) // 2]
    return {
        "p50_us": (ours[len(ours) // 2] - base) / 1000,
        "p99_us": (ours[len(ours) * 99 // 100] - base) / 1000,
    }


def timed(function: Callable[[str], object], calls: int, pause: float) -> list[int]:
    """Nanoseconds of each of at most a thousand calls at a time; only their times are kept."""
    took = []
    clock = time.perf_counter_ns
    for _ in range(calls):
        since = clock()
        function("how much, and when?")
        took.append(clock() - since)
        if pause:
            time.sleep(pause)
    return took


def resident_kb() -> int:
    """Memory in use now, by /proc; 0 where there is none."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024
    except OSError:
        return 0


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
