"""A pact as people write it: JSON or YAML in, with every mistake at its line and column; both out.

YAML here means the plain part of YAML 1.2: one document of mappings, lists and scalars. Anchors,
aliases, tags, merge keys and second documents are refused, so no text unfolds into more than it
shows; a key said twice is refused; `no`, `on`, `12:30` and dates are text, as in JSON. A text has
at most 256 KB, 64 levels and 20,000 values.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import yaml

from pacts.reading import TermsError
from pacts.strict_json import MalformedJson, parse_json
from pacts.terms import PactTerms, parse, to_json
from reputation.canonical import LARGEST_INTEGER, JsonValue

Format = Literal["json", "yaml"]
Place = tuple[int, int]  # line and column, both from 1

MOST_BYTES = 256 * 1024
DEEPEST = 64
MOST_VALUES = 20_000

_NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
_TRUTH = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_WHOLE = re.compile(r"[-+]?[0-9]+\Z")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)\Z")
_LONGEST_NUMBER = 100


class TextRefused(TermsError):
    """The text cannot be read as a pact; `line` and `column` (from 1) say where, where known."""

    def __init__(self, error: TermsError, place: Place | None) -> None:
        super().__init__(error.path, error.problem, error.remedy)
        self.line: int | None = place[0] if place else None
        self.column: int | None = place[1] if place else None
        if place:
            self.args = (f"line {place[0]}, column {place[1]}: {self.args[0]}",)


@dataclass(frozen=True, slots=True)
class Source:
    """A text as values, and where each stands: `places["$.clauses[0].key"]`."""

    value: JsonValue
    places: dict[str, Place]
    format: Format

    def place(self, path: str) -> Place | None:
        """Where a path stands; for what is missing, where its nearest parent does."""
        while path not in self.places and path not in ("$", ""):
            path = path[: max(path.rfind("."), path.rfind("["))]
        return self.places.get(path)


def read_terms(text: str) -> PactTerms:
    """A pact from JSON or YAML. Raises TextRefused with the line, the column and the cure."""
    source = read(text)
    try:
        return parse(source.value)
    except TermsError as error:
        raise TextRefused(error, source.place(error.path)) from error


def read(text: str) -> Source:
    """The values in a text, without asking whether they are a pact. Raises TextRefused."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise _refused("half a character (a lone surrogate)", "write whole characters") from error
    if size > MOST_BYTES:
        raise _refused(f"the text is {size} bytes", f"stay within {MOST_BYTES} bytes")
    if not text.strip():
        raise _refused("the text is empty", "write a pact, or fork one from the library")
    start = text.lstrip("\ufeff \t\r\n")
    return _read_json(text.lstrip("\ufeff")) if start[:1] in ("{", "[") else _read_yaml(text)


def write_json(terms: PactTerms) -> str:
    """The pact as indented JSON; `read_terms` reads it back equal."""
    return json.dumps(to_json(terms), indent=2, ensure_ascii=False) + "\n"


def write_yaml(terms: PactTerms) -> str:
    """The pact as YAML; `read_terms` reads it back equal."""
    return written_yaml(to_json(terms))


def written_yaml(value: JsonValue) -> str:
    """Any JSON value as YAML that `read` and readers of YAML 1.1 take alike."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96, indent=2
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Quotes whatever either version of YAML would take for something else than text."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    patterns = (_NULL, _TRUTH, _WHOLE, _NUMBER, _ENDLESS)
    ambiguous = any(pattern.match(text) for pattern in patterns) or "\x85" in text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if ambiguous else None)


_Dumper.add_representer(str, _represent_text)


def _refused(problem: str, remedy: str, place: Place | None = None) -> TextRefused:
    return TextRefused(TermsError("$", problem, remedy), place)


def _read_json(text: str) -> Source:
    try:
        value = parse_json(text.encode())
    except MalformedJson as error:
        # YAML reads JSON too and knows where it is; what it cannot place is named without.
        _read_yaml_or_say(text, error)
        raise _of_json(error) from error
    try:
        places = _Builder(text).build().places
    except TextRefused:
        places = {}
    return Source(value, places, "json")


def _of_json(error: MalformedJson) -> TextRefused:
    cause, remedy = error.__cause__, "write JSON as RFC 8259 has it, or YAML"
    if isinstance(cause, json.JSONDecodeError):
        return _refused(f"not JSON: {cause.msg}", remedy, (cause.lineno, cause.colno))
    return _refused(str(error), remedy)


def _read_yaml_or_say(text: str, error: MalformedJson) -> None:
    """Raise the better placed complaint of the two, if there is one."""
    if error.code in ("duplicate_key", "not_finite", "number_too_large", "too_deep"):
        _Builder(text).build()


def _read_yaml(text: str) -> Source:
    return _Builder(text).build()


class _Builder:
    """Builds values from YAML events one by one, so that every limit holds before it is passed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._places: dict[str, Place] = {}
        self._values = 0

    def build(self) -> Source:
        events = self._events()
        try:
            first = next(events)
            if isinstance(first, yaml.StreamEndEvent):
                raise _refused("the text is empty", "write a pact")
            value = self._node(first, events, "$", 0)
            last = next(events)
        except yaml.YAMLError as error:
            raise _of_yaml(error) from error
        if not isinstance(last, yaml.StreamEndEvent):
            raise _refused("a second document", "write one pact in a text", _place(last))
        return Source(value, self._places, "yaml")

    def _events(self) -> Iterator[yaml.Event]:
        skipped = (yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
        for event in yaml.parse(self._text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent) and event.tags:
                raise _refused("a TAG directive", "remove it", _place(event))
            if not isinstance(event, skipped):
                yield event

    def _node(
        self, event: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int
    ) -> JsonValue:
        place = _place(event)
        self._values += 1
        self._places[path] = place
        if self._values > MOST_VALUES:
            raise _refused(f"more than {MOST_VALUES} values", "write a shorter pact", place)
        if depth > DEEPEST:
            raise _refused(f"nested deeper than {DEEPEST} levels", "write it flatter", place)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused("an anchor or an alias", "write it out where it is meant", place)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, events, path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, events, path, depth)
        assert isinstance(event, yaml.ScalarEvent)
        return _scalar(event, place)

    def _mapping(
        self, start: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int
    ) -> JsonValue:
        _refuse_tag(start)
        found: dict[str, JsonValue] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            name = _key(event)
            if name in found:
                message = f"the key {name[:60]!r} stands here a second time"
                raise _refused(message, "keep one of them", _place(event))
            found[name] = self._node(next(events), events, f"{path}.{name}", depth + 1)
            self._places[f"{path}.{name}"] = _place(event)
        return found

    def _sequence(
        self, start: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int
    ) -> JsonValue:
        _refuse_tag(start)
        found: list[JsonValue] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.append(self._node(event, events, f"{path}[{len(found)}]", depth + 1))
        return found


def _key(event: yaml.Event) -> str:
    place = _place(event)
    if not isinstance(event, yaml.ScalarEvent) or event.anchor:
        raise _refused("a key that is no plain text", "write keys as single words", place)
    _refuse_tag(event)
    if event.value == "<<" and not event.style:
        raise _refused("a merge key", "write the fields out where they are meant", place)
    return str(event.value)


def _refuse_tag(event: yaml.Event) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise _refused(f"the tag {tag[:40]!r}", "write plain values without tags", _place(event))


def _scalar(event: yaml.ScalarEvent, place: Place) -> JsonValue:
    _refuse_tag(event)
    text = str(event.value)
    if event.style:  # quoted or a block: text, whatever it looks like
        return text
    if _NULL.match(text):
        return None
    if _TRUTH.match(text):
        return text.lower() == "true"
    if _ENDLESS.match(text):
        raise _refused(f"{text} is no number a pact can hold", "write a finite number", place)
    return _number(text, place) if _NUMBER.match(text) else text


def _number(text: str, place: Place) -> JsonValue:
    # The length comes first: reading a long integer takes time that grows with its square.
    too_large = _refused("a number too long or too large", "write it as text, in quotes", place)
    if len(text) > _LONGEST_NUMBER:
        raise too_large
    if _WHOLE.match(text):
        whole = int(text)
        if abs(whole) > LARGEST_INTEGER:
            raise too_large
        return whole
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise too_large
    return value


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    assert mark is not None, "events of a text say where they stand"
    return (mark.line + 1, mark.column + 1)


def _of_yaml(error: yaml.YAMLError) -> TextRefused:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "characters that YAML does not allow"
    place = (mark.line + 1, mark.column + 1) if mark else None
    return _refused(f"not YAML: {problem}", "correct it there; indent with spaces", place)
