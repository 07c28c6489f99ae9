"""Runs brought from elsewhere: shown for screening, and nothing of ours rests on them."""

import base64
import gzip
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now as clock

from marketplace import hiring, screening
from marketplace.models import BenchmarkClaim, HireChoice
from pacts import imports
from pacts.imports import ImportRefused
from pacts.models import AgentVersion, ImportedRun, ImportedTrial
from reputation.models import Evidence, Standing
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser_of, token_in

pytestmark = pytest.mark.django_db

TABLE = b"task,passed,agent\nt1,pass,one\nt2,fail,one\nt1,pass,two\n"


@pytest.fixture
def bob() -> cast.Actor:
    return cast.bob()


@pytest.fixture
def version(bob: cast.Actor) -> AgentVersion:
    return cast.agent_of(bob)


def bring(version: AgentVersion, by: cast.Actor, **options: Any) -> ImportedRun:
    given = {"name": "runs.csv", "data": TABLE, "agent": "one"} | options
    return imports.import_run(agent_version=version, by=by.user, now=clock(), **given)


def test_a_run_is_kept_with_its_trials_its_file_and_its_evidence(
    bob: cast.Actor, version: AgentVersion
) -> None:
    run = bring(version, bob)
    assert (run.tasks, run.passes, run.failures, run.nulls) == (2, 1, 1, 0)
    assert run.figures == {"accuracy": "0.500000"}
    assert sorted(run.imported_trials.values_list("task", "score_ppm")) == [
        ("t1", 1_000_000),
        ("t2", 0),
    ]
    envelope = json.loads(Evidence.objects.get(kind="run.imported").envelope)
    assert envelope["digests"] == {"file": run.file_digest}
    assert envelope["facts"]["passes"] == 1


def test_a_file_of_several_runs_is_asked_which_one_is_meant(
    bob: cast.Actor, version: AgentVersion
) -> None:
    with pytest.raises(ImportRefused, match="holds 2 runs; say whose and which is meant"):
        bring(version, bob, agent="")
    with pytest.raises(ImportRefused, match="none of them is asked for: one on runs"):
        bring(version, bob, agent="three")
    assert not ImportedRun.objects.exists()


def test_the_same_run_of_the_same_file_is_brought_once(
    bob: cast.Actor, version: AgentVersion
) -> None:
    bring(version, bob)
    with pytest.raises(ImportRefused, match="imported before"):
        bring(version, bob)
    bring(version, bob, agent="two")
    assert ImportedRun.objects.count() == 2


def test_the_same_trials_out_of_another_archive_are_the_same_run(
    bob: cast.Actor, version: AgentVersion
) -> None:
    data = b"task,passed,group\nt1,pass,easy\nt2,fail,hard\n"
    run = bring(version, bob, data=data, agent="")
    with pytest.raises(ImportRefused, match="imported before"):
        bring(version, bob, name="runs.csv.gz", data=gzip.compress(data, mtime=0), agent="")
    shown = browser_of(bob).get(f"/runs/{run.id}/").content.decode()
    assert "Accuracy: easy" in shown


def test_what_else_was_scored_is_kept_beside_each_trial(
    bob: cast.Actor, version: AgentVersion
) -> None:
    row = {"provider": "p", "promptIdx": 0, "success": True, "namedScores": {"tone": 0.5}}
    log = json.dumps({"results": {"version": 3, "results": [row]}}).encode()
    run = bring(version, bob, name="out.json", data=log, agent="")
    assert run.figures["score:tone"] == "0.500000"
    (trial,) = program_of(bob).get(f"imported-runs/{run.id}/trials").json()["results"]
    assert trial["named_ppm"] == {"tone": 500_000}


def test_no_settlement_verdict_or_standing_can_point_at_an_imported_run() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' "
            "AND confrelid IN ('pacts_importedrun'::regclass, 'pacts_importedtrial'::regclass)"
        )
        pointing = {row[0] for row in cursor.fetchall()}
    assert pointing == {"pacts_importedtrial", "marketplace_benchmarkclaim"}


def test_an_imported_run_moves_no_standing(bob: cast.Actor, version: AgentVersion) -> None:
    from reputation.sequencer import sequence_batch
    from reputation.standings import update_standings

    bring(version, bob)
    sequence_batch()
    update_standings()
    assert not Standing.objects.filter(agent_id=version.agent_id).exists()


def test_history_that_was_brought_is_not_edited(bob: cast.Actor, version: AgentVersion) -> None:
    bring(version, bob)
    for act in (
        ImportedTrial.objects.all().delete,
        lambda: ImportedRun.objects.update(tasks=1),
        lambda: ImportedTrial.objects.update(task="another"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_a_claim_must_be_what_the_run_behind_it_shows(
    bob: cast.Actor, version: AgentVersion
) -> None:
    run = bring(version, bob)
    given: dict[str, Any] = {
        "agent_version": version,
        "benchmark": "runs",
        "units": 2,
        "method": "exact match",
        "not_measured": "words",
        "ran_by": BenchmarkClaim.Runner.BUILDER,
        "measured_on": clock().date(),
        "imported_run": run,
        "now": clock(),
    }
    assert hiring.record_claim(score_bps=5_000, **given).imported_run == run
    with pytest.raises(hiring.ClaimRefused, match=r"shows 50\.00%, not 95\.00 %"):
        hiring.record_claim(score_bps=9_500, **given)
    later = given | {"measured_on": clock().date() + timedelta(days=2)}
    with pytest.raises(hiring.ClaimRefused, match="after today"):
        hiring.record_claim(score_bps=5_000, **later)


def test_a_program_brings_a_run_and_reads_its_trials(
    bob: cast.Actor, version: AgentVersion
) -> None:
    program = program_of(bob)
    content = base64.b64encode(TABLE).decode()
    body = {"agent_version": version.id, "file_name": "runs.csv", "content": content}
    several = program.post("imported-runs", body)
    assert several.status_code == 422
    assert "one on runs; two on runs" in several.json()["detail"]
    made = program.post("imported-runs", body | {"agent_name": "one"})
    assert made.status_code == 201, made.content
    assert made.json()["figures"] == {"accuracy": "0.500000"}
    trials = program.get(f"imported-runs/{made.json()['id']}/trials").json()["results"]
    assert {(trial["task"], trial["score_ppm"]) for trial in trials} == {
        ("t1", 1_000_000),
        ("t2", 0),
    }
    broken = program.post("imported-runs", body | {"content": "not base64!"})
    assert broken.status_code in (400, 422)


def test_nobody_brings_a_run_for_somebody_elses_agent(
    bob: cast.Actor, version: AgentVersion
) -> None:
    body = {
        "agent_version": version.id,
        "file_name": "runs.csv",
        "content": base64.b64encode(TABLE).decode(),
        "agent_name": "one",
    }
    assert program_of(cast.mallory()).post("imported-runs", body).status_code == 404
    assert not ImportedRun.objects.exists()


def test_a_builder_brings_a_run_on_a_page_and_a_refusal_keeps_what_was_typed(
    bob: cast.Actor, version: AgentVersion
) -> None:
    browser, path = browser_of(bob), f"/builder/agents/{version.agent.slug}/runs/new/"
    page = browser.get(path)
    sent = {"format": "", "agent_name": "", "benchmark": "", "idempotency_key": token_in(page)}
    refused = browser.post(path, sent | {"file": SimpleUploadedFile("runs.csv", TABLE)})
    assert "The file holds 2 runs; say whose are meant" in refused.content.decode()
    sent |= {"agent_name": "one", "idempotency_key": token_in(refused)}
    done = browser.post(path, sent | {"file": SimpleUploadedFile("runs.csv", TABLE)}, follow=True)
    shown = done.content.decode()
    assert "no verdict, no money and no standing rests on it" in shown
    assert "0.500000" in shown


def test_a_builder_states_a_claim_from_a_run_and_one_that_contradicts_it_is_refused(
    bob: cast.Actor, version: AgentVersion
) -> None:
    run, browser = bring(version, bob), browser_of(bob)
    path = f"/builder/agents/{version.agent.slug}/claims/new/"
    page = browser.get(f"{path}?run={run.id}")
    assert 'value="50.00"' in page.content.decode()
    sent = {
        "agent_version": version.id,
        "benchmark": "runs",
        "score": "90",
        "units": 2,
        "method": "exact match",
        "not_measured": "words",
        "contamination": "public since 2024",
        "ran_by": "builder",
        "measured_on": "2026-01-02",
        "imported_run": run.id,
    }
    refused = browser.post(path, sent | {"idempotency_key": token_in(page)})
    assert "The run behind the claim shows 50.00%, not 90.00 %." in refused.content.decode()
    done = browser.post(
        path, sent | {"score": "50", "idempotency_key": token_in(refused)}, follow=True
    )
    assert "public since 2024" in done.content.decode()
    assert BenchmarkClaim.objects.get().imported_run == run


def test_the_command_reads_a_file_without_storing_it_and_fails_on_a_contradiction(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "runs.csv", tmp_path / "BFCL_v3_simple_score.json"
    good.write_bytes(b"task,passed\nt1,pass\nt2,fail\n")
    bad.write_text(json.dumps({"accuracy": 0.9, "correct_count": 1, "total_count": 1}))
    call_command("runs", str(good), "--json")
    assert json.loads(capsys.readouterr().out)["figures"] == {"accuracy": 0.5}
    with pytest.raises(CommandError, match="1 stated figures are contradicted"):
        call_command("runs", str(bad))
    with pytest.raises(CommandError, match="neither a file nor a folder"):
        call_command("runs", str(tmp_path / "nowhere"))
    bad.unlink()
    (tmp_path / "more.csv").write_bytes(b"task,passed\nt1,pass\n")
    capsys.readouterr()
    call_command("runs", str(tmp_path))
    *_, head, more, runs = capsys.readouterr().out.splitlines()
    assert head.split() == ["agent", "benchmark", "tasks", "trials", "accuracy"]
    assert (more.split()[-1], runs.split()[-1]) == ("1.0000", "0.5000")
    assert not ImportedRun.objects.exists()


def test_a_hire_records_where_its_choice_stood_and_the_screening_counts_it() -> None:
    market = one_of_everything()
    choices = HireChoice.objects.all()
    assert {choice.engagement.buyer_id for choice in choices} == {market.alice.party.id}
    assert {(choice.rated, choice.by_benchmark) for choice in choices} == {(0, None)}
    screening.count_again(now=clock())
    answer = program_of(market.alice).get("screening").json()
    assert [(one["work"], one["choices"]["hires"]) for one in answer] == [("arithmetic", 2)]
    assert browser_of(market.alice).get("/screening/").status_code == 200


def test_every_run_of_one_agent_comes_in_together_or_not_at_all(
    bob: cast.Actor, version: AgentVersion
) -> None:
    pack = io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        for domain in ("airline", "retail"):
            info = {"environment_info": {"domain_name": domain}, "agent_info": {"llm": "a-model"}}
            trials = [{"task_id": "1", "trial": 0, "reward_info": {"reward": 1.0}}]
            log = {"info": info, "simulations": trials}
            archive.writestr(f"{domain}.json", json.dumps(log))
    given: dict[str, Any] = {"agent_version": version, "by": bob.user, "now": clock()}
    with pytest.raises(ImportRefused, match="say whose are meant"):
        imports.import_runs(name="runs.csv", data=TABLE, **given)
    imports.import_run(name="x.zip", data=pack.getvalue(), benchmark="τ²-bench retail", **given)
    with pytest.raises(ImportRefused, match="imported before"):
        imports.import_runs(name="x.zip", data=pack.getvalue(), **given)
    assert ImportedRun.objects.count() == 1
    other = cast.agent_of(bob, name="Another")
    runs = imports.import_runs(
        name="x.zip", data=pack.getvalue(), **given | {"agent_version": other}
    )
    assert [run.benchmark for run in runs] == ["τ²-bench airline", "τ²-bench retail"]
