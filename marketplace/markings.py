"""Which texts of a template a translator never sees, because nothing marks them."""

import re
from collections.abc import Iterator
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent / "templates"
# What is the same in every language, and the parts of other programs' own templates.
SAME = {"Earnest", "JSON", "CSV", "PDF", "UTC", "verify.py", "v", "s", "ms", "GET", "POST"}
LEFT_OUT = ("allauth/elements/", "api/")
SPOKEN = {
    *("title", "lede", "eyebrow", "label", "submit", "placeholder", "aria-label", "alt", "back"),
    *("on", "data-label", "hint", "legend", "caption"),
}
# Scripts, styles and what people copy are no sentences.
_NOT_SAID = re.compile(
    r"<(script|style|pre|code|kbd|textarea)\b.*?</\1\s*>|<!--.*?-->|<c-vars\b.*?/?>", re.S
)
_MARKED = re.compile(
    r"\{%\s*(blocktranslate|blocktrans|comment|verbatim)\b.*?\{%\s*end\1\s*%\}", re.S
)
_TOKEN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.S)
_TAG = re.compile(r"<(/?)(!?[\w.-]+)((?:\"[^\"]*\"|'[^']*'|[^<>\"'])*)>")
_ATTRIBUTE = re.compile(r"([^\s=<>\"']+)\s*=\s*\"([^\"]*)\"")
_WORD = re.compile(r"[A-Za-zÀ-ÿ][\w.’-]*")


def unmarked_everywhere() -> dict[str, list[str]]:
    """Every template with texts that nothing marks."""
    found = {}
    for path in sorted(TEMPLATES.rglob("*.html")):
        name = str(path.relative_to(TEMPLATES))
        if not name.startswith(LEFT_OUT) and (texts := list(unmarked(path.read_text()))):
            found[name] = texts
    return found


def unmarked(source: str) -> Iterator[str]:
    """The texts and attributes of one template that are said as they stand."""
    bare = _TOKEN.sub("\0", _MARKED.sub("\0", source))
    bare = _NOT_SAID.sub("\0", bare)
    for match in _TAG.finditer(bare):
        for name, value in _ATTRIBUTE.findall(match[3]):
            if name in SPOKEN and _says_something(value):
                yield f"{name}={_shown(value)}"
    for text in _TAG.split(bare)[::4]:
        if _says_something(text):
            yield _shown(text)


def _says_something(text: str) -> bool:
    if text.strip().startswith("/"):  # an address
        return False
    said = re.sub(r"&#?\w+;", " ", text)
    words = [word for word in _WORD.findall(said) if word not in SAME]
    return any(len(word) > 1 or word in "aI" for word in words)


def _shown(text: str) -> str:
    return " ".join(text.replace("\0", "…").split())[:80]
