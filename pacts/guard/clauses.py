"""Clauses of a pact as the guard checks them: at once, here, by the same kinds the server runs.

An answer that says pass or fail is the one the server would give; whatever this module cannot
decide exactly is `skipped`, for the server decides on every record anyway. Kinds it knows: those
of `KINDS`. The meanings are those of the checks of the same name (`GET /api/v1/checks`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pacts.guard.patterns import pattern
from pacts.guard.records import Fault, JsonValue, LocalCheck, Outcome
from pacts.guard.schemas import schema_test

Said = tuple[Outcome, str]
SKIPPED: Said = ("skipped", "left to the server")
OUT_OF_SCOPE: Said = ("not_applicable", "the task is out of scope")
DECLINED: Said = ("not_applicable", "the agent declined")
_ABSENT = object()
_WORD = re.compile(r"\w(?:[\w'’\-]*\w)?")
_STEPS: dict[str, Callable[[str], str]] = {
    "casefold": str.casefold,
    "strip": str.strip,
    "whitespace": lambda text: " ".join(text.split()),
}


class ClauseRefused(ValueError):
    """A clause that was given to the guard is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One call as the checks see it. `output` is plain JSON before redaction."""

    output: JsonValue = None
    latency_ms: float | None = None
    fault: Fault = "none"
    error: str = ""
    in_scope: bool | None = None
    usage: Mapping[str, int] | None = None
    cost: Mapping[str, Any] | None = None
    tool_calls: list[dict[str, JsonValue]] | None = None
    truncated: bool = False


Decide = Callable[[Seen], Said]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause, ready to be checked."""

    key: str
    check: str
    critical: bool
    unanswered_fails: bool
    judges_content: bool
    scoped: bool
    _decide: Decide = field(repr=False)

    def answer(self, seen: Seen) -> LocalCheck:
        """What the clause says of a call; never raises."""
        try:
            outcome, reason = self._answer(seen)
        except Exception as problem:
            outcome, reason = "error", f"the check itself broke ({type(problem).__name__})"
        return LocalCheck(clause=self.key, check=self.check, outcome=outcome, reason=reason[:200])

    def _answer(self, seen: Seen) -> Said:
        if seen.fault in ("platform", "buyer"):
            return "error", seen.error or "no answer"
        if self.scoped and seen.in_scope is False:
            return OUT_OF_SCOPE
        if seen.fault == "agent":
            return (
                "fail" if self.unanswered_fails else "not_applicable"
            ), f"no answer: {seen.error}"
        if self.judges_content and seen.truncated:
            return SKIPPED
        return self._decide(seen)


def clauses_of(pact: object) -> tuple[Clause, ...]:
    """The clauses of a pact's terms (an object with `clauses`), or of a list of clauses, each with
    `key`, `check`, `params` and `severity`. Kinds the guard does not know are skipped on every
    call. Raises ClauseRefused."""
    listed = pact.get("clauses") if isinstance(pact, Mapping) else pact
    if isinstance(listed, str) or not isinstance(listed, Iterable):
        raise ClauseRefused("give the pact's terms, or a list of its clauses")
    return tuple(_clause(item) for item in listed)


def _clause(item: object) -> Clause:
    if not isinstance(item, Mapping):
        raise ClauseRefused(f"a clause is an object, not {type(item).__name__}")
    key, check, params = item.get("key"), item.get("check"), item.get("params") or {}
    if not isinstance(key, str) or not isinstance(check, str) or not isinstance(params, Mapping):
        raise ClauseRefused("a clause needs a key, a check and params")
    kind = KINDS.get(check, _Kind(_left))
    try:
        decide = kind.prepare(params)
    except (KeyError, TypeError, ValueError) as problem:
        raise ClauseRefused(f"{key}: its params do not fit {check} ({problem!r})") from problem
    return Clause(
        key=key,
        check=check,
        critical=item.get("severity") == "critical" or item.get("critical") is True,
        unanswered_fails=kind.unanswered_fails,
        judges_content=kind.judges_content,
        scoped=kind.scoped,
        _decide=decide,
    )


def known(clause: Clause) -> bool:
    """Whether the guard can decide clauses of this kind at all."""
    return clause.check in KINDS


@dataclass(frozen=True, slots=True)
class _Kind:
    prepare: Callable[[Mapping[str, Any]], Decide]
    unanswered_fails: bool = True
    judges_content: bool = True
    scoped: bool = False


def _left(params: Mapping[str, Any]) -> Decide:
    return lambda seen: SKIPPED


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return _ABSENT
        value = value[key]
    return value


def _declined(output: Any, path: str | None = None) -> bool:
    if isinstance(output, dict) and output.get("declined") is True:
        return True
    return path is not None and _at(output, path) is None


def _texts_in(value: Any) -> list[str]:
    texts: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, dict):
            texts.extend(item)
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
    return texts


def _latency(params: Mapping[str, Any]) -> Decide:
    limit = params["limit_ms"] + 0

    def decide(seen: Seen) -> Said:
        if seen.latency_ms is None:
            return "error", "the call was not timed"
        return _verdict(seen.latency_ms <= limit, f"{seen.latency_ms:.1f} ms, limit {limit} ms")

    return decide


def _regex(params: Mapping[str, Any]) -> Decide:
    path, compiled = str(params["field"]), pattern(str(params["pattern"]))
    matches = compiled.anywhere if params.get("match") == "anywhere" else compiled.full

    def decide(seen: Seen) -> Said:
        text = _at(seen.output, path)
        if not isinstance(text, str):
            return "fail", f"the answer has no text at {path}"
        said = matches(text)
        if said == "undecided":
            return SKIPPED
        return _verdict(said == "yes", "matches" if said == "yes" else "does not match")

    return decide


def _contains(params: Mapping[str, Any]) -> Decide:
    steps = list(params.get("normalise") or [])
    if "texts" not in params or any(step not in _STEPS for step in steps):
        return _left(params)
    path, wanted = str(params["field"]), [_stepped(str(t), steps) for t in params["texts"]]
    enough = any if params.get("mode") == "any" else all
    if not all(text.strip() for text in wanted):
        return lambda seen: ("error", "a text to look for is blank")

    def decide(seen: Seen) -> Said:
        text = _at(seen.output, path)
        if not isinstance(text, str):
            return "fail", f"the answer has no text at {path}"
        found = _stepped(text, steps)
        kept = enough(one in found for one in wanted)
        return _verdict(kept, "contains what it must" if kept else "does not contain what it must")

    return decide


def _stepped(text: str, steps: list[str]) -> str:
    for step in steps:
        text = _STEPS[step](text)
    return text


def _json_schema(params: Mapping[str, Any]) -> Decide:
    test = schema_test(params["schema"])

    def decide(seen: Seen) -> Said:
        if _declined(seen.output):
            return DECLINED
        said = test(seen.output)
        if said is None:
            return SKIPPED
        return _verdict(said, "conforms to the schema" if said else "does not conform")

    return decide


def _length(params: Mapping[str, Any]) -> Decide:
    unit, path = params["unit"], params.get("field")
    least, most = params.get("least", 0) + 0, params.get("most", 1_000_000) + 0
    if unit not in ("characters", "words"):
        return _left(params)

    def decide(seen: Seen) -> Said:
        if _declined(seen.output, path):
            return DECLINED
        text = "\n".join(_texts_in(seen.output)) if path is None else _at(seen.output, path)
        if not isinstance(text, str):
            return "fail", f"the answer has no text at {path}"
        if not text.isascii():
            return SKIPPED  # composed and decomposed letters count alike only after NFC
        count = len(text) if unit == "characters" else sum(1 for _ in _WORD.finditer(text))
        return _verdict(least <= count <= most, f"{count} {unit}, allowed {least} to {most}")

    return decide


def _cost(params: Mapping[str, Any]) -> Decide:
    micros, tokens = params.get("most_micros"), params.get("most_tokens")
    which = str(params.get("tokens", "total"))

    def decide(seen: Seen) -> Said:
        if micros is not None:
            if seen.cost is None or seen.cost["currency"] != params["currency"]:
                return "fail", "no cost is reported in the agreed currency"
            if seen.cost["micros"] > micros:
                return "fail", f"{seen.cost['micros']} micros, limit {micros}"
        if tokens is not None:
            if seen.usage is None:
                return "fail", "no usage is reported"
            used = {**seen.usage, "total_tokens": sum(seen.usage.values())}[f"{which}_tokens"]
            return _verdict(used <= tokens, f"{used} tokens ({which}), limit {tokens}")
        return "pass", "within the limits"

    return decide


def _verdict(holds: bool, reason: str) -> Said:
    return ("pass" if holds else "fail"), reason


KINDS: dict[str, _Kind] = {
    "latency": _Kind(_latency, judges_content=False),
    "cost": _Kind(_cost, unanswered_fails=False, judges_content=False),
    "regex": _Kind(_regex, scoped=True),
    "contains": _Kind(_contains, scoped=True),
    "json_schema": _Kind(_json_schema),
    "length": _Kind(_length, unanswered_fails=False, scoped=True),
}
