"""The price of disputing: nothing for a clean record; lost with the dispute, else returned."""

from datetime import datetime, timedelta

import pytest

from pacts import disputes
from pacts.models import Dispute
from pacts.procedure import limits
from pacts.procedure.clocks import FULL
from reputation.models import Evidence
from settlement import escrow as escrows
from settlement import filings
from settlement.audit import audit
from settlement.cancellations import accept_cancellation, propose_cancellation
from settlement.models import FilingDeposit, Transfer
from settlement.settlements import settle, settle_due
from tests.pacts.cases import CHALLENGE, ruled
from tests.settlement.hires import START, TICK, Hire, funded, give

pytestmark = pytest.mark.django_db
JUDGED = START + timedelta(hours=1)
PURSE, STAKE = 1_000, 200  # two per cent of the price


@pytest.fixture
def lost_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever files lost one dispute lately."""
    monkeypatch.setattr(filings, "lost_lately", lambda **_: 1)


def contested(*, by: str = "alice", verdict: str = "met") -> tuple[Hire, Dispute]:
    made = funded()
    made.judge(verdict, at=JUDGED)
    who = getattr(made, by)
    give(who, PURSE, key="purse")
    case = escrows.dispute(
        escrow=made.escrow,
        party=who.party,
        by=who.user,
        ground=Dispute.Ground.SCOPE,
        statement="That was not agreed.",
        now=JUDGED,
    )
    return made, case


def end(made: Hire, case: Dispute, award: int) -> datetime:
    ruled(case, award_bps=award, now=JUDGED)
    at = JUDGED + CHALLENGE + TICK
    settle(escrow_id=made.escrow.pk, now=at)
    return at


def test_a_clean_record_files_for_nothing() -> None:
    made, _ = contested()
    assert not FilingDeposit.objects.exists()
    assert made.balances()[0] == PURSE


@pytest.mark.usefixtures("lost_one")
@pytest.mark.parametrize(
    ("by", "verdict", "award", "state", "balances"),
    [
        ("alice", "met", 10_000, "forfeited", (PURSE - STAKE, 9_500 + STAKE, 500)),
        ("alice", "met", 9_999, "returned", (PURSE + 1, 9_500 - 1, 500)),
        ("bob", "breached", 0, "forfeited", (10_000 + STAKE, PURSE - STAKE, 0)),
        ("bob", "breached", 5_000, "returned", (5_000, PURSE + 4_750, 250)),
    ],
)
def test_whoever_changed_nothing_by_disputing_pays_the_other_side(
    by: str, verdict: str, award: int, state: str, balances: tuple[int, int, int]
) -> None:
    made, case = contested(by=by, verdict=verdict)
    held = FilingDeposit.objects.get()
    assert (held.amount, held.state) == (STAKE, "held")
    assert Evidence.objects.get(kind="dispute.opened").read()["facts"]["deposit"] == STAKE
    at = end(made, case, award)
    held.refresh_from_db()
    assert held.state == state
    assert sum(made.balances()) == 10_000 + PURSE
    assert abs(made.balances()[0] - balances[0]) <= 1
    assert made.balances()[2] == balances[2]
    told = Evidence.objects.get(kind="filing.ended").read()["facts"]
    assert told == {"outcome": state, "deposit": STAKE, "currency": "USD"}
    assert audit(now=at) == []


@pytest.mark.usefixtures("lost_one")
def test_a_dispute_taken_back_returns_the_deposit_with_the_next_sweep() -> None:
    made, case = contested()
    disputes.withdraw(dispute=case, party=made.alice.party, now=JUDGED)
    assert filings.return_ended(now=JUDGED) == 1
    assert filings.return_ended(now=JUDGED) == 0
    assert made.balances()[0] == PURSE
    settle(escrow_id=made.escrow.pk, now=JUDGED)
    assert audit(now=JUDGED) == []


@pytest.mark.usefixtures("lost_one")
def test_a_split_both_agree_on_returns_it_too() -> None:
    made, case = contested()
    alice, bob = made.alice, made.bob
    offer = propose_cancellation(
        milestone=made.milestone, party=bob.party, by=bob.user, award_bps=6_000, now=JUDGED
    )
    accept_cancellation(cancellation=offer, party=alice.party, by=alice.user, now=JUDGED)
    case.refresh_from_db()
    assert (case.outcome, case.lost_by, case.share_bps) == ("settled", "", 6_000)
    assert FilingDeposit.objects.get().state == "returned"
    assert made.balances() == (4_000 + PURSE, 5_700, 300)
    assert audit(now=JUDGED) == []


@pytest.mark.usefixtures("lost_one")
@pytest.mark.parametrize("answers", [True, False])
def test_whoever_wins_by_silence_or_is_never_ruled_on_has_it_back(answers: bool) -> None:
    made, case = contested()
    late = case.answer_by_at
    if answers:
        disputes.answer_dispute(dispute=case, party=made.bob.party, answer="No.", now=JUDGED)
        late = case.backstop_at
    settle(escrow_id=made.escrow.pk, now=late + TICK)
    assert FilingDeposit.objects.get().state == "returned"
    assert made.balances() == (10_000 + PURSE, 0, 0)
    assert audit(now=late + TICK) == []


@pytest.mark.usefixtures("lost_one")
def test_who_cannot_cover_it_is_told_how_much_and_nothing_moves() -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    with pytest.raises(escrows.DepositNotCovered, match=r"USD 2\.00"):
        escrows.dispute(
            escrow=made.escrow,
            party=made.alice.party,
            by=made.alice.user,
            ground=Dispute.Ground.SCOPE,
            statement="That was not agreed.",
            now=JUDGED,
        )
    assert not Dispute.objects.exists()
    assert not Transfer.objects.filter(kind="filing_hold").exists()
    settle_due(now=JUDGED)
    assert made.escrow.state == "held"


def test_losing_counts_for_as_long_as_the_window_and_only_for_who_filed() -> None:
    made, case = contested()
    at = end(made, case, 10_000)
    window = limits.RULES.lost_window
    assert disputes.lost_lately(party=made.alice.party, now=at) == 1
    assert disputes.lost_lately(party=made.alice.party, now=at + window) == 1
    assert disputes.lost_lately(party=made.alice.party, now=at + window + TICK) == 0
    assert disputes.lost_lately(party=made.bob.party, now=at) == 0


def test_one_party_has_only_so_many_disputes_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made = funded()
    made.judge("met", at=JUDGED)
    rules = limits.Rules(most_open=(1,))
    other = Dispute.objects.count()
    monkeypatch.setattr("pacts.disputes.filing.limits.most_open", lambda *, lost, rules: other)
    with pytest.raises(disputes.TooManyDisputes, match="withdraw one first"):
        escrows.dispute(
            escrow=made.escrow,
            party=made.alice.party,
            by=made.alice.user,
            ground=Dispute.Ground.SCOPE,
            statement="That was not agreed.",
            rules=rules,
            now=JUDGED,
        )


@pytest.mark.usefixtures("lost_one")
def test_an_appeal_decides_the_deposit_too() -> None:
    made, case = contested()
    ruled(case, award_bps=10_000, now=JUDGED)
    disputes.appeal(
        dispute=case,
        party=made.alice.party,
        by=made.alice.user,
        statement="Nobody looked at what was agreed.",
        now=JUDGED,
    )
    late = JUDGED + FULL.appeal
    settle(escrow_id=made.escrow.pk, now=late)
    assert made.escrow.reason == "appealed"
    settle(escrow_id=made.escrow.pk, now=late + TICK)
    assert (made.escrow.reason, made.escrow.fault) == ("appeal_unheard", "adjudicator")
    assert FilingDeposit.objects.get().state == "forfeited"
    assert audit(now=late + TICK) == []
