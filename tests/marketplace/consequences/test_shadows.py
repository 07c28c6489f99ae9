"""A candidate on the same calls: compared in pairs, within its budget, and given to nobody."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.models import Replay, Shadow, ShadowPair
from marketplace.shadows import paired, replaying, running
from marketplace.shadows.paired import Compared, compare
from marketplace.shadows.running import Budget
from pacts import calls_kept, registry, runner
from pacts.models import AgentVersion, Call, CallContent, Engagement
from reputation.confidence import bounded_ln_e_breach, bounded_ln_e_met, confidence_sequence
from reputation.models import Evidence
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.consequences.lately import critical, loopback
from tests.pacts.live.hired import hire, record, report, wrong

ONE = [Compared(clause="form", weight_bps=10_000, critical=True)]


def pairs(hired: float, candidate: float, count: int) -> list[dict[str, tuple[float, float]]]:
    return [{"form": (hired, candidate)}] * count


# --- the method --------------------------------------------------------------------------------


def test_a_candidate_that_fails_where_the_hired_one_passes_is_worse_and_vice_versa() -> None:
    worse = compare(pairs(1, 0, 40), ONE, tolerance=0.02, alpha=0.05)
    better = compare(pairs(0, 1, 40), ONE, tolerance=0.02, alpha=0.05)
    assert (worse.outcome, better.outcome) == ("worse", "better")
    assert worse.findings[0].difference == -1
    assert better.findings[0].difference == 1


def test_two_that_do_the_same_stay_undecided_however_long_they_run() -> None:
    same = [*pairs(1, 1, 900), *pairs(0, 0, 100)]
    assert compare(same, ONE, tolerance=0.02, alpha=0.05).outcome == "undetermined"


def test_the_verdict_falls_at_the_pair_where_the_specified_evidence_crosses_its_line() -> None:
    found = compare(pairs(1, 0, 40), ONE, tolerance=0.02, alpha=0.05).findings[0]
    assert found.decided_at is not None
    line, promise = 1 / (0.05 / 2), 0.5 * 0.98
    import math

    def ln_e(n: int) -> float:
        return bounded_ln_e_breach([0.0] * n, promise=promise, floor=promise)

    assert ln_e(found.decided_at) >= math.log(line) > ln_e(found.decided_at - 1)
    assert bounded_ln_e_met([0.0] * 10, promise=0.5, floor=0.5) < 0


def test_a_critical_clause_lost_is_worse_though_the_whole_gained() -> None:
    clauses = [
        Compared(clause="safe", weight_bps=1_000, critical=True),
        Compared(clause="form", weight_bps=9_000, critical=False),
    ]
    both = [{"safe": (1.0, 0.0), "form": (0.0, 1.0)}] * 60
    found = compare(both, clauses, tolerance=0.02, alpha=0.05)
    assert found.findings[0].outcome == "better"
    assert found.outcome == "worse"


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_more_pairs_never_take_a_verdict_back(values: list[tuple[float, float]]) -> None:
    rows = [{"form": both} for both in values]
    whole = compare(rows, ONE, tolerance=0.0, alpha=0.05)
    decided = whole.findings[0].decided_at
    if decided is not None:
        before = compare(rows[:decided], ONE, tolerance=0.0, alpha=0.05)
        assert before.findings[0].outcome == whole.findings[0].outcome
    for one in whole.findings:
        assert -1 <= one.low <= one.high <= 1


def test_of_fair_comparisons_few_are_ever_called_better_or_worse() -> None:
    from random import Random

    draw, wrongly = Random(7), 0
    for _ in range(200):
        rows = [
            {"form": (float(draw.random() < 0.9), float(draw.random() < 0.9))} for _ in range(150)
        ]
        wrongly += compare(rows, ONE, tolerance=0.0, alpha=0.05).outcome != "undetermined"
    assert wrongly <= 200 * 2 * 0.05, "each side has its own five per cent"


def test_the_interval_of_zeros_and_ones_is_the_specified_confidence_sequence() -> None:
    for passes, failures in ((59, 0), (48, 2), (95, 5), (60, 40)):
        found = paired.interval({1.0: passes, 0.0: failures})
        wanted = confidence_sequence(passes=passes, failures=failures)
        assert found == pytest.approx(wanted, abs=1e-6)
    assert paired.interval({}) == pytest.approx((0, 1))


def test_where_the_verdict_is_worse_the_interval_of_the_difference_lies_below_nothing() -> None:
    rows = [{"form": (1.0, float(n % 3 > 0))} for n in range(80)]
    whole = compare(rows, ONE, tolerance=0.0, alpha=0.05).findings[0]
    assert (whole.outcome, whole.high < 0) == ("worse", True)


@given(st.binary(min_size=16, max_size=16))
def test_a_draw_is_the_same_for_whoever_draws_again_and_all_or_nothing_at_the_ends(
    call: bytes,
) -> None:
    seed = b"s" * 32
    assert running.is_drawn(seed=seed, call_id=call, share_bps=10_000)
    first = running.is_drawn(seed=seed, call_id=call, share_bps=5_000)
    assert first == running.is_drawn(seed=seed, call_id=call, share_bps=5_000)
    assert not first or running.is_drawn(seed=seed, call_id=call, share_bps=7_000)


# --- runs ----------------------------------------------------------------------------------------


@dataclass
class Rig:
    """alice's hire with calls on record, and a candidate version behind a real server."""

    alice: cast.Actor
    bob: cast.Actor
    engagement: Engagement
    stack: ExitStack
    asked: list[Any] = field(default_factory=list)

    def candidate(self, answer: Callable[[Any], Any]) -> AgentVersion:
        def noted(given: Any) -> Any:
            self.asked.append(given)
            return answer(given)

        return self.version(self.stack.enter_context(cast.agent_service(noted)))

    def version(self, url: str) -> AgentVersion:
        return registry.add_version(
            agent=self.engagement.agent_version.agent,
            endpoint=url,
            protocol="earnest-json/1",
            declared={"model": "next"},
            max_concurrency=4,
            deadline_ms=2_000,
            now=clock(),
        )

    def start(self, candidate: AgentVersion, most: int = 100, **more: Any) -> Shadow:
        return running.start_shadow(
            engagement=self.engagement,
            candidate=candidate,
            buyer=self.alice.party,
            by=self.alice.user,
            budget=Budget(most_calls=most),
            now=clock(),
            **more,
        )

    def work(self, shadow: Shadow) -> Shadow:
        while running.run_shadows(egress=loopback(), now=clock()):
            continue
        shadow.refresh_from_db()
        return shadow


@pytest.fixture
def rig(db: None, settings: Any) -> Iterator[Rig]:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()
    with ExitStack() as stack:
        alice, bob = cast.alice(), cast.bob()
        yield Rig(alice, bob, hire(critical(), alice=alice, bob=bob), stack)
    runner.egress.cache_clear()


def bad(_: Any) -> Any:
    return {"label": "NO 1"}


def good(_: Any) -> Any:
    return {"label": "fine"}


def test_a_candidate_gets_the_same_inputs_and_its_answers_are_kept_nowhere(rig: Rig) -> None:
    shadow = rig.start(rig.candidate(bad))
    sent = [record(rig.engagement, input={"text": f"question {n}"}) for n in range(16)]
    report(rig.alice, sent)
    done = rig.work(shadow)
    assert (done.state, done.outcome) == ("concluded", "worse")
    assert sorted(one["text"] for one in rig.asked) == sorted(one["input"]["text"] for one in sent)
    assert Call.objects.count() == 16, "copies are no production calls"
    assert all(pair.output_digest for pair in done.pairs.all())
    fact = Evidence.objects.get(kind="shadow.concluded").read()["facts"]
    assert (fact["outcome"], fact["pairs"]) == ("worse", 16)


def test_better_where_the_hired_one_fails(rig: Rig) -> None:
    shadow = rig.start(rig.candidate(good))
    report(rig.alice, [wrong(rig.engagement) for _ in range(24)])
    assert rig.work(shadow).outcome == "better"


def test_calls_before_the_start_and_beyond_the_budget_are_not_copied(rig: Rig) -> None:
    report(rig.alice, [record(rig.engagement) for _ in range(5)])
    shadow = rig.start(rig.candidate(good), most=3)
    report(rig.alice, [record(rig.engagement) for _ in range(10)])
    done = rig.work(shadow)
    assert len(rig.asked) == 3
    assert (done.state, done.outcome) == ("concluded", "undetermined")


def test_a_candidate_that_is_away_fails_and_the_platforms_own_fault_is_null(rig: Rig) -> None:
    shadow = rig.start(rig.version(cast.DEAD_END))
    report(rig.alice, [record(rig.engagement) for _ in range(4)])
    rig.work(shadow)
    rows = ShadowPair.objects.order_by("place")
    assert {one.state for one in rows} == {"done"}
    assert {tuple(one.values["form"]) for one in rows} == {(1.0, 0.0)}


def test_contents_erased_before_their_copy_was_sent_make_a_null(rig: Rig) -> None:
    shadow = rig.start(rig.candidate(good))
    report(rig.alice, [record(rig.engagement)])
    calls_kept.erase_contents(
        engagement=rig.engagement, by=rig.alice.party, reason="requested", now=clock()
    )
    rig.work(shadow)
    assert ShadowPair.objects.get().state == "null"
    assert rig.asked == []


def test_a_worker_that_dies_leaves_its_pairs_to_the_next(rig: Rig) -> None:
    shadow = rig.start(rig.candidate(good))
    report(rig.alice, [record(rig.engagement) for _ in range(3)])
    now = clock()
    running._draw(shadow.pk, now)
    assert len(running._lease(now)) == 3
    assert running.run_shadows(egress=loopback(), now=now) == 0
    assert running.run_shadows(egress=loopback(), now=now + running.LEASE) == 3


def test_what_is_looked_at_ends_at_the_first_gap(rig: Rig) -> None:
    rows = [ShadowPair(state=state) for state in ("done", "null", "waiting", "done")]
    assert len(running._prefix(rows)) == 2


@pytest.mark.parametrize("wrong_", ["hired", "foreign", "unlisted", "budget"])
def test_a_run_that_makes_no_sense_does_not_start(rig: Rig, wrong_: str) -> None:
    candidate = rig.candidate(good)
    other = cast.agent_of(rig.bob, name="Unlisted")
    mallory = cast.mallory()
    changes: dict[str, dict[str, Any]] = {
        "hired": {"candidate": rig.engagement.agent_version},
        "foreign": {"buyer": mallory.party},
        "unlisted": {"candidate": other},
        "budget": {"budget": Budget(most_calls=0)},
    }
    fields: dict[str, Any] = {
        "engagement": rig.engagement,
        "candidate": candidate,
        "buyer": rig.alice.party,
        "by": rig.alice.user,
        "budget": Budget(most_calls=10),
        "now": clock(),
    }
    with pytest.raises(running.ShadowRefused):
        running.start_shadow(**fields | changes[wrong_])


def test_one_runs_at_a_time_and_a_stopped_one_stays_stopped(rig: Rig) -> None:
    candidate = rig.candidate(good)
    first = rig.start(candidate)
    with pytest.raises(running.ShadowRefused, match="stop it first"):
        rig.start(candidate)
    running.stop_shadow(shadow=first, now=clock())
    with pytest.raises(running.ShadowEnded):
        running.stop_shadow(shadow=first, now=clock())
    report(rig.alice, [record(rig.engagement)])
    rig.work(first)
    assert rig.asked == []


def test_a_shadow_is_started_read_and_ended_through_the_api_by_its_buyer_alone(rig: Rig) -> None:
    alice, bob = program_of(rig.alice), program_of(rig.bob)
    body = {
        "engagement": rig.engagement.pk,
        "candidate": rig.candidate(good).pk,
        "most_calls": 10,
    }
    made = alice.post("shadows", body)
    assert made.status_code == 201, made.content
    report(rig.alice, [record(rig.engagement) for _ in range(2)])
    running.run_shadows(egress=loopback(), now=clock())
    path = f"shadows/{made.json()['id']}"
    found = alice.get(path).json()
    assert found["findings"][0]["pairs"] == 2
    assert [one["place"] for one in alice.get(f"{path}/pairs").json()["results"]] == [1, 2]
    assert bob.get(path).status_code == 404
    assert alice.post(f"{path}/ending").json()["state"] == "stopped"


# --- replays -------------------------------------------------------------------------------------


def test_a_replay_puts_the_captured_input_to_the_current_version_and_checks_both(
    rig: Rig,
) -> None:
    report(rig.alice, [wrong(rig.engagement, input={"text": "again?"})])
    call = Call.objects.get()
    current = rig.candidate(good)
    made = replaying.replay(call=call, buyer=rig.alice.party, by=rig.alice.user, now=clock())
    assert made.agent_version == current
    assert replaying.run_replays(egress=loopback(), now=clock()) == 1
    made.refresh_from_db()
    assert rig.asked == [{"text": "again?"}]
    assert made.state == "done"
    (line,) = made.findings
    assert (line["before"][0], line["after"][0]) == ("fail", "pass")
    then, now_said = replaying.side_by_side(made)
    assert (then["output"], now_said) == ({"label": "NO 1"}, {"label": "fine"})
    fact = Evidence.objects.get(kind="call.replayed").read()
    assert fact["facts"] == {"clauses": 1, "changed": 1}
    assert fact["digests"]["input"] == call.input_digest


def test_the_same_replay_again_gives_the_same_digests(rig: Rig) -> None:
    report(rig.alice, [wrong(rig.engagement)])
    rig.candidate(good)
    for _ in range(2):
        replaying.replay(
            call=Call.objects.get(), buyer=rig.alice.party, by=rig.alice.user, now=clock()
        )
    replaying.run_replays(egress=loopback(), now=clock())
    first, second = (row.read()["digests"] for row in Evidence.objects.filter(kind="call.replayed"))
    assert first == second


def test_what_was_said_goes_with_the_calls_own_contents(rig: Rig) -> None:
    report(rig.alice, [record(rig.engagement)])
    rig.candidate(good)
    replaying.replay(call=Call.objects.get(), buyer=rig.alice.party, by=rig.alice.user, now=clock())
    replaying.run_replays(egress=loopback(), now=clock())
    assert Replay.objects.get().answer
    calls_kept.erase_contents(
        engagement=rig.engagement, by=rig.alice.party, reason="requested", now=clock()
    )
    assert not CallContent.objects.exists()
    assert replaying.side_by_side(Replay.objects.get()) == ({}, None)
    assert replaying.forget_answers() == 1
    assert (Replay.objects.get().answer, Replay.objects.get().findings) == ("", [])
    with pytest.raises(replaying.ReplayRefused, match="not kept"):
        replaying.replay(
            call=Call.objects.get(), buyer=rig.alice.party, by=rig.alice.user, now=clock()
        )


def test_an_agent_that_is_away_is_a_finding_and_a_broken_platform_is_tried_again(
    rig: Rig,
) -> None:
    report(rig.alice, [record(rig.engagement)])
    rig.version(cast.DEAD_END)
    made = replaying.replay(
        call=Call.objects.get(), buyer=rig.alice.party, by=rig.alice.user, now=clock()
    )
    now = clock()
    AgentVersion.objects.get(pk=made.agent_version_id)
    replaying.run_replays(egress=loopback(), now=now)
    made.refresh_from_db()
    assert (made.state, made.fault) == ("done", "agent")
    again = replaying.replay(
        call=Call.objects.get(), buyer=rig.alice.party, by=rig.alice.user, now=now
    )
    Replay.objects.filter(pk=again.pk).update(attempts=1, due_at=now + timedelta(seconds=60))
    assert replaying.run_replays(egress=loopback(), now=now) == 0, "leased by another worker"


def test_what_was_said_is_the_buyers_to_use_again_and_nobody_elses(rig: Rig) -> None:
    report(rig.alice, [record(rig.engagement)])
    rig.candidate(good)
    call = f"cll_{Call.objects.get().call_id.hex}"
    made = program_of(rig.alice).post("replays", {"call": call})
    assert made.status_code == 201, made.content
    for actor in (rig.bob, cast.mallory()):
        program = program_of(actor)
        assert program.post("replays", {"call": call}).status_code == 404
        assert program.get(f"replays/{made.json()['id']}").status_code == 404


def test_the_method_names_itself() -> None:
    assert paired.METHOD_ID == "paired-gm-dyadic-1"
