"""What every clause's check says of one reply: the same in a worker and in a verifier."""

from collections.abc import Sequence

from pacts.agents import AgentReply
from pacts.checks import CHECKS, Answer, Call
from pacts.terms import Clause
from reputation.canonical import JsonValue


def examine(
    *,
    clauses: Sequence[Clause],
    input: JsonValue,
    expected: JsonValue,
    in_scope: bool,
    reply: AgentReply,
) -> list[tuple[str, Answer]]:
    """Each clause's key with its check's answer; never raises."""
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
    )
    return [(clause.key, CHECKS[clause.check].answer(clause.params, call)) for clause in clauses]
