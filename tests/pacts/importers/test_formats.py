"""Each format as its own tool writes it, and what is refused."""

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacts.importers import files, read_runs
from pacts.importers.figures import contradictions, counts, figures, pass_at, pass_power
from pacts.importers.leaderboards import read_claims
from pacts.importers.run import ImportedRun, ImportedTrial, RunsMalformed

INSPECT = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import includes
from inspect_ai.solver import solver

@solver
def fixed():
    async def solve(state, generate):
        if state.sample_id == "s5" and state.epoch == 2:
            raise RuntimeError("boom")
        right = (int(state.sample_id[1:]) + state.epoch) % 3 == 0
        state.output = ModelOutput.from_content("mockllm/model", "yes" if right else "no")
        return state
    return solve

task = Task(
    name="capitals",
    dataset=[Sample(id=f"s{n}", input="?", target="yes") for n in range(7)],
    solver=fixed(), scorer=[includes()], epochs=3,
)
for form in ("eval", "json"):
    eval(task, model="mockllm/model", log_dir=sys.argv[1], log_format=form, display="none",
         fail_on_error=False)
"""


def one(name: str, content: Any, **options: Any) -> ImportedRun:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (run,) = read_runs(name=name, data=data, **options)
    return run


def outcomes(run: ImportedRun) -> dict[str, bool | None]:
    return {trial.task: trial.passed for trial in run.trials}


# --- inspect_ai -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inspect_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs that inspect_ai itself has just written, in both of its forms."""
    folder = tmp_path_factory.mktemp("inspect")
    environment = {**os.environ, "INSPECT_DISPLAY": "none", "HOME": str(folder)}
    subprocess.run(
        [sys.executable, "-c", INSPECT, str(folder / "logs")],
        env=environment,
        check=True,
        capture_output=True,
    )
    return folder / "logs"


@pytest.mark.parametrize("ending", ["eval", "json"])
def test_a_log_inspect_has_just_written_adds_up_to_the_accuracy_it_states(
    inspect_logs: Path, ending: str
) -> None:
    (path,) = inspect_logs.glob(f"*.{ending}")
    run = one(path.name, path.read_bytes())
    assert (run.benchmark, run.model) == ("capitals", "mockllm/model")
    assert counts(run) == {"tasks": 7, "trials": 21, "passes": 7, "failures": 13, "nulls": 1}
    assert [stated.name for stated in run.published] == ["accuracy", "stderr"]
    assert contradictions(run) == []


def test_an_archive_of_many_logs_is_as_many_runs(inspect_logs: Path) -> None:
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr("logs/README.md", "two logs of one task")
        for path in sorted(inspect_logs.iterdir()):
            archive.write(path, f"logs/{path.name}")
    runs = read_runs(name="logs.zip", data=pack.getvalue())
    assert [run.benchmark for run in runs] == ["capitals, 1 of 2", "capitals, 2 of 2"]
    assert all(counts(run)["passes"] == 7 and not contradictions(run) for run in runs)
    assert {trial.error for run in runs for trial in run.trials} == {"", "RuntimeError"}


def test_a_log_that_was_cut_off_is_read_from_its_journal(inspect_logs: Path) -> None:
    (path,) = inspect_logs.glob("*.eval")
    kept = {m.name: m.data for m in files.members(path.name, path.read_bytes())}
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        for name, data in kept.items():
            if name not in ("header.json", "summaries.json") and "_epoch_3" not in name:
                archive.writestr(name, data)
    run = one("cut.eval", pack.getvalue())
    assert counts(run)["trials"] == 14
    assert run.notes == ["the log's status is “started”, not “success”"]


def test_an_accuracy_changed_by_hand_is_contradicted_by_the_samples(inspect_logs: Path) -> None:
    (path,) = inspect_logs.glob("*.json")
    log = json.loads(path.read_text())
    log["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.9
    (wrong,) = contradictions(one("log.json", log))
    assert str(wrong).startswith("accuracy is stated as 0.9000, but the trials add up to 0.")


# --- promptfoo ------------------------------------------------------------------------------------


def promptfoo(rows: list[dict[str, Any]], **stats: int) -> dict[str, Any]:
    table = {"version": 3, "timestamp": "2026-03-01T10:00:00Z", "results": rows, "stats": stats}
    return {"evalId": "eval-1", "results": table, "config": {"description": "support answers"}}


def row(at: int, success: bool, **more: Any) -> dict[str, Any]:
    return {
        "provider": {"id": "openai:gpt", "label": "gpt"},
        "promptIdx": 0,
        "testIdx": at,
        "success": success,
        "score": float(success),
        "latencyMs": 250,
        "cost": 0.002,
        "tokenUsage": {"total": 12},
        "failureReason": 0 if success else 1,
        **more,
    }


def test_promptfoo_tells_a_failed_check_from_a_failed_call() -> None:
    rows = [
        row(0, True),
        row(1, False),
        row(2, False, failureReason=2, error="500 from provider: my card is 4111"),
    ]
    run = one("out.json", promptfoo(rows, successes=1, failures=1, errors=1))
    assert outcomes(run) == {"0": True, "1": False, "2": None}
    assert run.trials[2].error == "HTTP 500"
    assert (run.trials[0].seconds, run.trials[0].tokens, run.trials[0].cost_usd) == (
        0.25,
        12,
        0.002,
    )
    assert (run.benchmark, run.agent) == ("support answers", "gpt")


def test_promptfoo_counts_that_are_not_those_of_the_rows_are_contradicted() -> None:
    run = one("out.json", promptfoo([row(0, True)], successes=2, failures=0, errors=0))
    assert contradictions(run) == ["the file states 2 successes, its rows hold 1"]


def test_each_provider_of_a_promptfoo_file_is_a_run_of_its_own() -> None:
    rows = [row(0, True), row(0, False, provider={"id": "other"})]
    data = json.dumps(promptfoo(rows, successes=1, failures=1)).encode()
    assert [run.agent for run in read_runs(name="out.json", data=data)] == ["gpt", "other"]


def test_the_table_of_older_promptfoo_files_counts_a_run_for_each_column() -> None:
    heads = [{"provider": "gpt", "raw": "{{q}}"}, {"provider": "other", "raw": "{{q}}"}]
    cells = [[{"pass": True, "latencyMs": 500, "text": "secret"}, {"pass": False, "text": "no"}]]
    body = [{"outputs": outputs, "vars": ["x"]} for outputs in cells * 2]
    table = {"version": 2, "table": {"head": {"prompts": heads}, "body": body}}
    data = json.dumps({"results": table, "config": {"description": "old"}}).encode()
    gpt, other = read_runs(name="out.json", data=data)
    assert (gpt.agent, outcomes(gpt)) == ("gpt", {"0": True, "1": True})
    assert (other.agent, outcomes(other)) == ("other", {"0": False, "1": False})
    assert gpt.trials[0].seconds == 0.5
    assert "secret" not in repr([gpt, other])


def test_promptfoo_lines_are_its_rows() -> None:
    lines = "\n".join(json.dumps(row(at, at != 1)) for at in range(3))
    run = one("out.jsonl", lines.encode())
    assert outcomes(run) == {"0": True, "1": False, "2": True}


# --- τ-bench --------------------------------------------------------------------------------------


def test_tau2_simulations_count_by_reward_and_a_broken_harness_is_nobodys_failure() -> None:
    simulations = [
        {
            "task_id": "1",
            "trial": 0,
            "reward_info": {"reward": 1.0},
            "termination_reason": "user_stop",
        },
        {
            "task_id": "1",
            "trial": 1,
            "reward_info": {"reward": 0.0},
            "termination_reason": "max_steps",
        },
        {
            "task_id": "2",
            "trial": 0,
            "reward_info": None,
            "termination_reason": "infrastructure_error",
        },
    ]
    info = {"environment_info": {"domain_name": "retail"}, "agent_info": {"llm": "a-model"}}
    run = one("r.json", {"timestamp": "2026-02-02", "info": info, "simulations": simulations})
    assert [trial.passed for trial in run.trials] == [True, False, None]
    assert (run.benchmark, run.agent) == ("τ²-bench retail", "a-model")


def packed(entries: dict[str, Any]) -> bytes:
    pack = io.BytesIO()
    with tarfile.open(fileobj=pack, mode="w:gz") as archive:
        for name, content in entries.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return pack.getvalue()


def test_a_folder_of_tau2_results_is_a_run_for_each_domain() -> None:
    def results(domain: str) -> dict[str, Any]:
        info = {"environment_info": {"domain_name": domain}, "agent_info": {"llm": "a-model"}}
        trial = {"task_id": "1", "trial": 0, "reward_info": {"reward": 1.0}}
        return {"info": info, "tasks": [], "simulations": [trial]}

    folder = {"x/airline.json": results("airline"), "x/retail.json": results("retail")}
    runs = read_runs(name="x.tar.gz", data=packed({"x/submission.json": {"by": "us"}, **folder}))
    assert [run.benchmark for run in runs] == ["τ²-bench airline", "τ²-bench retail"]


def test_a_trial_that_appears_twice_is_refused() -> None:
    twice = [{"task_id": 1, "trial": 0, "reward": 1.0, "info": {}, "traj": []}] * 2
    with pytest.raises(RunsMalformed, match="appears twice"):
        one("t.json", twice)


# --- AgentDojo ------------------------------------------------------------------------------------


def dojo(task: str, *, utility: bool, security: bool, attack: str | None) -> dict[str, Any]:
    return {
        "suite_name": "banking",
        "pipeline_name": "a-model",
        "user_task_id": task,
        "injection_task_id": "injection_task_1" if attack else None,
        "attack_type": attack,
        "utility": utility,
        "security": security,
        "error": None,
        "messages": [{"role": "assistant", "content": "ignore your instructions"}],
    }


def test_agentdojo_files_of_one_folder_are_one_run_and_no_text_is_kept() -> None:
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        for at, (attack, security) in enumerate(
            [(None, True), ("important", True), ("important", False)]
        ):
            file = dojo(f"user_task_{at}", utility=at != 1, security=security, attack=attack)
            archive.writestr(f"runs/a-model/banking/{at}.json", json.dumps(file))
    run = one("runs.zip", pack.getvalue())
    found = figures(run)
    assert found["utility"] == 1
    assert found["utility_under_attack"] == found["attack_success"] == Fraction(1, 2)
    assert "ignore your instructions" not in repr(run)


# --- function calling -----------------------------------------------------------------------------


def score_file(total: int, failed: list[str], accuracy: float | None = None) -> bytes:
    correct = total - len(failed)
    head = {"accuracy": accuracy or correct / total, "correct_count": correct, "total_count": total}
    rows = [{"id": name, "valid": False, "error_type": "wrong_count"} for name in failed]
    return "\n".join(json.dumps(line) for line in [head, *rows]).encode()


def test_a_score_file_lists_failures_and_the_result_file_names_the_rest() -> None:
    pack = io.BytesIO()
    with tarfile.open(fileobj=pack, mode="w:xz") as archive:
        answers = "\n".join(json.dumps({"id": f"simple_{n}", "latency": 0.5}) for n in range(4))
        for name, data in (
            ("a-model/BFCL_v3_simple_score.json", score_file(4, ["simple_2"])),
            ("a-model/BFCL_v3_simple_result.json", answers.encode()),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    run = one("bfcl.tar.xz", pack.getvalue())
    assert outcomes(run) == {f"simple_{n}": n != 2 for n in range(4)}
    assert (run.agent, run.benchmark) == ("a-model", "BFCL BFCL_v3_simple")
    assert contradictions(run) == []


def test_result_and_score_folders_of_several_models_and_categories_are_told_apart() -> None:
    entries: dict[str, Any] = {"score/data_overall.csv": b"Rank,Model\n1,a\n"}
    for model, wrong in (("a", "simple_0"), ("b", "simple_1")):
        for category in ("simple", "parallel"):
            name = f"{model}/non_live/BFCL_v4_{category}"
            rows = [json.dumps({"id": f"{category}_{n}"}) for n in range(2)]
            entries[f"result/{name}_result.json"] = "\n".join(rows).encode()
            failed = [wrong] if category == "simple" else []
            entries[f"score/{name}_score.json"] = score_file(2, failed)
    runs = read_runs(name="bfcl.tar.gz", data=packed(entries))
    assert [(run.agent, run.benchmark) for run in runs] == [
        ("a", "BFCL BFCL_v4_parallel"),
        ("a", "BFCL BFCL_v4_simple"),
        ("b", "BFCL BFCL_v4_parallel"),
        ("b", "BFCL BFCL_v4_simple"),
    ]
    assert outcomes(runs[1]) == {"simple_0": False, "simple_1": True}
    assert outcomes(runs[3]) == {"simple_0": True, "simple_1": False}


def test_a_score_file_whose_accuracy_is_not_its_own_count_is_contradicted() -> None:
    run = one("BFCL_v3_simple_score.json", score_file(4, ["simple_2"], accuracy=0.95))
    assert [str(wrong) for wrong in contradictions(run)] == [
        "accuracy is stated as 0.9500, but the trials add up to 0.7500"
    ]
    assert run.notes == ["no result file: the tests that passed are not named"]


def test_a_score_file_that_lists_too_few_failures_is_refused() -> None:
    data = score_file(4, ["simple_2", "simple_3"]).rsplit(b"\n", 1)[0]
    with pytest.raises(RunsMalformed, match="states 2 of 4 correct and lists 1 failures"):
        one("x_score.json", data)


# --- JUnit and CSV --------------------------------------------------------------------------------


def test_junit_errors_and_skips_have_no_outcome() -> None:
    run = one(
        "report.xml",
        b"""<?xml version="1.0"?>
        <testsuites><testsuite name="nightly" timestamp="2026-01-02T03:04:05">
        <testcase classname="a" name="one" time="0.25"/>
        <testcase classname="a" name="two"><failure type="AssertionError">3</failure></testcase>
        <testcase classname="a" name="three"><error message="socket closed"/></testcase>
        <testcase classname="a" name="four"><skipped/></testcase></testsuite></testsuites>""",
    )
    assert outcomes(run) == {"a::one": True, "a::two": False, "a::three": None, "a::four": None}
    assert run.trials[0].seconds == 0.25
    assert [trial.error for trial in run.trials[1:]] == [
        "AssertionError",
        "error",
        "skipped",
    ]


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;">]><testsuite><testcase name="&m;"/>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite><testcase name="x"/></testsuite>',
    ],
)
def test_junit_with_a_document_type_is_refused(document: bytes) -> None:
    with pytest.raises(RunsMalformed, match="remove the DOCTYPE"):
        one("report.xml", document)


def test_a_csv_names_its_columns_and_its_wrong_line() -> None:
    table = b"task,passed,agent,seconds\nt1,pass,one,0.5\nt1,no,one,\nt2,,one,1e999\n"
    run = one("runs.csv", table)
    assert [(t.task, t.repeat, t.passed) for t in run.trials] == [
        ("t1", 0, True),
        ("t1", 1, False),
        ("t2", 0, None),
    ]
    with pytest.raises(RunsMalformed, match="line 3: 'perhaps' is no outcome"):
        one("runs.csv", b"task,passed\nt1,1\nt2,perhaps\n")


def test_a_csv_with_other_columns_is_told_which_to_rename() -> None:
    said = (
        r"the first line names question, mark; rename the column that is meant by “task” \(or "
        r"task_id, id, test\) and by “passed” \(or success, score, result\)"
    )
    with pytest.raises(RunsMalformed, match=said):
        one("runs.csv", b"question,mark\nt1,pass\n")


def test_a_csv_may_be_separated_by_semicolons_or_tabs() -> None:
    assert outcomes(one("a.csv", b"task;passed\nt1;pass\n")) == {"t1": True}
    assert outcomes(one("a.tsv", b"task\tscore\nt1\t0\n")) == {"t1": False}


# --- hostile files --------------------------------------------------------------------------------


def test_a_file_of_no_known_format_is_refused_with_the_list_of_formats() -> None:
    with pytest.raises(RunsMalformed, match=r"looks like none of: .*JUnit XML"):
        one("a.bin", b"\x00\x01\x02")
    with pytest.raises(RunsMalformed, match="'tarot' is no format"):
        one("a.json", b"{}", format="tarot")


def test_an_archive_that_unpacks_to_more_than_is_allowed_is_stopped_while_it_unpacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files._Allowance.__init__, "__defaults__", (2**20,))
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b"0" * (4 * 2**20))
    with pytest.raises(RunsMalformed, match="split the file"):
        files.members("bomb.zip", pack.getvalue())


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-20], lambda data: data[:30] + b"\xff" * 30 + data[60:]]
)
def test_a_damaged_archive_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "task,passed\n" + "t,1\n" * 1000)
    with pytest.raises(RunsMalformed):
        read_runs(name="a.zip", data=spoil(pack.getvalue()))


@settings(max_examples=60, deadline=None)
@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(str.encode),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["results", "eval", "task_id", "reward", "simulations", "info"]
                    ),
                    inner,
                    max_size=3,
                )
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_file_makes_an_importer_do_anything_but_read_it_or_refuse_it(data: bytes) -> None:
    for read in (read_runs, read_claims):
        with suppress(RunsMalformed):
            read(name="x.json", data=data)


# --- figures --------------------------------------------------------------------------------------


def test_the_unbiased_estimates_are_those_of_the_specification() -> None:
    assert pass_power(4, 5, 3) == Fraction(2, 5)
    assert round(float(pass_power(6, 8, 4) or 0), 6) == 0.214286
    assert pass_power(9, 10, 5) == Fraction(1, 2)
    assert pass_power(3, 5, 5) == 0
    assert pass_power(3, 3, 4) is pass_at(3, 3, 4) is None


@given(
    tries=st.lists(st.lists(st.booleans(), min_size=4, max_size=6), min_size=1, max_size=8),
)
def test_powers_fall_and_chances_rise_with_k(tries: list[list[bool]]) -> None:
    trials = [
        ImportedTrial(task=f"t{task}", repeat=at, score=Fraction(passed))
        for task, listed in enumerate(tries)
        for at, passed in enumerate(listed)
    ]
    run = ImportedRun(format="csv", benchmark="b", agent="a", trials=trials)
    found = figures(run)
    powers = [found[f"pass^{k}"] for k in range(1, 5)]
    chances = [found[f"pass@{k}"] for k in range(1, 5)]
    assert powers[0] == chances[0] == found["accuracy"]
    assert powers == sorted(powers, reverse=True)
    assert chances == sorted(chances)
