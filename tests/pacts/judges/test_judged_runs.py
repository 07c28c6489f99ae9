"""Juries and reviewers end to end: real agents, scripted jurors, a verdict that waits for them."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now as clock

from pacts import publishing, reviews, runner, verdicts
from pacts.evaluation import EvaluationRefused
from pacts.judges import calibrating, hearings
from pacts.judges.prompt import Message
from pacts.judges.sampling import commitment, is_drawn
from pacts.models import (
    Calibration,
    Judgement,
    Member,
    Observation,
    ReviewBatch,
    ReviewLabel,
)
from reputation.models import Evidence
from tests import cast
from tests.pacts.judges import panel

pytestmark = pytest.mark.django_db(transaction=True)
SHARE = {"params": {"review_bps": 5000}}


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


@pytest.fixture
def url() -> Iterator[str]:
    with cast.agent_service(cast.echo) as address:
        yield address


def wrong(given: dict[str, Any]) -> dict[str, Any]:
    return {"answer": given["number"] * 2 + 1}


def half_right(given: dict[str, Any]) -> dict[str, Any]:
    return {"answer": given["number"] * 2 + given["number"] % 2}


def test_a_verdict_waits_for_the_jury_and_then_follows_it(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    jury = panel.jury_of(carol, jurors=3)
    running = panel.start(url, bob, alice, panel.judged(jury), unpublished=True)
    assert panel.run(running) is None
    assert Judgement.objects.filter(state="queued").count() == 90
    assert panel.hear() == {running.id}
    verdict = panel.conclude(running)
    assert verdict is not None
    assert (verdict.outcome, verdict.clauses.get().passes) == ("met", 30)
    heard = Evidence.objects.get(kind="evaluation.heard").read()["facts"]
    assert (heard["judgements"], heard["disagreed"], heard["abstained"]) == (90, 0, 0)


def test_a_jury_that_disagrees_goes_by_its_majority_and_shows_it(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    jury = panel.jury_of(carol, jurors=3)
    running = panel.start(url, bob, alice, panel.judged(jury), unpublished=True)
    panel.run(running)

    def script(model: str, messages: Sequence[Message]) -> str:
        answer = str(panel.data_in(messages)["answer"]["answer"])
        return panel.verdict_of("fail" if model.endswith("2") else "pass", answer)

    panel.hear(panel.scripted(script))
    verdict = panel.conclude(running)
    assert verdict is not None
    assert verdict.outcome == "met"
    assert Evidence.objects.get(kind="evaluation.heard").read()["facts"]["disagreed"] == 30
    assert "2 pass, 1 fail" in Observation.objects.filter(clause="judged")[0].reason


def test_a_verdict_without_a_quote_is_an_abstention(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    jury = panel.jury_of(carol)
    running = panel.start(url, bob, alice, panel.judged(jury), unpublished=True)
    panel.run(running)
    panel.hear(panel.scripted(lambda model, messages: panel.verdict_of("pass", "never said")))
    verdict = panel.conclude(running)
    assert verdict is not None
    assert verdict.outcome == "undetermined"
    assert verdict.clauses.get().skipped == 30
    assert set(Judgement.objects.values_list("said", flat=True)) == {"abstain"}


def test_another_model_than_the_pinned_one_is_not_heard(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    jury = panel.jury_of(carol)
    running = panel.start(url, bob, alice, panel.judged(jury), count=3, unpublished=True)
    panel.run(running)

    class Drifts:
        def ask(self, *, model: str, messages: Sequence[Message]) -> Any:
            from pacts.judges.providers import Said

            return Said(text=panel.right(messages), model="judge-latest")

    panel.hear({"main": Drifts()})
    verdict = panel.conclude(running)
    assert verdict is not None
    assert verdict.outcome == "undetermined"
    assert set(Judgement.objects.values_list("state", "error_code")) == {
        ("failed", hearings.DRIFTED)
    }


def test_a_silent_provider_is_asked_three_times_and_charged_to_nobody(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    jury = panel.jury_of(carol)
    running = panel.start(url, bob, alice, panel.judged(jury), count=2, unpublished=True)
    panel.run(running)
    for _ in range(3):
        hearings.hear({})
        Judgement.objects.filter(state="queued").update(due_at=clock())
    assert set(Judgement.objects.values_list("attempt", "error_code")) == {(3, "no_provider")}
    verdict = panel.conclude(running)
    assert verdict is not None
    assert (verdict.outcome, verdict.clauses.get().errors) == ("undetermined", 2)


def test_an_audited_jury_waits_for_the_people_who_were_drawn(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    jury = panel.jury_of(carol)
    clause = panel.judged(jury, "judged_anchored", **SHARE)
    running = panel.start(url, bob, alice, clause, count=60)
    panel.run(running)
    panel.hear()
    assert panel.conclude(running) is None
    batch = ReviewBatch.objects.get()
    assert panel.label_all(carol, panel.truly) == batch.drawn
    verdict = panel.conclude(running)
    assert verdict is not None
    found = verdict.clauses.get()
    assert (found.outcome, found.passes, found.estimate) == ("met", 60, 1.0)


def test_a_jury_that_waves_everything_through_is_corrected_by_people() -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    jury = panel.jury_of(carol)
    clause = panel.judged(jury, "judged_anchored", **SHARE)
    with cast.agent_service(wrong) as url:
        running = panel.start(url, bob, alice, clause, count=60)
        panel.run(running)
    panel.hear(
        panel.scripted(
            lambda model, messages: panel.verdict_of(
                "pass", str(panel.data_in(messages)["answer"]["answer"])
            )
        )
    )
    panel.conclude(running)
    panel.label_all(carol, panel.truly)
    verdict = panel.conclude(running)
    assert verdict is not None
    assert verdict.outcome == "breached"


def test_the_draw_was_committed_to_before_and_can_be_drawn_again(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    clause = panel.judged(panel.jury_of(carol), "judged_anchored", **SHARE)
    running = panel.start(url, bob, alice, clause, count=40)
    committed = Evidence.objects.get(kind="review.committed").read()
    assert not Evidence.objects.filter(kind="review.drawn").exists()
    panel.run(running)
    drawn = Evidence.objects.get(kind="review.drawn").read()["facts"]
    seed = bytes.fromhex(drawn["seed"])
    assert commitment(seed) == committed["digests"]["commitment"]
    again = [n for n in range(40) if is_drawn(seed=seed, position=n, probability_bps=5000)]
    batch = ReviewBatch.objects.get()
    assert list(batch.items.values_list("trial__position", flat=True).order_by("id")) == again
    assert (drawn["population"], drawn["drawn"]) == (40, len(again))


def test_what_nobody_reviewed_by_the_deadline_is_nobodys_failure(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    clause = panel.judged(panel.jury_of(carol), "judged_anchored", **SHARE)
    running = panel.start(url, bob, alice, clause)
    panel.run(running)
    panel.hear()
    late = running.deadline_at.replace(year=running.deadline_at.year + 1)
    verdict = verdicts.conclude(evaluation_id=running.id, now=late)
    assert verdict is not None
    assert verdict.outcome == "undetermined"
    assert verdict.clauses.get().errors == ReviewBatch.objects.get().drawn


# --- people ------------------------------------------------------------------------------------


def reviewed(**changes: Any) -> dict[str, Any]:
    params = {"rubric": panel.RUBRIC, "review_bps": 10_000, **changes}
    return cast.clause(key="judged", check="reviewed", params=params, unit="task")


def test_people_alone_can_decide_a_clause(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    running = panel.start(url, bob, alice, reviewed())
    assert panel.run(running) is None
    assert panel.label_all(carol, panel.truly) == 30
    verdict = panel.conclude(running)
    assert verdict is not None
    assert verdict.outcome == "met"


def test_nobody_with_an_interest_finds_the_answer_or_can_label_it(url: str) -> None:
    bob, alice = cast.bob(), cast.alice()
    running = panel.start(url, bob, alice, reviewed(), count=3)
    panel.run(running)
    item = ReviewBatch.objects.get().items.all()[0]
    for party in (bob.party, alice.party):
        both = cast.actor(f"mallory{party.id[-4:]}", is_adjudicator=True)
        Member.objects.create(party=party, user=both.user, role=Member.Role.VIEWER)
        assert not reviews.queue_for(both.user).exists()
        with pytest.raises(reviews.ReviewRefused):
            reviews.label(item=item, reviewer=both.user, said="pass", now=clock())
        with pytest.raises(IntegrityError), transaction.atomic():
            ReviewLabel.objects.create(
                item=item, reviewer=both.user, said="pass", labelled_at=clock()
            )


def test_whoever_acted_for_a_party_once_finds_nothing_of_its_cases(url: str) -> None:
    bob, alice = cast.bob(), cast.alice()
    running = panel.start(url, bob, alice, reviewed(), count=3)
    panel.run(running)
    once = cast.actor("mallory", is_adjudicator=True)
    assert reviews.queue_for(once.user).count() == 3
    Member.objects.create(party=alice.party, user=once.user, role=Member.Role.VIEWER).delete()
    assert not reviews.queue_for(once.user).exists()


def test_only_adjudicators_label_and_only_once(url: str) -> None:
    carol, bob, alice, mallory = cast.carol(), cast.bob(), cast.alice(), cast.mallory()
    running = panel.start(url, bob, alice, reviewed(reviewers=2), count=3)
    panel.run(running)
    item = ReviewBatch.objects.get().items.all()[0]
    with pytest.raises(reviews.NotAReviewer):
        reviews.label(item=item, reviewer=mallory.user, said="fail", now=clock())
    reviews.label(item=item, reviewer=carol.user, said="pass", now=clock())
    with pytest.raises(reviews.AlreadyLabelled):
        reviews.label(item=item, reviewer=carol.user, said="fail", now=clock())
    with pytest.raises(IntegrityError), transaction.atomic():
        ReviewLabel.objects.update(said="fail")


def test_a_reviewer_sees_the_question_the_task_and_the_answer(url: str) -> None:
    bob, alice = cast.bob(), cast.alice()
    running = panel.start(url, bob, alice, reviewed(), count=1)
    panel.run(running)
    seen = reviews.blinded(ReviewBatch.objects.get().items.get())
    assert (seen.question, seen.task, seen.answer) == (panel.RUBRIC, {"number": 0}, {"answer": 0})
    shown = json.dumps([seen.question, seen.task, seen.answer])
    assert not any(name in shown for name in ("Bob", "Alice", "Doubler"))


def test_two_reviewers_are_compared_with_each_other(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    dora = cast.actor("dora", is_adjudicator=True)
    running = panel.start(url, bob, alice, reviewed(reviewers=2), count=10)
    panel.run(running)
    panel.label_all(carol, lambda item: "pass" if int(item.id[-1], 16) % 2 else "fail")
    assert panel.conclude(running) is None
    panel.label_all(dora, lambda item: "pass" if int(item.id[-1], 16) % 2 else "fail")
    found = reviews.agreement(ReviewLabel.objects.all())
    assert (found.answers, found.agreed) == (10, 10)
    assert found.kappa in (None, 1.0)


# --- calibration -------------------------------------------------------------------------------


def calibrated(jury: Any, carol: cast.Actor, *, count: int = 210) -> Calibration:
    """A jury that is right, held against carol over an agent that is right half the time."""
    bob, alice = cast.actor("bea"), cast.actor("ann")
    with cast.agent_service(half_right) as url:
        running = panel.start(url, bob, alice, count=count)
        panel.run(running)
    running.refresh_from_db()
    calibrating.open_calibration(
        jury=jury, evaluation=running, probability_bps=10_000, reviewers=1, now=clock()
    )
    panel.hear()
    panel.label_all(carol, panel.truly)
    return calibrating.calibrate(jury=jury, now=clock())


def test_a_jury_moves_money_only_once_people_have_shown_how_far_to_trust_it(url: str) -> None:
    carol, bob = cast.carol(), cast.bob()
    jury = panel.jury_of(carol)
    version = cast.agent_of(bob, url)
    draft = publishing.draft_pact(agent=version.agent, data=cast.pact_terms(panel.judged(jury)))
    with pytest.raises(publishing.PactRefused, match="never calibrated"):
        publishing.publish_pact(version=draft, by=bob.user, authority="owner", now=clock())
    found = calibrated(jury, carol)
    assert (found.labels, found.pass_fail, found.fail_pass) == (210, 0, 0)
    publishing.publish_pact(version=draft, by=bob.user, authority="owner", now=clock())


def test_a_calibration_says_nothing_of_another_model_or_prompt(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pacts import terms
    from pacts.judges import prompt

    carol = cast.carol()
    jury = panel.jury_of(carol)
    calibrated(jury, carol)
    other = panel.jury_of(carol, rubric=panel.RUBRIC + " Politely.")
    parsed = terms.parse(cast.pact_terms(panel.judged(jury)))
    assert calibrating.findings(parsed, now=clock()) == []
    calibrating.refuse_distrusted(parsed, now=clock())
    another = terms.parse(cast.pact_terms(panel.judged(other)))
    assert "never calibrated" in calibrating.findings(another, now=clock())[0].message
    with pytest.raises(calibrating.JuryNotTrusted):
        calibrating.refuse_distrusted(another, now=clock())
    monkeypatch.setattr(prompt, "PROMPT_VERSION", "earnest-judge/2")
    assert "prompt has changed" in calibrating.findings(parsed, now=clock())[0].message


def test_a_run_that_people_cannot_read_in_time_is_refused_with_the_arithmetic(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    clause = panel.judged(panel.jury_of(carol), "judged_anchored", **SHARE)
    refused = "about 500 answers .50 % of 1000., 1 label each, 180 s a label, shared by 1: 90000 s"
    with pytest.raises(EvaluationRefused, match=refused):
        panel.start(url, bob, alice, clause, count=1000, unpublished=True)
    cast.actor("dora", is_adjudicator=True)
    assert panel.start(
        url, cast.actor("bert"), cast.actor("anna"), clause, count=1000, unpublished=True
    )


def test_an_adjudicator_is_told_until_when_a_verdict_waits(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    clause = panel.judged(panel.jury_of(carol), "judged_anchored", params={"review_bps": 10_000})
    running = panel.start(url, bob, alice, clause, count=2, unpublished=True)
    panel.run(running)
    waiting = reviews.waiting_for(carol.user)
    assert (waiting.answers, waiting.runs, waiting.until) == (2, 1, running.deadline_at)
    assert reviews.waiting_for(bob.user).answers == 0
