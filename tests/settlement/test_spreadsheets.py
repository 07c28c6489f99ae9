"""CSV that no spreadsheet runs: stranger's text stays text, numbers stay numbers."""

import csv
import re
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.spreadsheets import inert, lines

FORMULA = "=+-@＝＋－＠\t\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(A1)",
        "  =1",
        "\u200b=1",
        "\ufeff=1",
        "\u3000＝1",
        'x",=1',
        "x;=cmd|' /C calc'!A0",
        "x\t=1",
        "x\r\n=1",
        '=HYPERLINK("http://mallory.example","x")',
        "\tplain",
        "\rplain",
    ],
)
def test_what_could_begin_a_formula_is_marked_as_text(text: str) -> None:
    shown = inert(text)
    for cell in re.split(r"[,;|\t\r\n\"]", shown):
        bare = cell.strip(" \u200b\ufeff\u3000")
        assert not bare.startswith(tuple(FORMULA)), (text, shown)
    assert "'" in shown


@pytest.mark.parametrize("text", ["Answers are right", "a = b", "x-y", "e@example.org", "", "你好"])
def test_harmless_text_is_left_alone(text: str) -> None:
    assert inert(text) == text


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_each_row_is_one_line_of_inert_cells(texts: list[str]) -> None:
    (written,) = lines([texts])
    assert written.endswith("\r\n")
    assert written.count("\n") == 1
    (read,) = csv.reader(StringIO(written))
    assert read == [inert(text) for text in texts]
    assert not any(cell.lstrip().startswith(tuple(FORMULA)) for cell in read)


@given(st.integers(), st.integers(-(10**15), 10**15), st.sampled_from([0, 2, 3, 6]))
def test_numbers_are_bare_and_exact(whole: int, minor: int, exponent: int) -> None:
    amount = Decimal(minor).scaleb(-exponent)
    (written,) = lines([[whole, amount, "-1"]])
    first, second, text = written.rstrip("\r\n").split(",")
    assert (int(first), Decimal(second), text) == (whole, amount, '"\'-1"')
    assert re.fullmatch(r"-?\d+(\.\d+)?", second)
