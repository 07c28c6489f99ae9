"""What looks alike folds alike, by the table of Unicode Technical Standard #39."""

import unicodedata
from string import ascii_lowercase, ascii_uppercase

import pytest
from confusable_homoglyphs.confusables import confusables_data

from pacts.checks import CHECKS, Call
from pacts.checks.folding import compact, fold, words
from reputation.canonical import JsonValue


@pytest.mark.parametrize(
    "written",
    [
        "ΜΟΝΕΥ",  # Greek capitals, whose small letters look like others
        "МОNЕY",  # Cyrillic
        "ꓟꓳꓠꓰꓬ",  # Lisu
        "Ⲙⲟnеy",  # Coptic
        "𝐌𝐎𝐍𝐄𝐘",  # mathematical
        "ＭＯＮＥＹ",  # full width
        "M\u0301O\u0308N\u200bE\u00adY",  # marks, and what cannot be seen
    ],
)
def test_a_word_is_found_in_the_letters_of_any_script_that_look_like_it(written: str) -> None:
    assert fold(written) == "money"


def test_every_letter_the_table_calls_like_a_latin_one_folds_to_latin() -> None:
    wrong = [
        (latin, row["c"], fold(row["c"]))
        for latin in ascii_lowercase + ascii_uppercase
        for row in confusables_data[latin]
        if len(row["c"]) == 1 and unicodedata.category(row["c"]).startswith("L")
        if not fold(row["c"]).isascii()
    ]
    assert wrong == []


def test_signs_that_look_like_letters_still_part_words() -> None:
    assert words(fold("guaranteed×return")) == words("guaranteed return")
    assert compact(fold("a∨b")) == "ab"


def test_an_i_stays_an_i_where_the_table_says_l() -> None:
    assert fold("ІΙⅠℐ") == "iiii"


def test_digits_stay_digits() -> None:
    assert fold("𝟏𝟎１０") == "1010"


def test_text_in_another_script_is_not_mistaken_for_a_forbidden_word() -> None:
    params: dict[str, JsonValue] = {"terms": ["return", "scam", "no"]}
    for text in ("Возврат средств не гарантирован", "Καμία εγγύηση", "保証はありません", "لا ضمان"):
        assert CHECKS["forbidden_terms"].answer(params, Call(output=text)).outcome == "pass"


def test_a_limit_in_tokens_says_that_it_is_an_estimate() -> None:
    schema = CHECKS["length"].params_schema
    assert "estimate by rule" in str(schema)
    assert "estimate by rule" in (CHECKS["length"].decide.__globals__["__doc__"] or "")
