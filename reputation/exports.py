"""The public log as a file, and the standing that follows from it: the same bytes for everybody.

An export is JSON lines: a head `{"entries", "format", "method"}`, then every envelope in the order
of the log, exactly as it is hashed. `recompute` needs nothing else: no database, clock or network.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from reputation.canonical import canonical
from reputation.fold import KINDS, State, fold
from reputation.tallies import METHOD, Fact, row_of

FORMAT = "earnest-log/1"


class ExportMalformed(ValueError):
    """Not an export of the log, or cut short; the message says what to do."""


def head_of(entries: int) -> str:
    """The first line of an export of so many log entries."""
    return canonical({"format": FORMAT, "method": METHOD, "entries": entries}).decode()


def read(lines: Iterable[str]) -> Iterator[Fact]:
    """The facts of an export that a standing rests on, in log order. Raises ExportMalformed."""
    stream = iter(lines)
    try:
        head = json.loads(next(stream, "null"))
    except ValueError:
        head = None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ExportMalformed(
            f"the first line is no head of {FORMAT}: make one with the command `standing export`"
        )
    if head.get("method") != METHOD:
        raise ExportMalformed(f"this program computes {METHOD}, the export is {head.get('method')}")
    read = 0
    for number, line in enumerate(stream, 2):
        try:
            fact = json.loads(line)
            wanted = fact["kind"] in KINDS
        except (ValueError, KeyError, TypeError) as error:
            raise ExportMalformed(f"line {number} is not an envelope") from error
        read += 1
        if wanted:
            yield fact
    if read != head.get("entries"):
        raise ExportMalformed(
            f"the head promises {head.get('entries')} entries and {read} follow: export it again"
        )


def account(state: State) -> bytes:
    """Everything a standing rests on as canonical JSON, and a newline: two folds agree when these
    bytes do. Sums that may outgrow a JSON number are text."""
    parts: dict[str, Any] = {
        "method": METHOD,
        "tallies": [row_of(key, state.tallies[key]) for key in sorted(state.tallies)],
        "shares": [
            [*key, str(state.shares[key].passes), str(state.shares[key].failures)]
            for key in sorted(state.shares)
        ],
        "buyers": _rows(state.buyers),
        "ties": _rows(state.ties),
        "builders": _rows(state.builders),
        "records": _rows(state.records),
        "unsettled": sorted(state.unsettled),
        "runs": sorted(state.runs),
        "disputes": sorted(state.disputes),
    }
    return canonical(parts) + b"\n"


def _rows(part: Any) -> list[dict[str, Any]]:
    return [
        {"key": list(key) if isinstance(key, tuple) else key, **vars(part[key])}
        for key in sorted(part)
    ]


def recompute(lines: Iterable[str]) -> bytes:
    """An export in, the account of everybody's standing out. Raises ExportMalformed."""
    return account(fold(State(), read(lines)))
