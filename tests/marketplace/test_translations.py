"""Every text of the site is marked, translated and compiled: by the files alone, without rows."""

import pytest

from marketplace import markings

catalogue = pytest.importorskip("marketplace.catalogue")


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
