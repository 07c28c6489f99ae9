"""The checks there are. A clause names its check by kind; a new kind is one file and one line."""

from pacts.checks import (
    consistency,
    contains,
    equality,
    json_schema,
    latency,
    no_confident_error,
    regex,
    scope,
)
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

CHECKS: dict[str, Check] = table(
    [
        equality.CHECK,
        consistency.CHECK,
        no_confident_error.CHECK,
        contains.CHECK,
        regex.CHECK,
        json_schema.CHECK,
        latency.CHECK,
        scope.CHECK,
    ]
)
