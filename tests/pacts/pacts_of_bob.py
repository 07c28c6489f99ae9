"""Pacts bob writes: a complete one to start from, and changes to it."""

from typing import Any


def clause(**changes: Any) -> dict[str, Any]:
    """A clause that lints green, with changes; a change to None leaves the field out."""
    data: dict[str, Any] = {
        "key": "accuracy",
        "title": "The language is named correctly",
        "dimension": "accuracy",
        "check": "equality",
        "params": {"field": "language", "expected_field": "language", "abstention": "fail"},
        "promise_bps": 9500,
        "floor_bps": 9000,
        "window": {"kind": "calls", "n": 400},
        "weight_bps": 10_000,
        "on_undetermined": "prorate",
        "consequence": "withhold",
        "owner": "builder",
        "review_cadence_days": 30,
    }
    data.update(changes)
    return {key: value for key, value in data.items() if value is not None}


def pact(*clauses: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A whole pact of these clauses (of one good one, by default)."""
    data: dict[str, Any] = {
        "version": "earnest-pact/1",
        "title": "Language identification",
        "summary": "Names the language of a short text.",
        "scope": {"in": ["Texts in the listed languages"], "out": ["Texts without words"]},
        "clauses": list(clauses) or [clause()],
    }
    data.update(changes)
    return {key: value for key, value in data.items() if value is not None}
