"""Every step of a dispute raced against every other, and the world changing in mid-case.

Real threads with connections of their own. After each: one terminal outcome, a balanced ledger,
one record of it in the log, and a refusal with a name for whoever came second.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations

import pytest
from django.db import transaction
from django.utils.timezone import now as clock

from marketplace import erasure
from marketplace.notices import telling
from pacts import disputes
from pacts.disputes.refusals import (
    ConflictOfInterest,
    DisputeClosed,
    DisputeRefused,
    NotYetRipe,
)
from pacts.models import Appeal, Dispute, Precedent, Ruling, User
from pacts.procedure.clocks import FULL
from reputation import controlling, firings
from reputation.controlling import Owner
from reputation.controls import Place, Reading, Surroundings, Terms
from reputation.models import Evidence
from settlement import escrow as escrows
from settlement.audit import audit
from settlement.cancellations import accept_cancellation, propose_cancellation
from settlement.models import FINAL, Cancellation, Escrow, Receipt, Transfer
from settlement.refusals import EscrowRefused
from settlement.settlements import settle, settle_due
from tests import cast
from tests.marketplace.consequences.lately import told
from tests.pacts.cases import heard
from tests.racing import in_parallel
from tests.settlement.hires import START, TICK, Hire, funded

pytestmark = pytest.mark.django_db(transaction=True)
JUDGED = START + timedelta(hours=1)
WHY = "The answers were compared with the tasks one by one."
REFUSED = (EscrowRefused, DisputeClosed, DisputeRefused, NotYetRipe, ConflictOfInterest)


@pytest.fixture(autouse=True)
def _quick(settings: pytest.FixtureRequest) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True  # type: ignore[attr-defined]
    settings.PASSWORD_HASHERS = [  # type: ignore[attr-defined]
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]


class Case:
    """One disputed milestone, an offer on the table, and everybody who may act."""

    def __init__(self, state: str) -> None:
        self.made: Hire = funded(bond=2_000)
        self.made.judge("met", at=JUDGED)
        self.carol = cast.carol().user
        self.erin = cast.actor("erin", is_adjudicator=True).user
        self.offer = propose_cancellation(
            milestone=self.made.milestone,
            party=self.made.bob.party,
            by=self.made.bob.user,
            award_bps=6_000,
            now=JUDGED,
        )
        self.now = JUDGED
        if state != "held":
            self.open()
            self.bring_to(state)

    @property
    def dispute(self) -> Dispute:
        return Dispute.objects.latest("opened_at")

    def bring_to(self, state: str) -> None:
        if state == "opened":
            return
        heard(self.dispute, now=self.now)
        if state == "confirming":
            Dispute.objects.update(needs_second=True)
        if state != "under_review":
            self.rule(self.carol)
        if state == "appealed":
            self.appeal()
            self.now += FULL.appeal_evidence + TICK

    # --- what anybody may try, at the moment the case stands at ---

    def open(self) -> None:
        alice = self.made.alice
        escrows.dispute(
            escrow=self.made.escrow,
            party=alice.party,
            by=alice.user,
            ground=Dispute.Ground.SCOPE,
            statement="That was not agreed.",
            now=self.now,
        )

    def accept_offer(self) -> None:
        alice = self.made.alice
        accept_cancellation(cancellation=self.offer, party=alice.party, by=alice.user, now=self.now)

    def release(self) -> None:
        escrows.accept(escrow=self.made.escrow, by=self.made.alice.party, now=self.now)

    def give_back(self) -> None:
        escrows.give_back(escrow=self.made.escrow, by=self.made.bob.party, now=self.now)

    def answer(self) -> None:
        bob = self.made.bob.party
        disputes.answer_dispute(dispute=self.dispute, party=bob, answer="It was.", now=self.now)

    def withdraw(self) -> None:
        disputes.withdraw(dispute=self.dispute, party=self.made.alice.party, now=self.now)

    def rule(self, who: User | None = None, award: int = 2_500) -> None:
        disputes.rule(
            dispute=self.dispute,
            adjudicator=who or self.erin,
            award_bps=award,
            clauses=["accuracy"],
            reasons=WHY,
            now=self.now,
        )

    def confirm(self) -> None:
        disputes.confirm(dispute=self.dispute, adjudicator=self.erin, confirmed=True, now=self.now)

    def decline(self) -> None:
        disputes.confirm(
            dispute=self.dispute,
            adjudicator=self.erin,
            confirmed=False,
            reasons=WHY,
            now=self.now,
        )

    def appeal(self) -> None:
        bob = self.made.bob
        disputes.appeal(
            dispute=self.dispute, party=bob.party, by=bob.user, statement=WHY, now=self.now
        )

    def expire(self) -> None:
        """Somebody looks the moment after the next deadline."""
        settle_due(now=max(self.now, self.made.escrow.next_action_at or self.now) + TICK)

    # --- what must be true in the end ---

    def time_ends_it(self) -> datetime:
        now = self.now
        for _ in range(12):
            now += timedelta(days=9)
            settle_due(now=now)
        assert not Escrow.objects.exclude(state__in=FINAL).exists()
        return now

    def nothing_is_wrong(self) -> None:
        now = self.time_ends_it()
        hold = self.made.escrow.hold_id
        assert Transfer.objects.filter(resolves=hold).count() == 1
        assert Receipt.objects.count() == 1
        assert sum(self.made.balances()) == 12_000
        assert audit(now=now) == []
        cases = Dispute.objects.count()
        assert not Dispute.objects.exclude(state="closed").exists()
        assert Evidence.objects.filter(kind="dispute.closed").count() == cases
        assert Evidence.objects.filter(kind="escrow.settled").count() == 1
        stood = Dispute.objects.filter(outcome="ruled").count()
        assert Precedent.objects.count() == stood
        assert Appeal.objects.count() <= cases
        told = Evidence.objects.get(kind="escrow.settled").read()["facts"]
        assert told["outcome"] == self.made.escrow.state


Act = Callable[[Case], None]
# What somebody may do in each state; the others are refused, and must be so in a race as well.
MOVES: dict[str, list[str]] = {
    "held": ["open", "accept_offer", "release", "give_back", "expire"],
    "opened": ["answer", "withdraw", "accept_offer", "expire", "release"],
    "under_review": ["rule", "withdraw", "accept_offer", "expire"],
    "confirming": ["confirm", "decline", "accept_offer", "expire"],
    "challenge_window": ["appeal", "accept_offer", "expire", "withdraw"],
    "appealed": ["rule", "accept_offer", "expire"],
}
# One race of each state runs always, all of them with the long runs.
PAIRS = [
    pytest.param(state, *pair, marks=[pytest.mark.slow] if place else [])
    for state, moves in MOVES.items()
    for place, pair in enumerate(combinations(moves, 2))
]


@pytest.mark.parametrize(("state", "first", "second"), PAIRS)
def test_any_two_steps_at_once_leave_one_story(state: str, first: str, second: str) -> None:
    case = Case(state)
    acts = iter([first, second, first, second])
    seen = in_parallel(4, lambda: getattr(case, next(acts))())
    assert all(one is None or isinstance(one, REFUSED) for one in seen), seen
    case.nothing_is_wrong()


def test_a_ruling_said_again_is_told_that_somebody_ruled_and_changes_nothing() -> None:
    case = Case("under_review")
    case.rule(case.carol)
    for _ in range(2):
        with pytest.raises(DisputeClosed):
            case.rule(case.carol, award=9_999)
    assert Ruling.objects.get().award_bps == 2_500
    case.nothing_is_wrong()
    with pytest.raises(DisputeClosed):
        case.rule(case.carol)
    assert case.made.escrow.earned_share_bps == 2_500


def suspend(made: Hire) -> None:
    """The platform suspends whatever this builder offers."""
    control = controlling.set_control(
        name="Suspend",
        terms=Terms(
            metric="lower_bound",
            threshold=8_000,
            recover_at=8_200,
            scope="platform",
            scope_id="",
            action="suspend",
            cadence_days=30,
        ),
        around=Surroundings(members=None, largest_limit=1),
        owner=Owner("usr_1"),
        by="usr_1",
        now=START,
    )
    version = made.engagement.agent_version
    with transaction.atomic():
        firing = firings.look(
            control=control,
            place=Place(
                agent_id=version.agent_id, builder_id=made.bob.party.pk, category="arithmetic"
            ),
            reading=Reading(100, "1"),
            effect=lambda _: {"suspend": [False, True]},
            now=JUDGED,
        )
    assert firing


def test_a_builder_suspended_in_mid_case_is_paid_what_was_awarded() -> None:
    case = Case("under_review")
    suspend(case.made)
    case.made.bob.user.is_active = False
    case.made.bob.user.save()
    case.rule(case.carol)
    case.nothing_is_wrong()
    assert case.made.balances() == (7_500, 4_375, 125)


def test_a_buyer_whose_texts_are_erased_in_mid_case_gets_the_ruling_all_the_same() -> None:
    case = Case("under_review")
    done = erasure.erase(
        subject_id=case.made.alice.party.pk, reason="data_subject_request", now=clock()
    )
    assert done.waiting
    assert case.dispute.statement == "That was not agreed."
    case.rule(case.carol)
    case.nothing_is_wrong()
    erasure.erase_due(now=clock())
    assert case.dispute.statement == ""
    assert case.made.balances() == (7_500, 4_375, 125)


def test_a_currency_no_longer_offered_is_paid_out_as_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case("challenge_window")
    monkeypatch.delitem(__import__("pacts.currencies", fromlist=["x"]).EXPONENTS, "USD")
    settle(escrow_id=case.made.escrow.pk, now=case.now + FULL.challenge + TICK)
    monkeypatch.undo()
    case.nothing_is_wrong()
    assert case.made.escrow.reason == "ruled"


def test_both_sides_are_told_the_same_from_the_opening_to_the_end() -> None:
    case = Case("appealed")
    case.rule()
    case.nothing_is_wrong()
    told()
    sides = (case.made.alice.user, case.made.bob.user)
    heard_of = [
        sorted(telling.notices_of(who).values_list("news__kind", "news__title")) for who in sides
    ]
    assert heard_of[0] == heard_of[1]
    titles = [title for kind, title in heard_of[0] if kind.startswith(("dispute", "ruling"))]
    assert [title.split(": ")[-1] for title in titles if "awarded" in title] == [
        "the builder is awarded 25 %"
    ] * 3
    kinds = {kind for kind, _ in heard_of[0]}
    assert {"dispute.opened", "ruling.made", "dispute.appealed", "dispute.closed"} <= kinds


def test_twenty_clients_doing_everything_at_once_pay_once() -> None:
    case = Case("under_review")
    names = ["rule", "appeal", "accept_offer", "expire", "withdraw", "confirm", "release", "answer"]
    turns = iter(names * 3)
    seen = in_parallel(20, lambda: getattr(case, next(turns))())
    assert all(one is None or isinstance(one, REFUSED) for one in seen), seen
    case.nothing_is_wrong()
    accepted = Cancellation.objects.filter(state="accepted").count()
    assert (case.made.escrow.reason == "agreed") == bool(accepted)
