"""Importing the raw runs reproduces what their authors published."""

from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from pacts.importers import read_runs
from pacts.importers.figures import contradictions, counts, figures
from pacts.importers.leaderboards import StatedClaim, read_claims
from pacts.importers.run import ImportedRun

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public data is not here")


@cache
def runs(path: str) -> list[ImportedRun]:
    return read_runs(name=path, data=(DATA / path).read_bytes())


@cache
def claims(path: str) -> list[StatedClaim]:
    return read_claims(name=path, data=(DATA / path).read_bytes())


def test_tau_bench_shows_the_published_pass_powers_and_the_other_number_beside_them() -> None:
    (run,) = runs("tau_bench_airline_gpt4o/gpt-4o-airline.json.xz")
    found = {name: round(float(value), 4) for name, value in figures(run).items()}
    assert [found[f"pass^{k}"] for k in (1, 2, 3, 4)] == [0.42, 0.2733, 0.22, 0.2]
    assert [found[f"pass@{k}"] for k in (1, 2, 3, 4)] == [0.42, 0.5667, 0.66, 0.72]
    assert counts(run) == {"tasks": 50, "trials": 200, "passes": 84, "failures": 116, "nulls": 0}


def test_every_stated_success_of_autogpt_is_the_mean_of_the_last_ten_outcomes() -> None:
    found = runs("autogpt_benchmarks/reports_6agents.tar.xz")
    assert [len(run.published) for run in found] == [40] * 6
    assert [contradictions(run) for run in found] == [[]] * 6


def test_the_mean_of_all_outcomes_would_contradict_what_autogpt_states() -> None:
    wrong = 0
    for run in runs("autogpt_benchmarks/reports_6agents.tar.xz"):
        tasks = run.by_task()
        for stated in run.published:
            scores = [trial.score or 0 for trial in tasks[stated.name.removeprefix("latest:")]]
            wrong += not stated.agrees(Fraction(sum(scores), len(scores)))
    assert wrong > 100


def test_the_order_by_five_in_a_row_is_not_the_headline_order() -> None:
    shares = {r.agent: figures(r) for r in runs("autogpt_benchmarks/reports_6agents.tar.xz")}
    headline = sorted(shares, key=lambda agent: -shares[agent]["latest_10"])
    steady = sorted(shares, key=lambda agent: -shares[agent]["pass^5"])
    assert headline[0] == steady[0] == "mini-agi"
    assert headline.index("beebot") == 1
    assert steady.index("beebot") == 4


def test_agentdojo_utility_is_over_quiet_runs_and_security_counts_attacks_that_succeeded() -> None:
    found = runs("agentdojo_outcomes/outcomes_6agents.jsonl")
    assert len(found) == 6
    for run in found:
        attacked = [trial for trial in run.trials if trial.attack]
        assert len(run.trials) == 2 * len(attacked) == 194
    shares = {run.agent: figures(run) for run in found}
    assert shares["claude-3-5-sonnet-20240620"]["utility"] == Fraction(77, 97)
    filtered = shares["gpt-4o-2024-05-13-tool_filter"]["attack_success"]
    spotlit = shares["gpt-4o-2024-05-13-spotlighting_with_delimiting"]["attack_success"]
    assert filtered == Fraction(10, 97) < spotlit == Fraction(40, 97)


def test_hal_records_are_claims_of_a_third_party_with_the_part_of_the_tasks_they_rest_on() -> None:
    found = claims("every_eval_ever_hal/hal_records.tar.xz")
    assert len({claim.key for claim in found}) == 246
    assert {claim.ran_by for claim in found} == {"third_party"}
    assert all(0 <= claim.score <= 1 for claim in found)
    assistant = next(claim for claim in found if claim.benchmark == "AssistantBench")
    assert assistant.units == 33
    assert assistant.comparability == ["a part of the tasks: 33 of 214"]


def test_tau2_submissions_state_no_power_that_rises_and_say_what_makes_them_incomparable() -> None:
    found = claims("tau2_leaderboard_claims/submissions.tar.xz")
    assert [claim.contradictions for claim in found if claim.contradictions] == []
    changed = [c for c in found if "modified prompts: yes" in c.comparability]
    unknown = [c for c in found if "modified prompts: unknown" in c.comparability]
    assert changed
    assert unknown


def test_aider_polyglot_rates_that_leave_missing_tasks_out_are_told() -> None:
    found = claims("aider_leaderboards/polyglot_leaderboard.yml")
    assert len(found) == 69
    wrong = {claim.model: claim.contradictions for claim in found if claim.contradictions}
    assert len(wrong) == 6
    assert any("share of the 224 that ran" in said for said in wrong["DeepSeek R1 (0528)"])
    assert len(claims("aider_leaderboards/edit_leaderboard.yml")) == 98
    assert len(claims("aider_leaderboards/refactor_leaderboard.yml")) == 14
