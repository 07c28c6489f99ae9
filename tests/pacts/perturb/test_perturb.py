"""Perturbations: the same bytes from the same seed, and nothing of the meaning touched."""

import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.perturb import FAMILIES, Draws, perturb
from pacts.perturb.pieces import pieces

TEXT_FAMILIES = ("typos", "case", "whitespace", "punctuation", "unicode")
FEW = settings(max_examples=60, deadline=None)
ANY_TEXT = st.text(max_size=300)
LETTER = """Dear support team,

my parcel with the number 4711-ABC never arrived at our office in Rotterdam. The tracking page says
"delivered on Tuesday", but nobody here signed for anything. Please run `get_status(4711)` again and
write to anna@example.org, or look at https://example.org/parcels/4711?full=1 for the details.

```
status = lookup("4711")
```

Kind regards from the warehouse."""


def said(family: str, text: str, seed: object = 1, expected: Any = None, **more: Any) -> str:
    task: dict[str, Any] = {"text": text, "untouched": text}
    found = perturb(
        task, family=family, fields=["text"], draws=Draws(seed), expected=expected, **more
    )
    assert isinstance(found, dict)
    assert found["untouched"] == text
    return str(found["text"])


@FEW
@given(family=st.sampled_from(FAMILIES), text=st.text(max_size=200), seed=st.integers(0, 10**6))
def test_one_seed_says_it_the_same_way_every_time(family: str, text: str, seed: int) -> None:
    assert said(family, text, seed) == said(family, text, seed)


@FEW
@given(family=st.sampled_from(TEXT_FAMILIES), text=ANY_TEXT, seed=st.integers(0, 99))
def test_digits_come_out_as_they_went_in(family: str, text: str, seed: int) -> None:
    after = said(family, text, seed)
    digits = [c for c in text if c.isdigit()]
    assert [c for c in after if c.isdigit()] == digits


@FEW
@given(
    family=st.sampled_from(FAMILIES),
    text=st.text(alphabet=st.characters(), max_size=200),  # lone surrogates too
)
def test_no_text_breaks_a_family(family: str, text: str) -> None:
    said(family, text, paraphrases=[{"text": "another"}])


@FEW
@given(text=ANY_TEXT, seed=st.integers(0, 99))
def test_unicode_forms_are_canonically_the_same_but_for_spaces_and_apostrophes(
    text: str, seed: int
) -> None:
    def plain(of: str) -> str:
        return unicodedata.normalize("NFC", of.replace("’", "'").replace("\u00a0", " "))

    assert plain(said("unicode", text, seed)) == plain(text)


@FEW
@given(text=ANY_TEXT, seed=st.integers(0, 99))
def test_case_changes_nothing_but_case(text: str, seed: int) -> None:
    after = said("case", text, seed)
    assert after.lower() == text.lower()
    assert len(after) == len(text)


@FEW
@given(text=ANY_TEXT, seed=st.integers(0, 99))
def test_whitespace_changes_nothing_but_spaces(text: str, seed: int) -> None:
    assert said("whitespace", text, seed).split() == text.split()


@FEW
@given(text=ANY_TEXT)
def test_pieces_join_up_to_the_text(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text


@pytest.mark.parametrize("family", TEXT_FAMILIES)
@pytest.mark.parametrize("seed", range(5))
def test_code_addresses_quotes_and_numbers_are_kept(family: str, seed: int) -> None:
    after = said(family, LETTER, seed)
    for kept in (
        "4711-ABC",
        '"delivered on Tuesday"',
        "`get_status(4711)`",
        "anna@example.org",
        "https://example.org/parcels/4711?full=1",
        '```\nstatus = lookup("4711")\n```',
    ):
        assert kept in after
    assert after != LETTER


@pytest.mark.parametrize("family", TEXT_FAMILIES)
@pytest.mark.parametrize("seed", range(5))
def test_what_the_owner_expects_is_kept(family: str, seed: int) -> None:
    text = "Please classify this: the warehouse in Rotterdam lost everything, wonderful service!"
    expected = {"city": "Rotterdam", "about": "lost everything"}
    after = said(family, text, seed, expected)
    assert "Rotterdam" in after
    assert re.search(r"lost everything", after)


def test_a_typo_keeps_first_and_last_letters_and_short_words() -> None:
    before = [
        "The",
        "quick",
        "messenger",
        "delivered",
        "several",
        "heavy",
        "parcels",
        "before",
        "lunch",
    ]
    for seed in range(30):
        after = said("typos", " ".join(before), seed).split()
        assert len(after) == len(before)
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert changed
        for a, b in changed:
            assert (a[0], a[-1]) == (b[0], b[-1])
            assert len(a) >= 5
            assert abs(len(a) - len(b)) <= 1


def test_scripts_without_case_get_no_typos() -> None:
    assert said("typos", "这个包裹没有到达我们的办公室") == "这个包裹没有到达我们的办公室"


def test_lists_members_and_bullets_change_places_and_nothing_else() -> None:
    task: dict[str, Any] = {
        "options": ["north", "south", "east", "west"],
        "order": {"a": 1, "b": 2, "c": 3},
        "text": "Choose:\n- alpha\n- beta\n- gamma\n1. one\n2. two",
    }
    fields = ["options", "order", "text"]
    found: Any = perturb(task, family="order", fields=fields, draws=Draws(3))
    assert found["options"] != task["options"]
    assert sorted(found["options"]) == sorted(task["options"])
    assert list(found["order"]) != list(task["order"])
    assert found["order"] == task["order"]
    lines = found["text"].split("\n")
    assert sorted(lines) == sorted(task["text"].split("\n"))
    assert lines[0] == "Choose:"
    assert lines[-2:] == ["1. one", "2. two"]


def test_a_distractor_is_said_beside_the_task() -> None:
    after = said("distractor", "Add two and two.", remarks=["Übrigens: schönes Wetter."])
    assert set(after.split("\n\n")) == {"Add two and two.", "Übrigens: schönes Wetter."}


def test_a_paraphrase_is_the_owners_own() -> None:
    task: dict[str, Any] = {"text": "Add two and two.", "unit": "apples"}
    rewordings: list[dict[str, Any]] = [{"text": "Two plus two?"}, {"text": "Sum 2 and 2."}]
    found = [
        perturb(
            task,
            family="paraphrase",
            fields=["text"],
            draws=Draws(1),
            paraphrases=rewordings,
            number=number,
        )
        for number in range(3)
    ]
    assert found == [
        {"text": "Two plus two?", "unit": "apples"},
        {"text": "Sum 2 and 2.", "unit": "apples"},
        task,
    ]


def test_draws_are_the_same_on_every_machine() -> None:
    draws = Draws("a", 1)
    assert [draws.below(10) for _ in range(8)] == [1, 0, 0, 2, 7, 4, 8, 8]
    assert sorted(Draws("b").order(9)) == list(range(9))


def test_hostile_texts_take_no_time() -> None:
    for text in ('"' * 50_000, "`" * 50_000, "“" * 20_000, "'a" * 20_000, "- x\n" * 5_000):
        for family in FAMILIES:
            json.dumps(said(family, text))
