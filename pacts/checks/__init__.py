"""The checks there are. A clause names its check by kind; a new kind is one file and one line."""

from collections.abc import Mapping

from pacts.checks import (
    availability,
    canary,
    citations,
    consistency,
    contains,
    cost,
    equality,
    final_state,
    forbidden_terms,
    grounding,
    json_equality,
    json_schema,
    language,
    latency,
    length,
    no_confident_error,
    number,
    regex,
    scope,
    sensitive_data,
    similarity,
    sql_result,
    sql_statement,
    tool_calls,
    trajectory,
)
from pacts.checks.around import around
from pacts.checks.check import Answer, BadParams, Call, Check, CheckProvesNothing, Fixture, table
from pacts.checks.fields import declined

__all__ = [
    "CHECKS",
    "Answer",
    "BadParams",
    "Call",
    "Check",
    "CheckProvesNothing",
    "Fixture",
    "declined",
    "table",
]

_SINGLE: list[Check] = [
    equality.CHECK,
    consistency.CHECK,
    no_confident_error.CHECK,
    contains.CHECK,
    regex.CHECK,
    json_schema.CHECK,
    json_equality.CHECK,
    number.CHECK,
    similarity.CHECK,
    length.CHECK,
    language.CHECK,
    latency.CHECK,
    scope.CHECK,
    tool_calls.CHECK,
    trajectory.CHECK,
    final_state.CHECK,
    forbidden_terms.CHECK,
    sensitive_data.CHECK,
    canary.CHECK,
    citations.CHECK,
    grounding.CHECK,
    sql_statement.CHECK,
    sql_result.CHECK,
    cost.CHECK,
    availability.CHECK,
]
CHECKS: Mapping[str, Check] = table([*_SINGLE, *around(_SINGLE)])
