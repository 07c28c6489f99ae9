"""The pact language as a JSON Schema (2020-12), for editors: generated from the language itself.

What the schema accepts, `terms.parse` reads and the checks' own schemas admit; what is refused by
the one is refused by the other. Left to the linter, which says it in words: sums, cross-references
and everything a pattern cannot see.
"""

import copy
from collections.abc import Iterable, Mapping
from typing import get_args

import jsonschema_rs

from pacts.checks import CHECKS, Check
from pacts.reading import INK, SLUG
from pacts.schemas import DIALECT
from pacts.terms import INDEPENDENCE, VERSION, WHOLE, clause, pact
from reputation.canonical import JsonValue

Node = dict[str, JsonValue]

MOST_UNITS = 10**9


def pact_schema(checks: Mapping[str, Check] = CHECKS) -> Node:
    """The schema of a whole pact; clauses' parameters are held against their checks' schemas."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:earnest:{VERSION.replace('/', ':')}",
        "title": f"A pact in the language {VERSION}",
        **_object(
            {
                "version": {"const": VERSION},
                "title": _text(160),
                "summary": {"type": "string", "maxLength": 4000},
                "scope": _object({"in": _texts(), "out": _texts()}, ["in"]),
                "clauses": _list(
                    {"$ref": "#/$defs/clause"}, pact.MOST_CLAUSES, "Each one measurable obligation."
                ),
                "disqualifying": _list(
                    _object({"mode": _text(200), "clause": _slug(60)}, ["mode", "clause"]),
                    pact.MOST_MODES,
                    "Ways to fail that disqualify, each with the clause that detects it.",
                ),
                "residual_risks": _texts("What both sides know may happen and accept."),
                "independence": _choice(
                    INDEPENDENCE, "The least independent evaluator whose verdict counts."
                ),
                "on_breach": _choice(get_args(pact.OnBreach)),
                "output_schema": {"type": ["object", "null"]},
                "volume": {
                    **_object({name: _count_or_null() for name in _VOLUMES}),
                    "type": ["object", "null"],
                },
            },
            ["version", "title", "scope", "clauses"],
        ),
        "$defs": {"clause": clause_schema(checks.values())},
    }


def clause_schema(checks: Iterable[Check]) -> Node:
    """One clause: its fields, and the parameters that its check takes."""
    kinds = list(checks)
    fields = _fields() | {"check": _choice([check.kind for check in kinds])}
    needed = ["key", "title", "dimension", "check", "promise_bps", "floor_bps", "weight_bps"]
    return {
        **_object(fields, needed),
        "not": {"required": ["severity", "critical"]},
        "allOf": [_params_of(check) for check in kinds],
    }


_VOLUMES = ("calls_per_milestone", "calls_per_day")


def _fields() -> Node:
    return {
        "key": _slug(60),
        "title": _text(200, "What is promised, in words."),
        "dimension": _slug(40, "What it is about, such as accuracy, safety or speed."),
        "params": {"type": "object"},
        "unit": _choice(get_args(clause.Unit), "What enters the evidence once."),
        "estimand": _choice(get_args(clause.Estimand)),
        "promise_bps": _whole(0, WHOLE, "The promised rate; 9500 is 95 %."),
        "floor_bps": _whole(0, WHOLE, "The rate below which nobody would call it kept."),
        "alpha_bps": _whole(1, 5000, "The risk of a false breach."),
        "beta_bps": _whole(1, 5000, "The risk of a false met."),
        "window": _window(),
        "risk_over": _choice(get_args(clause.RiskOver)),
        "min_count": _whole(1, MOST_UNITS),
        "error_budget_bps": _whole(0, 5000),
        "weight_bps": _whole(0, WHOLE, "Its part of the price; the weights add up to 10000."),
        "severity": _choice(get_args(clause.Severity), "A critical breach vetoes release."),
        "critical": {"type": "boolean", "deprecated": True, "description": "Write severity."},
        "on_error": _choice(get_args(clause.OnError)),
        "on_undetermined": _choice(get_args(clause.OnUndetermined)),
        "consequence": {"enum": [*get_args(clause.Consequence), None]},
        "owner": {"anyOf": [_text(80), {"type": "null"}]},
        "review_cadence_days": {"anyOf": [_whole(1, 3660), {"type": "null"}]},
        "repeats": _whole(1, 100, "k of pass^k: how often each task is tried."),
    }


def _params_of(check: Check) -> Node:
    """If the check is this one, its parameters; a check that needs some cannot do without."""
    params = copy.deepcopy(check.params_schema)
    params.pop("$schema", None)
    then: Node = {"properties": {"params": params}}
    if not jsonschema_rs.Draft202012Validator(check.params_schema, offline=True).is_valid({}):
        then["required"] = ["params"]
    return {
        "if": {"properties": {"check": {"const": check.kind}}, "required": ["check"]},
        "then": then,
    }


def _window() -> Node:
    milestone = _object({"kind": {"const": "milestone"}}, ["kind"])
    counted = _object(
        {"kind": _choice(["calls", "days"]), "n": _whole(1, MOST_UNITS)}, ["kind", "n"]
    )
    return {"anyOf": [milestone, counted, {"type": "null"}]}


def _object(properties: Node, required: Iterable[str] = ()) -> Node:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _described(node: Node, description: str) -> Node:
    return node | {"description": description} if description else node


def _text(longest: int, description: str = "") -> Node:
    return _described({"type": "string", "maxLength": longest, "pattern": INK}, description)


def _texts(description: str = "") -> Node:
    return _list(_text(500), 50, description)


def _list(items: Node, most: int, description: str = "") -> Node:
    return _described({"type": "array", "maxItems": most, "items": items}, description)


def _slug(longest: int, description: str = "") -> Node:
    return _described({"type": "string", "maxLength": longest, "pattern": f"^{SLUG}$"}, description)


def _choice(choices: Iterable[str], description: str = "") -> Node:
    return _described({"enum": list(choices)}, description)


def _whole(least: int, most: int, description: str = "") -> Node:
    return _described({"type": "integer", "minimum": least, "maximum": most}, description)


def _count_or_null() -> Node:
    return {"anyOf": [_whole(1, MOST_UNITS), {"type": "null"}]}
