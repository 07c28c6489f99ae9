"""A dispute's states and deadlines, and what each silence means. Pure.

The boundary rule, as published: at exactly a deadline the action is still allowed, strictly after
it is not. Silence acts at the deadline itself, however late somebody looks: the next period counts
from there. `SILENCES` is the whole table; every row names whose part it was to speak.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal[
    "opened",
    "negotiating",
    "evidence_open",
    "evidence_locked",
    "under_review",
    "ruled",
    "challenge_window",
    "appealed",
    "closed",
]
# How a dispute ended. `defaulted`: whoever owed an answer was silent. `unruled`: nobody ruled
# before the backstop.
Outcome = Literal["", "ruled", "settled", "withdrawn", "defaulted", "unruled"]
Side = Literal["", "buyer", "builder"]
Fault = Literal["", "respondent", "platform", "adjudicator"]

BEFORE_A_RULING: tuple[State, ...] = (
    *("opened", "negotiating", "evidence_open", "evidence_locked", "under_review"),
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """How long each step may take. With `business_days` the answer's days skip weekends (UTC).

    `review` is when the desk should have ruled; past it the case is overdue and nothing else.
    `backstop` counts from the opening, `appeal_evidence` from the appeal.
    """

    answer: timedelta
    business_days: bool = False
    negotiation: timedelta
    evidence: timedelta
    recheck: timedelta = DAY
    review: timedelta
    challenge: timedelta
    appeal: timedelta
    appeal_evidence: timedelta
    backstop: timedelta

    @property
    def longest(self) -> timedelta:
        """From the opening to the last moment money can still wait."""
        return self.backstop + self.challenge + self.appeal

    def seconds(self) -> dict[str, int]:
        """As a row keeps it."""
        return {
            name: int(value.total_seconds()) if isinstance(value, timedelta) else int(value)
            for name, value in asdict(self).items()
        }

    @classmethod
    def of(cls, seconds: Mapping[str, int]) -> "Periods":
        """What `seconds` gave."""
        spans = {
            name: timedelta(seconds=value)
            for name, value in seconds.items()
            if name != "business_days"
        }
        return cls(business_days=bool(seconds.get("business_days")), **spans)


FULL = Periods(
    answer=5 * DAY,
    business_days=True,
    negotiation=48 * HOUR,
    evidence=72 * HOUR,
    review=7 * DAY,
    challenge=48 * HOUR,
    appeal=7 * DAY,
    appeal_evidence=48 * HOUR,
    backstop=30 * DAY,
)
# The short path: an answer, then evidence, at once; every step in a fraction of the time.
SMALL = Periods(
    answer=48 * HOUR,
    negotiation=timedelta(0),
    evidence=24 * HOUR,
    review=3 * DAY,
    challenge=24 * HOUR,
    appeal=3 * DAY,
    appeal_evidence=24 * HOUR,
    backstop=10 * DAY,
)


BACKSTOP_SECONDS = int(FULL.backstop.total_seconds())


@dataclass(frozen=True, slots=True)
class Silence:
    """What happens when a state's deadline passes and nobody acted, and whose part it was."""

    then: State
    outcome: Outcome
    fault: Fault
    meaning: str


SILENCES: Mapping[State, Silence] = {
    "opened": Silence(
        "closed",
        "defaulted",
        "respondent",
        "Whoever owes the answer loses: a silent builder returns the price, a silent buyer pays.",
    ),
    "negotiating": Silence("evidence_open", "", "", "No agreement was found; both bring evidence."),
    "evidence_open": Silence("evidence_locked", "", "", "The case is ruled on what is there."),
    "evidence_locked": Silence(
        "under_review", "", "platform", "The checks were not made again in time; a person decides."
    ),
    "under_review": Silence(
        "closed",
        "unruled",
        "adjudicator",
        "Nobody ruled: the price returns to the buyer and a bond to the builder.",
    ),
    "ruled": Silence(
        "closed",
        "unruled",
        "adjudicator",
        "No second person confirmed the ruling: the price returns to the buyer and a bond to the "
        "builder; on appeal the first ruling stands.",
    ),
    "challenge_window": Silence("closed", "ruled", "", "The ruling stands and takes effect."),
    "appealed": Silence(
        "closed", "ruled", "adjudicator", "Nobody ruled on the appeal: the first ruling stands."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Docket:
    """Where one dispute stands: everything its clocks need.

    `owing` answers in `opened`; `rested` says that both sides have nothing to add; `rechecking`
    that the contested run is being checked again; `award_bps` is of the ruling that stands.
    `fault` says who let the last deadline pass.
    """

    state: State
    entered_at: datetime
    due_at: datetime
    backstop_at: datetime
    periods: Periods = FULL
    outcome: Outcome = ""
    owing: Side = ""
    rested: bool = False
    rechecking: bool = False
    awaits_second: bool = False
    level: int = 1
    award_bps: int | None = None
    is_review: bool = False
    fault: Fault = ""

    @property
    def is_open(self) -> bool:
        return self.state != "closed"


def answer_by(opened_at: datetime, periods: Periods) -> datetime:
    """Until when the other side may answer."""
    if not periods.business_days:
        return opened_at + periods.answer
    moment, left = opened_at, periods.answer.days
    while left:
        moment += DAY
        left -= moment.weekday() < _SATURDAY
    return moment


def enter(docket: Docket, state: State, *, at: datetime) -> Docket:
    """The docket in its new state, with that state's deadline."""
    return replace(docket, state=state, entered_at=at, due_at=_due(docket, state, at))


def _due(docket: Docket, state: State, at: datetime) -> datetime:
    periods = docket.periods
    match state:
        case "challenge_window":
            return at + periods.challenge
        case "appealed":
            return at + periods.appeal
        case "closed":
            return at
        case "ruled" if docket.level > 1:
            return docket.due_at  # the appeal's own deadline goes on
        case "negotiating":
            due = at + periods.negotiation
        case "evidence_open":
            due = at + periods.evidence
        case "evidence_locked":
            due = at + periods.recheck
        case _:
            due = docket.backstop_at
    return min(due, docket.backstop_at)


def steps(docket: Docket, *, now: datetime) -> Iterator[tuple[Docket, bool]]:
    """Every step that is due by now, in order, each with whether it was taken by silence."""
    while docket.is_open:
        free = _free(docket)
        moved = free or _silent(docket, now)
        if moved is None:
            return
        docket = moved
        yield docket, free is None


def look(docket: Docket, *, now: datetime) -> Docket:
    """The docket as time has moved it by `now`; the same however often one looks in between."""
    for moved, _ in steps(docket, now=now):
        docket = moved
    return docket


def _free(docket: Docket) -> Docket | None:
    """What waits for nobody: a final ruling, a case both sides have rested, a check made."""
    if docket.state == "ruled" and not docket.awaits_second:
        return replace(enter(docket, "closed", at=docket.entered_at), outcome="ruled", fault="")
    if docket.state in ("negotiating", "evidence_open") and docket.rested:
        return enter(docket, "evidence_locked", at=docket.entered_at)
    if docket.state == "evidence_locked" and not docket.rechecking:
        return enter(docket, "under_review", at=docket.entered_at)
    return None


def _silent(docket: Docket, now: datetime) -> Docket | None:
    if now <= docket.due_at:
        return None
    silence = SILENCES[docket.state]
    moved = enter(docket, silence.then, at=docket.due_at)
    outcome = silence.outcome
    if docket.state == "ruled" and docket.level > 1:
        outcome = "ruled"  # of the first adjudicator: it stood when the appeal began
    return replace(moved, outcome=outcome, fault=silence.fault, awaits_second=False)


def takes_exhibits(docket: Docket, *, now: datetime) -> bool:
    """Whether a side may still add evidence; at exactly the end it may."""
    if docket.state == "appealed":
        return not docket.rested and now <= docket.entered_at + docket.periods.appeal_evidence
    return docket.state in ("opened", "negotiating", "evidence_open")


def may_rule(docket: Docket, *, now: datetime) -> bool:
    """Whether a person may rule now: once nothing is added any more."""
    if docket.state == "appealed":
        return not takes_exhibits(docket, now=now)
    return docket.state == "under_review"


def rule_by(docket: Docket) -> datetime:
    """When the desk should have ruled; past it the case is overdue, and the backstop follows."""
    if docket.level > 1:
        return docket.due_at
    return min(docket.entered_at + docket.periods.review, docket.backstop_at)


def lost_by(
    docket: Docket, *, share_bps: int | None, measured_bps: int | None, filed_by: Side
) -> Side:
    """The side a closed dispute went against; "" where nobody won it.

    A ruling is compared with what the builder would have had without the dispute: one that leaves
    it as it is was lost by whoever filed.
    """
    if docket.outcome == "defaulted":
        return docket.owing
    if docket.outcome != "ruled" or share_bps is None or measured_bps is None:
        return ""
    if share_bps == measured_bps:
        return filed_by
    return "builder" if share_bps < measured_bps else "buyer"
