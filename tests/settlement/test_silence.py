"""Whoever leaves a dispute unanswered loses it: by rule, in time, on record, without a person."""

from datetime import datetime, timedelta

import pytest

from pacts import disputes
from pacts.models import Dispute
from pacts.procedure.clocks import FULL
from reputation.models import Evidence
from settlement.audit import audit
from settlement.settlements import settle, settle_due
from tests import cast
from tests.pacts.cases import ruled
from tests.settlement.hires import TICK, Hire, funded
from tests.settlement.test_timeouts import JUDGED, answered, disputed, ended

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("opener", "silent", "balances"),
    [("alice", "builder", (10_000, 0, 0)), ("bob", "buyer", (0, 9_500, 500))],
)
def test_strictly_after_the_time_to_answer_the_silent_side_loses(
    opener: str, silent: str, balances: tuple[int, int, int]
) -> None:
    made = funded()
    case = disputed(made, opener, "met" if opener == "alice" else "breached")
    settle(escrow_id=made.escrow.pk, now=case.answer_by_at)
    assert (made.escrow.state, made.escrow.reason) == ("frozen", "disputed")
    assert settle_due(now=case.answer_by_at + TICK) == 1
    assert ended(made) == (f"unanswered_by_{silent}", "response", silent)
    assert made.balances() == balances
    case.refresh_from_db()
    assert (case.state, case.outcome, case.lost_by) == ("closed", "defaulted", silent)
    assert case.closed_at == case.answer_by_at + TICK
    assert audit(now=case.answer_by_at + TICK) == []


def test_the_log_says_who_was_silent_and_does_not_count_the_verdict_that_was_overturned() -> None:
    made = funded()
    case = disputed(made)
    settle(escrow_id=made.escrow.pk, now=case.answer_by_at + TICK)
    told = Evidence.objects.get(kind="dispute.defaulted").read()
    assert told["facts"] == {"side": "builder"}
    assert told["subjects"]["party"] == made.bob.party.pk
    settled = Evidence.objects.get(kind="escrow.settled").read()["facts"]
    assert (settled["timeout"], settled["fault"]) == ("response", "builder")
    assert "verdict_evidence" not in settled


def test_silence_that_confirms_the_verdict_leaves_it_counted() -> None:
    made = funded()
    case = disputed(made, "alice", "breached")
    settle(escrow_id=made.escrow.pk, now=case.answer_by_at + TICK)
    settled = Evidence.objects.get(kind="escrow.settled").read()["facts"]
    assert "verdict_evidence" in settled


def test_at_exactly_the_deadline_an_answer_still_counts_and_strictly_after_it_is_refused() -> None:
    made = funded()
    case = disputed(made)
    with pytest.raises(disputes.DisputeClosed, match="the time to answer has passed"):
        disputes.answer_dispute(
            dispute=case, party=made.bob.party, answer="Late.", now=case.answer_by_at + TICK
        )
    answered(made, case)
    settle(escrow_id=made.escrow.pk, now=case.answer_by_at + TICK)
    assert made.escrow.state == "frozen"
    assert made.escrow.next_action_at == case.answer_by_at + FULL.negotiation


@pytest.mark.parametrize(("late", "refused"), [(timedelta(0), False), (TICK, True)])
def test_nobody_rules_on_what_silence_has_decided(late: timedelta, refused: bool) -> None:
    made = funded()
    case = disputed(made)
    if refused:
        with pytest.raises(disputes.DisputeClosed, match="silence has decided"):
            ruling(case, case.answer_by_at + late)
    else:
        ruled(case, award_bps=5_000, now=case.answer_by_at + late)
        assert Dispute.objects.get(pk=case.pk).state == "challenge_window"


def ruling(case: Dispute, now: datetime) -> None:
    disputes.rule(
        dispute=case,
        adjudicator=cast.carol().user,
        award_bps=5_000,
        clauses=["accuracy"],
        reasons="Half of the answers were right, so half is earned.",
        now=now,
    )


def test_a_review_the_pact_asks_for_is_lost_by_nobodys_silence() -> None:
    made = funded()
    made.judge("undetermined", rule="human_review", at=JUDGED)
    settle(escrow_id=made.escrow.pk, now=JUDGED)
    case = Dispute.objects.get()
    settle(escrow_id=made.escrow.pk, now=case.answer_by_at + TICK)
    assert made.escrow.reason == "human_review"
    ruling(case, case.answer_by_at + TICK)
    late = case.answer_by_at + TICK + FULL.challenge
    settle(escrow_id=made.escrow.pk, now=late)
    assert made.escrow.reason == "ruling_challengeable"
    settle(escrow_id=made.escrow.pk, now=late + TICK)
    assert ended(made) == ("ruled", "", "")


def test_a_bond_stays_with_the_builder_unless_a_critical_clause_was_measured_as_breached() -> None:
    made: Hire = funded(bond=2_000)
    case = disputed(made)
    settle(escrow_id=made.escrow.pk, now=case.answer_by_at + TICK)
    assert made.escrow.bond.state == "returned"
