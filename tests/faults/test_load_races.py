"""Twenty clients on one escrow and on many, every hint three times, two sweepers: paid once.

Real threads with connections of their own on real rows. Whoever loses a race is told so in a named
refusal; nobody is shown a deadlock. Then the independent checker looks at every row.
"""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import count

import psycopg
import pytest
from django.db import connection

from pacts.disputes import DisputeRefused
from pacts.engagements import RevisionRefused
from pacts.models import Dispute
from settlement import escrow as escrows
from settlement import ledger
from settlement.cancellations import accept_cancellation, propose_cancellation
from settlement.models import FINAL, Escrow, Transfer
from settlement.refusals import CancellationClosed, CancellationRefused, EscrowRefused
from settlement.settlements import settle, settle_due
from tests.faults.checker import problems
from tests.racing import in_parallel
from tests.settlement.hires import START, TICK, Hire, hire

pytestmark = pytest.mark.django_db(transaction=True)

JUDGED = START + timedelta(hours=1)
NOW = JUDGED + TICK
CLIENTS = 20
REFUSED = (
    EscrowRefused,
    CancellationRefused,
    CancellationClosed,
    DisputeRefused,
    RevisionRefused,
)
# These hires are judged and given money by hand: no record of a verdict, no deposit. What came in
# is compared below.
BY_HAND = ("1:", "work:", "8: evaluation", "8: verdict")


@pytest.fixture(autouse=True)
def _loopback(settings: pytest.FixtureRequest) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True  # type: ignore[attr-defined]


def judged(outcome: str, *, escrow_count: int = 1) -> list[Hire]:
    """One engagement's milestones, each funded and judged, as hires of their own."""
    prices = [1_000 + n for n in range(escrow_count)]
    made = hire(prices=prices, money=sum(prices), max_revisions=2)
    hires = []
    for milestone in made.engagement.milestones.order_by("position"):
        one = Hire(made.alice, made.bob, made.engagement, milestone)
        one.fund(key=milestone.pk)
        one.judge(outcome, share=4_000, at=JUDGED)
        hires.append(one)
    return hires


def accept(made: Hire) -> None:
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=NOW)


def give_back(made: Hire) -> None:
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=NOW)


def dispute(made: Hire) -> None:
    escrows.dispute(
        escrow=made.escrow,
        party=made.alice.party,
        by=made.alice.user,
        ground=Dispute.Ground.PERFORMANCE,
        statement="These answers are wrong.",
        now=NOW,
    )


def split(made: Hire) -> None:
    alice, bob = made.alice, made.bob
    offer = propose_cancellation(
        milestone=made.milestone, party=alice.party, by=alice.user, award_bps=3_333, now=NOW
    )
    accept_cancellation(cancellation=offer, party=bob.party, by=bob.user, now=NOW)


def revise(made: Hire) -> None:
    version = made.engagement.agent_version
    escrows.revise(escrow=made.escrow, by=made.bob.party, agent_version=version, now=NOW)


def three_hints(made: Hire) -> None:
    for _ in range(3):
        settle(escrow_id=made.escrow.pk, now=NOW)


def sweep(made: Hire) -> None:
    settle_due(now=NOW)


ACTS: list[Callable[[Hire], None]] = [accept, give_back, dispute, split, revise, three_hints, sweep]


def race(hires: list[Hire], moves: Iterator[Callable[[Hire], None]], each: int) -> list[object]:
    """Twenty clients, each doing `each` things; what every one of them was told."""
    turns = count()

    def act() -> list[object]:
        told: list[object] = []
        for _ in range(each):
            move, made = next(moves), hires[next(turns) % len(hires)]
            try:
                move(made)
                told.append(move.__name__)
            except REFUSED as refusal:
                told.append(refusal)
        return told

    results = in_parallel(CLIENTS, act)
    failed = [one for one in results if not isinstance(one, list)]
    assert failed == [], "only named refusals are shown to anybody"
    return [one for told in results for one in told]


def shuffled(seed: int) -> Iterator[Callable[[Hire], None]]:
    chance = random.Random(seed)
    moves = [move for _ in range(100) for move in ACTS]
    chance.shuffle(moves)
    return iter(moves)


def time_ends_it(now: datetime) -> None:
    """Two sweepers at once, later and later, until nothing is open."""
    for _ in range(6):
        looked = in_parallel(2, partial(settle_due, now=now))
        assert all(isinstance(one, int) for one in looked), looked
        now += timedelta(days=40)
    assert not Escrow.objects.exclude(state__in=FINAL).exists()


def nothing_is_wrong(hires: list[Hire]) -> None:
    """Each escrow paid once, all money is where it belongs, and the checker agrees."""
    for made in hires:
        assert Transfer.objects.filter(resolves=made.escrow.hold_id).count() == 1
    total = sum(made.milestone.amount for made in hires)
    assert sum(hires[0].balances()) == total
    line = connection.connection
    assert isinstance(line, psycopg.Connection)
    found = problems(line, settled=False)
    assert [sentence for sentence in found if not sentence.startswith(BY_HAND)] == []


@pytest.mark.parametrize(("outcome", "seed"), [("met", 1), ("breached", 2), ("breached", 3)])
def test_twenty_clients_racing_on_one_escrow_pay_it_once(outcome: str, seed: int) -> None:
    hires = judged(outcome)
    told = race(hires, shuffled(seed), each=3)
    assert len(told) == 3 * CLIENTS
    time_ends_it(NOW + timedelta(days=1))
    nothing_is_wrong(hires)


def test_twenty_clients_racing_on_many_escrows_pay_each_once() -> None:
    hires = judged("breached", escrow_count=8)
    told = race(hires, shuffled(4), each=6)
    assert {"accept", "give_back", "split"} & {one for one in told if isinstance(one, str)}
    ledger.roll_up_all()
    time_ends_it(NOW + timedelta(days=1))
    nothing_is_wrong(hires)


def test_hints_three_times_and_shuffled_beside_two_sweepers_settle_each_escrow_once() -> None:
    hires = judged("met", escrow_count=12)
    late = JUDGED + timedelta(days=2)
    hints = [made.escrow.pk for made in hires] * 3
    random.Random(5).shuffle(hints)
    work = iter([*hints, "", ""])

    def act() -> None:
        for escrow_id in iter(lambda: next(work, None), None):
            if escrow_id:
                settle(escrow_id=escrow_id, now=late)
            else:
                settle_due(now=late)

    assert in_parallel(6, act) == [None] * 6
    assert {made.escrow.state for made in hires} == {"split"}
    nothing_is_wrong(hires)
