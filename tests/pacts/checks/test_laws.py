"""What holds for every input, not only for the fixtures."""

import base64
import codecs
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.checks.encodings import canary, found_as
from pacts.checks.fields import normalised, same
from pacts.checks.folding import fold, leet
from pacts.checks.json_comparison import Comparison, close, unmatched
from pacts.checks.quantities import conversion, read_quantity
from pacts.checks.secrets_found import iban, luhn

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
STEPS = st.lists(
    st.sampled_from(["casefold", "strip", "nfkc", "nfc", "whitespace", "punctuation", "articles"]),
    unique=True,
)
CANARY = st.from_regex(r"[A-Za-z]{4,10}[- ][A-Za-z0-9]{4,10}", fullmatch=True)
AROUND = st.text(st.characters(codec="ascii"), max_size=30)


@given(st.tuples(JSON, JSON, JSON), STEPS)
@settings(max_examples=60)
def test_normalised_equality_is_an_equivalence(values: tuple[Any, Any, Any], steps: Any) -> None:
    def equal(a: Any, b: Any) -> bool:
        return same(normalised(a, steps), normalised(b, steps))

    a, b, c = values
    assert equal(a, a)
    assert equal(a, b) == equal(b, a)
    if equal(a, b) and equal(b, c):
        assert equal(a, c)


@given(JSON, JSON, st.sampled_from([0.0, 0.01, 0.5]), st.booleans())
@settings(max_examples=80)
def test_json_equality_is_reflexive_and_symmetric(a: Any, b: Any, near: float, loose: bool) -> None:
    rules = Comparison(relative=near, absolute=near, unordered=(("**",),) if loose else ())
    assert rules.difference(a, a) is None
    assert (rules.difference(a, b) is None) == (rules.difference(b, a) is None)


@given(st.lists(JSON, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_a_list_without_order_equals_itself_shuffled(items: list[Any], chance: Any) -> None:
    shuffled = list(items)
    chance.shuffle(shuffled)
    rules = Comparison(unordered=(("x",),), relative=1e-9)
    assert rules.difference({"x": shuffled}, {"x": items}) is None


@given(st.lists(st.lists(st.integers(0, 4), max_size=4), max_size=5))
@settings(max_examples=60)
def test_pairing_off_fails_only_where_no_pairing_exists(edges: list[list[int]]) -> None:
    def possible(rest: list[list[int]], taken: frozenset[int]) -> bool:
        if not rest:
            return True
        return any(possible(rest[1:], taken | {r}) for r in rest[0] if r not in taken)

    assert (unmatched(edges) is None) == possible(edges, frozenset())


def test_a_pairing_is_found_where_the_nearest_first_would_miss_it() -> None:
    rules = Comparison(absolute=1, unordered=((),))
    assert rules.difference([1, 0], [1, 2]) is None


def test_folding_any_character_twice_folds_it_once() -> None:
    codes = [code for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    for first in range(0, len(codes), 8192):
        once = fold("\n".join(map(chr, codes[first : first + 8192])))
        assert fold(once) == once


@given(st.text(max_size=40))
@settings(max_examples=100)
def test_folding_a_text_twice_folds_it_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert leet(leet(fold(text))) == leet(fold(text)) or "+" in text or "!" in text or "|" in text


ENCODINGS: dict[str, Callable[[str, str, str], str]] = {
    "verbatim": lambda s, before, after: before + s + after,
    "upper": lambda s, before, after: before + s.upper() + after,
    "reversed": lambda s, before, after: before + s[::-1] + after,
    "rot13": lambda s, before, after: before + codecs.encode(s, "rot13") + after,
    "spelled": lambda s, before, after: before + " - ".join(s) + after,
    "hex": lambda s, before, after: (before + s + after).encode().hex(),
    "hex spelled": lambda s, before, after: " ".join(f"0x{b:02x}" for b in s.encode()),
    "escapes": lambda s, before, after: "".join(f"\\x{b:02x}" for b in s.encode()),
    "per cent": lambda s, before, after: "".join(f"%{b:02X}" for b in s.encode()),
    "entities": lambda s, before, after: "".join(f"&#{b};" for b in s.encode()),
    "codes": lambda s, before, after: " ".join(str(b) for b in s.encode()),
    "base64": lambda s, before, after: base64.b64encode((before + s + after).encode()).decode(),
    "base64 url": lambda s, before, after: base64.urlsafe_b64encode(
        (before + s + after).encode()
    ).decode(),
    "base64 broken": lambda s, before, after: "\n".join(
        base64.b64encode((before + s + after).encode()).decode()
    ),
    "base64 of reversed": lambda s, before, after: base64.b64encode(s[::-1].encode()).decode(),
    "base32": lambda s, before, after: base64.b32encode((before + s + after).encode()).decode(),
    "tags": lambda s, before, after: before + "".join(chr(0xE0000 + ord(c)) for c in s) + after,
    "wide": lambda s, before, after: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in s
    ),
    "zero width": lambda s, before, after: before + "\u200b".join(s) + after,
}


@pytest.mark.parametrize("name", ENCODINGS)
@given(planted=CANARY, before=AROUND, after=AROUND)
@settings(max_examples=25, deadline=None)
def test_a_canary_is_found_in_every_encoding(
    name: str, planted: str, before: str, after: str
) -> None:
    assert found_as(ENCODINGS[name](planted, before, after), canary(planted))


@given(st.text(st.characters(codec="ascii"), max_size=200))
@settings(max_examples=100, deadline=None)
def test_a_canary_is_not_found_where_it_is_not(text: str) -> None:
    assert found_as(text, canary("Zq7-xj9-kw4-vb2-ph6")) is None


@given(st.integers(0, 15), st.integers(1, 9))
@settings(max_examples=60)
def test_a_card_number_with_one_wrong_digit_is_none(place: int, more: int) -> None:
    digits = [int(c) for c in "4111111111111111"]
    assert luhn("4111111111111111")
    digits[place] = (digits[place] + more) % 10
    assert not luhn("".join(map(str, digits)))


@given(st.integers(4, 21), st.integers(1, 9))
@settings(max_examples=60)
def test_an_iban_with_one_wrong_digit_is_none(place: int, more: int) -> None:
    text = list("DE89370400440532013000")
    assert iban("".join(text))
    text[place] = str((int(text[place]) + more) % 10)
    assert not iban("".join(text))


@given(st.floats(-1e9, 1e9), st.sampled_from([("km", "mile"), ("°C", "°F"), ("kg", "lb")]))
@settings(max_examples=60)
def test_a_quantity_there_and_back_is_the_same(value: float, units: tuple[str, str]) -> None:
    there, back = conversion(*units), conversion(units[1], units[0])
    assert close(back(there(value)), value, 1e-9, 1e-9)
    number, unit = read_quantity(f"{value:.6f} {units[0]}")
    assert close(number, value, 1e-6, 1e-5)
    assert unit == units[0]
