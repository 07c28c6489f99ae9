"""Who may rule, who must agree, who hears an appeal: refused here and by the database."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from pacts import disputes
from pacts.disputes.refusals import (
    ConflictOfInterest,
    DisputeClosed,
    NotAnAdjudicator,
    NotYetRipe,
    RulingIncomplete,
)
from pacts.models import Confirmation, Dispute, Member, Ruling, User
from pacts.procedure.clocks import FULL
from reputation.models import Evidence
from tests import cast
from tests.pacts.cases import heard
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)
WHY = "The agreement says twelve documents and ten were handed over."


def rule(dispute: Dispute, who: User, **changes: Any) -> Ruling:
    fields: dict[str, Any] = {
        "award_bps": 4_000,
        "clauses": ["accuracy"],
        "reasons": WHY,
        "now": dispute.opened_at,
    }
    return disputes.rule(dispute=dispute, adjudicator=who, **fields | changes)


def now_of(dispute: Dispute) -> Dispute:
    return Dispute.objects.get(pk=dispute.pk)


@pytest.fixture
def ripe(case: Dispute) -> Dispute:
    return heard(case, now=case.opened_at)


@pytest.fixture
def large(ripe: Dispute) -> Dispute:
    """Above the limit: a ruling waits for a second person."""
    Dispute.objects.filter(pk=ripe.pk).update(needs_second=True)
    return now_of(ripe)


@pytest.fixture
def appealed(ripe: Dispute, carol: User, bob: cast.Actor) -> Dispute:
    rule(ripe, carol)
    disputes.appeal(dispute=ripe, party=bob.party, by=bob.user, statement=WHY, now=ripe.opened_at)
    return now_of(ripe)


def test_nobody_rules_while_the_sides_may_still_be_heard(case: Dispute, carol: User) -> None:
    with pytest.raises(NotYetRipe, match="evidence is locked"):
        rule(case, carol)


def test_a_ruling_opens_the_challenge_window_and_moves_nothing_yet(
    ripe: Dispute, carol: User
) -> None:
    made = rule(ripe, carol)
    case = now_of(ripe)
    assert (case.state, case.ruling) == ("challenge_window", made)
    assert case.due_at == ripe.opened_at + FULL.challenge


def test_a_retired_adjudicator_rules_no_more(ripe: Dispute, carol: User) -> None:
    carol.is_active = False
    with pytest.raises(NotAnAdjudicator):
        rule(ripe, carol)


def test_above_the_limit_a_ruling_stands_only_once_somebody_else_confirmed_it(
    large: Dispute, carol: User, erin: User
) -> None:
    made = rule(large, carol)
    case = now_of(large)
    assert (case.state, case.ruling, case.due_at) == ("ruled", None, case.backstop_at)
    with pytest.raises(ConflictOfInterest, match="second person"):
        disputes.confirm(dispute=case, adjudicator=carol, confirmed=True, now=case.opened_at)
    disputes.confirm(dispute=case, adjudicator=erin, confirmed=True, now=case.opened_at)
    case = now_of(large)
    assert (case.state, case.ruling) == ("challenge_window", made)
    with pytest.raises(DisputeClosed):
        disputes.confirm(dispute=case, adjudicator=erin, confirmed=True, now=case.opened_at)


def test_a_declined_ruling_is_void_and_somebody_rules_anew_before_the_same_backstop(
    large: Dispute, carol: User, erin: User
) -> None:
    rule(large, carol)
    with pytest.raises(RulingIncomplete, match="why you decline"):
        disputes.confirm(dispute=large, adjudicator=erin, confirmed=False, now=large.opened_at)
    disputes.confirm(
        dispute=large, adjudicator=erin, confirmed=False, reasons=WHY, now=large.opened_at
    )
    case = now_of(large)
    assert (case.state, case.ruling, case.due_at) == ("under_review", None, case.backstop_at)
    again = rule(case, carol, award_bps=7_000)
    assert disputes.waiting_ruling(now_of(case)) == again


def test_a_second_person_with_an_interest_confirms_nothing(
    large: Dispute, carol: User, erin: User, bob: cast.Actor
) -> None:
    rule(large, carol)
    Member.objects.create(party=bob.party, user=erin, role=Member.Role.VIEWER)
    with pytest.raises(ConflictOfInterest):
        disputes.confirm(dispute=large, adjudicator=erin, confirmed=True, now=large.opened_at)


def test_until_the_very_end_of_the_window_either_side_may_appeal_once(
    ripe: Dispute, carol: User, alice: cast.Actor, bob: cast.Actor
) -> None:
    rule(ripe, carol)
    end = ripe.opened_at + FULL.challenge
    with pytest.raises(DisputeClosed):
        disputes.appeal(dispute=ripe, party=bob.party, by=None, statement=WHY, now=end + TICK)
    disputes.appeal(dispute=ripe, party=bob.party, by=None, statement=WHY, now=end)
    case = now_of(ripe)
    assert (case.state, case.level, case.due_at) == ("appealed", 2, end + FULL.appeal)
    with pytest.raises(DisputeClosed, match="one appeal"):
        disputes.appeal(dispute=ripe, party=alice.party, by=None, statement=WHY, now=end)


def test_an_appeal_before_any_ruling_or_by_a_stranger_is_refused(
    ripe: Dispute, alice: cast.Actor
) -> None:
    at = ripe.opened_at
    with pytest.raises(NotYetRipe):
        disputes.appeal(dispute=ripe, party=alice.party, by=None, statement=WHY, now=at)
    with pytest.raises(disputes.DisputeRefused):
        disputes.appeal(dispute=ripe, party=cast.mallory().party, by=None, statement=WHY, now=at)


def test_somebody_else_hears_the_appeal_and_their_ruling_is_final(
    appealed: Dispute, carol: User, erin: User
) -> None:
    at = appealed.entered_at + FULL.appeal_evidence
    with pytest.raises(NotYetRipe):
        rule(appealed, erin, now=at)
    with pytest.raises(ConflictOfInterest, match="first ruling"):
        rule(appealed, carol, now=at + TICK)
    final = rule(appealed, erin, award_bps=9_000, now=at + TICK)
    case = now_of(appealed)
    assert (case.state, case.awaits_second, case.ruling) == ("ruled", False, final)
    assert case.docket.award_bps == 9_000


def test_nobody_hears_the_appeal_and_the_first_ruling_stands(appealed: Dispute, erin: User) -> None:
    with pytest.raises(DisputeClosed):
        rule(appealed, erin, now=appealed.due_at + TICK)
    assert now_of(appealed).docket.award_bps == 4_000


def test_the_database_itself_refuses_who_has_an_interest(
    ripe: Dispute, carol: User, bob: cast.Actor
) -> None:
    Member.objects.create(party=bob.party, user=carol, role=Member.Role.VIEWER)
    with pytest.raises(IntegrityError, match="interest"), transaction.atomic():
        Ruling.objects.create(
            dispute=ripe, adjudicator=carol, award_bps=0, reasons=WHY, ruled_at=ripe.opened_at
        )


def test_the_database_itself_refuses_the_same_person_twice(appealed: Dispute, carol: User) -> None:
    at = appealed.opened_at
    with pytest.raises(IntegrityError, match="interest"), transaction.atomic():
        Ruling.objects.create(
            dispute=appealed, level=2, adjudicator=carol, award_bps=0, reasons=WHY, ruled_at=at
        )
    made = Ruling.objects.get()
    with pytest.raises(IntegrityError, match="interest"), transaction.atomic():
        Confirmation.objects.create(ruling=made, adjudicator=carol, confirmed=True, decided_at=at)


def test_who_stepped_back_has_no_part_any_more_not_even_in_the_database(
    ripe: Dispute, carol: User
) -> None:
    disputes.assign(dispute=ripe, adjudicator=carol, now=ripe.opened_at)
    disputes.recuse(dispute=ripe, adjudicator=carol, reason="A friend.", now=ripe.opened_at)
    assert now_of(ripe).assigned_to is None
    for act in (
        rule,
        lambda case, who: disputes.assign(dispute=case, adjudicator=who, now=case.opened_at),
    ):
        with pytest.raises(ConflictOfInterest, match="stepped back"):
            act(ripe, carol)
    with pytest.raises(IntegrityError, match="interest"), transaction.atomic():
        Ruling.objects.create(
            dispute=ripe, adjudicator=carol, award_bps=0, reasons=WHY, ruled_at=ripe.opened_at
        )


def test_who_owns_the_tasks_has_an_interest_too(ripe: Dispute, carol: User) -> None:
    owner = ripe.milestone.task_set_version.task_set.owner
    assert owner
    Member.objects.get_or_create(party=owner, user=carol, role=Member.Role.VIEWER)
    assert disputes.interest_of(user=carol, dispute=ripe)


def test_the_log_tells_every_step_and_none_of_the_words(appealed: Dispute, erin: User) -> None:
    rule(appealed, erin, now=appealed.due_at)
    told = Evidence.objects.filter(subjects__subject_id=appealed.pk).order_by("id")
    kinds = list(dict.fromkeys(told.values_list("kind", flat=True)))
    assert kinds == [
        *("dispute.opened", "dispute.advanced", "dispute.answered", "ruling.made"),
        "dispute.appealed",
    ]
    assert all("twelve documents" not in one.envelope for one in told)


@pytest.mark.django_db(transaction=True)
def test_confirming_declining_and_appealing_at_once_leave_one_story(
    large: Dispute, carol: User, erin: User, bob: cast.Actor
) -> None:
    made = rule(large, carol)
    at, turns = large.opened_at, iter(range(6))

    def act() -> str:
        turn = next(turns) % 3
        if turn == 2:
            disputes.appeal(dispute=large, party=bob.party, by=None, statement=WHY, now=at)
            return "appealed"
        disputes.confirm(dispute=large, adjudicator=erin, confirmed=not turn, reasons=WHY, now=at)
        return "declined" if turn else "confirmed"

    told = in_parallel(6, act)
    done = [one for one in told if isinstance(one, str)]
    refused = (DisputeClosed, NotYetRipe)
    assert all(isinstance(one, refused) for one in told if not isinstance(one, str)), told
    assert Confirmation.objects.filter(ruling=made).count() == 1
    expected = {("confirmed",): "challenge_window", ("confirmed", "appealed"): "appealed"}
    expected[("declined",)] = "under_review"
    assert (
        now_of(large).state
        == expected[tuple(sorted(done, key=["confirmed", "declined", "appealed"].index))]
    )
