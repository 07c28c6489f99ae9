"""Pacts to start from, one file each: written in the pact language, green in its linter.

A builder forks a template: the fork is the builder's own draft, which nothing here changes later.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pacts.reading import Reader
from pacts.terms import PactTerms, parse
from pacts.texts import read

_FOLDER = Path(__file__).parent


class UnknownTemplate(LookupError):
    """No template has this name; the message lists those there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A pact to fork. `work` is the kind of agent it is for, `about` what such an agent does, and
    `tasks` what a task set for it must hold."""

    slug: str
    name: str
    work: str
    about: str
    tasks: str
    terms: PactTerms


@lru_cache(maxsize=1)
def library() -> tuple[Template, ...]:
    """Every template, by name. Raises `pacts.reading.TermsError` for one that cannot be read."""
    found = [_template(path) for path in _FOLDER.glob("*.yaml")]
    return tuple(sorted(found, key=lambda template: template.name))


def template_called(slug: str) -> Template:
    """One template. Raises UnknownTemplate."""
    for template in library():
        if template.slug == slug:
            return template
    known = ", ".join(template.slug for template in library())
    raise UnknownTemplate(f"there is no template called “{slug[:40]}”; there are {known}")


def _template(path: Path) -> Template:
    reader = Reader.of(read(path.read_text(encoding="utf-8")).value, "$")
    template = Template(
        slug=path.stem.replace("_", "-"),
        name=reader.text("name", longest=60),
        work=reader.slug("work", longest=40),
        about=reader.text("about", longest=400),
        tasks=reader.text("tasks", longest=400),
        terms=parse(reader.mapping("pact")),
    )
    reader.finish()
    return template
