"""Every deadline of a dispute at −1 µs, exactly and +1 µs, through the doors people use.

At exactly a deadline the action is still allowed; strictly after it is not, and the sweep acts. A
deadline without a row here fails the last test.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace import cases
from pacts.disputes.refusals import DisputeClosed, DisputeRefused, NotYetRipe
from pacts.models import Dispute, Exhibit
from pacts.procedure.clocks import (
    FULL,
    SILENCES,
    SMALL,
    Docket,
    Periods,
    answer_by,
    rule_by,
)
from settlement.models import FINAL
from settlement.refusals import EscrowRefused
from settlement.settlements import settle_due
from tests.settlement.disputed import JUDGED, STATES, Case
from tests.settlement.hires import TICK

pytestmark = pytest.mark.django_db
LATE = (DisputeClosed, DisputeRefused, NotYetRipe, EscrowRefused)
NEVER = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Deadline:
    """In `state`, `act` is possible until what `period` says after `begun`, and no longer.

    `leads` is the state that acting brings the case to. `ends` is how the money stands once the
    sweep has looked a moment after the deadline: a reason of the escrow, or "" while the case goes
    on.
    """

    state: str
    period: str
    act: Callable[[Case], None]
    leads: str
    ends: str = ""
    begun: datetime = JUDGED

    @property
    def due_at(self) -> datetime:
        if self.period == "answer":
            return answer_by(self.begun, FULL)
        length: timedelta = getattr(FULL, self.period)
        return self.begun + length


NEGOTIATED = JUDGED + FULL.negotiation
TABLE = (
    Deadline("opened", "answer", Case.answer, "negotiating", "unanswered_by_builder"),
    Deadline("negotiating", "negotiation", Case.accept_offer, "closed"),
    Deadline("evidence_open", "evidence", Case.add_evidence, "evidence_open", begun=NEGOTIATED),
    Deadline(
        *("evidence_locked", "recheck", Case.end_the_check, "under_review"), begun=NEGOTIATED + TICK
    ),
    Deadline("under_review", "backstop", Case.rule, "challenge_window", "dispute_unruled"),
    Deadline("confirming", "backstop", Case.confirm, "challenge_window", "dispute_unruled"),
    Deadline("challenge_window", "challenge", Case.appeal, "appealed", "ruled"),
    Deadline("appealed", "appeal", Case.rule, "closed", "appeal_unheard"),
    Deadline("appeal_confirming", "appeal", Case.confirm, "closed", "appeal_unheard"),
)
NAMES = [f"{row.state}:{row.period}" for row in TABLE]
STEPS = [(-TICK, True), (timedelta(0), True), (TICK, False)]


def due_of(case: Case) -> Docket:
    return case.dispute.docket


@pytest.mark.parametrize(("off", "allowed"), STEPS)
@pytest.mark.parametrize("row", TABLE, ids=NAMES)
def test_until_its_very_end_a_step_is_possible_and_a_microsecond_later_silence_has_acted(
    row: Deadline, off: timedelta, allowed: bool
) -> None:
    case = Case(row.state)
    before = due_of(case)
    assert (before.periods, before.due_at) == (FULL, row.due_at)
    case.now = row.due_at + off
    if not allowed:
        settle_due(now=case.now)
        assert case.made.escrow.reason == (row.ends or "disputed")
        assert (case.made.escrow.state in FINAL) == bool(row.ends)
        if row.ends or row.state == "evidence_open":
            with pytest.raises(LATE):
                row.act(case)
        elif row.period in ("negotiation", "recheck"):
            assert case.dispute.state == SILENCES[before.state].then
        case.nothing_is_wrong()
        return
    settle_due(now=case.now)
    assert due_of(case).state == before.state
    row.act(case)
    settle_due(now=case.now)
    assert due_of(case).state == row.leads
    assert Exhibit.objects.count() == (row.state == "evidence_open")
    assert (case.made.escrow.reason == "agreed") == (row.state == "negotiating")
    case.nothing_is_wrong()


@pytest.mark.parametrize(("off", "allowed"), STEPS)
def test_on_appeal_both_sides_are_heard_until_the_very_end_and_ruled_on_from_there(
    off: timedelta, allowed: bool
) -> None:
    case = Case("challenge_window")
    case.appeal()
    case.now += FULL.appeal_evidence + off
    if allowed:
        with pytest.raises(NotYetRipe):
            case.rule()
        case.add_evidence()
    else:
        with pytest.raises(DisputeClosed):
            case.add_evidence()
        case.rule()
    case.nothing_is_wrong()


@pytest.mark.parametrize(("off", "overdue"), [(-TICK, False), (timedelta(0), False), (TICK, True)])
def test_the_desks_own_time_makes_a_case_overdue_and_takes_nothing_from_anybody(
    off: timedelta, overdue: bool
) -> None:
    case = Case("under_review")
    case.now = rule_by(due_of(case)) + off
    assert cases.is_overdue(due_of(case), now=case.now) is overdue
    case.rule()
    case.nothing_is_wrong()


def test_an_overdue_case_is_at_the_head_of_the_desks_queue() -> None:
    case = Case("under_review")

    def urgency() -> list[Any]:
        return [vars(one)["urgency"] for one in cases.queue(which="ready", user=case.carol)]

    assert urgency() == [-1]
    Dispute.objects.update(entered_at=clock())
    assert urgency() == [0]


@pytest.mark.parametrize(("off", "allowed"), STEPS)
def test_an_offer_of_a_split_is_taken_until_its_very_end(off: timedelta, allowed: bool) -> None:
    case = Case("under_review")
    case.now = case.on_table.expires_at + off
    assert case.now <= due_of(case).due_at, "the offer outlives the dispute"
    if allowed:
        case.accept_offer()
        assert case.made.escrow.reason == "agreed"
    else:
        with pytest.raises(EscrowRefused):
            case.accept_offer()
    case.nothing_is_wrong()


def test_no_deadline_of_a_dispute_is_without_a_row_here() -> None:
    waits = {"ruled" if row.state.endswith("confirming") else row.state for row in TABLE}
    assert waits == set(SILENCES)
    assert {row.state for row in TABLE} == set(STATES) - {"held"}
    elsewhere = {"appeal_evidence", "review"}  # the two tests above
    periods = {field.name for field in fields(Periods)} - {"business_days"}
    assert {row.period for row in TABLE} | elsewhere == periods
    assert set(SMALL.seconds()) == {field.name for field in fields(Periods)}


def test_each_row_ends_where_its_period_says() -> None:
    for row in TABLE:
        case_state = "ruled" if row.state.endswith("confirming") else row.state
        assert case_state in Dispute.State.values
