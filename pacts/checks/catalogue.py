"""A check as anybody may read it: what it means, what it takes, and the proof that it can tell."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from pacts.checks.check import Call, Check, Fixture
from reputation.canonical import JsonValue

_EMPTY = Call()


def published(check: Check) -> dict[str, JsonValue]:
    """Plain JSON: `kind`, `version`, `title`, `meaning` (its exact semantics), `also_called`,
    `params_schema` (JSON Schema 2020-12), `neighbours` (kind → what that one does instead),
    `passes` and `fails` (`params`, `call` and the `reason` the check gives), and `refused`
    (parameters that ask for nothing, with why)."""
    return {
        "kind": check.kind,
        "version": check.version,
        "title": check.title,
        "meaning": check.meaning,
        "also_called": list(check.also_called),
        "params_schema": check.params_schema,
        "neighbours": dict(check.neighbours),
        "passes": [_fixture(check, fixture) for fixture in check.good],
        "fails": [_fixture(check, fixture) for fixture in check.bad],
        "refused": [
            {"params": _plain(params), "why": check.vacuity(params)} for params in check.vacuous
        ],
    }


def _fixture(check: Check, fixture: Fixture) -> JsonValue:
    return {
        "params": _plain(fixture.params),
        "call": {
            name: _plain(value)
            for name, value in ((f.name, getattr(fixture.call, f.name)) for f in fields(Call))
            if value != getattr(_EMPTY, name)
        },
        "reason": check.answer(fixture.params, fixture.call).reason,
    }


def _plain(value: Any) -> JsonValue:
    """A value as JSON can say it; a number that is not finite by its name."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {name: part for name, part in asdict(value).items() if part not in (None, ())}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)
