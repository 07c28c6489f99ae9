"""What is said before funding is what the ledger does: each way is played, to the microsecond."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.feasibility import Timers
from pacts.models import ClauseVerdict, Dispute
from pacts.procedure.clocks import FULL, SMALL, Periods
from settlement import engagements as lapsing
from settlement import escrow as escrows
from settlement.audit import audit
from settlement.cancellations import accept_cancellation, propose_cancellation
from settlement.fees import FeeBand
from settlement.settlements import settle
from settlement.ways import AWARD_BPS, EXAMPLE_BPS, PARTED_BPS, Agreed, Way, way_of, ways
from tests.pacts.cases import heard
from tests.pacts.cases import ruled as ruling_of
from tests.settlement.hires import START, TICK, TIMERS, Hire, hire

STAKE = 700
BANDS = ((0, 500), (3_000, 200))
DUE = START + timedelta(hours=3)
EVERY_RULE = ("release", "prorate", "withhold", "extend", "human_review")
KEYS = [
    *("met_accepted", "met_silence", "breached", "breached_critical", "revised_met"),
    *("breached_accepted", "undetermined_release", "undetermined_prorate"),
    *("undetermined_withhold", "undetermined_extend", "undetermined_human_review"),
    *("undetermined_accepted", "buyer_silent", "builder_silent", "ruled", "ruled_nothing"),
    *("unruled", "given_back", "agreed", "not_funded"),
]


def agreed(amount: int = 10_000, *, on_breach: str = "refund", periods: Periods = FULL) -> Agreed:
    return Agreed(
        amount=amount,
        fee_bps=500,
        timers=TIMERS,
        max_revisions=1,
        on_breach=on_breach,  # type: ignore[arg-type]
        rules=EVERY_RULE,
        fee_bands=tuple(FeeBand(*band) for band in BANDS),
        bond=STAKE,
        critical=True,
        periods=periods,
    )


def foretold(key: str, said: Agreed) -> Way:
    found = way_of(ways(agreed=said, funded_at=START), key)  # type: ignore[arg-type]
    assert found is not None
    return found


def critically(made: Hire) -> None:
    ClauseVerdict.objects.create(
        verdict=made.judge("breached", share=0, at=DUE),
        position=0,
        key="accuracy",
        title="Answers are right",
        dimension="accuracy",
        outcome="breached",
        critical=True,
        weight_bps=10_000,
        promise_bps=9_000,
        floor_bps=8_000,
        unit="call",
        passes=1,
        failures=2,
        reason="too many failed",
    )


def disputed(made: Hire, *, by: str = "alice") -> Dispute:
    """A met verdict at the last moment for it, disputed at the last moment for that."""
    made.judge("met", at=DUE)
    opened = DUE + timedelta(seconds=TIMERS.acceptance_seconds)
    settle(escrow_id=made.escrow.pk, now=opened)
    who = getattr(made, by)
    return escrows.dispute(
        escrow=made.escrow,
        party=who.party,
        by=who.user,
        ground=Dispute.Ground.PERFORMANCE,
        statement="It is not as agreed.",
        now=opened,
    )


def play(key: str, made: Hire) -> None:
    """Every step of one way at the last moment for it; what follows is left to time."""
    if key == "met_silence":
        made.judge("met", at=DUE)
    elif key == "met_accepted":
        made.judge("met", at=DUE)
        escrows.accept(escrow=made.escrow, by=made.alice.party, now=DUE)
    elif key == "breached_critical":
        critically(made)
    elif key.startswith(("breached", "revised")):
        share = EXAMPLE_BPS if made.engagement.pact_version.terms["on_breach"] == "prorate" else 0
        made.judge("breached", share=share, at=DUE)
        _after_a_breach(key, made)
    elif key == "undetermined_accepted":
        made.judge("undetermined", share=0, rule="release", at=DUE)
        escrows.accept(escrow=made.escrow, by=made.alice.party, now=DUE)
    elif key.startswith("undetermined_"):
        rule = key.removeprefix("undetermined_")
        share = EXAMPLE_BPS if rule == "prorate" else 0
        made.judge("undetermined", share=share, rule=rule, at=DUE)
        settle(escrow_id=made.escrow.pk, now=DUE)
    elif key == "given_back":
        escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    elif key == "agreed":
        offer = propose_cancellation(
            milestone=made.milestone,
            party=made.alice.party,
            by=made.alice.user,
            award_bps=PARTED_BPS,
            now=START,
        )
        accept_cancellation(cancellation=offer, party=made.bob.party, by=made.bob.user, now=START)
    else:
        _dispute(key, made)


def _after_a_breach(key: str, made: Hire) -> None:
    if key == "breached_accepted":
        escrows.accept(escrow=made.escrow, by=made.alice.party, now=DUE)
    elif key == "revised_met":
        late = DUE + timedelta(seconds=TIMERS.cure_seconds)
        settle(escrow_id=made.escrow.pk, now=late)
        escrows.revise(
            escrow=made.escrow,
            by=made.bob.party,
            agent_version=made.engagement.agent_version,
            now=late,
        )
        made.judge("met", at=made.delivery.evaluation.deadline_at)


def _dispute(key: str, made: Hire) -> None:
    case = disputed(made, by="bob" if key == "buyer_silent" else "alice")
    if key in ("ruled", "ruled_nothing"):
        award = AWARD_BPS if key == "ruled" else 0
        ruling_of(case, award_bps=award, now=case.opened_at)
    elif key == "unruled":
        heard(case, now=case.opened_at)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("amount", "on_breach", "periods"), [(10_000, "refund", FULL), (4_999, "prorate", SMALL)]
)
@pytest.mark.parametrize("key", [key for key in KEYS if key != "not_funded"])
def test_each_way_moves_what_was_said_when_it_was_said(
    key: str, amount: int, on_breach: str, periods: Periods
) -> None:
    said = agreed(amount, on_breach=on_breach, periods=periods)
    way = foretold(key, said)
    made = hire(price=amount, bond=STAKE, fee_bands=BANDS, on_breach=on_breach)
    made.fund()
    play(key, made)
    at = way.at
    if key.startswith("ruled"):  # the ruling came early here, the last moment is later
        at = Dispute.objects.get().opened_at + periods.challenge
    if not made.escrow.is_final:
        settle(escrow_id=made.escrow.pk, now=at)
        assert not made.escrow.is_final, "at the last moment it is still open"
        settle(escrow_id=made.escrow.pk, now=at + TICK)
    escrow = made.escrow
    assert (escrow.released, escrow.fee, escrow.refunded) == (way.released, way.fee, way.refunded)
    assert escrow.reason == way.code
    stake = (STAKE, 0) if way.bond_to == "buyer" else (0, STAKE)
    moved = (way.refunded + stake[0], way.released + stake[1], way.fee)
    assert made.balances() == moved
    assert audit(now=at + TICK) == []


@pytest.mark.django_db
def test_what_is_never_funded_ends_when_it_was_said() -> None:
    made = hire()
    way = foretold("not_funded", agreed())
    assert lapsing.lapse_unfunded(now=way.at) == 0
    assert lapsing.lapse_unfunded(now=way.at + TICK) == 1
    assert made.balances() == (10_000, 0, 0)


def test_every_way_there_is_is_listed_and_no_other() -> None:
    assert [way.key for way in ways(agreed=agreed(), funded_at=START)] == KEYS


@settings(max_examples=60, deadline=None)
@given(
    amount=st.integers(1, 10**12),
    fee_bps=st.integers(0, 10_000),
    seconds=st.lists(st.integers(1, 10**7), min_size=5, max_size=5),
    revisions=st.integers(0, 3),
    rules=st.lists(st.sampled_from(EVERY_RULE), min_size=1, unique=True),
    on_breach=st.sampled_from(["refund", "prorate"]),
)
def test_whatever_is_agreed_every_way_ends_and_divides_the_whole_amount(
    amount: int, fee_bps: int, seconds: list[int], revisions: int, rules: list[str], on_breach: str
) -> None:
    said = Agreed(
        amount=amount,
        fee_bps=fee_bps,
        timers=Timers(*seconds),
        max_revisions=revisions,
        on_breach=on_breach,  # type: ignore[arg-type]
        rules=tuple(rules),
    )
    found = ways(agreed=said, funded_at=START)
    for way in found:
        assert way.at >= START
        whole = 0 if way.key == "not_funded" else amount
        assert way.released + way.fee + way.refunded == whole
        assert way.share_bps or not way.fee
    assert {way.key for way in found} >= {"met_silence", "breached", "unruled", "given_back"}


def test_a_deadline_nobody_reaches_is_never_said() -> None:
    """Without revisions none is foretold, and without a bond nobody gets one."""
    said = Agreed(
        amount=100,
        fee_bps=0,
        timers=TIMERS,
        max_revisions=0,
        on_breach="refund",
        rules=("release",),
    )
    keys = {way.key for way in ways(agreed=said, funded_at=START)}
    assert "revised_met" not in keys
    assert "breached_critical" not in keys
