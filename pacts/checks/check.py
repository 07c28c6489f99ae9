"""What a check is: code that decides one kind of clause on one trial, with proof that it can.

A check carries fixtures it must pass and fixtures it must fail; the table hands out none that does
not, so a check that would wave everything through decides nothing and is shown to nobody.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

import jsonschema_rs

from pacts.answers import NOTHING_REPORTED, Facts
from pacts.faults import Blame, Fault
from pacts.judges.votes import Votes
from pacts.probes import Attack
from pacts.scales import PLAIN, Scale
from pacts.tries import Outcome as UnitOutcome
from pacts.tries import Try
from pacts.variants import Variation
from reputation.canonical import JsonValue

Outcome = Literal["pass", "fail", "error", "skipped", "not_applicable"]
Params = Mapping[str, JsonValue]

LONGEST_REASON = 200


class BadParams(ValueError):
    """The parameters of a clause do not fit its check; `path` is relative to the parameters."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class CheckProvesNothing(ValueError):
    """A fixture of the check did not come out as it must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an agent, as a check sees it.

    `expected` is the buyer's golden answer (None: there is none); `in_scope` False marks a task
    the agent must decline. `output` is the parsed answer, None when there is none. `fault` says
    whose fault that is and `error` what happened: the agent's own faults fail its checks, all
    others are errors. `facts` is what the agent reports beside its answer, `attack` what was
    planted in the task, `votes` what a jury and people said of the answer, once they have.
    """

    input: JsonValue = None
    expected: JsonValue = None
    in_scope: bool | None = None
    output: JsonValue = None
    raw_bytes: int = 0
    latency_ms: float | None = None
    fault: Blame = "none"
    error: str = ""
    facts: Facts = NOTHING_REPORTED
    attack: Attack | None = None
    votes: Votes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A check's answer on one call. `value` is in [0, 1] for pass and fail, else None; `reason` is
    plain text for people, at most 200 characters; `fault` says who owns an error. `check` and
    `version` name the check that answered."""

    outcome: Outcome
    value: float | None
    reason: str
    fault: Blame = "none"
    check: str = ""
    version: int = 0


def passed(reason: str, value: float = 1.0) -> Answer:
    return Answer(outcome="pass", value=value, reason=clip(reason))


def failed(reason: str, value: float = 0.0) -> Answer:
    return Answer(outcome="fail", value=value, reason=clip(reason))


def skipped(reason: str) -> Answer:
    return Answer(outcome="skipped", value=None, reason=clip(reason))


def not_applicable(reason: str) -> Answer:
    return Answer(outcome="not_applicable", value=None, reason=clip(reason))


def error(reason: str, fault: Fault) -> Answer:
    return Answer(outcome="error", value=None, reason=clip(reason), fault=fault)


def clip(text: str, longest: int = LONGEST_REASON) -> str:
    """One printable line of at most `longest` characters."""
    line = "".join(c if c.isprintable() else " " for c in text[: longest + 1])
    return line if len(line) <= longest else line[: longest - 1] + "…"


def quote(value: JsonValue) -> str:
    """A stranger's value inside a reason: at most 60 characters of JSON."""
    text = value[:80] if isinstance(value, str) else value
    return clip(json.dumps(text, ensure_ascii=False, default=str), 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """Parameters and a call whose answer is known."""

    params: Params
    call: Call


def _no_problem(params: Params) -> str | None:
    return None


def _always(params: Params, call: Call) -> str | None:
    return None


def _never(params: Params) -> Variation | None:
    return None


def _plain(params: Params, promise: float) -> Scale:
    return PLAIN


@dataclass(frozen=True, kw_only=True)
class Check:
    """One kind of check.

    `decide` answers on a call the agent answered. `excuse` says why a call is not this check's
    business (None: it is). `refusal` looks deeper into parameters that fit the schema;
    `vacuity` says how any agent could keep a clause with these parameters; `weakness` what to be
    warned of. `unanswered` is the outcome when the agent itself failed to answer. `vacuous` holds
    parameters that `vacuity` must find out, `neighbours` the kinds it is taken for, each with what
    that one does instead, and `also_called` names it has elsewhere. `varies` says which variants
    of a task the clause looks at; `gathers` turns a task's tries, given the promise, into the
    unit's value on `scale`, or says what kept it from having one; `asks_panel` marks a check that
    waits for a jury or for people. `planned` says what an estimate of calls takes for granted where
    a unit's value is more than its outcome. The docstring of the check's module is its exact
    meaning; a change of meaning is a new `version`.
    """

    kind: str
    version: int
    title: str
    params_schema: dict[str, JsonValue]
    decide: Callable[[Params, Call], Answer]
    good: tuple[Fixture, ...]
    bad: tuple[Fixture, ...]
    excuse: Callable[[Params, Call], str | None] = _always
    refusal: Callable[[Params], str | None] = _no_problem
    vacuity: Callable[[Params], str | None] = _no_problem
    weakness: Callable[[Params], str | None] = _no_problem
    unanswered: Literal["fail", "not_applicable"] = "fail"
    needs_repeats: bool = False
    varies: Callable[[Params], Variation | None] = _never
    gathers: Callable[[Params, float, Sequence[Try]], float | UnitOutcome] | None = None
    scale: Callable[[Params, float], Scale] = _plain
    asks_panel: bool = False
    planned: str = ""
    vacuous: tuple[Params, ...] = ()
    neighbours: Mapping[str, str] = field(default_factory=dict)
    also_called: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """The exact semantics: the docstring of the module that decides."""
        return (sys.modules[self.decide.__module__].__doc__ or "").strip()

    def validate_params(self, params: Params) -> None:
        """Raises BadParams."""
        try:
            _validator(json.dumps(self.params_schema)).validate(dict(params))
        except jsonschema_rs.ValidationError as problem:
            path = "".join(f".{step}" for step in problem.instance_path)
            raise BadParams(path, clip(problem.message)) from problem
        refusal = self.refusal(params)
        if refusal:
            raise BadParams("", clip(refusal))

    def answer(self, params: Params, call: Call) -> Answer:
        """The check's answer; never raises.

        A fault of the platform or the buyer is an error, and so is an exception inside the check:
        that is the platform's own, neither pass nor fail.
        """
        try:
            found = self._answer(params, call)
        except Exception as problem:
            found = error(f"the check itself broke ({type(problem).__name__})", "platform")
        return replace(found, check=self.kind, version=self.version)

    def waits(self, params: Params, call: Call) -> bool:
        """Whether nobody can answer before a jury or people have read what the agent gave."""
        return (
            self.asks_panel
            and call.votes is None
            and call.fault == "none"
            and self.excuse(params, call) is None
        )

    def _answer(self, params: Params, call: Call) -> Answer:
        if call.fault in ("platform", "buyer"):
            return error(call.error or "no answer", call.fault)
        excuse = self.excuse(params, call)
        if excuse:
            return not_applicable(excuse)
        if call.fault == "agent":
            reason = f"no answer: {call.error or 'the agent failed'}"
            return failed(reason) if self.unanswered == "fail" else not_applicable(reason)
        return self.decide(params, call)


class Proven(Mapping[str, Check]):
    """Checks by kind, each run on its own fixtures before it is first handed out.

    A process pays for the kinds it uses: all of them together take a second and load three
    libraries. Looking one up, and so listing them, raises CheckProvesNothing for a check that fails
    its fixtures; names are free.
    """

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._proven: set[str] = set()

    def __getitem__(self, kind: str) -> Check:
        check = self._checks[kind]
        if kind not in self._proven:
            prove(check)
            self._proven.add(kind)
        return check

    def __iter__(self) -> Iterator[str]:
        return iter(self._checks)

    def __len__(self) -> int:
        return len(self._checks)

    def __contains__(self, kind: object) -> bool:
        return kind in self._checks


def table(checks: Iterable[Check]) -> Proven:
    """The checks by kind, proven as they are looked up. Raises CheckProvesNothing for two checks of
    one name, and for a neighbour that is none of them."""
    found: dict[str, Check] = {}
    for check in checks:
        if check.kind in found:
            raise CheckProvesNothing(f"two checks are called {check.kind}")
        found[check.kind] = check
    for check in found.values():
        if unknown := set(check.neighbours) - set(found):
            raise CheckProvesNothing(f"{check.kind}: resembles {min(unknown)}, which is no check")
    return Proven(found)


def prove(check: Check) -> None:
    """Run a check on its own fixtures. Raises CheckProvesNothing."""
    if not check.good or not check.bad:
        raise CheckProvesNothing(f"{check.kind}: needs a good and a bad fixture")
    if not (check.decide.__doc__ or "").strip():
        raise CheckProvesNothing(f"{check.kind}: its decision has no stated meaning")
    for fixtures, wanted in ((check.good, "pass"), (check.bad, "fail")):
        for i, fixture in enumerate(fixtures):
            check.validate_params(fixture.params)
            outcome = check.answer(fixture.params, fixture.call).outcome
            if outcome != wanted:
                raise CheckProvesNothing(f"{check.kind}: fixture {i} is {outcome}, not {wanted}")
    broken = replace(check.good[0].call, output=None, fault="platform")
    if check.answer(check.good[0].params, broken).outcome != "error":
        raise CheckProvesNothing(f"{check.kind}: a fault of the platform is not an error")
    for i, params in enumerate(check.vacuous):
        check.validate_params(params)
        if not check.vacuity(params):
            raise CheckProvesNothing(f"{check.kind}: vacuous parameters {i} are let through")


@lru_cache(maxsize=64)
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), offline=True)
