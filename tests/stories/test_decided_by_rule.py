"""The contested run is checked again: where the pact is plain the rule decides, else a person."""

from django.db import transaction

from pacts import disputes
from pacts.disputes import precedents, rates
from pacts.models import Dispute, Evaluation, Precedent
from pacts.procedure.clocks import FULL
from reputation.models import Evidence
from settlement.audit import audit
from tests import cast
from tests.cast import clause
from tests.pacts.cases import checked_again
from tests.stories.story import CHALLENGE, DAY, TICK, Story, half_wrong, story_of

MEASURED = Dispute.Ground.PERFORMANCE


def contested(answer: cast.Answer = cast.echo, **terms: object) -> tuple[Story, Dispute]:
    """alice says the answers are wrong, and the workers look again."""
    with story_of(answer, **terms) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at)
    case = story.alice_disputes(at=story.judged_at, ground=MEASURED)
    checked_again(case, now=story.judged_at)
    return story, Dispute.objects.get(pk=case.pk)


def test_the_same_answers_checked_again_confirm_the_verdict_and_nobody_need_say_a_word() -> None:
    story, case = contested()
    assert case.recheck
    assert case.recheck.purpose == Evaluation.Purpose.RERUN
    assert (case.state, case.due_at) == ("challenge_window", story.judged_at + CHALLENGE)
    assert case.ruling
    assert (case.ruling.by_rule, case.ruling.award_bps) == (True, 10_000)
    assert case.ruling.clauses == ["accuracy"]
    assert "confirms the verdict" in case.ruling.reasons
    assert story.the_sweep_looks(at=case.due_at) == "frozen"
    assert story.the_sweep_looks(at=case.due_at + TICK) == "released"
    case.refresh_from_db()
    assert (case.outcome, case.lost_by) == ("ruled", "buyer")
    assert story.standing().dimensions["accuracy"].passes == 30
    assert audit(now=case.due_at + TICK) == []


def test_an_appeal_takes_what_the_rule_decided_to_a_person_and_all_at_once_takes_effect() -> None:
    story, case = contested()
    alice, carol = story.alice, cast.carol()
    disputes.appeal(
        dispute=case,
        party=alice.party,
        by=alice.user,
        statement="The tasks were not the ones Bob & Co promised to do.",
        now=case.due_at,
    )
    at = case.due_at + FULL.appeal_evidence + TICK
    disputes.rule(
        dispute=case,
        adjudicator=carol.user,
        award_bps=6_000,
        clauses=["accuracy"],
        reasons="Bob & Co (bob@example.org) did the wrong half, as dsp_0123456789ab shows.",
        now=at,
    )
    before = Evidence.objects.count()
    assert story.the_sweep_looks(at=at) == "split"
    told = list(Evidence.objects.order_by("id").values_list("kind", flat=True))[before:]
    assert told == ["dispute.closed", "escrow.settled", "precedent.published"]
    assert story.purses() == (4_000, 5_700, 300)
    published = Precedent.objects.get()
    assert published.reasons == "[the builder] ([e-mail]) did the wrong half, as [id] shows."
    assert (published.level, published.by_rule, published.award_bps) == (2, False, 6_000)


def test_a_precedent_is_found_by_words_ground_and_work_and_reviewed_by_a_person() -> None:
    story, case = contested()
    story.the_sweep_looks(at=case.due_at + TICK)
    published = Precedent.objects.get()
    pact = story.milestone.engagement.pact_version
    assert published.clause_kinds == [pact.terms["clauses"][0]["check"]]
    for words in (
        "checking stored answers",
        '"confirms the verdict"',
        "performance",
        "checks -cat",
    ):
        assert list(precedents.search(query=words)) == [published], words
    for words in ("elephant", "performance -checks"):
        assert not precedents.search(query=words).exists()
    assert list(precedents.search(ground="performance", work=published.work)) == [published]
    assert not precedents.search(ground="scope").exists()
    assert precedents.similar(case) == []
    with transaction.atomic():
        precedents.review(
            precedent=published,
            text="Alice Ltd and alice@example.org: the verdict stood.",
            by=cast.carol().user,
            now=case.due_at,
        )
    published.refresh_from_db()
    assert "example.org" not in published.reasons
    assert list(precedents.search(query="verdict stood")) == [published]
    assert not precedents.search(query="stored answers").exists()


def test_what_is_breached_stays_so_and_pays_what_the_pact_says_of_a_breach() -> None:
    with story_of(half_wrong, clauses=[clause()], on_breach="prorate") as story:
        story.alice_hires_and_pays()
        verdict = story.the_work_is_judged(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at)
    case = story.alice_disputes(at=story.judged_at, ground=MEASURED)
    checked_again(case, now=story.judged_at)
    case.refresh_from_db()
    assert verdict.outcome == "breached"
    assert case.ruling
    assert case.ruling.award_bps == verdict.earned_share_bps


def test_other_grounds_are_checked_again_too_and_left_to_a_person() -> None:
    with story_of(cast.echo) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
    story.the_sweep_looks(at=story.judged_at)
    case = story.alice_disputes(at=story.judged_at)
    checked_again(case, now=story.judged_at)
    case.refresh_from_db()
    assert (case.state, case.ruling) == ("opened", None)
    assert case.rechecked_at == story.judged_at


def test_rates_say_who_disputes_how_often_and_who_was_overturned() -> None:
    story, case = contested()
    alice, bob, carol = story.alice, story.bob, cast.carol()
    assert rates.of_buyer(alice.party).dispute_bps == 10_000
    story.the_sweep_looks(at=case.due_at + TICK)
    buyer, builder = rates.of_buyer(alice.party), rates.of_builder(bob.party)
    assert (buyer.cases, buyer.filed, buyer.won, buyer.lost) == (1, 1, 0, 1)
    assert (buyer.upheld_bps, buyer.overturn_bps) == (0, 0)
    assert (builder.against, builder.filed, builder.dispute_bps) == (1, 0, 0)
    assert rates.of_adjudicator(carol.user).overturn_bps is None
    assert disputes.lost_lately(party=alice.party, now=case.due_at + DAY) == 1
