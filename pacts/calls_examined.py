"""What a pact's clauses say of one production call, from what was kept of it. Pure.

The platform's checks answer over the contents. Where only digests came, a clause that needs the
contents takes the guard's own finding, if it made one with the same check, and is skipped
otherwise. A clause that needs an expected answer says nothing of a call that has none.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pacts.answers import Cost, Facts, ToolCall, Usage
from pacts.checks import CHECKS, Answer
from pacts.checks import Call as Tried
from pacts.checks.check import skipped
from pacts.faults import Blame
from pacts.live import Outcome
from pacts.terms import Clause
from reputation.canonical import JsonValue

# Checks that look at how a call went and not at what was said.
OUTWARD = frozenset({"latency", "availability", "cost"})
TIMED = {"latency": "limit_ms", "availability": "within_ms"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One call as its row and its contents tell it."""

    clock: str
    latency_us: int | None
    fault: str
    error: str
    answered: bool  # an output came, whether or not it was sent here
    usage: tuple[int, int] | None = None
    cost: tuple[int, str] | None = None
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one clause says of one call."""

    clause: str
    version: int
    outcome: Outcome
    value: float | None
    reason: str


def examine_call(clauses: Sequence[Clause], reported: Reported) -> list[Found]:
    """Each clause's finding; never raises."""
    call = _tried(reported)
    null = reported.fault in ("platform", "buyer")  # charged to nobody
    return [_found(_answer(clause, call, reported), clause.key, null) for clause in clauses]


def waits_for_panel(clause: Clause, reported: Reported) -> bool:
    """Whether a jury or people have to read what was answered, and can: it is there."""
    check = CHECKS[clause.check]
    return "output" in reported.content and check.waits(clause.params, _tried(reported))


def _tried(reported: Reported) -> Tried:
    content = reported.content
    kept = "output" in content
    return Tried(
        input=content.get("input"),
        in_scope=content.get("in_scope"),
        output=content["output"] if kept else {} if reported.answered else None,
        latency_ms=None if reported.latency_us is None else reported.latency_us / 1000,
        fault=cast(Blame, reported.fault),
        error=reported.error,
        facts=_facts(reported),
    )


def _facts(reported: Reported) -> Facts:
    tools = reported.content.get("tool_calls")
    return Facts(
        tool_calls=None if tools is None else tuple(_tool(one) for one in tools),
        usage=Usage(input_tokens=reported.usage[0], output_tokens=reported.usage[1])
        if reported.usage
        else None,
        cost=Cost(micros=reported.cost[0], currency=reported.cost[1]) if reported.cost else None,
    )


def _tool(one: Mapping[str, JsonValue]) -> ToolCall:
    return ToolCall(name=str(one["name"]), arguments=one.get("arguments"), result=one.get("result"))


def _answer(clause: Clause, call: Tried, reported: Reported) -> Answer:
    check = CHECKS[clause.check]
    if _other_clock(clause, reported):
        return _unsaid(clause, "timed by the caller's guard; the pact wants the platform's clock")
    kept = "output" in reported.content or not reported.answered
    if not kept and clause.check not in OUTWARD and reported.fault == "none":
        return _by_guard(clause, reported)
    answer = check.answer(clause.params, call)
    if answer.outcome == "error" and answer.fault == "buyer" and call.fault == "none":
        return _unsaid(clause, answer.reason)
    return answer


def _other_clock(clause: Clause, reported: Reported) -> bool:
    """Whether the clause is about time and this was not told by the clock it names."""
    limit = TIMED.get(clause.check)
    if limit is None or limit not in clause.params:
        return False
    return reported.clock != "platform" and clause.params.get("clock", "platform") == "platform"


def _by_guard(clause: Clause, reported: Reported) -> Answer:
    for key, check, outcome in reported.content.get("checks", ()):
        if key == clause.key and check == clause.check and outcome in ("pass", "fail"):
            value = 1.0 if outcome == "pass" else 0.0
            return _named(clause, Answer(outcome=outcome, value=value, reason="found by the guard"))
    return _unsaid(clause, "only digests were sent, and the guard did not check this clause")


def _unsaid(clause: Clause, why: str) -> Answer:
    return _named(clause, skipped(why))


def _named(clause: Clause, answer: Answer) -> Answer:
    check = CHECKS[clause.check]
    return dataclasses.replace(answer, check=check.kind, version=check.version)


def _found(answer: Answer, clause: str, null: bool) -> Found:
    outcome: Outcome = "null" if null and answer.outcome == "error" else answer.outcome
    return Found(
        clause=clause,
        version=answer.version,
        outcome=outcome,
        value=answer.value,
        reason="" if outcome == "pass" else answer.reason.replace("\x00", " "),
    )
