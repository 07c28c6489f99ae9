"""What every clause's check says of one reply: the same in a worker and in a verifier."""

from collections.abc import Sequence

from pacts.agents import AgentReply
from pacts.checks import CHECKS, Answer, Call
from pacts.probes import Attack
from pacts.terms import Clause
from reputation.canonical import JsonValue


def examine(
    *,
    clauses: Sequence[Clause],
    input: JsonValue,
    expected: JsonValue,
    in_scope: bool,
    reply: AgentReply,
    attack: Attack | None = None,
) -> list[tuple[str, Answer]]:
    """Each clause's key with its check's answer; never raises. A clause that waits for a jury or
    for people answers later (`pacts.panels`)."""
    call = Call(
        input=input,
        expected=expected,
        in_scope=in_scope,
        output=reply.output,
        raw_bytes=len(reply.raw),
        latency_ms=reply.latency_ms,
        fault=reply.fault,
        error=reply.error_message or reply.error_code,
        facts=reply.facts,
        attack=attack,
    )
    checks = ((clause, CHECKS[clause.check]) for clause in clauses)
    return [
        (clause.key, check.answer(clause.params, call))
        for clause, check in checks
        if not check.waits(clause.params, call)
    ]
