"""JSON Schemas of pacts (2020-12) without a foreign library: exact, or not at all.

Each schema becomes a function of a value that says True, False, or None where this module cannot
tell: a keyword it does not run, a format, a pattern `pacts.guard.patterns` leaves to the server.
None spreads as the unknown of three-valued logic, so a True or a False is always the whole truth.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from pacts.guard.capture import sorted_bytes
from pacts.guard.patterns import pattern
from pacts.guard.records import JsonValue

Truth = bool | None
Test = Callable[[Any], Truth]

MOST_NODES = 1_000
DEEPEST = 32
_REMARKS = frozenset(
    {
        *("title", "description", "default", "examples", "$comment", "deprecated", "readOnly"),
        *("writeOnly", "$schema", "$defs", "then", "else"),
    }
)


def schema_test(source: object) -> Test:
    """The test a schema makes. Never raises: what is no schema answers None."""
    try:
        return _Compiler(source).test(source, 0)
    except (_NotRun, RecursionError, TypeError, ValueError, KeyError, AttributeError):
        return _unknown


class _NotRun(ValueError):
    """A schema that is too large, too deep, or no schema."""


def _unknown(value: object) -> Truth:
    return None


def _all(tests: list[Test]) -> Test:
    def test(value: object) -> Truth:
        found: Truth = True
        for one in tests:
            said = one(value)
            if said is False:
                return False
            if said is None:
                found = None
        return found

    return test


def _any(tests: list[Test]) -> Test:
    def test(value: object) -> Truth:
        said = [one(value) for one in tests]
        return True if True in said else None if None in said else False

    return test


def _exactly_one(tests: list[Test]) -> Test:
    def test(value: object) -> Truth:
        said = [one(value) for one in tests]
        if said.count(True) > 1:
            return False
        return None if None in said else said.count(True) == 1

    return test


def _not(inner: Test) -> Test:
    def test(value: object) -> Truth:
        said = inner(value)
        return None if said is None else not said

    return test


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _same_form(value: JsonValue) -> JsonValue:
    """A value whose bytes are equal for equal JSON: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_same_form(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _same_form(inner) for key, inner in value.items()}
    return value


def _form(value: JsonValue) -> bytes:
    return sorted_bytes(_same_form(value))


class _Compiler:
    """Turns one schema into a test."""

    def __init__(self, root: object) -> None:
        definitions = root.get("$defs", {}) if isinstance(root, dict) else {}
        self._definitions: Mapping[str, JsonValue] = definitions
        self._nodes = 0

    def test(self, node: object, depth: int) -> Test:
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            raise _NotRun("too large")
        if isinstance(node, bool):
            return lambda value: node
        if not isinstance(node, dict):
            raise _NotRun("no schema")
        tests = [
            self._keyword(name, argument, node, depth)
            for name, argument in node.items()
            if name not in _REMARKS
        ]
        return tests[0] if len(tests) == 1 else _all(tests)

    def _keyword(self, name: str, argument: Any, node: dict[str, Any], depth: int) -> Test:
        if name in _PLAIN:
            return _PLAIN[name](argument)
        if name in ("allOf", "anyOf", "oneOf"):
            inner = [self.test(child, depth + 1) for child in argument]
            return {"allOf": _all, "anyOf": _any, "oneOf": _exactly_one}[name](inner)
        if name == "not":
            return _not(self.test(argument, depth + 1))
        if name == "$ref":
            return self.test(self._definitions[argument.removeprefix("#/$defs/")], depth + 1)
        if name == "if":
            return self._conditional(argument, node, depth)
        if name == "properties":
            return _properties({k: self.test(v, depth + 1) for k, v in argument.items()})
        if name == "additionalProperties" and "patternProperties" not in node:
            others = frozenset(node.get("properties", {}))
            return _additional(others, self.test(argument, depth + 1))
        if name == "items":
            return _items(len(node.get("prefixItems", [])), self.test(argument, depth + 1))
        if name == "prefixItems":
            return _prefix([self.test(child, depth + 1) for child in argument])
        return _unknown

    def _conditional(self, condition: Any, node: dict[str, Any], depth: int) -> Test:
        met = self.test(condition, depth + 1)
        then = self.test(node.get("then", True), depth + 1)
        otherwise = self.test(node.get("else", True), depth + 1)
        return _all([_any([_not(met), then]), _any([met, otherwise])])


def _properties(tests: dict[str, Test]) -> Test:
    def test(value: Any) -> Truth:
        if not isinstance(value, dict):
            return True
        return _all([_on(value[name], one) for name, one in tests.items() if name in value])(None)

    return test


def _additional(named: frozenset[str], one: Test) -> Test:
    def test(value: Any) -> Truth:
        if not isinstance(value, dict):
            return True
        return _all([_on(inner, one) for name, inner in value.items() if name not in named])(None)

    return test


def _items(skipped: int, one: Test) -> Test:
    def test(value: Any) -> Truth:
        if not isinstance(value, list):
            return True
        return _all([_on(inner, one) for inner in value[skipped:]])(None)

    return test


def _prefix(tests: list[Test]) -> Test:
    def test(value: Any) -> Truth:
        if not isinstance(value, list):
            return True
        return _all([_on(inner, one) for inner, one in zip(value, tests, strict=False)])(None)

    return test


def _on(value: Any, one: Test) -> Test:
    return lambda _: one(value)


def _type(argument: Any) -> Test:
    names = [argument] if isinstance(argument, str) else argument
    kinds = [_TYPES[name] for name in names]
    return lambda value: any(kind(value) for kind in kinds)


def _enum(argument: Any) -> Test:
    forms = {_form(value) for value in argument}
    return lambda value: _form(value) in forms


def _bound(holds: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    return lambda limit: lambda value: not _is_number(value) or holds(value, limit)


def _size(kind: type[Any], holds: Callable[[int, Any], bool]) -> Callable[[Any], Test]:
    return lambda limit: lambda value: not isinstance(value, kind) or holds(len(value), limit)


def _multiple(step: Any) -> Test:
    def test(value: Any) -> Truth:
        if not _is_number(value):
            return True
        if not (isinstance(step, int) and float(value).is_integer() and math.isfinite(value)):
            return None  # of fractions every library has an opinion of its own
        return int(value) % step == 0

    return test


def _pattern(source: Any) -> Test:
    compiled = pattern(source)

    def test(value: Any) -> Truth:
        if not isinstance(value, str):
            return True
        if not (value.isascii() and value.isprintable()):
            return None  # classes and line ends mean other things to other engines
        return {"yes": True, "no": False, "undecided": None}[compiled.anywhere(value)]

    return test


def _unique(wanted: Any) -> Test:
    def test(value: Any) -> Truth:
        if not wanted or not isinstance(value, list):
            return True
        return len({_form(inner) for inner in value}) == len(value)

    return test


def _required(names: Any) -> Test:
    return lambda value: not isinstance(value, dict) or all(name in value for name in names)


def _format(_: Any) -> Test:
    return lambda value: None if isinstance(value, str) else True


_PLAIN: dict[str, Callable[[Any], Test]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value: _enum([value]),
    "minimum": _bound(lambda value, limit: bool(value >= limit)),
    "maximum": _bound(lambda value, limit: bool(value <= limit)),
    "exclusiveMinimum": _bound(lambda value, limit: bool(value > limit)),
    "exclusiveMaximum": _bound(lambda value, limit: bool(value < limit)),
    "minLength": _size(str, lambda size, limit: bool(size >= limit)),
    "maxLength": _size(str, lambda size, limit: bool(size <= limit)),
    "minItems": _size(list, lambda size, limit: bool(size >= limit)),
    "maxItems": _size(list, lambda size, limit: bool(size <= limit)),
    "minProperties": _size(dict, lambda size, limit: bool(size >= limit)),
    "maxProperties": _size(dict, lambda size, limit: bool(size <= limit)),
    "multipleOf": _multiple,
    "pattern": _pattern,
    "uniqueItems": _unique,
    "required": _required,
    "format": _format,
}
