"""One disputed milestone with everybody who may act on it, brought to any state it can be in."""

from datetime import datetime, timedelta

from pacts import disputes
from pacts.models import Appeal, Dispute, Evaluation, Precedent, User
from pacts.procedure.clocks import FULL
from reputation.models import Evidence
from settlement import desk
from settlement import escrow as escrows
from settlement.audit import audit
from settlement.cancellations import (
    accept_cancellation,
    propose_cancellation,
    withdraw_cancellation,
)
from settlement.models import FINAL, Cancellation, Escrow, Receipt, Transfer
from settlement.settlements import settle_due
from tests import cast
from tests.pacts.cases import heard
from tests.settlement.hires import START, TICK, Hire, funded

JUDGED = START + timedelta(hours=1)
WHY = "The answers were compared with the tasks one by one."
# Every state a disputed milestone can be in; the last three wait for somebody at the desk or time.
STATES = (
    *("held", "opened", "negotiating", "evidence_open", "evidence_locked", "under_review"),
    *("confirming", "challenge_window", "appealed", "appeal_confirming"),
)


class Case:
    """alice disputes bob's work, an offer is on the table; carol, erin and dora adjudicate.

    `now` is the moment everybody acts at.
    """

    def __init__(self, state: str) -> None:
        assert state in STATES, state
        self.made: Hire = funded(bond=2_000)
        self.made.judge("met", at=JUDGED)
        self.carol = cast.carol().user
        self.erin = cast.actor("erin", is_adjudicator=True).user
        self.dora = cast.actor("dora", is_adjudicator=True).user
        self.now = JUDGED
        self.offer()
        self.on_table = Cancellation.objects.get()
        if state != "held":
            self.open()
            self.bring_to(state)

    @property
    def dispute(self) -> Dispute:
        return Dispute.objects.latest("opened_at")

    def bring_to(self, state: str) -> None:
        """By what people do and by time passing, as in life."""
        if state == "opened":
            return
        if state in ("negotiating", "evidence_open", "evidence_locked"):
            self._being_heard(state)
            return
        heard(self.dispute, now=self.now)
        if state == "under_review":
            return
        if state == "confirming":
            Dispute.objects.update(needs_second=True)
        self.rule(self.carol)
        if state.startswith("appeal"):
            self.appeal()
            self.now += FULL.appeal_evidence + TICK
        if state == "appeal_confirming":
            Dispute.objects.update(needs_second=True)
            self.rule(self.dora)

    def _being_heard(self, state: str) -> None:
        self.answer()
        if state == "negotiating":
            return
        self.now = self.dispute.due_at + TICK
        disputes.advance_due(now=self.now)
        if state == "evidence_locked":
            self._checks_again()
            for side in (self.made.alice, self.made.bob):
                disputes.rest(dispute=self.dispute, party=side.party, now=self.now)

    def _checks_again(self) -> None:
        """A run over stored answers that no worker has finished."""
        first = self.made.delivery.evaluation
        again = Evaluation.objects.get(pk=first.pk)
        again._state.adding = True
        again.id = Evaluation._meta.get_field("id").get_default()
        again.state, again.purpose = "running", "rerun"
        again.deliverable, again.concluded_at, again.rerun_of = None, None, first
        again.save(force_insert=True)
        Dispute.objects.update(recheck=again)

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

    def offer(self) -> None:
        bob = self.made.bob
        propose_cancellation(
            milestone=self.made.milestone,
            party=bob.party,
            by=bob.user,
            award_bps=6_000,
            now=self.now,
        )

    def take_offer_back(self) -> None:
        withdraw_cancellation(
            cancellation=self.on_table,
            party=self.made.bob.party,
            by=self.made.bob.user,
            now=self.now,
        )

    def accept_offer(self) -> None:
        alice = self.made.alice
        accept_cancellation(
            cancellation=self.on_table, party=alice.party, by=alice.user, now=self.now
        )

    def release(self) -> None:
        escrows.accept(escrow=self.made.escrow, by=self.made.alice.party, now=self.now)

    def give_back(self) -> None:
        escrows.give_back(escrow=self.made.escrow, by=self.made.bob.party, now=self.now)

    def answer(self) -> None:
        bob = self.made.bob.party
        disputes.answer_dispute(dispute=self.dispute, party=bob, answer="It was.", now=self.now)

    def withdraw(self) -> None:
        disputes.withdraw(dispute=self.dispute, party=self.made.alice.party, now=self.now)

    def add_evidence(self) -> None:
        disputes.add_exhibit(
            dispute=self.dispute,
            party=self.made.alice.party,
            by=self.made.alice.user,
            kind="text/plain",
            title="The log",
            body=b"line by line",
            now=self.now,
        )

    def rest(self) -> None:
        for side in (self.made.alice, self.made.bob):
            disputes.rest(dispute=self.dispute, party=side.party, now=self.now)

    def take(self) -> None:
        desk.assign(dispute=self.dispute, adjudicator=self.erin, now=self.now)

    def step_back(self) -> None:
        desk.recuse(dispute=self.dispute, adjudicator=self.dora, now=self.now)

    def rule(self, who: User | None = None, award: int = 2_500) -> None:
        desk.rule(
            dispute=self.dispute,
            adjudicator=who or self.erin,
            award_bps=award,
            clauses=["accuracy"],
            reasons=WHY,
            now=self.now,
        )

    def confirm(self) -> None:
        desk.confirm(dispute=self.dispute, adjudicator=self.erin, confirmed=True, now=self.now)

    def decline(self) -> None:
        desk.confirm(
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
        late = max(self.now, self.made.escrow.next_action_at or self.now) + TICK
        disputes.advance_due(now=late)
        settle_due(now=late)

    def end_the_check(self) -> None:
        """The workers have made the contested run again, and the rule looks at what they found."""
        again = Evaluation.objects.filter(pk=self.dispute.recheck_id, state="running")
        again.update(state="concluded", concluded_at=self.now)
        disputes.follow_due(now=self.now)

    # --- what must be true in the end ---

    def time_ends_it(self) -> datetime:
        """Sweeps alone, for as long as it can take."""
        now = self.now
        for _ in range(12):
            now += timedelta(days=9)
            settle_due(now=now)
        assert not Escrow.objects.exclude(state__in=FINAL).exists()
        return now

    def nothing_is_wrong(self) -> None:
        """One terminal outcome, a balanced ledger, one record of the end, the precedent of it."""
        now = self.time_ends_it()
        hold = self.made.escrow.hold_id
        assert Transfer.objects.filter(resolves=hold).count() == 1
        assert Receipt.objects.count() == 1
        assert sum(self.made.balances()) == 12_000
        agreed = Cancellation.objects.filter(state=Cancellation.State.ACCEPTED).exists()
        assert (self.made.escrow.reason == "agreed") == agreed
        assert audit(now=now) == []
        cases = Dispute.objects.count()
        assert not Dispute.objects.exclude(state="closed").exists()
        assert Evidence.objects.filter(kind="dispute.closed").count() == cases
        assert Evidence.objects.filter(kind="escrow.settled").count() == 1
        stood = Dispute.objects.filter(outcome="ruled")
        assert Precedent.objects.count() == stood.count()
        for one in stood.select_related("ruling"):
            assert one.ruling
            assert one.ruling.award_bps == self.made.escrow.earned_share_bps
        assert Appeal.objects.count() <= cases
        told = Evidence.objects.get(kind="escrow.settled").read()["facts"]
        assert told["outcome"] == self.made.escrow.state
