"""What the guard uploads: one record per call, in batches, as plain JSON. The server reads it here.

`POST {base}/api/v1/calls`, `Content-Encoding: gzip`, `Authorization: Bearer ek_…`:

    {"format": "earnest-calls/1",
     "guard": {"version": "0.1.0", "seen": 9120, "kept": 912, "dropped": 0},
     "calls": [record, …]}                                  at most 1,000 records, 4 MB unpacked

Counts are those of one process since it started. The answer tells of each record that does not
count: `{"accepted": 911, "duplicates": 0, "refused": [{"call_id": …, "code": …, "problem": …}]}`.
The same `call_id` with the same record counts once, with another record it is refused.

A record (members that are null, empty or as by default are left out):

    call_id          UUIDv7 in its text form; the server is idempotent by it
    agent_version    or `engagement`, or both: public ids of what was called
    started_at       RFC 3339 in UTC with microseconds, by the caller's clock
    latency_ms       from the call to the whole answer, by the caller's monotonic clock
    first_output_ms  the same to the first part of a streamed answer
    input, output    any JSON, redacted; left out where the policy says digests or nothing
    input_digest     `sha256:<hex>` of the JSON (sorted keys, no white space, UTF-8) before
    output_digest    redaction, or `hmac-sha256:<hex>` under a key the server never sees
    fault, error     none | agent | platform | buyer, and what happened (≤ 200 characters)
    model            {"name": …, "fingerprint": …, "provider": …}
    usage            {"input_tokens": …, "output_tokens": …}
    cost             {"micros": …, "currency": "USD"}
    tool_calls       [{"name": …, "arguments": …, "result": …}]; empty: none was called
    sample_rate      in (0, 1]: the probability with which this call was kept, known beforehand
    labels           text by name, such as task, stratum, session, language (≤ 20)
    in_scope         false marks a task the agent must decline
    streamed, blocked, truncated        truths, false by default
    checks           [{"clause": …, "check": …, "outcome": …, "reason": …}], as the guard sees it
    redactions       how often each kind was blotted out, such as {"email": 2}
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
Fault = Literal["none", "agent", "platform", "buyer"]
Outcome = Literal["pass", "fail", "error", "skipped", "not_applicable"]

FORMAT = "earnest-calls/1"
VERSION = "0.1.0"
PATH = "/api/v1/calls"
MOST_CALLS = 1_000
MOST_BYTES = 4 * 1024 * 1024
MOST_LABELS = 20
MOST_CHECKS = 200
MOST_TOOL_CALLS = 1_000
LONGEST_TEXT = 200
FAULTS = ("none", "agent", "platform", "buyer")
OUTCOMES = ("pass", "fail", "error", "skipped", "not_applicable")

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
_PUBLIC = re.compile(r"[a-z]{2,7}_[0-9a-z]{1,32}\Z")
_INSTANT = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z\Z",
    re.ASCII,
)
_DIGEST = re.compile(r"(?:hmac-)?sha256:[0-9a-f]{64}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_LARGEST = 2**53 - 1


class RecordRefused(ValueError):
    """A record, or a batch, is not as this module says; `path` says where."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCheck:
    """What the guard itself found of one clause: a hint, since the server checks again."""

    clause: str
    check: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call, read and found to be of the right shape. Times are milliseconds."""

    call_id: str
    agent_version: str | None = None
    engagement: str | None = None
    started_at: str
    latency_ms: float | None = None
    first_output_ms: float | None = None
    has_input: bool = False
    has_output: bool = False
    input: JsonValue = None
    output: JsonValue = None
    input_digest: str | None = None
    output_digest: str | None = None
    fault: Fault = "none"
    error: str = ""
    model: Mapping[str, str] = field(default_factory=dict)
    usage: Mapping[str, int] | None = None
    cost: Mapping[str, Any] | None = None
    tool_calls: list[dict[str, JsonValue]] | None = None
    sample_rate: float = 1.0
    labels: Mapping[str, str] = field(default_factory=dict)
    in_scope: bool | None = None
    streamed: bool = False
    blocked: bool = False
    truncated: bool = False
    checks: tuple[LocalCheck, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)


def batch_of(value: object) -> tuple[Mapping[str, JsonValue], list[JsonValue]]:
    """The guard's own figures and the records, unread, of a parsed batch. Raises RecordRefused."""
    if not isinstance(value, dict):
        raise RecordRefused("$", "not an object")
    if value.get("format") != FORMAT:
        raise RecordRefused("$.format", f"not {FORMAT}")
    calls = value.get("calls")
    if not isinstance(calls, list) or not calls:
        raise RecordRefused("$.calls", "not a list with at least one record")
    if len(calls) > MOST_CALLS:
        raise RecordRefused("$.calls", f"more than {MOST_CALLS} records; send several batches")
    guard = value.get("guard", {})
    if not isinstance(guard, dict):
        raise RecordRefused("$.guard", "not an object")
    return guard, calls


def read_record(value: object) -> CallRecord:
    """One record of a batch. Raises RecordRefused with the first member that is wrong."""
    if not isinstance(value, dict):
        raise RecordRefused("$", "not an object")
    unknown = value.keys() - _READERS.keys()
    if unknown:
        raise RecordRefused(f"$.{min(map(str, unknown))[:60]}", "no such member")
    given = {name: _member(name, part) for name, part in value.items() if part is not None}
    for name in ("call_id", "started_at"):
        if name not in given:
            raise RecordRefused(f"$.{name}", "missing")
    if "agent_version" not in given and "engagement" not in given:
        raise RecordRefused("$", "names neither an agent_version nor an engagement")
    return CallRecord(
        **given,
        has_input="input" in value,
        has_output="output" in value,
    )


def _member(name: str, value: object) -> Any:
    try:
        return _READERS[name](value)
    except _Wrong as wrong:
        raise RecordRefused(f"$.{name}", str(wrong)) from None


class _Wrong(ValueError):
    """What is wrong with one member."""


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.match(value):
            raise _Wrong(f"not {what}")
        return value

    return read


def _one_of(names: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in names:
            raise _Wrong(f"not one of {', '.join(names)}")
        return value

    return read


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise _Wrong(f"not text of at most {LONGEST_TEXT} characters")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("not true or false")
    return value


def _duration(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong("not a number of milliseconds")
    if not (math.isfinite(value) and 0 <= value <= 86_400_000):
        raise _Wrong("not between 0 and a day")
    return float(value)


def _rate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise _Wrong("not a probability above 0")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise _Wrong("not a whole number from 0 up")
    return value


def _object(value: object, allowed: tuple[str, ...] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong("not an object")
    if allowed is not None and (unknown := value.keys() - set(allowed)):
        raise _Wrong(f"has no member {str(min(unknown))[:60]}")
    return value


def _texts(value: object) -> dict[str, str]:
    found = _object(value)
    if len(found) > MOST_LABELS:
        raise _Wrong(f"more than {MOST_LABELS} members")
    return {_text(name): _text(text) for name, text in found.items()}


def _model(value: object) -> dict[str, str]:
    return _texts(_object(value, ("name", "fingerprint", "provider")))


def _usage(value: object) -> dict[str, int]:
    found = _object(value, ("input_tokens", "output_tokens"))
    return {name: _count(found.get(name)) for name in ("input_tokens", "output_tokens")}


def _cost(value: object) -> dict[str, Any]:
    found = _object(value, ("micros", "currency"))
    return {
        "micros": _count(found.get("micros")),
        "currency": _matching(_CURRENCY, "three capital letters")(found.get("currency")),
    }


def _list(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise _Wrong(f"not a list of at most {most}")
    return value


def _tool_calls(value: object) -> list[dict[str, JsonValue]]:
    found = _list(value, MOST_TOOL_CALLS)
    for item in found:
        name = _text(_object(item, ("name", "arguments", "result")).get("name"))
        if not name:
            raise _Wrong("a call without a name")
    return found


def _checks(value: object) -> tuple[LocalCheck, ...]:
    return tuple(_check(item) for item in _list(value, MOST_CHECKS))


def _check(value: object) -> LocalCheck:
    found = _object(value, ("clause", "check", "outcome", "reason"))
    outcome: Any = _one_of(OUTCOMES)(found.get("outcome"))
    return LocalCheck(
        clause=_text(found.get("clause")),
        check=_text(found.get("check")),
        outcome=outcome,
        reason=_text(found.get("reason", "")),
    )


def _counts(value: object) -> dict[str, int]:
    found = _object(value)
    if len(found) > MOST_LABELS:
        raise _Wrong(f"more than {MOST_LABELS} members")
    return {_text(name): _count(count) for name, count in found.items()}


def _any(value: object) -> Any:
    return value


_ID = _matching(_PUBLIC, "a public id")
_SEAL = _matching(_DIGEST, "a SHA-256 digest")
_READERS: dict[str, Callable[[object], Any]] = {
    "call_id": _matching(_UUID7, "a UUIDv7 in lower case"),
    "agent_version": _ID,
    "engagement": _ID,
    "started_at": _matching(_INSTANT, "an RFC 3339 time in UTC"),
    "latency_ms": _duration,
    "first_output_ms": _duration,
    "input": _any,
    "output": _any,
    "input_digest": _SEAL,
    "output_digest": _SEAL,
    "fault": _one_of(FAULTS),
    "error": _text,
    "model": _model,
    "usage": _usage,
    "cost": _cost,
    "tool_calls": _tool_calls,
    "sample_rate": _rate,
    "labels": _texts,
    "in_scope": _truth,
    "streamed": _truth,
    "blocked": _truth,
    "truncated": _truth,
    "checks": _checks,
    "redactions": _counts,
}
