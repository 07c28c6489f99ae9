"""A conflict of interest makes deciding impossible: at every door, and in the database besides."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from marketplace import membership
from marketplace.membership import MemberRefused
from pacts import disputes
from pacts.disputes import ConflictOfInterest
from pacts.models import (
    Confirmation,
    Dispute,
    Engagement,
    Member,
    Party,
    PastMember,
    Ruling,
)
from settlement import desk
from settlement import escrow as escrows
from settlement.money import Money
from settlement.payouts import request_payout
from settlement.settlements import settle_due
from tests import cast
from tests.pacts.cases import heard
from tests.settlement.hires import START, Hire, funded, give

pytestmark = pytest.mark.django_db
JUDGED = START + timedelta(hours=1)
WHY = "The answers were compared with the tasks one by one."


class Case:
    """A hire under review at JUDGED; carol and erin adjudicate."""

    def __init__(self) -> None:
        self.made: Hire = funded()
        self.made.judge("met", at=JUDGED)
        alice = self.made.alice
        escrows.dispute(
            escrow=self.made.escrow,
            party=alice.party,
            by=alice.user,
            ground=Dispute.Ground.SCOPE,
            statement="That was not agreed.",
            now=JUDGED,
        )
        self.dispute = heard(Dispute.objects.get(), now=JUDGED)
        self.carol = cast.carol()
        self.erin = cast.actor("erin", is_adjudicator=True)

    def rule(self, who: cast.Actor | None = None) -> Ruling:
        return desk.rule(
            dispute=self.dispute,
            adjudicator=(who or self.carol).user,
            award_bps=2_500,
            clauses=["accuracy"],
            reasons=WHY,
            now=JUDGED,
        )

    def taken(self) -> Dispute:
        return desk.assign(dispute=self.dispute, adjudicator=self.carol.user, now=JUDGED)


def member(case: Case) -> None:
    Member.objects.create(party=case.made.bob.party, user=case.carol.user, role=Member.Role.VIEWER)


def former_member(case: Case) -> None:
    member(case)
    Member.objects.get(party=case.made.bob.party, user=case.carol.user).delete()


def member_of_whose_tasks_they_are(case: Case) -> None:
    owner = Party.objects.create(name="Tasks & Co")
    sets = case.made.milestone.task_set_version.task_set
    sets.owner = owner
    sets.save(update_fields=["owner"])
    Member.objects.create(party=owner, user=case.carol.user, role=Member.Role.EDITOR)


def bought_the_agent_before(case: Case) -> None:
    """An earlier hire of the same agent, by a party carol acted for."""
    before = Engagement.objects.get()
    Engagement.objects.create(
        **{
            field.name: getattr(before, field.name)
            for field in Engagement._meta.concrete_fields
            if field.name not in ("id", "buyer", "digest", "meter")
        }
        | {"buyer": case.carol.party, "state": "active"}
    )


def paid_where_a_side_is_paid(case: Case) -> None:
    for day, actor in enumerate((case.made.bob, case.carol)):
        give(actor, 400, key=f"wage:{day}")
        request_payout(
            party=actor.party,
            money=Money(400, "USD"),
            idempotency_key="wage",
            rail="stripe",
            destination="acct_one",
            cooldown=timedelta(days=1),
            now=START + timedelta(days=day),
        )


def colleague_signed_for_a_side(case: Case) -> None:
    """bob, who signs for the builder, acts for carol's party as well: kin by a person."""
    Member.objects.create(party=case.carol.party, user=case.made.bob.user, role=Member.Role.EDITOR)


IN_THE_DATABASE = [
    member,
    former_member,
    member_of_whose_tasks_they_are,
    bought_the_agent_before,
    paid_where_a_side_is_paid,
]


@pytest.fixture(autouse=True)
def _rail(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test"
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.mark.parametrize("becomes", [*IN_THE_DATABASE, colleague_signed_for_a_side])
def test_who_is_connected_with_a_side_neither_takes_nor_rules_nor_confirms(
    becomes: Callable[[Case], None],
) -> None:
    case = Case()
    becomes(case)
    assert "somebody else must rule" in desk.interest_of(user=case.carol.user, dispute=case.dispute)
    for act in (case.taken, case.rule):
        with pytest.raises(ConflictOfInterest, match="somebody else must rule"):
            act()
    Dispute.objects.update(needs_second=True)
    case.rule(case.erin)
    with pytest.raises(ConflictOfInterest, match="somebody else must rule"):
        desk.confirm(dispute=case.dispute, adjudicator=case.carol.user, confirmed=True, now=JUDGED)
    assert Ruling.objects.count() == 1
    assert not Confirmation.objects.exists()


@pytest.mark.parametrize("becomes", IN_THE_DATABASE)
def test_the_database_refuses_the_same_whoever_asks(becomes: Callable[[Case], None]) -> None:
    case = Case()
    becomes(case)
    facts: dict[str, Any] = {"award_bps": 0, "reasons": WHY, "ruled_at": JUDGED}
    with pytest.raises(IntegrityError), transaction.atomic():
        Ruling.objects.create(dispute=case.dispute, adjudicator=case.carol.user, **facts)
    made = Ruling.objects.create(dispute=case.dispute, adjudicator=case.erin.user, **facts)
    with pytest.raises(IntegrityError), transaction.atomic():
        Confirmation.objects.create(
            ruling=made, adjudicator=case.carol.user, confirmed=True, decided_at=JUDGED
        )


def test_who_ruled_or_confirmed_before_has_no_part_in_the_appeal() -> None:
    case = Case()
    Dispute.objects.update(needs_second=True)
    case.rule()
    desk.confirm(dispute=case.dispute, adjudicator=case.erin.user, confirmed=True, now=JUDGED)
    bob = case.made.bob
    disputes.appeal(dispute=case.dispute, party=bob.party, by=bob.user, statement=WHY, now=JUDGED)
    case.dispute.refresh_from_db()
    for who in (case.carol, case.erin):
        with pytest.raises(ConflictOfInterest, match="part in the first ruling"):
            desk.assign(dispute=case.dispute, adjudicator=who.user, now=JUDGED)
    dora = cast.actor("dora", is_adjudicator=True)
    assert desk.assign(dispute=case.dispute, adjudicator=dora.user, now=JUDGED).assigned_to


def test_an_adjudicator_of_no_connection_rules_and_the_money_follows() -> None:
    case = Case()
    assert desk.interest_of(user=case.carol.user, dispute=case.dispute) == ""
    case.rule()
    settle_due(now=JUDGED + timedelta(days=30))
    assert case.made.escrow.earned_share_bps == 2_500


def test_who_acted_for_a_party_is_remembered_and_the_memory_is_never_edited() -> None:
    case = Case()
    former_member(case)
    row = PastMember.objects.get(user=case.carol.user)
    assert (row.party, row.role) == (case.made.bob.party, "viewer")
    for change in (
        lambda: PastMember.objects.update(role="owner"),
        lambda: PastMember.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_no_side_keeps_an_adjudicator_away_by_naming_them_a_member() -> None:
    case = Case()
    with pytest.raises(MemberRefused, match="rules on disputes"):
        membership.add_member(
            party=case.made.bob.party, email=case.carol.user.email, role=Member.Role.VIEWER
        )
    assert desk.interest_of(user=case.carol.user, dispute=case.dispute) == ""


def test_a_window_of_a_metered_hire_is_decided_by_nobody_connected_either() -> None:
    case = Case()
    sides = disputes.sides_of(case.dispute)
    desk.refuse_tied(user=case.carol.user, sides=sides)
    colleague_signed_for_a_side(case)
    with pytest.raises(ConflictOfInterest, match="somebody else must rule"):
        desk.refuse_tied(user=case.carol.user, sides=sides)
