"""A whole pact: clauses, scope, and what both sides accept beside them."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pacts.reading import Reader, TermsError
from pacts.terms.clause import Clause, read_clause
from reputation.canonical import JsonValue, NotCanonical, sha256
from reputation.canonical import canonical as canonical_bytes

VERSION = "earnest-pact/1"
MOST_CLAUSES = 40
MOST_MODES = 20
MOST_BYTES = 256 * 1024

OnBreach = Literal["refund", "prorate"]
Independence = Literal["self", "buyer", "platform", "third_party"]
# From the most to the least interested in the outcome.
INDEPENDENCE: tuple[Independence, ...] = get_args(Independence)
# Neither side of the hire: only their evaluations may release money.
INDEPENDENT: tuple[Independence, ...] = ("platform", "third_party")


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How many calls the builder expects, for the linter and the reader; no promise."""

    calls_per_milestone: int | None = None
    calls_per_day: int | None = None

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "calls_per_milestone": self.calls_per_milestone,
            "calls_per_day": self.calls_per_day,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Kinds of task the agent takes on, and kinds it must decline."""

    takes: tuple[str, ...]
    declines: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        return {"in": list(self.takes), "out": list(self.declines)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureMode:
    """A way to fail that disqualifies, whatever else went well, and the key of the clause whose
    check detects it; a mode that nothing detects would only be a wish."""

    mode: str
    clause: str

    def to_json(self) -> dict[str, JsonValue]:
        return {"mode": self.mode, "clause": self.clause}


@dataclass(frozen=True, slots=True, kw_only=True)
class PactTerms:
    """The whole text both sides sign. `on_breach` says whether a breached milestone is refunded
    whole or its earned share is paid; `output_schema` describes an answer to readers.
    `independence` is the least independent evaluator whose verdict counts as this pact's;
    `residual_risks` are what both sides know may happen and accept."""

    title: str
    summary: str
    scope: Scope
    clauses: tuple[Clause, ...]
    disqualifying: tuple[FailureMode, ...] = ()
    residual_risks: tuple[str, ...] = ()
    independence: Independence = "platform"
    on_breach: OnBreach = "refund"
    output_schema: Mapping[str, JsonValue] | None = None
    volume: Volume | None = None

    def clause(self, key: str) -> Clause:
        """The clause with this key; KeyError if there is none."""
        for clause in self.clauses:
            if clause.key == key:
                return clause
        raise KeyError(key)


def suffices(evaluator: str, *, required: Independence) -> bool:
    """Whether an evaluation by `evaluator` is independent enough for a pact that asks `required`.

    An evaluator nobody has heard of is never enough.
    """
    known = [name for name in INDEPENDENCE if name == evaluator]
    return bool(known) and INDEPENDENCE.index(known[0]) >= INDEPENDENCE.index(required)


def to_json(terms: PactTerms) -> dict[str, JsonValue]:
    """The pact as plain JSON with every default written out; `parse` reads it back equal."""
    schema = terms.output_schema
    return {
        "version": VERSION,
        "title": terms.title,
        "summary": terms.summary,
        "scope": terms.scope.to_json(),
        "clauses": [clause.to_json() for clause in terms.clauses],
        "disqualifying": [mode.to_json() for mode in terms.disqualifying],
        "residual_risks": list(terms.residual_risks),
        "independence": terms.independence,
        "on_breach": terms.on_breach,
        "output_schema": None if schema is None else copy.deepcopy(dict(schema)),
        "volume": terms.volume.to_json() if terms.volume else None,
    }


def canonical(terms: PactTerms) -> bytes:
    """The RFC 8785 bytes both sides sign."""
    return canonical_bytes(to_json(terms))


def digest(terms: PactTerms) -> str:
    """`sha256:<hex>` of the canonical bytes."""
    return sha256(canonical(terms))


def parse(data: object) -> PactTerms:
    """Read a pact from parsed JSON. Raises TermsError with the path and what to do."""
    try:
        size = len(canonical_bytes(data))
    except NotCanonical as error:
        raise TermsError(error.path, error.problem, "write plain JSON") from error
    if size > MOST_BYTES:
        raise TermsError("$", f"the pact is {size} bytes", f"stay within {MOST_BYTES} bytes")
    return _terms(Reader.of(data, "$"))


def _terms(reader: Reader) -> PactTerms:
    version = reader.text("version", longest=40)
    if version != VERSION:
        raise TermsError("$.version", f"this is {version!r}", f"write {VERSION!r}")
    terms = PactTerms(
        title=reader.text("title", longest=160),
        summary=reader.text("summary", longest=4000, default=""),
        scope=_scope(reader.inner("scope")),
        clauses=tuple(read_clause(inner) for inner in reader.inners("clauses", most=MOST_CLAUSES)),
        disqualifying=_modes(reader),
        residual_risks=reader.texts("residual_risks", default=()),
        independence=reader.choice("independence", INDEPENDENCE, default="platform"),
        on_breach=reader.choice("on_breach", get_args(OnBreach), default="refund"),
        output_schema=reader.mapping("output_schema", optional=True),
        volume=_volume(reader.inner_or_none("volume")),
    )
    reader.finish()
    return terms


def _modes(reader: Reader) -> tuple[FailureMode, ...]:
    if not reader.has("disqualifying"):
        return ()
    return tuple(_mode(inner) for inner in reader.inners("disqualifying", most=MOST_MODES))


def _mode(reader: Reader) -> FailureMode:
    mode = FailureMode(
        mode=reader.text("mode", longest=200), clause=reader.slug("clause", longest=60)
    )
    reader.finish()
    return mode


def _scope(reader: Reader) -> Scope:
    scope = Scope(takes=reader.texts("in"), declines=reader.texts("out", default=()))
    reader.finish()
    return scope


def _volume(reader: Reader | None) -> Volume | None:
    if reader is None:
        return None
    volume = Volume(
        calls_per_milestone=reader.whole_or_none("calls_per_milestone", 1, 10**9),
        calls_per_day=reader.whole_or_none("calls_per_day", 1, 10**9),
    )
    reader.finish()
    return volume
