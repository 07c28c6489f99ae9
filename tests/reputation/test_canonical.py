import math

import pytest

from reputation.canonical import (
    IntegerTooLarge,
    LoneSurrogate,
    NestedTooDeep,
    NotCanonical,
    NotJson,
    NumberNotFinite,
    canonical,
    digest,
)


def test_the_rfc_example_has_the_rfc_bytes() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert canonical(value) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_by_utf_16_units() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2, "a": 3}) == (
        '{"a":3,"\U0001f600":2,"\ufb33":1}'.encode()
    )


def test_the_same_value_in_another_order_has_the_same_digest() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("value", "error", "path"),
    [
        ({"a": [1, math.nan]}, NumberNotFinite, "$.a[1]"),
        ([math.inf], NumberNotFinite, "$[0]"),
        ({"a": 2**53}, IntegerTooLarge, "$.a"),
        ({"a": -(2**53)}, IntegerTooLarge, "$.a"),
        (["\ud800"], LoneSurrogate, "$[0]"),
        ({"\udfff": 1}, LoneSurrogate, "$"),
        ({1: 2}, NotJson, "$"),
        ([b"x"], NotJson, "$[0]"),
    ],
)
def test_a_value_without_canonical_form_is_refused_by_name(
    value: object, error: type[NotCanonical], path: str
) -> None:
    with pytest.raises(error) as caught:
        canonical(value)
    assert caught.value.path == path


def test_the_largest_exact_integers_pass() -> None:
    assert canonical([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


def test_a_bottomless_value_is_refused_and_crashes_nothing() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NestedTooDeep):
        canonical(value)
