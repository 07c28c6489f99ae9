"""Each way an escrow ends: who gets what, when, and that it is stored once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils.timezone import now as clock

from pacts import disputes
from pacts.models import Dispute, Engagement
from reputation.models import Evidence
from settlement import escrow as escrows
from settlement import ledger, receipts
from settlement.casefiles import Case
from settlement.decisions import Final
from settlement.models import Escrow, Receipt, Transfer
from settlement.settlements import settle, settle_due
from tests.pacts.cases import CHALLENGE, ruled
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


def look(made: Hire, now: datetime) -> Escrow:
    return settle(escrow_id=made.escrow.pk, now=now)


def kinds() -> list[str]:
    return list(Evidence.objects.order_by("id").values_list("kind", flat=True))


def test_funding_moves_the_price_into_the_escrow_and_starts_the_work() -> None:
    made = funded()
    assert made.escrow.state == "held"
    assert made.escrow.next_action_at == EVALUATED_BY
    assert made.balances() == (0, 0, 0)
    assert made.milestone.deliverables.count() == 1
    assert "escrow.funded" in kinds()


def test_a_met_verdict_waits_for_the_buyer_at_exactly_the_end_of_the_window() -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    assert look(made, JUDGED + ACCEPTANCE).state == "held"
    assert made.escrow.acceptance_ends_at == JUDGED + ACCEPTANCE
    assert settle_due(now=JUDGED + ACCEPTANCE) == 0
    assert settle_due(now=JUDGED + ACCEPTANCE + TICK) == 1
    assert made.escrow.state == "released"
    assert made.balances() == (0, 9_500, 500)


def test_the_buyer_may_accept_at_exactly_the_end_of_the_window() -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED + ACCEPTANCE)
    assert (made.escrow.state, made.escrow.reason) == ("released", "accepted")


def test_after_the_window_an_acceptance_finds_that_silence_decided() -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED + ACCEPTANCE + TICK)
    assert (made.escrow.state, made.escrow.reason) == ("released", "silence")
    assert made.escrow.accepted_at is None


def test_a_partly_earned_share_is_a_split_with_a_fee_on_the_earned_part_alone() -> None:
    made = funded(price=9_999)
    made.judge("met", share=3_333)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
    assert made.escrow.state == "split"
    assert made.balances() == (6_666, 3_166, 167)


def test_a_breach_is_withheld_and_refunded_only_after_the_cure_period() -> None:
    made = funded()
    made.judge("breached", share=6_000, at=JUDGED)
    assert settle_due(now=JUDGED) == 1
    assert made.escrow.state == "withheld"
    assert made.escrow.cure_ends_at == JUDGED + CURE
    assert settle_due(now=JUDGED + CURE) == 0
    assert settle_due(now=JUDGED + CURE + TICK) == 1
    assert (made.escrow.state, made.escrow.reason) == ("refunded", "breach_not_cured")
    assert made.balances() == (10_000, 0, 0)
    assert kinds().count("escrow.withheld") == 1


def test_a_breach_pays_the_measured_share_where_the_pact_prorates() -> None:
    made = funded(on_breach="prorate")
    made.judge("breached", share=6_000, at=JUDGED)
    assert look(made, JUDGED + CURE + TICK).state == "split"
    assert made.balances() == (4_000, 5_700, 300)


def test_a_revision_in_the_cure_period_can_still_earn_the_money() -> None:
    made = funded()
    made.judge("breached", at=JUDGED)
    look(made, JUDGED)
    version = made.engagement.agent_version
    escrows.revise(escrow=made.escrow, by=made.bob.party, agent_version=version, now=JUDGED + CURE)
    assert look(made, JUDGED + CURE + TICK).state == "withheld"
    assert made.escrow.reason == "revision_under_evaluation"
    made.judge("met", at=JUDGED + CURE + 2 * TICK)
    assert look(made, JUDGED + CURE + 3 * TICK).state == "held"
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED + CURE + 4 * TICK)
    assert made.balances() == (0, 9_500, 500)


def revised() -> Hire:
    made = funded()
    made.judge("breached", at=JUDGED)
    version = made.engagement.agent_version
    escrows.revise(escrow=made.escrow, by=made.bob.party, agent_version=version, now=JUDGED)
    return made


def test_while_a_revision_is_evaluated_nobody_accepts_or_disputes_the_old_verdict() -> None:
    made = revised()
    with pytest.raises(escrows.NoVerdictYet):
        escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
    with pytest.raises(escrows.NoVerdictYet):
        contest(made, JUDGED)


def test_giving_back_during_a_revision_does_not_hide_the_breach_from_the_log() -> None:
    made = revised()
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=JUDGED)
    assert "verdict_evidence" in settlement_facts()


def test_a_verdict_that_was_looked_at_is_no_news() -> None:
    revised()
    assert settle_due(now=JUDGED + TICK) == 0


def test_due_escrows_are_found_by_an_index() -> None:
    late = Escrow.objects.filter(next_action_at__lt=START).order_by("next_action_at")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "escrow_due" in late.values_list("pk").explain()


def test_a_revision_after_the_cure_period_is_too_late() -> None:
    made = funded()
    made.judge("breached", at=JUDGED)
    look(made, JUDGED)
    with pytest.raises(escrows.DeadlinePassed):
        escrows.revise(
            escrow=made.escrow,
            by=made.bob.party,
            agent_version=made.engagement.agent_version,
            now=JUDGED + CURE + TICK,
        )


@pytest.mark.parametrize(
    ("rule", "share", "wait", "state", "paid"),
    [
        ("release", 0, ACCEPTANCE, "released", (0, 9_500, 500)),
        ("prorate", 4_000, ACCEPTANCE, "split", (6_000, 3_800, 200)),
        ("withhold", 4_000, CURE, "refunded", (10_000, 0, 0)),
        ("extend", 4_000, EXTENSION, "refunded", (10_000, 0, 0)),
        ("human_review", 4_000, timedelta(days=30), "refunded", (10_000, 0, 0)),
    ],
)
def test_undetermined_follows_the_pacts_rule_to_an_end_that_time_alone_reaches(
    rule: str, share: int, wait: timedelta, state: str, paid: tuple[int, int, int]
) -> None:
    made = funded()
    made.judge("undetermined", share=share, rule=rule, at=JUDGED)
    assert not look(made, JUDGED).is_final
    assert not look(made, JUDGED + wait).is_final
    assert look(made, JUDGED + wait + TICK).state == state
    assert made.balances() == paid


def test_human_review_opens_a_case_and_nobodys_ruling_returns_the_principal() -> None:
    made = funded()
    made.judge("undetermined", rule="human_review", at=JUDGED)
    assert look(made, JUDGED).state == "frozen"
    case = Dispute.objects.get()
    assert case.ground == "human_review"
    look(made, case.backstop_at + TICK)
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("closed", "unruled")
    assert made.escrow.reason == "dispute_unruled"


def test_an_evaluation_that_misses_its_window_is_never_the_builders_fault() -> None:
    made = funded()
    assert settle_due(now=EVALUATED_BY) == 0
    assert settle_due(now=EVALUATED_BY + TICK) == 1
    assert made.delivery.evaluation.verdict.outcome == "undetermined"
    assert made.escrow.state == "frozen"
    assert made.escrow.reason == "human_review"


@pytest.mark.parametrize(
    ("award", "state", "paid"),
    [
        (0, "refunded", (10_000, 0, 0)),
        (10_000, "released", (0, 9_500, 500)),
        (2_500, "split", (7_500, 2_375, 125)),
    ],
)
def test_a_ruling_divides_the_money_as_awarded(
    award: int, state: str, paid: tuple[int, int, int]
) -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    case = contest(made, JUDGED)
    assert made.escrow.state == "frozen"
    ruled_at = JUDGED + timedelta(days=3)
    ruled(case, award_bps=award, now=ruled_at)
    assert settle_due(now=ruled_at + CHALLENGE) == 1
    assert made.escrow.state == "frozen"
    assert settle_due(now=ruled_at + CHALLENGE + TICK) == 1
    assert made.escrow.state == state
    assert made.balances() == paid


def contest(made: Hire, now: datetime) -> Dispute:
    return escrows.dispute(
        escrow=made.escrow,
        party=made.alice.party,
        by=made.alice.user,
        ground=Dispute.Ground.PERFORMANCE,
        statement="These answers are wrong.",
        now=now,
    )


def settlement_facts() -> dict[str, object]:
    facts: dict[str, object] = Evidence.objects.get(kind="escrow.settled").read()["facts"]
    return facts


@pytest.mark.parametrize(("award", "stood"), [(10_000, True), (0, False)])
def test_the_log_names_the_verdict_only_where_the_ruling_let_it_stand(
    award: int, stood: bool
) -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    ruled(contest(made, JUDGED), award_bps=award, now=JUDGED)
    look(made, JUDGED + CHALLENGE + TICK)
    assert ("verdict_evidence" in settlement_facts()) is stood
    assert "ruling_evidence" in settlement_facts()


def test_a_withdrawn_dispute_lets_the_verdict_take_its_course() -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    case = contest(made, JUDGED)
    disputes.withdraw(dispute=case, party=made.alice.party, now=JUDGED + 2 * TICK)
    assert settle_due(now=JUDGED + 3 * TICK) == 1
    assert made.escrow.state == "held"
    assert look(made, JUDGED + ACCEPTANCE + TICK).state == "released"


def test_money_frozen_by_a_dispute_cannot_be_accepted_or_given_back() -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    contest(made, JUDGED)
    for act, side in ((escrows.accept, made.alice), (escrows.give_back, made.bob)):
        with pytest.raises(escrows.EscrowFrozen):
            act(escrow=made.escrow, by=side.party, now=JUDGED)


def test_accepting_in_spite_of_a_breach_pays_in_full() -> None:
    made = funded()
    made.judge("breached", share=1, at=JUDGED)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
    assert (made.escrow.state, made.escrow.reason) == ("released", "accepted_anyway")


def test_the_builder_may_give_the_money_back_before_any_verdict() -> None:
    made = funded()
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    assert (made.escrow.state, made.escrow.reason) == ("refunded", "given_back")
    assert made.balances() == (10_000, 0, 0)


def test_nobody_accepts_before_there_is_a_verdict() -> None:
    made = funded()
    with pytest.raises(escrows.NoVerdictYet):
        escrows.accept(escrow=made.escrow, by=made.alice.party, now=START)


def test_only_the_buyer_accepts_and_funds_and_only_the_builder_gives_back() -> None:
    made = hire()
    with pytest.raises(escrows.NotYourSide):
        escrows.fund(milestone=made.milestone, by=made.bob.party, idempotency_key="k", now=START)
    made.fund()
    made.judge("met")
    with pytest.raises(escrows.NotYourSide):
        escrows.accept(escrow=made.escrow, by=made.bob.party, now=JUDGED)
    with pytest.raises(escrows.NotYourSide):
        escrows.give_back(escrow=made.escrow, by=made.alice.party, now=JUDGED)


def test_a_settled_escrow_is_not_settled_again() -> None:
    made = funded()
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
    with pytest.raises(escrows.EscrowAlreadySettled):
        contest(made, JUDGED)
    with pytest.raises(escrows.EscrowAlreadySettled):
        escrows.give_back(escrow=made.escrow, by=made.bob.party, now=JUDGED)
    assert Transfer.objects.filter(resolves__isnull=False).count() == 1


def test_the_engagement_closes_with_its_last_milestone() -> None:
    made = hire(prices=[4_000, 6_000])
    first, second = made.engagement.milestones.order_by("position")
    for milestone in (first, second):
        made.milestone = milestone
        made.fund(key=milestone.pk)
    made.milestone = first
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    assert Engagement.objects.get().state == "active"
    made.milestone = second
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    assert Engagement.objects.get().state == "closed"


def test_the_receipt_verifies_and_one_changed_digit_does_not() -> None:
    made = funded()
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
    receipt = made.escrow.receipt
    assert receipts.holds(receipt)
    public, signature = bytes(receipt.key.public_key), bytes(receipt.signature)
    forged = receipt.body.replace('"released":9500', '"released":9501')
    assert forged != receipt.body
    assert not receipts.verify(body=forged, signature=signature, public_key=public)


def test_funding_again_with_the_same_key_changes_nothing() -> None:
    made = hire(money=20_000)
    made.fund(key="one")
    made.fund(key="one")
    assert made.balances()[0] == 10_000
    with pytest.raises(escrows.EscrowAlreadyFunded):
        made.fund(key="two")


def test_funding_without_the_money_leaves_nothing_behind() -> None:
    made = hire(money=9_999)
    with pytest.raises(ledger.InsufficientFunds):
        made.fund()
    assert made.escrow.state == "unfunded"
    assert not made.milestone.deliverables.exists()
    assert "escrow.funded" not in kinds()


def test_an_escrow_that_fails_is_put_off_and_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = hire(prices=[4_000, 6_000])
    for milestone in made.engagement.milestones.all():
        made.milestone = milestone
        made.fund(key=milestone.pk)
        made.judge("met", at=JUDGED)
    broken = made.escrow.pk
    issue_all = receipts.issue_all

    def failing(*, settled: Sequence[tuple[Case, Final]], now: datetime) -> list[Receipt]:
        if any(case.escrow.pk == broken for case, _ in settled):
            raise RuntimeError("the seal does not open")
        return issue_all(settled=settled, now=now)

    monkeypatch.setattr(receipts, "issue_all", failing)
    later = clock()
    settle_due(now=later)
    states = dict(Escrow.objects.values_list("pk", "state"))
    assert states.pop(broken) == "held"
    assert list(states.values()) == ["released"]
    assert Escrow.objects.filter(pk=broken, next_action_at__gt=later).exists()
