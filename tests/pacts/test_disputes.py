"""Disputes: one at a time, answered by the other side, ruled on by a person without interest."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now as clock

from pacts import disputes
from pacts.models import Dispute, Member, Milestone, Ruling
from reputation.models import Evidence
from tests import cast
from tests.pacts.cases import heard
from tests.pacts.test_engagements import offer
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture
def milestone(alice: cast.Actor, bob: cast.Actor) -> Milestone:
    return offer(alice, bob).milestones.get()


def open_by(actor: cast.Actor, milestone: Milestone, **changes: Any) -> Dispute:
    fields: dict[str, Any] = {
        "ground": Dispute.Ground.PERFORMANCE,
        "statement": "The answers are wrong.",
        "now": clock(),
    }
    with transaction.atomic():
        return disputes.open_dispute(
            milestone=milestone, party=actor.party, by=actor.user, **fields | changes
        )


def rule(dispute: Dispute, **changes: Any) -> Ruling:
    fields: dict[str, Any] = {
        "award_bps": 4000,
        "clauses": ["accuracy"],
        "reasons": "Four in ten answers were right on the disputed tasks.",
        "now": clock(),
    }
    if "adjudicator" not in changes:
        fields["adjudicator"] = cast.carol().user
    dispute.refresh_from_db()
    if dispute.state in ("opened", "negotiating", "evidence_open"):
        dispute = heard(dispute, now=dispute.opened_at)
    return disputes.rule(dispute=dispute, **fields | changes)


def test_only_the_two_parties_can_dispute(milestone: Milestone) -> None:
    with pytest.raises(disputes.DisputeRefused):
        open_by(cast.mallory(), milestone)


def test_a_dispute_without_words_is_refused(alice: cast.Actor, milestone: Milestone) -> None:
    with pytest.raises(disputes.DisputeRefused, match="say what is wrong"):
        open_by(alice, milestone, statement="  ")


def test_one_dispute_at_a_time(alice: cast.Actor, bob: cast.Actor, milestone: Milestone) -> None:
    open_by(alice, milestone)
    with pytest.raises(disputes.DisputeAlreadyOpen):
        open_by(bob, milestone)


def test_the_other_side_answers_once(
    alice: cast.Actor, bob: cast.Actor, milestone: Milestone
) -> None:
    dispute = open_by(alice, milestone)
    with pytest.raises(disputes.DisputeRefused, match="other side"):
        disputes.answer_dispute(dispute=dispute, party=alice.party, answer="x", now=clock())
    disputes.answer_dispute(dispute=dispute, party=bob.party, answer="They are not.", now=clock())
    with pytest.raises(disputes.DisputeClosed):
        disputes.answer_dispute(dispute=dispute, party=bob.party, answer="Again.", now=clock())


def test_an_adjudicator_rules_and_the_log_knows_the_share_not_the_words(
    alice: cast.Actor, milestone: Milestone
) -> None:
    ruling = rule(open_by(alice, milestone))
    envelope = Evidence.objects.get(pk=ruling.evidence_id).envelope
    assert '"builder_share_bps":4000' in envelope
    assert "Four in ten" not in envelope


def test_nobody_rules_on_a_case_of_their_own(
    alice: cast.Actor, bob: cast.Actor, milestone: Milestone
) -> None:
    carol = cast.carol()
    Member.objects.create(party=bob.party, user=carol.user, role=Member.Role.VIEWER)
    with pytest.raises(disputes.ConflictOfInterest):
        rule(open_by(alice, milestone), adjudicator=carol.user)


def test_a_buyer_is_no_adjudicator(alice: cast.Actor, milestone: Milestone) -> None:
    with pytest.raises(disputes.NotAnAdjudicator):
        rule(open_by(alice, milestone), adjudicator=alice.user)


@pytest.mark.parametrize(
    "flaw",
    [
        {"award_bps": 10_001},
        {"award_bps": -1},
        {"clauses": []},
        {"clauses": ["no-such-clause"]},
        {"reasons": "because"},
    ],
)
def test_a_ruling_with_a_flaw_changes_nothing(
    alice: cast.Actor, milestone: Milestone, flaw: dict[str, Any]
) -> None:
    dispute = open_by(alice, milestone)
    with pytest.raises(disputes.RulingIncomplete):
        rule(dispute, **flaw)
    dispute.refresh_from_db()
    assert dispute.state == "under_review"


def test_the_backstop_is_the_last_moment_of_a_ruling(
    alice: cast.Actor, milestone: Milestone
) -> None:
    dispute = open_by(alice, milestone)
    carol = cast.carol().user
    with pytest.raises(disputes.DisputeClosed):
        rule(dispute, adjudicator=carol, now=dispute.backstop_at + timedelta(microseconds=1))
    assert rule(dispute, adjudicator=carol, now=dispute.backstop_at).award_bps == 4000


def test_a_ruling_is_never_edited(alice: cast.Actor, milestone: Milestone) -> None:
    rule(open_by(alice, milestone))
    with pytest.raises(Exception, match="keeps what happened"), transaction.atomic():
        Ruling.objects.update(award_bps=0)


@pytest.mark.django_db(transaction=True)
def test_two_rulings_at_once_leave_one(alice: cast.Actor, milestone: Milestone) -> None:
    dispute, carol = heard(open_by(alice, milestone), now=clock()), cast.carol().user
    got = in_parallel(4, lambda: rule(dispute, adjudicator=carol))
    assert sum(isinstance(one, Ruling) for one in got) == 1
    assert Ruling.objects.count() == 1
