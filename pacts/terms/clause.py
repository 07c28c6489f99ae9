"""One clause: a check on a unit, a promise with its risks, and what follows if it is not kept."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pacts.reading import Reader, TermsError
from reputation.canonical import JsonValue

WHOLE = 10_000

Unit = Literal["call", "task", "session"]
Estimand = Literal["propensity", "realized"]
WindowKind = Literal["milestone", "calls", "days"]
RiskOver = Literal["window", "lifetime"]
Severity = Literal["normal", "critical"]
OnError = Literal["rerun", "null"]
OnUndetermined = Literal["release", "prorate", "withhold", "extend", "human_review"]
Consequence = Literal["withhold", "reduce"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a verdict looks at: a whole milestone, `size` calls in a row, or `size` days.

    Windows tumble: each begins where the last ended, and evidence starts afresh in each.
    """

    kind: WindowKind
    size: int | None = None

    def to_json(self) -> dict[str, JsonValue]:
        if self.kind == "milestone":
            return {"kind": self.kind}
        return {"kind": self.kind, "n": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One measurable obligation.

    A `unit` enters the evidence once, with its mean: a call; a task with all its tries; a session
    with all its tasks in an evaluation, or all its calls in production. `promise_bps` is the rate
    the builder promises and `floor_bps` the rate below which nobody would call it kept; `alpha_bps`
    bounds a false breach and `beta_bps` a false met, in each window or, where `risk_over` is
    `lifetime`, in all windows taken together.
    `weight_bps` is the clause's part of the price; a breach of a clause of `critical` severity
    vetoes release. `error_budget_bps` is the share of trials that may end in an evaluator's error
    before the verdict is undetermined. `owner` answers for the clause and looks at it every
    `review_cadence_days`. `repeats` is k of pass^k: how often each task is tried. `on_error` says
    what an error does to its trial: run again and then null, or null at once.
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
    risk_over: RiskOver = "window"
    min_count: int = 1
    error_budget_bps: int = 200
    weight_bps: int
    severity: Severity = "normal"
    on_error: OnError = "rerun"
    on_undetermined: OnUndetermined = "human_review"
    consequence: Consequence | None = None
    owner: str | None = None
    review_cadence_days: int | None = None
    repeats: int = 1

    @property
    def critical(self) -> bool:
        """Whether a breach vetoes release."""
        return self.severity == "critical"

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
            "risk_over": self.risk_over,
            "min_count": self.min_count,
            "error_budget_bps": self.error_budget_bps,
            "weight_bps": self.weight_bps,
            "severity": self.severity,
            "on_error": self.on_error,
            "on_undetermined": self.on_undetermined,
            "consequence": self.consequence,
            "owner": self.owner,
            "review_cadence_days": self.review_cadence_days,
            "repeats": self.repeats,
        }


def clause_from_json(data: object, path: str = "$") -> Clause:
    """Read one clause, as an editor does. Raises TermsError."""
    return read_clause(Reader.of(data, path))


def read_clause(reader: Reader) -> Clause:
    """The clause a reader stands on. Raises TermsError."""
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
        risk_over=reader.choice("risk_over", get_args(RiskOver), default="window"),
        min_count=reader.whole("min_count", 1, 10**9, default=1),
        error_budget_bps=reader.whole("error_budget_bps", 0, 5000, default=200),
        weight_bps=reader.whole("weight_bps", 0, WHOLE),
        severity=_severity(reader),
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


def _window(reader: Reader | None) -> Window | None:
    if reader is None:
        return None
    kind: WindowKind = reader.choice("kind", get_args(WindowKind))
    size = None if kind == "milestone" else reader.whole("n", 1, 10**9)
    reader.finish()
    return Window(kind=kind, size=size)


def _severity(reader: Reader) -> Severity:
    """`severity`, or the `critical: true` of pacts that were signed before there was one."""
    severity: Severity = reader.choice("severity", get_args(Severity), default="normal")
    if not reader.has("critical"):
        return severity
    if reader.has("severity"):
        raise TermsError(reader.place("critical"), "severity says it already", "remove it")
    return "critical" if reader.truth("critical", default=False) else "normal"
