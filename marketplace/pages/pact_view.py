"""What the pact pages show: a text under review, a template, and what two versions differ in."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from marketplace.pages.nouns import many
from marketplace.pages.promises import ClauseText, clause_texts
from marketplace.pages.wording import percent
from pacts import lint, terms
from pacts.diff import Change, diff, weakens
from pacts.models import PactVersion
from pacts.publishing import last_published
from pacts.texts import Source, TextRefused
from reputation.canonical import JsonValue, canonical

LONGEST = 160
DIRECTIONS = {
    "added": ("met", "new"),
    "stricter": ("met", "stricter"),
    "weaker": ("breached", "weaker"),
    "removed": ("breached", "removed"),
    "changed": ("undetermined", "changed"),
    "reworded": ("", "reworded"),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding of the linter, and the line of the text it is about (None: of the whole)."""

    finding: lint.Finding
    line: int | None


@dataclass(frozen=True, slots=True)
class ChangeText:
    """One clause's change: its name, which way it went, and each field with both values."""

    name: str
    direction: str
    tone: str
    fields: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What there is to say of a text: why it cannot be read, or its findings, its clauses in
    sentences, and what changed since the version published last."""

    problem: str = ""
    line: int | None = None
    remarks: list[Remark] = field(default_factory=list)
    clauses: list[ClauseText] = field(default_factory=list)
    changes: list[ChangeText] = field(default_factory=list)
    since: int | None = None
    weaker: bool = False

    @property
    def errors(self) -> list[Remark]:
        return [one for one in self.remarks if one.finding.severity == "error"]

    @property
    def is_green(self) -> bool:
        return not self.problem and not self.errors


def review(
    source: Source, *, deadline_ms: int = lint.USUAL_DEADLINE_MS, since: PactVersion | None = None
) -> Review:
    """Read and lint a text, and hold it against the version `since`."""
    try:
        parsed = terms.parse(source.value)
    except terms.TermsError as error:
        place = source.place(error.path)
        return Review(problem=str(TextRefused(error, place)), line=place[0] if place else None)
    before = terms.parse(since.terms) if since else None
    return Review(
        remarks=[_remark(one, source) for one in lint.lint(parsed, deadline_ms=deadline_ms)],
        clauses=clause_texts(parsed),
        changes=change_texts(old=before, new=parsed) if before else [],
        since=since.number if since else None,
        weaker=before is not None and weakens(old=before, new=parsed),
    )


def _remark(finding: lint.Finding, source: Source) -> Remark:
    place = source.place(finding.path) if finding.path != "$" else None
    return Remark(finding, place[0] if place else None)


def since_of(version: PactVersion) -> PactVersion | None:
    """The version a draft or a published version follows."""
    return last_published(version.pact, before=version.number)


def change_texts(*, old: terms.PactTerms, new: terms.PactTerms) -> list[ChangeText]:
    """What changed, clause by clause, as a page says it."""
    clauses = {clause.key: clause for side in (old, new) for clause in side.clauses}
    return [_change_text(change, clauses.get(change.key)) for change in diff(old=old, new=new)]


def _change_text(change: Change, clause: terms.Clause | None) -> ChangeText:
    tone, word = DIRECTIONS[change.direction]
    fields = [(_name(name), _said(name, a), _said(name, b)) for name, (a, b) in _parts(change)]
    if clause and change.direction in ("added", "removed"):
        fields = _whole(clause, added=change.direction == "added")
    return ChangeText(clause.title if clause else _("The pact itself"), word, tone, fields)


def _whole(clause: terms.Clause, *, added: bool) -> list[tuple[str, str, str]]:
    """What a clause that came or went promises, against nothing."""
    said = {
        "promise": _("%(promise)s of %(units)s")
        % {"promise": percent(clause.promise_bps), "units": many(clause.unit)},
        "check": clause.check,
    }
    sides = [("none", value) if added else (value, "none") for value in said.values()]
    return [(name, *pair) for name, pair in zip(said, sides, strict=True)]


def _parts(change: Change) -> Sequence[tuple[str, tuple[JsonValue, JsonValue]]]:
    return list(change.fields.items())


def _name(name: str) -> str:
    return name.removesuffix("_bps").replace("_", " ")


def _said(name: str, value: JsonValue) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return _clipped("; ".join(map(str, value)))
    if name.endswith("_bps") and isinstance(value, int):
        return percent(value)
    if isinstance(value, str):
        return _clipped(value.replace("_", " ") if name != "title" else value)
    return _clipped(canonical(value).decode())


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
