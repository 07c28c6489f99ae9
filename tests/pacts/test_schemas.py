from typing import Any

import jsonschema
import pytest

from pacts.schemas import SchemaRefused, schema


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ({"$ref": "https://example.org/schema"}, "$.$ref"),
        ({"$ref": "#"}, "$.$ref"),
        ({"$ref": "#/properties/a"}, "$.$ref"),
        ({"$ref": "#/$defs/gone"}, "$.$ref"),
        ({"$ref": "file:///etc/passwd"}, "$.$ref"),
        ({"$id": "https://example.org"}, "$.$id"),
        ({"$dynamicRef": "#x"}, "$.$dynamicRef"),
        ({"unevaluatedProperties": False}, "$.unevaluatedProperties"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$.$schema"),
        ({"tpye": "object"}, "$.tpye"),
        ({"definitions": {}}, "$.definitions"),
        ({"properties": {"a": {"pattern": "(?=x)"}}}, "$.properties.a.pattern"),
        ({"patternProperties": {"(": {}}}, "$.patternProperties"),
        ({"format": "regex"}, "$.format"),
        ({"items": [{}]}, "$.items"),
        ({"allOf": {}}, "$.allOf"),
        ({"properties": []}, "$.properties"),
        ({"type": "strnig"}, "$"),
        ({"minimum": float("nan")}, "$.minimum"),
        ({"const": 2**60}, "$.const"),
        ({"title": "x" * 70_000}, "$"),
        ({"anyOf": [{}] * 600}, "$"),
        ([], "$"),
        (True, "$"),
    ],
)
def test_a_schema_outside_what_is_run_is_refused_with_its_place(source: Any, place: str) -> None:
    with pytest.raises(SchemaRefused) as caught:
        schema(source)
    assert caught.value.path == place


def test_recursion_is_refused_directly_and_round_a_corner() -> None:
    tree = {"$defs": {"t": {"properties": {"next": {"$ref": "#/$defs/t"}}}}, "$ref": "#/$defs/t"}
    corner = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}
    with pytest.raises(SchemaRefused):
        schema(tree)
    with pytest.raises(SchemaRefused):
        schema({**corner, "$ref": "#/$defs/a"})


def test_references_that_double_at_every_step_are_refused() -> None:
    definitions: dict[str, Any] = {"d0": {"type": "string"}}
    for i in range(1, 30):
        definitions[f"d{i}"] = {"anyOf": [{"$ref": f"#/$defs/d{i - 1}"}] * 2}
    with pytest.raises(SchemaRefused, match="written out"):
        schema({"$defs": definitions, "$ref": "#/$defs/d29"})


def test_more_patterns_than_can_be_run_over_a_long_text_are_refused() -> None:
    schema({"anyOf": [{"pattern": f"{i}$"} for i in range(18)]})
    with pytest.raises(SchemaRefused, match="written out"):
        schema({"anyOf": [{"pattern": f"{i}$"} for i in range(25)]})
    with pytest.raises(SchemaRefused, match="written out"):
        schema({"patternProperties": {f"{i}$": {} for i in range(25)}})


def test_nesting_without_end_is_refused() -> None:
    source: dict[str, Any] = {}
    for _ in range(40):
        source = {"not": source}
    with pytest.raises(SchemaRefused):
        schema(source)


CASES: list[tuple[dict[str, Any], Any]] = [
    ({"type": "object", "required": ["a"]}, {"a": 1}),
    ({"type": "object", "required": ["a"]}, {}),
    ({"properties": {"a": {"enum": [1, "x"]}}}, {"a": 1.0}),
    ({"properties": {"a": {"enum": [1, "x"]}}}, {"a": True}),
    ({"additionalProperties": False, "patternProperties": {"^x": {}}}, {"xy": 1}),
    ({"additionalProperties": False, "patternProperties": {"^x": {}}}, {"y": 1}),
    ({"items": {"type": "integer"}, "uniqueItems": True}, [1, 2, 1.0]),
    ({"items": {"type": "integer"}, "minItems": 1}, []),
    ({"prefixItems": [{"type": "string"}], "items": False}, ["a", 1]),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}),
    ({"oneOf": [{"type": "number"}, {"minimum": 2}]}, 3),
    ({"multipleOf": 0.25}, 0.3),
    ({"maxLength": 2}, "漢字😀"),
    ({"$defs": {"p": {"minimum": 1}}, "properties": {"a": {"$ref": "#/$defs/p"}}}, {"a": 0}),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}),
    ({"contains": {"const": 1}, "maxContains": 1}, [1, 1]),
]


@pytest.mark.parametrize(("source", "value"), CASES)
def test_verdicts_agree_with_the_reference_implementation(
    source: dict[str, Any], value: Any
) -> None:
    oracle = jsonschema.Draft202012Validator(source).is_valid(value)
    assert (schema(source).problem(value) is None) == oracle


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("nan")]}, 2**60])
def test_what_is_no_json_never_conforms(value: Any) -> None:
    assert schema({"not": {"const": "x"}}).problem(value)


def test_an_enormous_answer_does_not_conform() -> None:
    assert schema({"items": {"type": "integer"}}).problem([1] * 60_000) == "more than 50000 values"


def test_formats_are_enforced() -> None:
    dated = schema({"properties": {"on": {"format": "date"}}})
    assert dated.problem({"on": "2024-02-29"}) is None
    assert dated.problem({"on": "2023-02-29"})
