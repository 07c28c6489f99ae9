"""JSON Schemas from strangers: a closed part of 2020-12 whose cost is known before it runs.

Allowed are the assertion and applicator keywords listed here, `$defs`, and `$ref` to
`#/$defs/<name>` without cycles. Left out: remote and dynamic references, `$id`, anchors, recursion
and the `unevaluated*` keywords (their cost can grow exponentially with depth). Patterns must
compile in RE2 and run in a linear-time engine; formats are a fixed list and are enforced.
A schema has at most 500 nodes, 32 levels, 64 KB, and 1000 nodes with references written out (a
pattern weighs 50), so validating takes at most (that) × (size of the answer) steps.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import jsonschema_rs

from pacts.patterns import PatternRefused, pattern
from reputation.canonical import JsonValue, NotCanonical, canonical, check

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MOST_BYTES = 64 * 1024
MOST_NODES = 500
MOST_EXPANDED = 1_000
# A pattern reads a whole text, so it weighs as much as this many nodes: at most 19 in a schema.
PATTERN_COST = 50
DEEPEST = 32
MOST_VALUES = 50_000

_ONE = {"not", "if", "then", "else", "additionalProperties", "propertyNames", "items", "contains"}
_LIST = {"allOf", "anyOf", "oneOf", "prefixItems"}
_MAP = {"properties", "patternProperties", "dependentSchemas"}
_PLAIN = {
    *("type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum"),
    *("exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems"),
    *("uniqueItems", "maxContains", "minContains", "maxProperties", "minProperties", "required"),
    *("dependentRequired", "format", "title", "description", "default", "examples", "$comment"),
    *("deprecated", "readOnly", "writeOnly"),
}
FORMATS = frozenset(
    {"date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"}
)
_REF = re.compile(r"#/\$defs/([A-Za-z0-9_.-]{1,60})\Z")


class SchemaRefused(ValueError):
    """The schema is outside what the platform runs; `path` says where."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class Schema:
    """An allowed schema, compiled."""

    def __init__(self, validator: jsonschema_rs.Draft202012Validator) -> None:
        self._validator = validator

    def problem(self, value: object) -> str | None:
        """Why the value does not conform, or None. A value that is not JSON (NaN among others) or
        has more than 50,000 parts never conforms."""
        try:
            check(value)
        except NotCanonical as error:
            return str(error)
        if _parts(value) > MOST_VALUES:
            return f"more than {MOST_VALUES} values"
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            place = "".join(f"/{step}" for step in error.instance_path)
            return f"{error.message} at {place or 'the top'}"
        return None


def schema(source: object) -> Schema:
    """Compile a stranger's schema. Raises SchemaRefused."""
    try:
        data = canonical(source)
    except NotCanonical as error:
        raise SchemaRefused(error.path, error.problem) from error
    if len(data) > MOST_BYTES:
        raise SchemaRefused("$", f"{len(data)} bytes; stay within {MOST_BYTES}")
    return _compiled(data)


@lru_cache(maxsize=256)
def _compiled(data: bytes) -> Schema:
    source = json.loads(data)
    if not isinstance(source, dict):
        raise SchemaRefused("$", "write the schema as an object")
    _Inspection(source).run()
    try:
        validator = jsonschema_rs.Draft202012Validator(
            source,
            validate_formats=True,
            ignore_unknown_formats=False,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 21),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise SchemaRefused("$", str(error).splitlines()[0][:200]) from error
    return Schema(validator)


class _Inspection:
    """One walk over the schema and one over its references written out."""

    def __init__(self, root: dict[str, JsonValue]) -> None:
        self._root = root
        definitions = root.get("$defs", {})
        if not isinstance(definitions, dict):
            raise SchemaRefused("$.$defs", "write an object")
        self._definitions = definitions
        self._nodes = 0
        self._sizes: dict[str, int] = {}
        self._open: set[str] = set()

    def run(self) -> None:
        if self._root.get("$schema", DIALECT) != DIALECT:
            raise SchemaRefused("$.$schema", f"only {DIALECT} is run")
        self._inspect(
            {k: v for k, v in self._root.items() if k not in ("$schema", "$defs")}, "$", 0
        )
        for name, definition in self._definitions.items():
            self._inspect(definition, f"$.$defs.{name}", 1)
        total = self._expanded(self._root)
        if total > MOST_EXPANDED:
            raise SchemaRefused("$", f"{total} nodes with references written out; too many")

    def _inspect(self, node: JsonValue, path: str, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise SchemaRefused("$", f"more than {MOST_NODES} nodes")
        if depth > DEEPEST:
            raise SchemaRefused(path[:200], f"deeper than {DEEPEST} levels")
        if isinstance(node, bool):
            return
        if not isinstance(node, dict):
            raise SchemaRefused(path, "a schema is an object, true or false")
        for keyword, value in node.items():
            self._check_keyword(keyword, value, f"{path}.{keyword}")
        for place, child in _children(node, path):
            self._inspect(child, place, depth + 1)

    def _check_keyword(self, keyword: str, value: JsonValue, path: str) -> None:
        if keyword == "$ref":
            self._referred(value, path)
        elif keyword == "pattern":
            _check_pattern(value, path)
        elif keyword == "format":
            if value not in FORMATS:
                raise SchemaRefused(path, "an unknown format; use " + ", ".join(sorted(FORMATS)))
        elif keyword == "patternProperties" and isinstance(value, dict):
            for source in value:
                _check_pattern(source, path)
        elif keyword not in _ONE | _LIST | _MAP | _PLAIN:
            raise SchemaRefused(path[:200], "this keyword is not run; remove it")

    def _referred(self, value: JsonValue, path: str) -> str:
        found = _REF.match(value) if isinstance(value, str) else None
        if found is None or found[1] not in self._definitions:
            raise SchemaRefused(path, "refer to #/$defs/<name> in the same schema")
        return found[1]

    def _expanded(self, node: JsonValue) -> int:
        if not isinstance(node, dict):
            return 1
        total = 1 + PATTERN_COST * _patterns(node)
        total += sum(self._expanded(child) for _, child in _children(node, "$"))
        if "$ref" in node:
            total += self._definition_size(self._referred(node["$ref"], "$.$ref"))
        return total

    def _definition_size(self, name: str) -> int:
        if name in self._open:
            raise SchemaRefused(f"$.$defs.{name}", "this refers to itself; recursion is not run")
        if name not in self._sizes:
            self._open.add(name)
            self._sizes[name] = self._expanded(self._definitions[name])
            self._open.remove(name)
        return self._sizes[name]


def _children(node: Mapping[str, JsonValue], path: str) -> Iterator[tuple[str, JsonValue]]:
    for keyword, value in node.items():
        place = f"{path}.{keyword}"
        if keyword in _ONE:
            yield place, value
        elif keyword in _LIST:
            if not isinstance(value, list):
                raise SchemaRefused(place, "write a list of schemas")
            yield from ((f"{place}[{i}]", child) for i, child in enumerate(value))
        elif keyword in _MAP:
            if not isinstance(value, dict):
                raise SchemaRefused(place, "write an object of schemas")
            yield from ((f"{place}.{name}", child) for name, child in value.items())


def _patterns(node: Mapping[str, JsonValue]) -> int:
    by_name = node.get("patternProperties")
    return ("pattern" in node) + (len(by_name) if isinstance(by_name, dict) else 0)


def _check_pattern(source: JsonValue, path: str) -> None:
    if not isinstance(source, str):
        raise SchemaRefused(path, "write the pattern as text")
    try:
        pattern(source)
    except PatternRefused as error:
        raise SchemaRefused(path, str(error)) from error


def _parts(value: object) -> int:
    """How many values it holds, itself included; counting stops past the limit."""
    count, waiting = 0, [value]
    while waiting and count <= MOST_VALUES:
        item = waiting.pop()
        count += 1
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
    return count + len(waiting)
