"""Asking a check, with its parameters validated as a clause's are."""

from typing import Any

from pacts.checks import CHECKS, Answer, Call


def ask(kind: str, params: dict[str, Any], **call: Any) -> Answer:
    """What the check answers on such a call."""
    CHECKS[kind].validate_params(params)
    return CHECKS[kind].answer(params, Call(**call))


def outcome(kind: str, params: dict[str, Any], **call: Any) -> str:
    return ask(kind, params, **call).outcome
