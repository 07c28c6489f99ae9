"""The texts of the site and their translations: found, merged and compiled without gettext's tools.

Texts are read from templates (through Django's own `templatize`) and from calls in the code; the
catalogue of each language is `locale/<language>/LC_MESSAGES/django.po`, compiled beside it.
"""

import ast
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent
TEMPLATES, LOCALE = ROOT / "templates", ROOT / "locale"
TRANSLATED = ("de",)
HEADER = "# The words of the site. Made by `manage.py translations --write`; msgstr by people."
SAME_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # the same words make the same bytes on any day

ONE_TEXT = {
    "phrase",
    "word",
    "plain",
    "outcome",
    "_",
    "_lazy",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "_noop",
}
TWO_TEXTS = {"ngettext", "ngettext_lazy", "counted"}
_STRING = r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_IN_TEMPLATE = re.compile(rf"(?<!\w)(gettext|ngettext|_)\({_STRING}(?:, {_STRING})?")
PLACEHOLDER = re.compile(r"%\(\w+\)[.\d]*[sdf]|%%|\{\w+\}")

Text = tuple[str, str | None]  # and its plural, where it counts something


@dataclass(frozen=True, slots=True)
class State:
    """How complete a catalogue is."""

    texts: int
    missing: list[str]
    fuzzy: list[str]
    differing: list[str]  # another set of placeholders than the original


def texts() -> dict[Text, list[str]]:
    """Every marked text with the files that say it."""
    found: dict[Text, list[str]] = defaultdict(list)
    for path in sorted(TEMPLATES.rglob("*.html")):
        for text in _template_texts(path.read_text()):
            found[text].append(str(path.relative_to(ROOT)))
    for path in sorted(ROOT.rglob("*.py")):
        for text in _code_texts(ast.parse(path.read_text())):
            found[text].append(str(path.relative_to(ROOT)))
    return {text: sorted(set(files)) for text, files in found.items()}


def _template_texts(source: str) -> Iterator[Text]:
    for match in _IN_TEMPLATE.finditer(templatize(source)):
        function, one, many = match.groups()
        several = ast.literal_eval(many) if many and function == "ngettext" else None
        yield ast.literal_eval(one), several


def _code_texts(tree: ast.AST) -> Iterator[Text]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        constants = [one.value for one in node.args if isinstance(one, ast.Constant)]
        said = [one for one in constants if isinstance(one, str)]
        if name == "known":
            yield from ((one, None) for one in said)
        elif name in ONE_TEXT and len(said) == 1 and node.args and constants[0] == said[0]:
            yield said[0], None
        elif name in TWO_TEXTS and len(said) == 2:
            yield said[0], said[1]


def said_below() -> set[str]:
    """Every text in the code of the four floors: `{1}`, `{2}` stand for values."""
    found = set()
    for floor in ("reputation", "pacts", "settlement", "marketplace"):
        for path in sorted((ROOT.parent / floor).rglob("*.py")):
            nodes = ast.walk(ast.parse(path.read_text()))
            found |= {_said(one) for one in nodes if isinstance(one, ast.expr)}
    return found - {""}


def _said(said: ast.expr) -> str:
    if isinstance(said, ast.Constant):
        return said.value if isinstance(said.value, str) else ""
    parts = said.values if isinstance(said, ast.JoinedStr) else []
    text, values = "", 0
    for part in parts:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            values += 1
            text += f"{{{values}}}"
    return text


def catalogue_of(language: str) -> Catalog:
    """The catalogue as it is kept; an empty one for a language without."""
    path = path_of(language)
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def merged(language: str) -> Catalog:
    """The kept translations of today's texts; what nobody says any more is left out."""
    kept, new = catalogue_of(language), _empty(language)
    for (one, many), files in sorted(texts().items(), key=lambda item: (item[1][0], item[0][0])):
        before = kept.get(one)
        words = before.string if before and isinstance(before.id, tuple) == bool(many) else None
        new.add(
            (one, many) if many else one,
            string=words,
            locations=[(file, 0) for file in files],
            flags=before.flags if before else (),
        )
    return new


def state_of(language: str) -> State:
    """What the kept catalogue lacks for today's texts."""
    kept = catalogue_of(language)
    missing, fuzzy, differing = [], [], []
    for one, many in texts():
        message = kept.get(one)
        if message is None or not _is_complete(message, counts=many is not None):
            missing.append(one)
        elif message.fuzzy:
            fuzzy.append(one)
        elif not _fits(message):
            differing.append(one)
    return State(len(texts()), missing, fuzzy, differing)


def _is_complete(message: Message, *, counts: bool) -> bool:
    words = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(words) and counts == isinstance(message.id, tuple | list)


def _fits(message: Message) -> bool:
    """Whether each form has the placeholders of the original; a plural's may leave one out."""
    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
    words = message.string if isinstance(message.string, tuple | list) else (message.string,)
    wanted = [_placeholders(one) for one in ids]
    return all(_placeholders(word or "") in wanted for word in words)


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text)) - {"%%"}


def written(catalogue: Catalog) -> bytes:
    """A catalogue as a `.po` file, the same bytes for the same words."""
    out = io.BytesIO()
    write_po(out, catalogue, width=100, include_lineno=False)
    return out.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """A catalogue as a `.mo` file."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def keep(language: str) -> None:
    """Write both files of a language."""
    catalogue = merged(language)
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(catalogue))
    path.with_suffix(".mo").write_bytes(compiled(catalogue_of(language)))


def path_of(language: str) -> Path:
    """The `.po` file of a language; its `.mo` stands beside it."""
    return LOCALE / language / "LC_MESSAGES/django.po"


def _empty(language: str) -> Catalog:
    return Catalog(
        locale=language,
        header_comment=HEADER,
        project="Earnest",
        version="1",
        creation_date=SAME_DAY,
        revision_date=SAME_DAY,
        last_translator="",
        language_team="",
        msgid_bugs_address="",
        fuzzy=False,
    )
