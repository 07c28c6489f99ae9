import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import canonical

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e15, 1e15, allow_subnormal=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(values)
def test_ordinary_json_reads_as_it_was_written(value: object) -> None:
    assert parse_json(canonical(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a": NaN}', "not_finite"),
        (b"[Infinity]", "not_finite"),
        (b"[-Infinity]", "not_finite"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate_key"),
        (b'["\\ud800"]', "lone_surrogate"),
        (b'{"\\udc00": 1}', "lone_surrogate"),
        (b"9007199254740992", "number_too_large"),
        (b"-9007199254740992", "number_too_large"),
        (b"1" * 1_000_000, "number_too_large"),
        (b"1e400000", "number_too_large"),
        (b"1e309", "number_too_large"),
        (b"1e-400", "number_too_large"),
        (b"0e" + b"9" * 100_000, "number_too_large"),
        (b"0." + b"1" * 1_000_000, "number_too_large"),
        (b"[" * 65 + b"]" * 65, "too_deep"),
        (b"[" * 150_000 + b"]" * 150_000, "too_deep"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "too_deep"),
        (b"[" + b"0," * 250_000 + b"0]", "too_many_values"),
        (b"[" + b"[]," * 250_000 + b"0]", "too_many_values"),
        (b"\xff\xfe[\x00]\x00", "not_utf8"),
        (b'"\xed\xa0\x80"', "not_utf8"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"", "not_json"),
        (b"{} {}", "not_json"),
        (b'{"a": 1,}', "not_json"),
        (b"{'a': 1}", "not_json"),
        (b'["\x00"]', "not_json"),
        (b"[01]", "not_json"),
        (b'"abc', "not_json"),
    ],
)
def test_hostile_json_is_malformed_by_name(data: bytes, code: str) -> None:
    with pytest.raises(MalformedJson) as caught:
        parse_json(data)
    assert caught.value.code == code


def test_sixty_four_levels_and_the_largest_integer_are_fine() -> None:
    parse_json(b"[" * 64 + b"]" * 64)
    assert parse_json(b"[9007199254740991, 1e308, -0.0, 1E+05]") == [2**53 - 1, 1e308, 0.0, 1e5]


def test_long_prose_with_many_commas_is_not_mistaken_for_many_values() -> None:
    prose = "one, two, [three], {four}, " * 60_000
    assert parse_json(json.dumps([prose]).encode()) == [prose]


def test_an_endless_string_of_escapes_costs_little() -> None:
    with pytest.raises(MalformedJson):
        parse_json(b'"' + b'\\"' * 500_000 + b"," * 300_000)


def test_small_numbers_stay_numbers() -> None:
    value = parse_json(b"1e-308")
    assert isinstance(value, float)
    assert not math.isnan(value)
