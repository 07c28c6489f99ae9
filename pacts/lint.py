"""Whether a pact is worth signing: findings in the builder's words, each with what to do.

Errors keep a pact from being published: the vacuous, the unbounded, the unenforceable and the
incomplete. Warnings are for the builder to weigh. Notes say how long a verdict will take.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from pacts.checks import CHECKS, BadParams, Check
from pacts.sample_sizes import calls_to_verdict
from pacts.schemas import SchemaRefused, schema
from pacts.statistics import scale_of
from pacts.terms import INDEPENDENT, WHOLE, Clause, PactTerms, Window

Severity = Literal["error", "warning", "note"]

LONGEST_WINDOW_DAYS = 366
MOST_CALLS = 10_000_000
USUAL_DEADLINE_MS = 20_000
LIMITS = {"latency": "limit_ms", "availability": "within_ms"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a pact: a stable `code`, where (`$.clauses[2].window`), how grave, what is
    the matter and what to do about it."""

    code: str
    path: str
    severity: Severity
    message: str
    remedy: str = ""


def lint(terms: PactTerms, *, deadline_ms: int = USUAL_DEADLINE_MS) -> list[Finding]:
    """Everything there is to say about a pact, clause by clause; no error means it may be signed.

    `deadline_ms` is how long a call may take at all; a latency limit beyond it means nothing.
    """
    return [
        *_whole(terms),
        *(
            finding
            for i, clause in enumerate(terms.clauses)
            for finding in _clause(clause, f"$.clauses[{i}]", terms, deadline_ms)
        ),
    ]


def _error(code: str, path: str, message: str, remedy: str) -> Finding:
    return Finding(code=code, path=path, severity="error", message=message, remedy=remedy)


def _warning(code: str, path: str, message: str, remedy: str) -> Finding:
    return Finding(code=code, path=path, severity="warning", message=message, remedy=remedy)


def _whole(terms: PactTerms) -> Iterator[Finding]:
    if not terms.clauses:
        yield _error("no_clauses", "$.clauses", "the pact promises nothing", "add a clause")
        return
    if not terms.scope.takes:
        yield _error(
            "no_scope", "$.scope.in", "nobody can tell which tasks the pact covers", "name them"
        )
    yield from _weights(terms)
    yield from _disqualifying(terms)
    yield from _independence(terms)
    for key, times in Counter(clause.key for clause in terms.clauses).items():
        if times > 1:
            yield _error(
                "duplicate_key", "$.clauses", f"{times} clauses are called {key}", "rename them"
            )
    if terms.output_schema is not None:
        try:
            schema(dict(terms.output_schema))
        except SchemaRefused as problem:
            yield _error(
                "output_schema", "$.output_schema", str(problem), "use the allowed part of 2020-12"
            )


def _weights(terms: PactTerms) -> Iterator[Finding]:
    total = sum(clause.weight_bps for clause in terms.clauses)
    if total != WHOLE:
        yield _error(
            "weights",
            "$.clauses",
            f"the weights add up to {total} of 10000",
            "share the whole price out among the clauses",
        )


def _disqualifying(terms: PactTerms) -> Iterator[Finding]:
    """A mode that no clause detects is a wish, and one that costs little does not disqualify."""
    by_key = {clause.key: clause for clause in terms.clauses}
    for i, mode in enumerate(terms.disqualifying):
        path = f"$.disqualifying[{i}].clause"
        clause = by_key.get(mode.clause)
        if clause is None:
            yield _error(
                "undetected",
                path,
                f"nothing would notice “{mode.mode}”: no clause is called {mode.clause}",
                "name the clause whose check detects it",
            )
        elif not clause.critical:
            yield _error(
                "not_disqualifying",
                path,
                f"“{mode.mode}” would not disqualify: a breach of {mode.clause} only costs its "
                "weight",
                "set the severity of that clause to critical",
            )


def _independence(terms: PactTerms) -> Iterator[Finding]:
    path = "$.independence"
    if terms.independence not in INDEPENDENT:
        who = "the builder" if terms.independence == "self" else "the buyer"
        yield _warning(
            "interested",
            path,
            f"runs by {who} count as proof here, but money is released only by an evaluation "
            "that neither side ran",
            "write platform, unless runs for show are what you mean",
        )
    elif terms.independence == "third_party":
        yield _warning(
            "third_party",
            path,
            "the platform’s own evaluations do not count here: whoever hires must find an "
            "evaluator that offers tasks for this kind of work",
            "see that there is one, or write platform",
        )


def _clause(clause: Clause, path: str, terms: PactTerms, deadline_ms: int) -> Iterator[Finding]:
    yield from _missing(clause, path)
    thresholds = list(_thresholds(clause, path))
    yield from thresholds
    yield from _check(clause, path, deadline_ms)
    yield from _repetition(clause, path)
    yield from _bounds(clause, path)
    yield from _risks(clause, path)
    if not thresholds:
        yield from _enforceable(clause, path, terms)


def _missing(clause: Clause, path: str) -> Iterator[Finding]:
    wanted = {
        "window": (clause.window, "say what a verdict looks at: a milestone, N calls or N days"),
        "consequence": (clause.consequence, "say what a breach costs: `withhold` or `reduce`"),
        "owner": (clause.owner, "name who answers for it, for example `builder`"),
        "review_cadence_days": (clause.review_cadence_days, "say how often it is looked at"),
    }
    for name, (value, remedy) in wanted.items():
        if value is None or not str(value).strip():
            message = f"“{clause.title}” has no {name.replace('_', ' ')}"
            yield _error(f"no_{name}", f"{path}.{name}", message, remedy)
    if clause.consequence == "reduce" and not clause.weight_bps and not clause.critical:
        yield _error(
            "toothless",
            f"{path}.weight_bps",
            f"breaking “{clause.title}” costs nothing",
            "give it a weight, or let it withhold",
        )


def _thresholds(clause: Clause, path: str) -> Iterator[Finding]:
    if clause.promise_bps == 0:
        yield _error(
            "vacuous", f"{path}.promise_bps", "a promise of 0 % is always kept", "promise more"
        )
    if clause.floor_bps > clause.promise_bps:
        yield _error(
            "floor_above_promise",
            f"{path}.floor_bps",
            "the floor is above the promise",
            "lower the floor to the promise or below",
        )
    if clause.estimand == "realized":
        return
    if clause.promise_bps == WHOLE:
        yield _error(
            "perfection",
            f"{path}.promise_bps",
            "no number of calls can show that an agent never fails",
            "promise less than 100 %, or count every call with `realized`",
        )
    if clause.floor_bps == 0:
        yield _error(
            "vacuous",
            f"{path}.floor_bps",
            "every agent is above a floor of 0 %, so this is met at once",
            "raise the floor",
        )


def _check(clause: Clause, path: str, deadline_ms: int) -> Iterator[Finding]:
    check = CHECKS.get(clause.check)
    if check is None:
        yield _error(
            "unknown_check",
            f"{path}.check",
            f"there is no check called “{clause.check}”{_nearest(clause.check)}",
            "choose one of " + ", ".join(CHECKS),
        )
        return
    try:
        check.validate_params(clause.params)
    except BadParams as problem:
        yield _error(
            "params", f"{path}.params{problem.path}", problem.problem, "see the check's parameters"
        )
        return
    yield from _meaning(check, clause, path, deadline_ms)


def _nearest(name: str) -> str:
    """What somebody who writes this name probably means."""
    called = {other: kind for kind, check in CHECKS.items() for other in (*check.also_called, kind)}
    close = get_close_matches(name.lower().replace("-", "_"), called, n=1, cutoff=0.75)
    return f"; “{called[close[0]]}” is nearest" if close else ""


def _meaning(check: Check, clause: Clause, path: str, deadline_ms: int) -> Iterator[Finding]:
    vacuity = check.vacuity(clause.params)
    limit = clause.params.get(LIMITS.get(clause.check, ""))
    if isinstance(limit, int) and limit >= deadline_ms:
        vacuity = f"a call is given up after {deadline_ms} ms, so every answer is in time"
    if vacuity:
        others = [f"{kind}, which {does}" for kind, does in check.neighbours.items()]
        remedy = "ask for something that can fail"
        remedy += f", or take {' or '.join(others)}" if others else ""
        yield _error("vacuous", f"{path}.params", vacuity, remedy)
    weakness = check.weakness(clause.params)
    if weakness:
        yield _warning("weak", f"{path}.params", weakness, "close the way round")


def _repetition(clause: Clause, path: str) -> Iterator[Finding]:
    check = CHECKS.get(clause.check)
    if check and check.needs_repeats and (clause.unit != "task" or clause.repeats < 2):
        yield _error(
            "repeats",
            f"{path}.repeats",
            f"“{clause.title}” cannot be seen in one try",
            "set the unit to `task` and repeats to 2 or more",
        )
    elif check and check.gathers and clause.unit == "session":
        yield _error(
            "repeats",
            f"{path}.unit",
            "this holds the wordings of one task against each other, and a session has many tasks",
            "set the unit to `task`",
        )
    elif clause.repeats > 1 and clause.unit != "task":
        yield _error(
            "repeats",
            f"{path}.unit",
            "repeats of one task are not independent calls",
            "set the unit to `task`",
        )


def _bounds(clause: Clause, path: str) -> Iterator[Finding]:
    window = clause.window
    if window is None or window.size is None:
        return
    most, what = (MOST_CALLS, "calls") if window.kind == "calls" else (LONGEST_WINDOW_DAYS, "days")
    if window.size > most:
        yield _error(
            "unbounded",
            f"{path}.window.n",
            f"a verdict after {window.size} {what} comes too late for anybody",
            f"use at most {most} {what}",
        )


def _risks(clause: Clause, path: str) -> Iterator[Finding]:
    if clause.estimand == "realized" and clause.risk_over == "lifetime":
        yield _warning(
            "no_risk_to_spend",
            f"{path}.risk_over",
            "a clause that counts every unit takes no risk, so there is none to spread",
            "leave risk_over out",
        )


def _enforceable(clause: Clause, path: str, terms: PactTerms) -> Iterator[Finding]:
    seen = units_in_window(clause, terms)
    if seen is not None and seen < clause.min_count:
        yield _error(
            "unenforceable",
            f"{path}.min_count",
            f"the window sees {_about(clause, seen)} and at least {clause.min_count} are needed",
            "lengthen the window or lower the minimum count",
        )
    if clause.estimand == "realized":
        return
    needed = calls_to_verdict(
        promise=clause.promise,
        floor=clause.floor,
        alpha=clause.alpha,
        beta=clause.beta,
        scale=scale_of(clause),
    )
    says = _effort(clause, needed.perfect, needed.on_promise)
    yield Finding(code="effort", path=path, severity="note", message=says)
    yield from _too_short(clause, path, seen, needed.perfect, needed.on_promise, says)
    if needed.on_promise is None and clause.on_undetermined == "human_review":
        yield _warning(
            "strict",
            f"{path}.floor_bps",
            "with the floor at the promise, an agent exactly on its promise is never decided and "
            "a person is asked every time",
            "lower the floor, or choose another rule for undetermined",
        )


def _too_short(
    clause: Clause, path: str, seen: int | None, perfect: int, on_promise: int | None, says: str
) -> Iterator[Finding]:
    if seen is None:
        yield _warning(
            "volume_unknown",
            f"{path}.window",
            f"nobody can tell whether the window sees enough: {says}",
            "state the expected volume of the pact",
        )
    elif seen < perfect:
        yield _error(
            "unenforceable",
            f"{path}.window",
            f"the window sees {_about(clause, seen)}, and {says}",
            "lengthen the window, lower the promise, or lower the floor",
        )
    elif on_promise is not None and seen < on_promise:
        yield _warning(
            "often_undetermined",
            f"{path}.window",
            f"the window sees {_about(clause, seen)}, and {says}",
            "lengthen the window, or make sure the rule for undetermined is what you mean",
        )


def units_in_window(clause: Clause, terms: PactTerms) -> int | None:
    """How many units one window is expected to see; None when nobody has said. Of sessions, at
    most: one has a call or more."""
    calls = _calls_in_window(clause.window, terms)
    if calls is None:
        return None
    return calls // clause.repeats if clause.unit == "task" else calls


def _about(clause: Clause, seen: int) -> str:
    return f"{'at most' if clause.unit == 'session' else 'about'} {seen} {clause.unit}s"


def _calls_in_window(window: Window | None, terms: PactTerms) -> int | None:
    volume = terms.volume
    if window is None:
        return None
    if window.kind == "calls":
        return window.size
    if volume is None:
        return None
    if window.kind == "milestone":
        return volume.calls_per_milestone
    if volume.calls_per_day is None or window.size is None:
        return None
    return volume.calls_per_day * window.size


def _effort(clause: Clause, perfect: int, on_promise: int | None) -> str:
    on = "may never be decided" if on_promise is None else f"about {on_promise}"
    planned = CHECKS[clause.check].planned if clause.check in CHECKS else ""
    return (
        f"a perfect agent needs about {perfect} clean {clause.unit}s, an agent exactly on its "
        f"promise {on}{planned and ', ' + planned}"
    )
