"""A third party judges a hire: agreed by both sides, apart from both, on tasks of its own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import IntegrityError, ProgrammingError
from django.utils.timezone import now as clock

from marketplace import membership
from marketplace.membership import MemberRefused
from pacts import engagements, evaluators, reviews, runner, terms, trials, verdicts
from pacts.agreements import agreement
from pacts.disputes import has_interest
from pacts.engagements import EngagementRefused, MilestoneDraft, RevisionRefused
from pacts.evaluation import EvaluationRefused, start_evaluation
from pacts.evaluators import EvaluatorRefused, NotTheEvaluator
from pacts.models import (
    Deliverable,
    Dispute,
    Engagement,
    Evaluation,
    EvaluatorOffer,
    Member,
    Party,
    ReviewBatch,
    ReviewLabel,
    Trial,
    Verdict,
)
from reputation.models import Evidence
from settlement import escrow, ledger, settlements
from settlement.models import Escrow
from tests import cast
from tests.racing import in_parallel
from tests.settlement.hires import give

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> Iterator[None]:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()  # another test may have made the way out
    yield
    runner.egress.cache_clear()


@pytest.fixture
def alice() -> cast.Actor:
    return cast.alice()


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture
def judge() -> cast.Actor:
    """An organisation of its own that evaluates."""
    return cast.actor("carol")


def offered(judge: cast.Actor, tasks: int = 30) -> EvaluatorOffer:
    return evaluators.offer(
        party=judge.party,
        task_set_version=cast.golden_set(judge, cast.doubling_tasks(tasks)),
        by=judge.user,
        now=clock(),
        about="Drawn from last year's invoices.",
    )


def propose(
    alice: cast.Actor, bob: cast.Actor, offer: EvaluatorOffer | None, **changes: Any
) -> Engagement:
    version = changes.pop("version", None) or cast.agent_of(bob)
    wanting = changes.pop("independence", "third_party")
    pact = cast.pact_of(version, bob, cast.pact_terms(independence=wanting))
    tasks = changes.pop("tasks", None) or (
        offer.task_set_version if offer else cast.golden_set(alice, cast.doubling_tasks(30))
    )
    fields: dict[str, Any] = {
        "buyer": alice.party,
        "agent_version": version,
        "pact_version": pact,
        "currency": "EUR",
        "fee_bps": 500,
        "milestones": [MilestoneDraft("Numbers", 10_000, tasks)],
        "evaluator": offer.evaluator if offer else None,
        "by": alice.user,
        "now": clock(),
    }
    return engagements.propose(**fields | changes)


def signed(alice: cast.Actor, bob: cast.Actor, offer: EvaluatorOffer, **changes: Any) -> Engagement:
    engagement = propose(alice, bob, offer, **changes)
    for side in (alice, bob):
        engagement = engagements.sign_engagement(
            engagement=engagement, party=side.party, by=side.user, authority="owner", now=clock()
        )
    return engagement


def funded(alice: cast.Actor, bob: cast.Actor, offer: EvaluatorOffer, **changes: Any) -> Evaluation:
    engagement = signed(alice, bob, offer, **changes)
    give(alice, 10_000, "EUR")
    escrow.fund(
        milestone=engagement.milestones.get(),
        by=alice.party,
        idempotency_key="first",
        now=clock(),
    )
    return Evaluation.objects.get(deliverable__milestone__engagement=engagement)


# --- the agreement ---------------------------------------------------------------------------


def test_a_pact_that_wants_a_third_party_is_hired_with_an_evaluator_alone(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    with pytest.raises(EngagementRefused, match="choose the offer of an evaluator"):
        propose(alice, bob, None)
    version = cast.agent_of(bob, name="Second")
    assert propose(alice, bob, offered(judge), version=version).evaluator == judge.party


def test_a_pact_that_the_platform_judges_takes_no_third_party(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    with pytest.raises(EngagementRefused, match="judged by the platform"):
        propose(alice, bob, offered(judge), independence="platform")


def test_both_signatures_cover_who_judges(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    engagement = signed(alice, bob, offered(judge))
    text = agreement(engagement, list(engagement.milestones.all()))
    assert text["evaluator"] == judge.party.id
    for signature in (engagement.buyer_signature, engagement.builder_signature):
        assert signature is not None
        assert signature.digest == engagement.digest
    said = Evidence.objects.get(kind="engagement.proposed").read()
    assert said["subjects"]["evaluator"] == judge.party.id


def test_nobody_else_becomes_the_evaluator_once_it_is_proposed(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    engagement = propose(alice, bob, offered(judge))
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Engagement.objects.filter(pk=engagement.pk).update(evaluator=None)


def test_an_evaluator_judges_only_on_tasks_it_offers(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    offer = offered(judge)
    evaluators.end_offer(offer=offer, now=clock())
    with pytest.raises(EvaluatorRefused, match="does not offer these tasks"):
        propose(alice, bob, offer)
    own = cast.golden_set(alice, cast.doubling_tasks(30))
    version = cast.agent_of(bob, name="Second")
    with pytest.raises(EngagementRefused, match="belongs to somebody else"):
        propose(alice, bob, offer, tasks=own, version=version)


def test_an_offer_is_of_ones_own_tasks_once_and_of_enough(
    alice: cast.Actor, judge: cast.Actor
) -> None:
    offer = offered(judge)
    with pytest.raises(EvaluatorRefused, match="offered already"):
        evaluators.offer(
            party=judge.party,
            task_set_version=offer.task_set_version,
            by=judge.user,
            now=clock(),
        )
    with pytest.raises(EvaluatorRefused, match="of its own"):
        evaluators.offer(
            party=alice.party, task_set_version=offer.task_set_version, by=alice.user, now=clock()
        )
    with pytest.raises(EvaluatorRefused, match="fewer than 20"):
        offered(judge, tasks=19)


# --- no interest, in the domain and in the database -------------------------------------------


@pytest.mark.parametrize("side", ["buyer", "builder"])
@pytest.mark.parametrize("role", Member.Role.values)
def test_whoever_acts_for_a_side_in_any_role_does_not_judge(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor, side: str, role: str
) -> None:
    party = {"buyer": alice, "builder": bob}[side].party
    Member.objects.create(party=party, user=judge.user, role=role)
    with pytest.raises(EvaluatorRefused, match="acts for the evaluator and for a side"):
        propose(alice, bob, offered(judge))
    torn = evaluators.offers_for(buyer=alice.party, builder=bob.party, work="arithmetic")
    assert not torn.exists()


def test_neither_side_judges_itself(alice: cast.Actor, bob: cast.Actor) -> None:
    for actor, name in ((alice, "First"), (bob, "Second")):
        with pytest.raises(EvaluatorRefused, match="neither the buyer nor the builder"):
            propose(alice, bob, offered(actor), version=cast.agent_of(bob, name=name))


def row_of(engagement: Engagement, evaluator: Party) -> Engagement:
    """The same engagement once more, past every check but the database's."""
    engagement.pk, engagement.evaluator = f"eng_{'0' * 32}", evaluator
    return engagement


def test_the_database_refuses_an_evaluator_with_a_side(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    engagement = propose(alice, bob, offered(judge))
    Engagement.objects.update(state="lapsed")
    with pytest.raises(IntegrityError, match="for a side"), transaction.atomic():
        row_of(engagement, alice.party).save(force_insert=True)
    Member.objects.create(party=bob.party, user=judge.user, role="viewer")
    with pytest.raises(IntegrityError, match="for a side"), transaction.atomic():
        row_of(engagement, judge.party).save(force_insert=True)


def test_nobody_joins_a_side_of_a_hire_its_party_judges_nor_the_other_way_round(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    engagement = signed(alice, bob, offered(judge))
    for party, user in (
        *((side.party, judge.user) for side in (alice, bob)),
        *((judge.party, side.user) for side in (alice, bob)),
    ):
        with pytest.raises(MemberRefused, match="act for the evaluator of a hire"):
            membership.add_member(party=party, email=user.email, role=Member.Role.VIEWER)
        with pytest.raises(IntegrityError, match="would act for"), transaction.atomic():
            Member.objects.create(party=party, user=user, role=Member.Role.VIEWER)
    Engagement.objects.filter(pk=engagement.pk).update(state="closed")
    membership.add_member(party=alice.party, email=judge.user.email, role=Member.Role.VIEWER)


@pytest.mark.django_db(transaction=True)
def test_of_a_hire_and_a_membership_that_conflict_at_once_one_is_refused() -> None:
    alice, bob, judge = cast.alice(), cast.bob(), cast.actor("carol")
    offer, version = offered(judge), cast.agent_of(bob)
    pact = cast.pact_of(version, bob, cast.pact_terms(independence="third_party"))

    def hire() -> str:
        engagements.propose(
            buyer=alice.party,
            agent_version=version,
            pact_version=pact,
            currency="EUR",
            fee_bps=500,
            milestones=[MilestoneDraft("Numbers", 10_000, offer.task_set_version)],
            evaluator=judge.party,
            by=alice.user,
            now=clock(),
        )
        return "hired"

    def join() -> str:
        membership.add_member(party=alice.party, email=judge.user.email, role=Member.Role.VIEWER)
        return "joined"

    def one(act: Any) -> str:
        try:
            return str(act())
        except (EvaluatorRefused, MemberRefused, IntegrityError):
            return "refused"

    acts = [hire, join]
    done = in_parallel(2, lambda: one(acts.pop()))
    assert sorted(done) in (["hired", "refused"], ["joined", "refused"])


@pytest.mark.parametrize("independence", ["platform", "self", "buyer"])
def test_only_the_agreed_evaluator_judges_in_the_database_too(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor, independence: str
) -> None:
    run = funded(alice, bob, offered(judge))
    with pytest.raises(IntegrityError), transaction.atomic():
        Evaluation.objects.filter(pk=run.pk).update(independence=independence)
    with pytest.raises(IntegrityError, match="only the agreed evaluator"), transaction.atomic():
        Evaluation.objects.filter(pk=run.pk).update(requested_by=alice.party)
    stranger = cast.golden_set(alice, cast.doubling_tasks(20))
    with pytest.raises(IntegrityError, match="only the agreed evaluator"), transaction.atomic():
        Evaluation.objects.filter(pk=run.pk).update(task_set_version=stranger)


def test_a_third_party_nobody_agreed_on_judges_no_hire(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    version = cast.agent_of(bob)
    pact = cast.pact_of(version, bob)
    tasks = cast.golden_set(alice, cast.doubling_tasks(30))
    engagement = engagements.propose(
        buyer=alice.party,
        agent_version=version,
        pact_version=pact,
        currency="EUR",
        fee_bps=500,
        milestones=[MilestoneDraft("Numbers", 10_000, tasks)],
        by=alice.user,
        now=clock(),
    )
    delivery = Deliverable.objects.create(
        milestone=engagement.milestones.get(),
        number=0,
        agent_version=version,
        requested_at=clock(),
    )
    with pytest.raises(IntegrityError, match="no third party was agreed"), transaction.atomic():
        start_evaluation(
            purpose=Evaluation.Purpose.MILESTONE,
            independence=Evaluation.Independence.THIRD_PARTY,
            requested_by=judge.party,
            agent_version=version,
            pact_version=pact,
            task_set_version=tasks,
            deliverable=delivery,
            deadline_at=clock() + timedelta(days=1),
            now=clock(),
        )


# --- its run -----------------------------------------------------------------------------------


def test_the_run_waits_for_its_evaluator_and_nobody_else_begins_it(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    run = funded(alice, bob, offered(judge))
    assert run.state == "waiting"
    awaited = Evidence.objects.get(kind="evaluation.awaited").read()["subjects"]
    assert (awaited["party"], awaited["evaluation"]) == (judge.party.id, run.id)
    assert trials.claim(run, limit=5).claims == []
    assert not trials.idle(limit=5)
    assert verdicts.conclude(evaluation_id=run.pk, now=clock()) is None
    for side in (alice, bob):
        with pytest.raises(NotTheEvaluator):
            evaluators.begin_evaluation(evaluation=run, by=side.party, now=clock())
    begun = evaluators.begin_evaluation(evaluation=run, by=judge.party, now=clock())
    assert begun.state == "running"
    again = evaluators.begin_evaluation(evaluation=run, by=judge.party, now=clock())
    assert again.started_at == begun.started_at
    assert Evidence.objects.filter(kind="evaluation.begun").count() == 1
    assert trials.claim(begun, limit=5).claims


def test_a_verdict_of_the_third_party_releases_the_money(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    with cast.agent_service(cast.echo) as url:
        version = cast.agent_of(bob, url)
        run = funded(alice, bob, offered(judge, tasks=40), version=version)
        evaluators.begin_evaluation(evaluation=run, by=judge.party, now=clock())
        run.refresh_from_db()
        while runner.Runner(run, runner.egress()).run():
            pass
    verdict = verdicts.conclude(evaluation_id=run.pk, now=clock())
    assert verdict is not None
    assert (verdict.outcome, run.independence) == ("met", "third_party")
    escrow.accept(escrow=Escrow.objects.get(), by=alice.party, now=clock())
    assert Escrow.objects.get().state == "released"
    paid = ledger.balance_of(ledger.party_account(party=bob.party, currency="EUR"))
    assert paid == 9_500
    nothing = ledger.balance_of(ledger.party_account(party=judge.party, currency="EUR"))
    assert nothing == 0


def test_a_run_that_is_never_begun_proves_nothing_and_is_nobodys_breach(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    run = funded(alice, bob, offered(judge))
    late = run.deadline_at + timedelta(seconds=1)
    with pytest.raises(EvaluationRefused, match="time to begin it has passed"):
        evaluators.begin_evaluation(evaluation=run, by=judge.party, now=late)
    assert verdicts.due(now=run.deadline_at) == []
    assert verdicts.due(now=late) == [run.pk]
    settlements.settle_due(now=late)
    verdict = Verdict.objects.get(evaluation=run)
    assert verdict.outcome == "undetermined"
    assert set(Trial.objects.values_list("fault", "error_code", "state")) == {
        ("evaluator", "never_begun", "null")
    }
    assert Escrow.objects.get().state == "frozen"  # the pact asks for a person


def test_a_revision_waits_for_the_evaluator_as_well(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    run = funded(alice, bob, offered(judge))
    assert run.deliverable is not None
    milestone, version = run.deliverable.milestone, run.agent_version
    with pytest.raises(RevisionRefused, match="still being evaluated"):
        engagements.deliver_revision(milestone=milestone, agent_version=version, now=clock())
    Evaluation.objects.filter(pk=run.pk).update(state="concluded")
    again = engagements.deliver_revision(milestone=milestone, agent_version=version, now=clock())
    assert (again.evaluation.state, again.evaluation.requested_by) == ("waiting", judge.party)


def test_only_independent_evaluations_are_enough_for_money() -> None:
    enough = {name for name in terms.INDEPENDENCE if terms.suffices(name, required="platform")}
    assert enough == set(terms.INDEPENDENT) == {"platform", "third_party"}
    assert not terms.suffices("platform", required="third_party")


def test_no_side_of_a_hire_reads_the_answers_that_a_third_party_judges(
    alice: cast.Actor, bob: cast.Actor, judge: cast.Actor
) -> None:
    run = funded(alice, bob, offered(judge))
    with transaction.atomic():
        batch = reviews.open_batch(
            purpose=ReviewBatch.Purpose.CALIBRATION,
            evaluation=run,
            clause="",
            question="Is it twice the number?",
            probability_bps=10_000,
            reviewers=1,
            jury=None,
            now=clock(),
        )
        item, *_ = reviews.draw(batch=batch, trials=list(run.trials.all()), now=clock())
    for actor in (alice, bob, judge):
        assert not reviews.queue_for(actor.user).exists()
        with pytest.raises(IntegrityError, match="acts for a party"), transaction.atomic():
            ReviewLabel.objects.create(
                item=item, reviewer=actor.user, said="pass", labelled_at=clock()
            )
    assert reviews.queue_for(cast.mallory().user).exists()


def test_a_member_of_the_evaluator_rules_on_no_dispute_about_its_verdict(
    alice: cast.Actor, bob: cast.Actor
) -> None:
    carol = cast.carol()
    run = funded(alice, bob, offered(carol))
    assert run.deliverable is not None
    dispute = Dispute(milestone=run.deliverable.milestone)
    assert has_interest(user=carol.user, dispute=dispute)
    assert not has_interest(user=cast.mallory().user, dispute=dispute)
