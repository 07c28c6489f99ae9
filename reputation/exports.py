"""The public log as a file, and the standing that follows from it: the same bytes for everybody.

An export is JSON lines: a head `{"entries", "format", "method"}`, then every envelope in the order
of the log, exactly as it is hashed. `recompute` needs nothing else: no database, clock or network.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from reputation.canonical import canonical
from reputation.envelope import instant, moment
from reputation.fold import KINDS, State, fold
from reputation.standing import combine, described
from reputation.tallies import METHOD, Fact, Record, VersionKey, row_of

FORMAT = "earnest-log/1"


class ExportMalformed(ValueError):
    """Not an export of the log, or cut short; the message says what to do."""


def head_of(entries: int) -> str:
    """The first line of an export of so many log entries."""
    return canonical({"format": FORMAT, "method": METHOD, "entries": entries}).decode()


def read(lines: Iterable[str], *, until: int | None = None) -> Iterator[Fact]:
    """The facts of an export that a standing rests on, in log order; of its first `until` entries
    if that is given. Raises ExportMalformed."""
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
        if wanted and (until is None or read < until):
            yield fact
        read += 1
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


def differences(lines: Iterable[str], *, document: Mapping[str, Any]) -> list[str]:
    """What a public document of an agent's standing (the oracle's) says and the export does not
    come to, as sentences; none when every number in it follows from the log alone.

    The rates are computed at the document's `as_of` from the entries it had read. Raises
    ExportMalformed, also for a document of another method or later than the export.
    """
    if document.get("method") != METHOD:
        raise ExportMalformed(f"this program computes {METHOD}, not {document.get('method')}")
    state = fold(State(), read(lines, until=document["log_read_to"]))
    version = VersionKey(document["agent"], document["agent_version"] or "")
    record = state.records.get(version, Record())
    found = described(state.tallies, now=moment(document["as_of"])).get(version.version_id, {})
    composite = combine(found.values(), is_stale=record.is_stale)
    wrong = _compare("composite", document["composite"], composite)
    wrong += _compare("record", document["record"], record)
    if set(found) != set(document["dimensions"]):
        wrong.append(f"the log has the dimensions {', '.join(sorted(found)) or 'none'}")
    for name, said in sorted(document["dimensions"].items()):
        wrong += _compare(name, said, found[name]) if name in found else []
    return wrong


def _compare(part: str, said: Mapping[str, Any], found: object) -> list[str]:
    wrong = []
    for name, value in said.items():
        here = getattr(found, name, None)
        here = instant(here) if isinstance(here, datetime) else here
        if here != value:
            wrong.append(f"{part}: {name} is {value}, and the log comes to {here}")
    return wrong
