"""Bonds: staked with the price, and returned or slashed exactly once, whoever asks."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from pacts.models import ClauseVerdict, Dispute, Verdict
from reputation.models import Evidence
from settlement import escrow as escrows
from settlement import ledger
from settlement.audit import audit
from settlement.bonds import is_slashed
from settlement.cancellations import accept_cancellation, propose_cancellation
from settlement.models import Bond, Transfer
from settlement.reasons import REASONS
from settlement.settlements import settle
from tests.pacts.cases import CHALLENGE
from tests.pacts.cases import ruled as ruling_of
from tests.settlement.hires import CURE, START, TICK, Hire, funded, hire

pytestmark = pytest.mark.django_db
JUDGED = START + timedelta(hours=1)
STAKE = 2_000


def breached(made: Hire, *, critical: bool) -> Verdict:
    verdict = made.judge("breached", share=6_000)
    ClauseVerdict.objects.create(
        verdict=verdict,
        position=0,
        key="accuracy",
        title="Answers are right",
        dimension="accuracy",
        outcome="breached",
        critical=critical,
        weight_bps=10_000,
        promise_bps=9_000,
        floor_bps=8_000,
        unit="call",
        passes=1,
        failures=2,
        reason="too many failed",
    )
    return verdict


def ruled(made: Hire, award_bps: int) -> None:
    case = escrows.dispute(
        escrow=made.escrow,
        party=made.alice.party,
        by=made.alice.user,
        ground=Dispute.Ground.PERFORMANCE,
        statement="None of it is right.",
        now=JUDGED,
    )
    ruling_of(case, award_bps=award_bps, now=JUDGED)
    settle(escrow_id=made.escrow.pk, now=JUDGED + CHALLENGE + TICK)


def test_the_bond_leaves_the_builders_balance_when_the_escrow_is_funded() -> None:
    made = funded(bond=STAKE)
    assert made.balances() == (0, 0, 0)
    bond = Bond.objects.get()
    assert (bond.amount, bond.state) == (STAKE, "held")
    assert ledger.balance_of(bond.account) == STAKE
    assert Evidence.objects.get(kind="escrow.funded").read()["facts"]["bond"] == STAKE
    assert audit(now=START) == []


def test_a_builder_who_cannot_cover_the_bond_is_named_and_nothing_moves() -> None:
    made = hire(bond=STAKE, stake=1_999)
    with pytest.raises(escrows.BondNotCovered, match=r"USD 20\.00 and holds USD 19\.99"):
        made.fund()
    assert made.balances() == (10_000, 1_999, 0)
    assert made.escrow.state == "unfunded"
    assert not Bond.objects.exists()


def test_a_buyer_short_of_money_is_told_so_although_a_bond_was_agreed() -> None:
    made = hire(bond=STAKE, money=9_999)
    with pytest.raises(ledger.InsufficientFunds):
        made.fund()
    assert made.balances() == (9_999, STAKE, 0)


def test_a_met_verdict_returns_the_bond_with_the_pay() -> None:
    made = funded(bond=STAKE)
    made.judge("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
    assert made.balances() == (0, 9_500 + STAKE, 500)
    assert Bond.objects.get().state == "returned"
    assert '"bond":{"amount":2000,"outcome":"returned"' in made.escrow.receipt.body
    assert audit(now=JUDGED) == []


def test_a_critical_breach_that_is_not_cured_sends_the_bond_to_the_buyer() -> None:
    made = funded(bond=STAKE)
    breached(made, critical=True)
    settle(escrow_id=made.escrow.pk, now=JUDGED + CURE)
    assert Bond.objects.get().state == "held"
    settle(escrow_id=made.escrow.pk, now=JUDGED + CURE + TICK)
    assert made.balances() == (10_000 + STAKE, 0, 0)
    facts = Evidence.objects.get(kind="escrow.settled").read()["facts"]
    assert (facts["bond"], facts["bond_outcome"]) == (STAKE, "slashed")
    assert audit(now=JUDGED + CURE) == []


def test_a_breach_of_nothing_critical_returns_the_bond() -> None:
    made = funded(bond=STAKE)
    breached(made, critical=False)
    settle(escrow_id=made.escrow.pk, now=JUDGED + CURE + TICK)
    assert made.balances() == (10_000, STAKE, 0)


@pytest.mark.parametrize(("award", "state"), [(0, "slashed"), (1, "returned")])
def test_a_ruling_slashes_the_bond_only_if_it_awards_nothing(award: int, state: str) -> None:
    made = funded(bond=STAKE)
    made.judge("met")
    ruled(made, award)
    assert Bond.objects.get().state == state
    assert audit(now=JUDGED) == []


def test_an_agreed_split_returns_the_bond() -> None:
    made = funded(bond=STAKE)
    breached(made, critical=True)
    one = propose_cancellation(
        milestone=made.milestone,
        party=made.bob.party,
        by=made.bob.user,
        award_bps=0,
        now=JUDGED,
    )
    accept_cancellation(cancellation=one, party=made.alice.party, by=made.alice.user, now=JUDGED)
    assert made.balances() == (10_000, STAKE, 0)


def test_only_a_critical_breach_or_an_empty_award_can_slash() -> None:
    slashing = {
        (code, share, critical)
        for code in REASONS
        for share in (0, 1, 10_000)
        for critical in (False, True)
        if is_slashed(code=code, share_bps=share, breached_critical=critical)
    }
    breaches = {"breach_not_cured", "breach_prorated", "unanswered_by_builder"}
    assert {code for code, _, _ in slashing} == {"ruled", "appeal_unheard", *breaches}
    assert all(share == 0 for code, share, _ in slashing if code not in breaches)
    assert all(critical for code, _, critical in slashing if code in breaches)


def refused(sql: str, rule: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with (
        pytest.raises(DatabaseError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    diagnostics = getattr(caught.value.__cause__, "diag", None)
    assert rule in f"{getattr(diagnostics, 'constraint_name', '')} {caught.value}"


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("DELETE FROM settlement_bond", "bond_never_deleted"),
        ("TRUNCATE settlement_bond CASCADE", "append-only"),
        ("UPDATE settlement_bond SET amount = amount + 1", "bond_terms_are_fixed"),
        ("UPDATE settlement_bond SET state = 'returned'", "bond_ended_by_a_resolution"),
        (
            "UPDATE settlement_bond SET state = 'slashed', resolution_id = hold_id, "
            "ended_at = now()",
            "bond_resolution_empties_it",
        ),
    ],
)
def test_the_database_keeps_a_held_bond_as_it_is(sql: str, rule: str) -> None:
    funded(bond=STAKE)
    refused(sql, rule)


def test_the_database_lets_no_escrow_end_without_its_bond() -> None:
    made = funded(bond=STAKE)
    world = ledger.party_account(party=made.alice.party, currency="USD")
    paid = ledger.post(
        ledger.Posting(
            kind=Transfer.Kind.REFUND,
            key="by hand",
            sides=ledger.move(source=made.escrow.account, target=world, amount=10_000),
            resolves=made.escrow.hold_id,
        )
    )
    refused(
        f"UPDATE settlement_escrow SET state = 'refunded', resolution_id = {paid.transfer_id}, "
        "released = 0, refunded = amount, fee = 0, settled_at = now(), next_action_at = NULL, "
        "version = version + 1",
        "escrow_ends_with_its_bond",
    )


def test_an_ended_bond_never_changes_and_its_hold_resolves_once() -> None:
    made = funded(bond=STAKE)
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    refused("UPDATE settlement_bond SET state = 'slashed'", "bond_ended_is_frozen")
    bond = Bond.objects.get()
    with pytest.raises(ledger.LedgerRefused), transaction.atomic():
        ledger.post(
            ledger.Posting(
                kind=Transfer.Kind.BOND_SLASHED,
                key="again",
                sides=ledger.move(
                    source=bond.account,
                    target=ledger.party_account(party=made.alice.party, currency="USD"),
                    amount=STAKE,
                ),
                resolves=bond.hold_id,
            )
        )


def test_the_audit_names_a_bond_that_went_to_the_wrong_side() -> None:
    made = funded(bond=STAKE)
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    bond = Bond.objects.get()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE settlement_bond SET state = 'slashed'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert [(one.where, one.rule.split(",")[0]) for one in audit(now=START)] == [
        (f"bond {bond.pk}", "every bond was staked in full")
    ]
