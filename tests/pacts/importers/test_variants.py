"""Each format as its versions, options and neighbours really write it."""

import io
import json
import os
import subprocess
import sys
import zipfile
from fractions import Fraction
from typing import Any

import pytest

from pacts.importers import read_runs
from pacts.importers.figures import contradictions, counts, figures
from pacts.importers.leaderboards import read_claims
from pacts.importers.run import ImportedRun, RunsMalformed

INSPECT = """
import sys
from inspect_ai import Epochs, Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, accuracy, grouped, includes, match, mean, scorer, std, stderr
from inspect_ai.solver import solver

@solver
def fixed():
    async def solve(state, generate):
        right = (int(state.sample_id[1:]) + state.epoch) % 3 == 0
        state.output = ModelOutput.from_content("mockllm/model", "yes" if right else "no")
        return state
    return solve

@scorer(metrics=[mean(), stderr(), std()])
def graded():
    async def score(state, target):
        return Score(value=(int(state.sample_id[1:]) % 5) / 4)
    return score

@scorer(metrics={"a": [accuracy(), stderr()], "b": [mean()]})
def split():
    async def score(state, target):
        return Score(value={"a": "C" if state.epoch == 1 else "I", "b": 0.25 * state.epoch})
    return score

@scorer(metrics=[grouped(accuracy(), "kind"), stderr(cluster="kind")])
def kinds():
    async def score(state, target):
        return Score(value="C" if int(state.sample_id[1:]) % 2 else "I")
    return score

@scorer(metrics=[mean()])
def ten():
    async def score(state, target):
        return Score(value=7)
    return score

data = [Sample(id=f"s{n}", input="?", target="yes", metadata={"kind": "xy"[n > 2]})
        for n in range(7)]
reducers = ["mean", "median", "mode", "max", "at_least_2", "pass_at_2", "pass_k_2"]
tasks = [
    Task(name="reducers", dataset=data, solver=fixed(), scorer=includes(),
         epochs=Epochs(3, reducers)),
    Task(name="several", dataset=data, solver=fixed(), scorer=[includes(), match(), graded()],
         epochs=2),
    Task(name="split", dataset=data, solver=fixed(), scorer=split(), epochs=3),
    Task(name="grouped", dataset=data, solver=fixed(), scorer=kinds(), epochs=2),
    Task(name="ten", dataset=data, solver=fixed(), scorer=ten()),
]
eval(tasks, model="mockllm/model", log_dir=sys.argv[1], log_format="eval", display="none")
"""


def one(name: str, content: Any) -> ImportedRun:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (run,) = read_runs(name=name, data=data)
    return run


def packed(entries: dict[str, Any]) -> bytes:
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return pack.getvalue()


# --- inspect_ai -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ImportedRun]:
    """What inspect_ai itself writes with several reducers, scorers, values and groups."""
    folder = tmp_path_factory.mktemp("inspect")
    environment = {**os.environ, "INSPECT_DISPLAY": "none", "HOME": str(folder)}
    subprocess.run(
        [sys.executable, "-c", INSPECT, str(folder)],
        env=environment,
        check=True,
        capture_output=True,
    )
    found = [one(path.name, path.read_bytes()) for path in sorted(folder.glob("*.eval"))]
    return {run.benchmark: run for run in found}


def test_every_reducer_of_inspect_reproduces_the_figures_it_states(
    logs: dict[str, ImportedRun],
) -> None:
    run = logs["reducers"]
    assert len(run.published) == 14
    assert contradictions(run) == []
    found = figures(run)
    assert found["accuracy of includes, pass_at_2"] == pytest.approx(float(found["pass@2"]))
    assert found["accuracy of includes, pass_k_2"] == pytest.approx(float(found["pass^2"]))


def test_of_several_scorers_the_first_decides_and_every_stated_figure_holds(
    logs: dict[str, ImportedRun],
) -> None:
    run = logs["several"]
    assert {tuple(sorted(trial.named)) for trial in run.trials} == {("graded", "match")}
    assert {stated.name for stated in run.published} >= {"accuracy of match", "std of graded"}
    assert contradictions(run) == []
    assert figures(run)["score:graded"] == Fraction(11, 28)


def test_a_scorer_of_several_values_is_told_apart_by_their_names(
    logs: dict[str, ImportedRun],
) -> None:
    run = logs["split"]
    assert counts(run)["passes"] == 7
    assert {trial.named["b"] for trial in run.trials} == {
        Fraction(1, 4),
        Fraction(1, 2),
        Fraction(3, 4),
    }
    assert contradictions(run) == []


def test_groups_of_samples_are_categories_and_clustered_errors_are_not_judged(
    logs: dict[str, ImportedRun],
) -> None:
    run = logs["grouped"]
    assert {name for name in figures(run) if name.startswith("group:")} == {"group:x", "group:y"}
    assert contradictions(run) == []
    assert run.notes == ["stated and not computed again: stderr"]


def test_scores_beyond_one_are_no_outcomes_and_their_mean_still_holds(
    logs: dict[str, ImportedRun],
) -> None:
    run = logs["ten"]
    assert counts(run)["nulls"] == 7
    assert contradictions(run) == []
    assert run.notes == ["ten scores beyond 0 to 1: such a score is no outcome"]


def test_a_log_of_version_one_has_one_scorer_and_one_score() -> None:
    metrics = {"accuracy": {"name": "accuracy", "value": 0.5, "options": {}}}
    log = {
        "version": 1,
        "status": "success",
        "eval": {"task": "old", "model": "a/model", "created": "2024-01-01T00:00:00"},
        "results": {"scorer": {"name": "match"}, "metrics": metrics},
        "samples": [
            {"id": n, "epoch": 1, "score": {"value": value}} for n, value in enumerate("CI")
        ],
    }
    run = one("old.json", log)
    assert (counts(run)["passes"], contradictions(run)) == (1, [])
    log["results"]["scorer"], log["samples"] = {"name": "match"}, []  # type: ignore[index]
    with pytest.raises(RunsMalformed, match="holds figures and no samples"):
        one("old.json", log)


def test_a_sample_stopped_by_a_limit_and_a_log_with_fewer_samples_than_it_states_say_so() -> None:
    log = {
        "status": "error",
        "eval": {"task": "t", "model": "m"},
        "results": {"total_samples": 3, "scores": [{"name": "s", "metrics": {}}]},
        "samples": [
            {"id": 1, "epoch": 1, "scores": {"s": {"value": 0}}, "limit": {"type": "token"}},
            {"id": 2, "epoch": 1, "scores": {"s": {"value": float("nan")}}},
        ],
    }
    run = one("t.json", log)
    assert [(trial.passed, trial.error) for trial in run.trials] == [
        (False, "token limit"),
        (None, "no score"),
    ]
    assert run.notes == [
        "the log's status is “error”, not “success”",
        "the log holds 2 of 3 samples",
    ]


# --- promptfoo ------------------------------------------------------------------------------------


def row(at: int, success: bool, **more: Any) -> dict[str, Any]:
    return {"provider": "p", "promptIdx": 0, "testIdx": at, "success": success, **more}


def test_promptfoo_repeats_are_tries_of_one_test_and_named_scores_stand_beside() -> None:
    rows = [
        row(at, at != 1, vars={"q": at // 2}, testCase={}, namedScores={"tone": 0.5, "far": 7})
        for at in range(4)
    ]
    table = {"version": 3, "results": rows, "stats": {"successes": 3, "failures": 1, "errors": 0}}
    run = one("o.json", {"results": table, "config": {"evaluateOptions": {"repeat": 2}}})
    assert (counts(run)["tasks"], figures(run)["pass^2"]) == (2, Fraction(1, 2))
    assert figures(run)["score:tone"] == Fraction(1, 2)
    assert "score:far" not in figures(run)


def test_promptfoo_counts_of_a_prompt_are_held_against_its_rows() -> None:
    prompts = [{"raw": "x", "metrics": {"testPassCount": 2, "testFailCount": 0}}]
    run = one("o.json", {"results": {"version": 3, "prompts": prompts, "results": [row(0, True)]}})
    assert contradictions(run) == ["prompt 0 states 2 testPassCount, its rows hold 1"]


def test_promptfoo_of_the_time_before_errors_counted_them_as_failures() -> None:
    rows = [row(0, True), row(1, False, error="boom")]
    table = {"version": 2, "results": rows, "stats": {"successes": 1, "failures": 1}}
    run = one("o.json", {"results": table})
    assert (counts(run)["nulls"], contradictions(run)) == (1, [])


# --- τ-bench, AgentDojo, function calling, Auto-GPT -----------------------------------------------


def test_a_tau_trial_that_broke_fails_as_tau_bench_counts_it_and_says_why() -> None:
    rows = [
        {"task_id": 0, "trial": 0, "reward": 0.0, "info": {"error": "RateLimitError: my key"}},
        {"task_id": 0, "trial": 1, "reward": 1.0, "info": {}},
    ]
    run = one("t.json", rows)
    assert [(trial.passed, trial.error) for trial in run.trials] == [
        (False, "RateLimitError"),
        (True, ""),
    ]
    assert run.notes == ["1 trials broke and count as failures, as τ-bench counts them"]


def test_tau2_leaves_out_what_never_ran_and_counts_every_other_ending() -> None:
    endings = ["infrastructure_error", "context_window_exceeded", "max_steps", "unexpected_error"]
    simulations = [
        {"task_id": "1", "trial": at, "reward_info": {"reward": 0.0}, "termination_reason": ending}
        for at, ending in enumerate(endings)
    ]
    run = one("t.json", {"info": {}, "simulations": simulations})
    assert [trial.passed for trial in run.trials] == [None, None, False, False]


def test_a_tau2_folder_is_read_from_the_index_in_its_results() -> None:
    index = [
        {"id": f"s{at}", "task_id": "1", "trial": at, "reward": 1.0, "duration": 2.5}
        for at in range(2)
    ]
    files = {f"run/simulations/s{at}.json": {"task_id": "1", "messages": []} for at in range(2)}
    run = one(
        "r.zip", packed({"run/results.json": {"info": {}, "simulation_index": index}, **files})
    )
    assert (counts(run)["passes"], run.trials[0].seconds, [*run.notes]) == (2, 2.5, [])


def dojo(task: str, suite: str, attack: str | None, **more: Any) -> dict[str, Any]:
    return {
        "suite_name": suite,
        "pipeline_name": "a-model",
        "user_task_id": task,
        "injection_task_id": "injection_task_1" if attack else None,
        "attack_type": attack,
        "utility": True,
        "security": True,
        "error": None,
        **more,
    }


def test_agentdojo_counts_tasks_it_asked_openly_apart_from_utility() -> None:
    runs = {
        "b/user_task_0/none/none.json": dojo("user_task_0", "banking", None, utility=False),
        "b/injection_task_1/none/none.json": dojo("injection_task_1", "banking", None),
        "b/user_task_0/direct/injection_task_1.json": dojo("user_task_0", "banking", "direct"),
        "s/user_task_0/other/injection_task_1.json": dojo(
            "user_task_0", "slack", "other", security=False, utility=False
        ),
    }
    found = figures(run := one("runs.zip", packed(runs)))
    assert [found["utility"], found["injection_task_utility"]] == [0, 1]
    assert found["attack_success"] == Fraction(1, 2)
    assert [found["attack_success:direct"], found["attack_success:slack"]] == [1, 0]
    assert run.notes == ["asked openly for 1 injected tasks, it did 1: not counted in utility"]


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def test_function_calls_over_several_turns_add_up_their_times_and_name_their_errors() -> None:
    head = {"accuracy": 0.5, "correct_count": 1, "total_count": 2}
    wrong = {"id": "m_1", "error": {"error_type": "multi_turn:force_terminated"}}
    answers = [{"id": f"m_{n}", "result": [["f()"]], "latency": [[1, 2], [3]]} for n in range(2)]
    data = packed(
        {
            "score/a/multi_turn/BFCL_v4_multi_turn_base_score.json": lines(head, wrong),
            "result/a/multi_turn/BFCL_v4_multi_turn_base_result.json": lines(*answers),
        }
    )
    run = one("bfcl.zip", data)
    assert [(t.task, t.error, t.seconds) for t in run.trials] == [
        ("m_0", "", 6),
        ("m_1", "multi_turn:force_terminated", 6),
    ]


def test_a_result_file_alone_is_told_what_it_lacks_and_a_test_listed_twice_is_refused() -> None:
    with pytest.raises(RunsMalformed, match="holds answers and no outcomes: bring the score file"):
        one("x_result.json", lines({"id": "a", "result": "f()"}, {"id": "b", "result": "g()"}))
    head = {"accuracy": 0, "correct_count": 0, "total_count": 2}
    with pytest.raises(RunsMalformed, match="line 3: the test a appears twice"):
        one("x_score.json", lines(head, {"id": "a"}, {"id": "a"}))


def test_reports_of_auto_gpt_without_lists_of_outcomes_count_for_themselves() -> None:
    def report(day: int, success: bool) -> dict[str, Any]:
        metrics = {"success": success, "attempted": True, "run_time": "1.5 seconds"}
        left_out = {"success": False, "attempted": False}
        inner = {"TestOne": {"category": ["memory"], "metrics": metrics}}
        return {
            "completion_time": f"2023-08-0{day}T00:00:00+00:00",
            "tests": {"Group": {"tests": inner}, "TestTwo": {"metrics": left_out}},
        }

    files = {f"agent/{day}_full_run/report.json": report(day, day == 2) for day in (2, 1)}
    run = one("r.zip", packed(files))
    assert [(t.task, t.repeat, t.passed) for t in run.trials] == [
        ("TestOne", 0, False),
        ("TestTwo", 0, None),
        ("TestOne", 1, True),
        ("TestTwo", 1, None),
    ]
    assert (run.agent, run.trials[0].seconds) == ("agent", 1.5)


# --- JUnit and CSV --------------------------------------------------------------------------------

RERUN = """<testsuites tests="4"><testsuite name="outer" tests="4" failures="1" skipped="2">
<testsuite name="inner" tests="3"><testcase name="steady" time="1e-05"/>
<testcase name="flaky"><flakyFailure type="AssertionError"/><flakyError type="IOError"/></testcase>
<testcase name="off"><skipped/></testcase></testsuite>
<testcase name="bad"><failure type="F"/><rerunFailure type="F"/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    "document",
    [
        RERUN.encode(),
        b"\xef\xbb\xbf" + RERUN.encode(),
        ('<?xml version="1.0" encoding="utf-16"?>' + RERUN).encode("utf-16"),
    ],
)
def test_junit_cases_that_ran_again_are_tries_and_counts_are_held_against_cases(
    document: bytes,
) -> None:
    run = one("r.xml", document)
    assert [(t.task, t.repeat, t.passed) for t in run.trials] == [
        ("steady", 0, True),
        ("flaky", 0, False),
        ("flaky", 1, None),
        ("flaky", 2, True),
        ("off", 0, None),
        ("bad", 0, False),
        ("bad", 1, False),
    ]
    assert (run.trials[0].seconds, run.trials[0].group) == (1e-05, "inner")
    assert contradictions(run) == ["the suite outer states 2 skipped, its cases show 1"]


def test_junit_reports_of_two_nights_are_tries_of_the_same_tests() -> None:
    run = one(
        "nights.zip", packed({"a/TEST-x.xml": RERUN.encode(), "b/TEST-x.xml": RERUN.encode()})
    )
    assert counts(run)["trials"] == 14


@pytest.mark.parametrize(
    ("table", "outcomes"),
    [
        ("Task ID;Passed\nä;YES\nb;n/a\nc;0,5\n", [1, None, Fraction(1, 2)]),
        ("sep=;\ntask;passed\na;1\n", [1]),
        ("task,passed\rt1,✓\rt2,✗\r", [1, 0]),
        ('task,passed,note\n"t\n1",TRUE,"a ""b""\nc"\nt2,Fail,\n', [1, 0]),
        ("test|score\na|85%\nb|1.0\nc|.5\n", [Fraction(17, 20), 1, Fraction(1, 2)]),
        ("instance_id\tresolved\nx\tTrue\ny\tskipped\n", [1, None]),
        ("task,passed,error\na,1\n", [1]),
    ],
)
def test_a_table_may_name_separate_and_spell_as_people_do(table: str, outcomes: list[Any]) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        run = one("t.csv", table.encode(encoding))
        assert [trial.score for trial in run.trials] == outcomes


def test_a_table_that_is_not_utf8_is_read_as_what_it_is_likely_to_be_and_says_so() -> None:
    run = one("t.csv", "task,passed\ncafé,1\n".encode("cp1252"))
    assert (run.trials[0].task, len(run.notes)) == ("café", 1)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (b"task,passed\na,1,2\n", "line 2: 3 cells, but 2 columns"),
        (b'task,passed\n"a,1\n', "is not CSV"),
        (b"task,trial,passed\na,0,1\na,0,0\n", "line 3: repeat 0 of the task a appears twice"),
        (b"task,passed\n,1\n", "line 2: the task has no name"),
        (b"task,score\na,85\n", "line 2: '85' is no outcome"),
    ],
)
def test_a_table_that_does_not_hold_together_is_told_its_line(table: bytes, why: str) -> None:
    with pytest.raises(RunsMalformed, match=why):
        one("t.csv", table)


# --- claims ---------------------------------------------------------------------------------------


def test_a_leaderboard_in_yaml_is_known_by_its_entries_and_aliases_are_refused() -> None:
    entry = (
        "- dirname: d\n  model: m\n  edit_format: diff\n  pass_rate_1: 50.0\n  date: 2024-05-01\n"
    )
    (claim,) = read_claims(name="board.txt", data=entry.encode())
    assert (claim.model, claim.score) == ("m", Fraction(1, 2))
    bomb = entry + "- &a [x]\n- [*a, *a]\n"
    with pytest.raises(RunsMalformed, match="aliases are not read"):
        read_claims(name="board.yml", data=bomb.encode())


def test_a_claim_without_bounds_is_a_share_or_in_its_unit() -> None:
    def record(score: float, **metric: Any) -> bytes:
        result = {
            "evaluation_name": "b",
            "metric_config": metric,
            "score_details": {"score": score},
        }
        return json.dumps({"evaluation_id": "e", "evaluation_results": [result]}).encode()

    (share,) = read_claims(name="r.json", data=record(0.25, lower_is_better=True))
    (percent,) = read_claims(name="r.json", data=record(25, metric_unit="percent"))
    assert (share.score, percent.score) == (Fraction(3, 4), Fraction(1, 4))
    with pytest.raises(RunsMalformed, match="not within its stated bounds"):
        read_claims(name="r.json", data=record(25))
