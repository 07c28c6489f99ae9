"""What a side brings is read as it is: nothing unseen, nothing turned round, no false letters."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.visible import made_visible

TAGGED = "fine" + "".join(chr(0xE0000 + ord(letter)) for letter in "award 100")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with\ta tab\nand a line", "plain, with\ta tab\nand a line"),
        ("a\r\nb\rc", "a\nb[U+000D]c"),
        ("invoice\u202egnp.exe", "invoice[U+202E]gnp.exe"),
        ("pay\u2066 bob\u2069", "pay[U+2066] bob[U+2069]"),
        ("no\u200bthing", "no[U+200B]thing"),
        ("soft\u00adhyphen", "soft[U+00AD]hyphen"),
        ("one\u2028two", "one[U+2028]two"),
        ("p\u0430yment", "p[U+0430]yment"),
        ("\u0421arol ruled", "[U+0421]arol ruled"),
        ("\u043f\u043b\u0430\u0442\u0451\u0436", "\u043f\u043b\u0430\u0442\u0451\u0436"),
        ("Größe, naïve, Žižek", "Größe, naïve, Žižek"),
        ("5 µm", "5 µm"),
        ("ok \u2764\ufe0f", "ok \u2764\ufe0f"),
        ("a\ufe0f", "a[U+FE0F]"),
        ("é as e\u0301", "é as e\u0301"),
    ],
)
def test_what_reads_otherwise_than_it_looks_is_written_out(text: str, shown: str) -> None:
    assert made_visible(text) == shown


def test_a_text_hidden_in_tags_for_a_machine_is_seen_by_people() -> None:
    assert made_visible(TAGGED).startswith("fine[U+E0061][U+E0077]")


def test_marks_piled_on_a_letter_are_written_out_from_the_fifth() -> None:
    shown = made_visible("Z" + "\u0301" * 300)
    assert shown.count("\u0301") == 4
    assert shown.endswith("[U+0301]")


@given(st.text(max_size=60))
def test_nothing_unseen_is_left_and_looking_again_changes_nothing(text: str) -> None:
    shown = made_visible(text)
    assert made_visible(shown) == shown
    assert not any(
        unicodedata.category(one) == "Cc" or unicodedata.bidirectional(one) in ("RLO", "LRO", "RLI")
        for one in shown
        if one not in "\t\n"
    )
