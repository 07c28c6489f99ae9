"""The pact language, `earnest-pact/1`: what a builder promises, as typed and frozen values.

The canonical JSON of a pact holds integers only: rates, risks, budgets and weights are basis
points (`_bps`, 10000 = all). `parse` refuses anything it does not know, naming the place and the
cure; whether a pact that can be read is also worth signing is the linter's question (`pacts.lint`).
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pacts.reading import Reader, TermsError
from reputation.canonical import JsonValue, NotCanonical, sha256
from reputation.canonical import canonical as canonical_bytes

__all__ = [
    "VERSION",
    "Clause",
    "PactTerms",
    "Scope",
    "TermsError",
    "Volume",
    "Window",
    "canonical",
    "clause_from_json",
    "digest",
    "parse",
    "to_json",
]

VERSION = "earnest-pact/1"
WHOLE = 10_000
MOST_CLAUSES = 40
MOST_BYTES = 256 * 1024

Unit = Literal["call", "task"]
Estimand = Literal["propensity", "realized"]
WindowKind = Literal["milestone", "calls", "days"]
OnError = Literal["rerun", "null"]
OnUndetermined = Literal["release", "prorate", "withhold", "extend", "human_review"]
Consequence = Literal["withhold", "reduce"]
OnBreach = Literal["refund", "prorate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a verdict looks at: a whole milestone, `size` calls in a row, or `size` days."""

    kind: WindowKind
    size: int | None = None

    def to_json(self) -> dict[str, JsonValue]:
        if self.kind == "milestone":
            return {"kind": self.kind}
        return {"kind": self.kind, "n": self.size}


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
class Clause:
    """One measurable obligation.

    `promise_bps` is the rate the builder promises and `floor_bps` the rate below which nobody
    would call it kept; `alpha_bps` bounds a false breach and `beta_bps` a false met. `weight_bps`
    is the clause's part of the price; `error_budget_bps` the share of trials that may end in an
    evaluator's error before the verdict is undetermined. `owner` answers for the clause and looks
    at it every `review_cadence_days`. `repeats` is k of pass^k: how often each task is tried.
    `on_error` says what an error does to its trial: run again and then null, or null at once.
    """

    key: str
    title: str
    dimension: str
    check: str
    params: Mapping[str, JsonValue] = field(default_factory=dict)
    unit: Unit = "call"
    estimand: Estimand = "propensity"
    promise_bps: int
    floor_bps: int
    alpha_bps: int = 500
    beta_bps: int = 500
    window: Window | None = None
    min_count: int = 1
    error_budget_bps: int = 200
    weight_bps: int
    critical: bool = False
    on_error: OnError = "rerun"
    on_undetermined: OnUndetermined = "human_review"
    consequence: Consequence | None = None
    owner: str | None = None
    review_cadence_days: int | None = None
    repeats: int = 1

    @property
    def promise(self) -> float:
        return self.promise_bps / WHOLE

    @property
    def floor(self) -> float:
        return self.floor_bps / WHOLE

    @property
    def alpha(self) -> float:
        return self.alpha_bps / WHOLE

    @property
    def beta(self) -> float:
        return self.beta_bps / WHOLE

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "key": self.key,
            "title": self.title,
            "dimension": self.dimension,
            "check": self.check,
            "params": copy.deepcopy(dict(self.params)),
            "unit": self.unit,
            "estimand": self.estimand,
            "promise_bps": self.promise_bps,
            "floor_bps": self.floor_bps,
            "alpha_bps": self.alpha_bps,
            "beta_bps": self.beta_bps,
            "window": self.window.to_json() if self.window else None,
            "min_count": self.min_count,
            "error_budget_bps": self.error_budget_bps,
            "weight_bps": self.weight_bps,
            "critical": self.critical,
            "on_error": self.on_error,
            "on_undetermined": self.on_undetermined,
            "consequence": self.consequence,
            "owner": self.owner,
            "review_cadence_days": self.review_cadence_days,
            "repeats": self.repeats,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PactTerms:
    """The whole text both sides sign. `on_breach` says whether a breached milestone is refunded
    whole or its earned share is paid; `output_schema` describes an answer to readers."""

    title: str
    summary: str
    scope: Scope
    clauses: tuple[Clause, ...]
    on_breach: OnBreach = "refund"
    output_schema: Mapping[str, JsonValue] | None = None
    volume: Volume | None = None

    def clause(self, key: str) -> Clause:
        """The clause with this key; KeyError if there is none."""
        for clause in self.clauses:
            if clause.key == key:
                return clause
        raise KeyError(key)


def to_json(terms: PactTerms) -> dict[str, JsonValue]:
    """The pact as plain JSON with every default written out; `parse` reads it back equal."""
    schema = terms.output_schema
    return {
        "version": VERSION,
        "title": terms.title,
        "summary": terms.summary,
        "scope": terms.scope.to_json(),
        "clauses": [clause.to_json() for clause in terms.clauses],
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


def clause_from_json(data: object, path: str = "$") -> Clause:
    """Read one clause, as an editor does. Raises TermsError."""
    return _clause(Reader.of(data, path))


def _terms(reader: Reader) -> PactTerms:
    version = reader.text("version", longest=40)
    if version != VERSION:
        raise TermsError("$.version", f"this is {version!r}", f"write {VERSION!r}")
    terms = PactTerms(
        title=reader.text("title", longest=160),
        summary=reader.text("summary", longest=4000, default=""),
        scope=_scope(reader.inner("scope")),
        clauses=tuple(_clause(inner) for inner in reader.inners("clauses", most=MOST_CLAUSES)),
        on_breach=reader.choice("on_breach", get_args(OnBreach), default="refund"),
        output_schema=reader.mapping("output_schema", optional=True),
        volume=_volume(reader.inner_or_none("volume")),
    )
    reader.finish()
    return terms


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


def _window(reader: Reader | None) -> Window | None:
    if reader is None:
        return None
    kind: WindowKind = reader.choice("kind", get_args(WindowKind))
    size = None if kind == "milestone" else reader.whole("n", 1, 10**9)
    reader.finish()
    return Window(kind=kind, size=size)


def _clause(reader: Reader) -> Clause:
    clause = Clause(
        key=reader.slug("key", longest=60),
        title=reader.text("title", longest=200),
        dimension=reader.slug("dimension", longest=40),
        check=reader.text("check", longest=40),
        params=reader.mapping("params") or {},
        unit=reader.choice("unit", get_args(Unit), default="call"),
        estimand=reader.choice("estimand", get_args(Estimand), default="propensity"),
        promise_bps=reader.whole("promise_bps", 0, WHOLE),
        floor_bps=reader.whole("floor_bps", 0, WHOLE),
        alpha_bps=reader.whole("alpha_bps", 1, 5000, default=500),
        beta_bps=reader.whole("beta_bps", 1, 5000, default=500),
        window=_window(reader.inner_or_none("window")),
        min_count=reader.whole("min_count", 1, 10**9, default=1),
        error_budget_bps=reader.whole("error_budget_bps", 0, 5000, default=200),
        weight_bps=reader.whole("weight_bps", 0, WHOLE),
        critical=reader.truth("critical", default=False),
        on_error=reader.choice("on_error", get_args(OnError), default="rerun"),
        on_undetermined=reader.choice(
            "on_undetermined", get_args(OnUndetermined), default="human_review"
        ),
        consequence=reader.choice_or_none("consequence", get_args(Consequence)),
        owner=reader.text_or_none("owner", longest=80),
        review_cadence_days=reader.whole_or_none("review_cadence_days", 1, 3660),
        repeats=reader.whole("repeats", 1, 100, default=1),
    )
    reader.finish()
    return clause
