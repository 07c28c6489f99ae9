"""A table's text is corrected on its page: read before anything is kept, and never lost."""

import re
from html import unescape
from typing import Any

import pytest

from marketplace.models import TaskSheet
from marketplace.pages import press
from marketplace.pages.sheet_forms import prefix_of
from pacts.models import TaskSetVersion
from tests import cast
from tests.marketplace.pages.browsers import browser_of, token_in
from tests.marketplace.tryouts.test_tryout_pages import TABLE, brought, mapped

pytestmark = pytest.mark.django_db

GOOD = TABLE.replace("3;x;8", "3;4;8")
BAD = "Nr;Zahl;Zahl\n1;2;4"


@pytest.fixture
def hers() -> Any:
    return browser_of(cast.alice())


@pytest.fixture
def there(hers: Any) -> str:
    return brought(hers)


def shown_text(page: str) -> str:
    found = re.search(r'<textarea id="sheet-text"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found is not None, page
    return unescape(found[1])


def pressed(hers: Any, there: str, do: str, text: str, **changes: str) -> Any:
    return hers.post(there, mapped(hers, there, do=do, text=text, **changes))


@pytest.mark.parametrize("do", ["read", "show", "keep"])
def test_what_cannot_be_read_is_still_there_as_typed_with_why(
    hers: Any, there: str, do: str
) -> None:
    answer = pressed(hers, there, do, BAD, leave_out="on")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert shown_text(page) == BAD
    assert "each name once" in page
    assert 'aria-invalid="true"' in page
    assert "text before it" in page
    assert TaskSheet.objects.get().text == TABLE, "what was brought is as it was"
    assert not TaskSetVersion.objects.exists()


def test_a_text_that_was_emptied_is_said_to_be_empty(hers: Any, there: str) -> None:
    page = pressed(hers, there, "keep", "", leave_out="on").content.decode()
    assert "There is nothing to read" in page
    assert shown_text(page) == ""
    assert not TaskSetVersion.objects.exists()


@pytest.mark.parametrize("do", ["read", "show"])
def test_a_correction_is_read_by_either_button_and_the_mapping_stays(
    hers: Any, there: str, do: str
) -> None:
    changed = {f"{prefix_of('Zahl')}-field": "figure", "name": "Sums"}
    page = pressed(hers, there, do, GOOD, **changed).content.decode()
    assert "The corrected text was read." in page
    assert "no number" not in page
    assert 'value="figure"' in page
    assert 'value="Sums"' in page
    assert shown_text(page) == GOOD
    assert TaskSheet.objects.get().text == GOOD


def test_a_correction_is_seen_before_it_is_kept(hers: Any, there: str) -> None:
    page = pressed(hers, there, "keep", GOOD)
    said = page.content.decode()
    assert "look at the tasks below, then keep them" in said
    assert "The first of 4 tasks" in said
    assert not TaskSetVersion.objects.exists()
    sent = mapped(hers, there, text=GOOD, seen=page.context["seen"])
    assert hers.post(there, sent).status_code == 302
    assert TaskSetVersion.objects.get().size == 4


def test_a_press_that_was_doubled_keeps_nothing_unseen(hers: Any, there: str) -> None:
    sent = mapped(hers, there, text=GOOD, leave_out="on")
    for _press in range(2):
        assert hers.post(there, sent).status_code == 200
    assert not TaskSetVersion.objects.exists()


def test_a_table_that_another_window_corrected_is_looked_at_first(hers: Any, there: str) -> None:
    early = mapped(hers, there, leave_out="on")  # a page without the text: it was too long
    pressed(hers, there, "read", GOOD)
    assert "then keep them" in hers.post(there, early).content.decode()
    assert not TaskSetVersion.objects.exists()


def test_the_ends_of_lines_and_a_first_empty_one_are_no_correction(hers: Any) -> None:
    lines = [f'{{"Zahl": {number}, "Ergebnis": {2 * number}}}' for number in range(4)]
    there = brought(hers, "\r\n".join(["", *lines]))
    page = hers.get(there).content.decode()
    kept = shown_text(page)
    answer = pressed(hers, there, "keep", kept.replace("\n", "\r\n"))
    assert answer.status_code == 302, answer.content.decode()
    assert TaskSetVersion.objects.get().size == 4


def test_a_column_that_is_new_is_guessed_and_the_others_keep_what_was_chosen(
    hers: Any, there: str
) -> None:
    text = "Gruppe;Zahl;Ergebnis\na;2;4\nb;3;6\n"
    changed = {f"{prefix_of('Zahl')}-field": "figure"}
    answer = pressed(hers, there, "read", text, **changed)
    uses = answer.context["form"].uses
    assert {name: (use.role, use.field) for name, use in uses.items()} == {
        "Gruppe": ("stratum", ""),
        "Zahl": ("input", "figure"),
        "Ergebnis": ("expected", "answer"),
    }
    assert press.FIELD in answer.content.decode()
    assert token_in(answer)
