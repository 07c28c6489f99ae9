"""Agreeing: who signs what, and what cannot be agreed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import IntegrityError, ProgrammingError
from django.utils.timezone import now as clock

from pacts import engagements, signatures, tasksets
from pacts.engagements import (
    EngagementRefused,
    MilestoneDraft,
    NotAParty,
    OfferLapsed,
    RevisionRefused,
    Timers,
)
from pacts.models import Engagement, Signature
from reputation.canonical import digest
from reputation.models import Evidence
from tests import cast
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def offer(alice: cast.Actor, bob: cast.Actor, **changes: Any) -> Engagement:
    version = changes.pop("version", None) or cast.agent_of(bob)
    tasks = changes.pop("tasks", None) or cast.golden_set(alice, cast.doubling_tasks(30))
    fields: dict[str, Any] = {
        "buyer": alice.party,
        "agent_version": version,
        "pact_version": cast.pact_of(version, bob),
        "currency": "EUR",
        "fee_bps": 500,
        "milestones": [MilestoneDraft("Numbers", 10_000, tasks)],
        "by": alice.user,
        "now": clock(),
    }
    return engagements.propose(**fields | changes)


def sign(engagement: Engagement, actor: cast.Actor, **changes: Any) -> Engagement:
    fields: dict[str, Any] = {"by": actor.user, "authority": "owner", "now": clock()}
    return engagements.sign_engagement(engagement=engagement, party=actor.party, **fields | changes)


def test_an_engagement_is_in_force_once_both_signed(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = offer(alice, bob)
    assert sign(engagement, alice).state == "proposed"
    assert sign(engagement, bob).state == "active"


def test_both_sign_the_same_two_digests(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = sign(sign(offer(alice, bob), alice), bob)
    for party in (alice.party, bob.party):
        signed = {found.digest: found for found in Signature.objects.filter(party=party)}
        assert set(signed) == {engagement.digest, engagement.pact_version.digest}
        assert all(signatures.holds(found) for found in signed.values())


def test_the_digest_is_of_the_agreement_anyone_can_rebuild(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = Engagement.objects.get(pk=offer(alice, bob).pk)
    rebuilt = engagements.agreement(engagement, list(engagement.milestones.all()))
    assert digest(rebuilt) == engagement.digest


def test_a_signature_for_a_pact_is_worthless_for_an_engagement(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = sign(offer(alice, bob), alice)
    found = Signature.objects.get(digest=engagement.digest, party=alice.party)
    found.purpose = "pact"
    assert not signatures.holds(found)


def test_signing_twice_signs_once(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = offer(alice, bob)
    sign(engagement, alice)
    sign(engagement, alice)
    assert Evidence.objects.filter(kind="engagement.signed").count() == 1


def test_a_stranger_cannot_sign(alice: cast.Actor, bob: cast.Actor) -> None:
    with pytest.raises(NotAParty):
        sign(offer(alice, bob), cast.mallory())


def test_an_offer_can_be_signed_at_its_last_moment_and_not_after(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = offer(alice, bob)
    with pytest.raises(OfferLapsed):
        sign(engagement, alice, now=engagement.offer_expires_at + timedelta(microseconds=1))
    assert engagements.lapse_offers(now=engagement.offer_expires_at) == 0
    sign(engagement, alice, now=engagement.offer_expires_at)
    late = engagement.offer_expires_at + timedelta(microseconds=1)
    assert engagements.lapse_offers(now=late) == 1


def test_nobody_hires_itself(bob: cast.Actor) -> None:
    with pytest.raises(EngagementRefused, match="itself"):
        offer(bob, bob)


def test_somebody_elses_golden_set_cannot_be_used(alice: cast.Actor, bob: cast.Actor) -> None:
    foreign = cast.golden_set(cast.mallory(), cast.doubling_tasks(5))
    with pytest.raises(EngagementRefused, match="somebody else"):
        offer(alice, bob, tasks=foreign)


def test_deadlines_that_cannot_fit_are_refused_with_the_arithmetic(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    with pytest.raises(EngagementRefused, match=r"would take 80 s.*1 s \+ 2 s"):
        offer(alice, bob, timers=Timers(work_seconds=1, evaluation_seconds=2))


def test_a_draft_pact_cannot_be_agreed(alice: cast.Actor, bob: cast.Actor) -> None:
    from pacts.publishing import draft_pact

    version = cast.agent_of(bob)
    draft = draft_pact(agent=version.agent, data=cast.pact_terms())
    with pytest.raises(EngagementRefused, match="draft"):
        offer(alice, bob, version=version, pact_version=draft)


def test_a_pact_that_wants_a_third_party_is_refused_with_what_is_missing(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    version = cast.agent_of(bob)
    wanting = cast.pact_of(version, bob, cast.pact_terms(independence="third_party"))
    with pytest.raises(EngagementRefused, match="choose the offer of an evaluator"):
        offer(alice, bob, version=version, pact_version=wanting)


def test_an_engagement_cannot_be_active_unsigned_even_by_sql(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = offer(alice, bob)
    with pytest.raises(IntegrityError, match="engagement_in_force_is_signed"), transaction.atomic():
        Engagement.objects.filter(pk=engagement.pk).update(state="active")


def test_a_published_pact_cannot_be_changed_by_sql(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = offer(alice, bob)
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        type(engagement.pact_version).objects.filter(pk=engagement.pact_version_id).update(number=9)


def test_revisions_are_bounded_and_wait_for_the_verdict(alice: cast.Actor, bob: cast.Actor) -> None:
    engagement = sign(sign(offer(alice, bob), alice), bob)
    milestone = engagement.milestones.get()
    engagements.start_milestone(milestone=milestone, now=clock())
    with pytest.raises(RevisionRefused, match="still being evaluated"):
        engagements.deliver_revision(
            milestone=milestone, agent_version=engagement.agent_version, now=clock()
        )
    milestone.deliverables.get().evaluation.__class__.objects.update(state="concluded")
    engagements.deliver_revision(
        milestone=milestone, agent_version=engagement.agent_version, now=clock()
    )
    type(engagement).objects.get(pk=engagement.pk)
    milestone.deliverables.get(number=1).evaluation.__class__.objects.update(state="concluded")
    with pytest.raises(RevisionRefused, match="allows 1"):
        engagements.deliver_revision(
            milestone=milestone, agent_version=engagement.agent_version, now=clock()
        )


@pytest.mark.django_db(transaction=True)
def test_both_sides_signing_at_once_end_in_one_engagement_in_force(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    engagement = offer(alice, bob)
    turns = iter([alice, bob, alice, bob])
    in_parallel(4, lambda: sign(engagement, next(turns)))
    assert Engagement.objects.get().state == "active"
    assert Evidence.objects.filter(kind="engagement.signed").count() == 2


def test_tasks_of_another_kind_of_work_are_hired_on_by_nobody(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    version = cast.agent_of(bob, cast.DEAD_END)
    other = tasksets.create_task_set(
        owner=alice.party, name="Mail", work="email", tasks=cast.doubling_tasks(3), now=clock()
    )
    with pytest.raises(engagements.EngagementRefused, match="the agent does “arithmetic”"):
        engagements.propose(
            buyer=alice.party,
            agent_version=version,
            pact_version=cast.pact_of(version, bob),
            currency="EUR",
            fee_bps=500,
            milestones=[MilestoneDraft("All of it", 10_000, other)],
            now=clock(),
            by=alice.user,
        )
    assert not Engagement.objects.exists()
