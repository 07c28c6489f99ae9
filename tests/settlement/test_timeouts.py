"""Every deadline that passes has a name and a party at fault, on the escrow and in the log."""

from datetime import timedelta

import pytest

from pacts import disputes
from pacts.models import Dispute, Engagement, Milestone
from reputation.models import Evidence
from settlement import engagements
from settlement import escrow as escrows
from settlement.reasons import REASONS
from settlement.settlements import settle
from tests.settlement.hires import (
    ACCEPTANCE,
    CURE,
    EVALUATED_BY,
    EXTENSION,
    START,
    TICK,
    Hire,
    funded,
    hire,
)

pytestmark = pytest.mark.django_db
JUDGED = START + timedelta(hours=1)
LATE = EVALUATED_BY + TICK
FUND_BY = START + timedelta(days=3)


def ended(made: Hire) -> tuple[str, str, str]:
    """The reason, and what the escrow and the log both say of the timeout and the fault."""
    escrow, facts = made.escrow, Evidence.objects.get(kind="escrow.settled").read()["facts"]
    assert (facts.get("timeout", ""), facts.get("fault", "")) == (escrow.timeout, escrow.fault)
    return escrow.reason, escrow.timeout, escrow.fault


@pytest.mark.parametrize(
    ("verdict", "rule", "late", "wait", "expected"),
    [
        ("met", "", False, ACCEPTANCE, ("silence", "acceptance", "buyer")),
        ("breached", "", False, CURE, ("breach_not_cured", "submission", "builder")),
        ("undetermined", "withhold", False, CURE, ("still_not_proved", "evidence", "builder")),
        ("undetermined", "extend", False, EXTENSION, ("still_not_proved", "evidence", "builder")),
        (
            "undetermined",
            "release",
            False,
            ACCEPTANCE,
            ("undetermined_released", "acceptance", "buyer"),
        ),
        ("undetermined", "withhold", True, CURE, ("still_not_proved", "evaluation", "platform")),
        (
            "undetermined",
            "release",
            True,
            ACCEPTANCE,
            ("undetermined_released", "evaluation", "platform"),
        ),
    ],
)
def test_each_window_that_runs_out_names_its_party(
    verdict: str, rule: str, late: bool, wait: timedelta, expected: tuple[str, str, str]
) -> None:
    made = funded()
    at = LATE if late else JUDGED
    made.judge(verdict, rule=rule, at=at)
    settle(escrow_id=made.escrow.pk, now=at + wait + TICK)
    assert ended(made) == expected


def test_a_dispute_nobody_ruled_on_is_the_adjudicators() -> None:
    made = funded()
    case = disputed(made)
    answered(made, case)
    settle(escrow_id=made.escrow.pk, now=case.backstop_at + TICK)
    assert ended(made) == ("dispute_unruled", "adjudication", "adjudicator")


def disputed(made: Hire, opener: str = "alice", verdict: str = "met") -> Dispute:
    made.judge(verdict, at=JUDGED)
    who = getattr(made, opener)
    return escrows.dispute(
        escrow=made.escrow,
        party=who.party,
        by=who.user,
        ground=Dispute.Ground.PERFORMANCE,
        statement="It is not what was agreed.",
        now=JUDGED,
    )


def answered(made: Hire, case: Dispute, *, by: str = "bob") -> None:
    party = getattr(made, by).party
    disputes.answer_dispute(dispute=case, party=party, answer="It is.", now=case.answer_by_at)


def test_accepting_and_giving_back_are_nobodys_timeout() -> None:
    made = funded()
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    assert ended(made) == ("given_back", "", "")


def test_every_timeout_has_a_party_and_every_kind_of_timeout_is_used() -> None:
    assert all(reason.fault for reason in REASONS.values() if reason.timeout)
    used = {reason.timeout for reason in REASONS.values()} | {"evaluation"}
    assert used - {""} == {
        "submission",
        "acceptance",
        "evaluation",
        "response",
        "evidence",
        "adjudication",
        "funding",
    }


def test_an_engagement_nobody_funded_lapses_strictly_after_its_window() -> None:
    made = hire()
    assert made.engagement.fund_by_at == FUND_BY
    assert engagements.lapse_unfunded(now=FUND_BY) == 0
    assert engagements.lapse_unfunded(now=FUND_BY + TICK) == 1
    engagement = Engagement.objects.get()
    assert (engagement.state, engagement.closed_at) == ("lapsed", FUND_BY + TICK)
    facts = Evidence.objects.get(kind="engagement.lapsed").read()["facts"]
    assert facts == {"timeout": "funding", "fault": "buyer", "milestones": 1}
    assert engagements.lapse_unfunded(now=FUND_BY + TICK) == 0
    with pytest.raises(escrows.EngagementNotInForce):
        made.fund(now=FUND_BY)


def test_the_buyer_may_fund_at_exactly_the_end_of_the_window() -> None:
    made = hire()
    with pytest.raises(escrows.DeadlinePassed, match="hire again"):
        made.fund(now=FUND_BY + TICK)
    assert made.fund(now=FUND_BY).state == "held"


def test_while_money_is_held_the_rest_does_not_lapse_and_gets_a_new_window_afterwards() -> None:
    made = hire(prices=[5_000, 5_000])
    first, second = made.engagement.milestones.all()
    made.fund()
    later = FUND_BY + timedelta(days=9)
    assert engagements.lapse_unfunded(now=later) == 0
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=later)
    made.engagement.refresh_from_db()
    assert made.engagement.fund_by_at == later + timedelta(days=3)
    assert engagements.lapse_unfunded(now=later + timedelta(days=3) + TICK) == 1
    assert Milestone.objects.get(pk=second.pk).cancelled_at
    assert Milestone.objects.get(pk=first.pk).cancelled_at is None
    assert Engagement.objects.get().state == "closed"
