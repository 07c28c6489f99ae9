"""What can be done with a run that is over: check it again, take it along, erase what it kept."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now as clock
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts import evaluation, recording, runner, trials
from pacts.bundles import bundle_of
from pacts.checks import CHECKS
from pacts.checks.check import Proven, passed
from pacts.erasure import erase_answers
from pacts.evaluation import EvaluationRefused
from pacts.failures import failure_report
from pacts.models import Artifact, Evaluation, Observation
from pacts.reruns import rerun_evaluation
from pacts.verification import NotABundle, verify
from reputation.canonical import canonical
from reputation.models import Evidence
from tests import cast
from tests.pacts.runs import RELATED, conclude, run_of, shift, states, to_the_end, wrong_from

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def concluded(
    alice: cast.Actor, bob: cast.Actor, *, first_wrong: int = 25, **changes: Any
) -> Evaluation:
    with cast.agent_service(wrong_from(first_wrong)) as url:
        running = run_of(cast.agent_of(bob, url), bob, alice, **changes)
        to_the_end(running)
    return Evaluation.objects.select_related(*RELATED).get(pk=running.pk)


def again(run: Evaluation, alice: cast.Actor) -> Evaluation:
    made = rerun_evaluation(original=run, requested_by=alice.party, now=clock())
    return Evaluation.objects.select_related(*RELATED).get(pk=made.pk)


# --- checked again ---------------------------------------------------------------------------


def test_a_fixed_check_is_run_again_over_stored_answers_without_calling_the_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = cast.alice(), cast.bob()
    run = concluded(alice, bob)
    assert run.verdict.outcome == "undetermined"
    fixed = replace(CHECKS["equality"], version=2, decide=lambda params, call: passed("fixed"))
    assert isinstance(CHECKS, Proven)
    monkeypatch.setattr(CHECKS, "_checks", {**CHECKS._checks, "equality": fixed})
    second = again(run, alice)
    verdict = to_the_end(second)  # the agent's service is gone by now
    assert (verdict.outcome, verdict.clauses.get().passes) == ("met", 30)
    assert (second.rerun_of, second.purpose, second.calls_made) == (run, "rerun", 0)
    versions = Observation.objects.filter(trial__evaluation=second)
    assert set(versions.values_list("check_version", flat=True)) == {2}
    run.refresh_from_db()
    assert run.verdict.outcome == "undetermined", "the old run stays as it is"
    told = Evidence.objects.get(kind="evaluation.rerun").read()
    assert told["facts"] == {"trials": 30, "original_evidence": run.verdict.evidence_id}


def test_an_unchanged_check_says_the_same_again() -> None:
    alice, bob = cast.alice(), cast.bob()
    run = concluded(alice, bob)
    second = again(run, alice)
    to_the_end(second)
    said = [
        list(
            Observation.objects.filter(trial__evaluation=one)
            .order_by("trial__position")
            .values_list("outcome", "value", "reason")
        )
        for one in (run, second)
    ]
    assert said[0] == said[1]
    third = again(second, alice)
    assert to_the_end(third).outcome == run.verdict.outcome


def test_a_running_run_is_not_checked_again() -> None:
    alice, bob = cast.alice(), cast.bob()
    running = run_of(cast.agent_of(bob), bob, alice)
    with pytest.raises(EvaluationRefused, match="not over"):
        again(running, alice)


def test_a_run_again_moves_no_money_whatever_it_says() -> None:
    alice, bob = cast.alice(), cast.bob()
    second = again(concluded(alice, bob), alice)
    with pytest.raises(Exception, match="evaluation_again_decides_no_money"):
        Evaluation.objects.filter(pk=second.pk).update(purpose="milestone")


# --- called off ------------------------------------------------------------------------------


def test_a_run_called_off_takes_in_no_late_answer_and_has_no_verdict() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(cast.echo) as url:
        running = run_of(cast.agent_of(bob, url), bob, alice)
        late = runner.Runner(running, runner.egress())
        (claim,) = trials.claim(running, limit=1).claims
        evaluation.cancel_evaluation(evaluation=running, by=alice.party, now=clock())
        assert recording.record(running, [late.check(claim, late.call(claim))]) == 0
        shift(running)
    running.refresh_from_db()
    assert states(running) == {"skipped": 30}
    assert (running.state, running.stopped_by, running.calls_made) == ("abandoned", "cancelled", 1)
    assert conclude(running) is None
    assert Observation.objects.count() == 0


def test_a_run_is_called_off_by_its_own_party_and_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    running = run_of(cast.agent_of(bob), bob, alice)
    with pytest.raises(EvaluationRefused, match="only the party"):
        evaluation.cancel_evaluation(evaluation=running, by=bob.party, now=clock())
    evaluation.cancel_evaluation(evaluation=running, by=alice.party, now=clock())
    with pytest.raises(EvaluationRefused, match="over already"):
        evaluation.cancel_evaluation(evaluation=running, by=alice.party, now=clock())


# --- taken along -----------------------------------------------------------------------------


def test_a_bundle_verifies_byte_for_byte_without_the_database(tmp_path: Any) -> None:
    alice, bob = cast.alice(), cast.bob()
    run = concluded(alice, bob)
    data = bundle_of(run)
    assert bundle_of(run) == data
    found = verify(data)
    assert (found.holds, found.as_recorded) == (True, [])
    assert (found.trials, found.observations) == (30, 30)
    file = tmp_path / "run.json"
    file.write_bytes(data)
    call_command("evaluation", "verify", str(file))
    file.write_bytes(data.replace(b'"met"', b'"breached"').replace(b"undetermined", b"met"))
    with pytest.raises(CommandError):
        call_command("evaluation", "verify", str(file))


def _tampered(document: Any, path: list[Any], value: Any) -> bytes:
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return canonical(document)


TAMPERINGS: list[tuple[list[Any], Any]] = [
    (["trials", 3, "observations", 0, "outcome"], "fail"),
    (["trials", 3, "observations", 0, "reason"], "because"),
    (["trials", 3, "output"], {"text": '{"output":{"answer":7}}'}),
    (["trials", 3, "output_digest"], "sha256:" + "0" * 64),
    (["trials", 3, "input_digest"], "sha256:" + "0" * 64),
    (["trials", 3, "state"], "null"),
    (["trials", 3, "observations"], []),
    (["tasks", 3, "expected"], {"answer": 1}),
    (["tasks", 3, "input"], {"number": 99}),
    (["terms", "clauses", 0, "promise_bps"], 8500),
    (["verdict", "outcome"], "met"),
    (["verdict", "earned_share_bps"], 10_000),
    (["verdict", "clauses", 0, "passes"], 29),
    (["verdict", "clauses", 0, "ln_e_met"], 9.5),
]


def test_whatever_is_changed_in_a_bundle_is_found() -> None:
    alice, bob = cast.alice(), cast.bob()
    data = bundle_of(concluded(alice, bob))
    for path, value in TAMPERINGS:
        assert not verify(_tampered(json.loads(data), path, value)).holds, path


def test_a_bundle_that_is_only_laid_out_otherwise_is_found_too() -> None:
    alice, bob = cast.alice(), cast.bob()
    data = bundle_of(concluded(alice, bob))
    found = verify(json.dumps(json.loads(data), indent=1).encode())
    assert found.differences == ["the file is not in canonical form (RFC 8785)"]


@settings(max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=40),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["format", "terms", "tasks", "trials", "verdict"]), inner
                )
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps({"format": "earnest-evaluation/1", "x": value}).encode()),
    )
)
def test_a_file_that_is_no_bundle_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(NotABundle):
        verify(data)


def test_an_unfinished_run_has_no_bundle() -> None:
    alice, bob = cast.alice(), cast.bob()
    with pytest.raises(EvaluationRefused, match="no verdict"):
        bundle_of(run_of(cast.agent_of(bob), bob, alice))


# --- raw answers -----------------------------------------------------------------------------


def test_inputs_and_answers_are_kept_once_whoever_brought_them() -> None:
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(lambda given: {"answer": 0}) as url:
        running = run_of(cast.agent_of(bob, url), bob, alice, tasks=12)
        to_the_end(running)
    digests = set(running.trials.values_list("input_digest", "output_digest"))
    assert Artifact.objects.count() == 13
    assert len({output for _, output in digests}) == 1


def test_erased_answers_leave_digests_and_a_bundle_that_says_so() -> None:
    alice, bob = cast.alice(), cast.bob()
    run = concluded(alice, bob)
    erased = erase_answers(evaluation=run, by=alice.party, reason="request", now=clock())
    assert (erased.artifacts, erased.kept) == (60, 0)
    assert not Artifact.objects.filter(body__isnull=False).exists()
    assert set(run.trials.values_list("output_digest", flat=True)) <= set(
        Artifact.objects.values_list("digest", flat=True)
    )
    found = verify(bundle_of(run))
    assert found.holds
    assert found.as_recorded == ["answers that were erased or never kept"]
    second = again(run, alice)
    for _ in range(2):
        shift(second)
    assert states(second) == {"null": 30}
    facts = Evidence.objects.get(kind="artifacts.erased").read()["facts"]
    assert facts == {"reason": "request", "artifacts": 60, "kept": 0}


def test_what_another_partys_run_holds_too_is_not_erased_for_one() -> None:
    alice, bob, mallory = cast.alice(), cast.bob(), cast.mallory()
    run = concluded(alice, bob)
    other = rerun_evaluation(original=run, requested_by=mallory.party, now=clock())
    erased = erase_answers(evaluation=run, by=alice.party, reason="request", now=clock())
    assert (erased.artifacts, erased.kept) == (0, 60)
    with pytest.raises(EvaluationRefused, match="only the party"):
        erase_answers(evaluation=other, by=alice.party, reason="request", now=clock())


def test_an_erased_body_that_is_brought_again_is_kept_again() -> None:
    alice, bob = cast.alice(), cast.bob()
    run = concluded(alice, bob, tasks=3)
    erase_answers(evaluation=run, by=alice.party, reason="request", now=clock())
    with cast.agent_service(cast.echo) as url:
        version = cast.agent_of(bob, url, name="Another")
        to_the_end(run_of(version, bob, alice, tasks=3))
    assert Artifact.objects.filter(body__isnull=False, erased_at=None).count() == 6


# --- how it failed ---------------------------------------------------------------------------


def test_the_report_tells_silent_from_confident_by_what_the_answer_claims() -> None:
    alice, bob = cast.alice(), cast.bob()

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        number = given["number"]
        if number < 10:
            return {"answer": 2 * number, "confidence": 0.99}
        if number < 14:
            return {"answer": 0, "confidence": 0.95}
        if number < 17:
            return {"answer": 0, "confidence": 0.2}
        return {"declined": True}

    with cast.agent_service(answer) as url:
        running = run_of(cast.agent_of(bob, url), bob, alice, tasks=20)
        to_the_end(running)
    found = failure_report(running)
    assert dict(found.counts) == {
        "sound": 10,
        "confident": 4,
        "silent": 3,
        "loud": 3,
        "degraded": 0,
        "not_counted": 0,
    }
