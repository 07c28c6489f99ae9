"""Every text of the site is marked, translated and compiled: by the files alone, without rows."""

import re

import pytest
from django.utils import translation

from marketplace import markings, refused

pytest.importorskip("babel", reason="only development reads and writes catalogues")
from marketplace import catalogue


@pytest.mark.parametrize("language", catalogue.TRANSLATED)
def test_every_text_has_a_translation_with_the_same_placeholders(language: str) -> None:
    state = catalogue.state_of(language)
    assert (state.missing, state.fuzzy, state.differing) == ([], [], []), (
        "Run `manage.py translations --write` and translate what is new in marketplace/locale."
    )


@pytest.mark.parametrize("language", catalogue.TRANSLATED)
def test_the_compiled_catalogue_is_the_one_its_source_makes(language: str) -> None:
    path = catalogue.path_of(language)
    assert path.with_suffix(".mo").read_bytes() == catalogue.compiled(
        catalogue.catalogue_of(language)
    )


def test_every_text_of_a_template_is_marked() -> None:
    assert markings.unmarked_everywhere() == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello there</p>", ["Hello there"]),
        ('<p>{% translate "Hello there" %}</p>', []),
        ("<p>{% if a %}Yes, it is{% endif %}</p>", ["…Yes, it is…"]),
        ('<c-empty title="Nothing yet"></c-empty>', ["title=Nothing yet"]),
        ("<c-empty title=\"{% translate 'Nothing yet' %}\"></c-empty>", []),
        ("<pre>curl it</pre><script>let x</script>", []),
        ("<p>v{{ number }} · {{ name }} – Earnest</p>", []),
    ],
)
def test_a_text_that_nothing_marks_is_found(source: str, found: list[str]) -> None:
    assert list(markings.unmarked(source)) == found


@pytest.mark.parametrize("language", catalogue.TRANSLATED)
def test_every_translated_sentence_of_the_domain_is_still_said_by_somebody(language: str) -> None:
    rows = refused.table(language)
    assert rows
    # The access table makes its sentences of parts.
    whole = {one for one in rows if not one.startswith("This is for ")}
    assert whole - catalogue.said_below() == set(), "drop or reword these in domain.json"
    places = {one: set(re.findall(r"{\d+}", one)) for one in rows}
    assert [one for one in rows if set(re.findall(r"{\d+}", rows[one])) != places[one]] == []


def test_a_refusal_keeps_its_values_and_an_unknown_one_stays_as_it_is() -> None:
    said = "this set has 4 tasks; on fewer than 20 nothing can be proved, so add some"
    assert refused.said(said) == said
    with translation.override("de"):
        assert "4 Aufgaben" in refused.said(said)
        assert "20" in refused.said(said)
        assert refused.said("nobody ever said this") == "nobody ever said this"
