"""How an agent fails, told apart: what a caller would notice by itself, and what it would not.

Every finished trial is exactly one of these, the first that fits:

- `not_counted`: nobody's answer was judged (the trial is null or was skipped, or no check decided).
- `loud`: a caller notices without knowing the right answer. There is no usable answer (the agent's
  fault: time-out, refusal to connect, malformed), its form is broken (a check of form fails), or it
  declined a task it promised to take.
- `confident`: confident nonsense. Usable in form, wrong in substance, and stated with confidence:
  a `no_confident_error` check failed, or the answer claims at least CONFIDENT.
- `silent`: usable in form and wrong in substance, without a sign of it.
- `degraded`: right in substance and form, but less than promised: slower, dearer, longer than
  agreed, or only partly right (a passing or failing value strictly between 0 and 1).
- `sound`: every check that decided passed in full.

A run degrades over time when its trials fail more often in its later half than in its earlier one,
beyond chance: the 95 % confidence sequences of the two halves' rates do not meet.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from reputation.confidence import confidence_sequence

Mode = Literal["not_counted", "loud", "confident", "silent", "degraded", "sound"]
MODES: tuple[Mode, ...] = get_args(Mode)
FAILING: tuple[Mode, ...] = ("loud", "confident", "silent")

CONFIDENT = 0.8
# What a check is about. What is not named here is about substance.
FORM = frozenset({"json_schema", "regex", "language", "length", "availability"})
SERVICE = frozenset({"latency", "cost"})
DECLINING = frozenset({"scope", "over_refusal", "no_over_refusal"})
CERTAINTY = frozenset({"no_confident_error"})

WHAT = {
    "loud": "A caller notices: no usable answer, a broken form, or a task in scope declined.",
    "confident": "Wrong, usable in form, and stated with confidence.",
    "silent": "Wrong, usable in form, and no sign of it.",
    "degraded": "Right, but slower, dearer or longer than agreed, or only partly right.",
    "sound": "Every check that decided passed in full.",
    "not_counted": "Nobody's answer was judged.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One check's decision on a trial."""

    kind: str
    outcome: str
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTrial:
    """One finished trial. `confidence` is what the answer claims of itself, in [0, 1], if it does;
    `declined` whether it declined, `in_scope` whether it should have answered."""

    position: int
    state: str
    fault: str
    seen: Sequence[Seen]
    in_scope: bool = True
    declined: bool = False
    confidence: float | None = None


def mode_of(trial: SeenTrial) -> Mode:
    """Which of the modes a trial is."""
    decided = [one for one in trial.seen if one.outcome in ("pass", "fail")]
    if trial.state != "done" or not decided:
        return "not_counted"
    failed = [one for one in decided if one.outcome == "fail" and not _partly(one)]
    if trial.fault == "agent" or (failed and trial.declined and trial.in_scope):
        return "loud"
    kinds = {one.kind for one in failed}
    if kinds & FORM:
        return "loud"
    if kinds & CERTAINTY:
        return "confident"
    if kinds - SERVICE:
        return "confident" if (trial.confidence or 0) >= CONFIDENT else "silent"
    return "degraded" if failed or any(map(_partly, decided)) else "sound"


def _partly(one: Seen) -> bool:
    return one.value is not None and 0 < one.value < 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReport:
    """How many trials were what, and whether the run got worse as it went on. `halves` are the
    (failing, judged) trials of its earlier and its later half."""

    counts: Mapping[Mode, int]
    halves: tuple[tuple[int, int], tuple[int, int]]
    worsens: bool

    @property
    def judged(self) -> int:
        return sum(self.counts.values()) - self.counts["not_counted"]

    @property
    def failing(self) -> int:
        return sum(self.counts[mode] for mode in FAILING)


def report(trials: Iterable[tuple[int, Mode]], *, total: int) -> FailureReport:
    """The report over (position, mode) of every trial of a run of `total` positions."""
    counts: Counter[Mode] = Counter()
    failing, judged = [0, 0], [0, 0]
    for position, mode in trials:
        counts[mode] += 1
        if mode != "not_counted":
            half = int(position * 2 >= total)
            judged[half] += 1
            failing[half] += mode in FAILING
    return FailureReport(
        counts={mode: counts[mode] for mode in MODES},
        halves=((failing[0], judged[0]), (failing[1], judged[1])),
        worsens=_worse(failing, judged),
    )


def _worse(failing: Sequence[int], judged: Sequence[int]) -> bool:
    early_low, _ = confidence_sequence(passes=judged[0] - failing[0], failures=failing[0])
    _, late_high = confidence_sequence(passes=judged[1] - failing[1], failures=failing[1])
    return late_high < early_low
