"""One archive of everything: whole, checkable, and without a word of anybody else's."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace.exporting import packing
from marketplace.models import Archive, ArchivePiece
from pacts import tasksets
from pacts.models import Party, Verdict
from pacts.tasksets import TaskDraft
from pacts.verification import verify
from reputation import checkpoints, sequencer
from settlement.spreadsheets import inert
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser_of, member_of
from tests.pacts.needs.asked import agent_for, need_of, offered
from tests.pacts.runs import run_of, to_the_end

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def unpacked(actor: cast.Actor) -> dict[str, bytes]:
    """Every file of a fresh archive of the actor's party."""
    asked = packing.ask(party=actor.party, by=actor.user, now=clock())
    assert packing.pack_next(now=clock()) == asked.pk
    row = Archive.objects.get(pk=asked.pk)
    content = b"".join(packing.pieces_of(row, now=clock()))
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == row.digest
    assert len(content) == row.size
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        assert zipped.testzip() is None
        return {name: zipped.read(name) for name in zipped.namelist()}


def whole(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def lines(files: dict[str, bytes], name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in files[f"data/{name}.jsonl"].splitlines()]


def test_everything_of_a_party_is_in_it_and_nothing_of_anybody_elses(tmp_path: Path) -> None:
    market = one_of_everything()
    alice, bob, mallory = market.alice, market.bob, cast.mallory()
    secrets = _secrets_of(alice, bob, mallory)
    sequencer.sequence_batch()
    checkpoints.sign_now(now=clock())
    hers, his = unpacked(alice), unpacked(bob)
    assert len(lines(hers, "engagements")) == 3
    assert len(lines(hers, "tasks")) >= 3
    assert lines(hers, "disputes")[0]["statement"] == "It was right."
    assert lines(hers, "tryouts")
    assert lines(hers, "needs")
    assert lines(his, "offers")
    assert any(name.startswith("receipts/") for name in hers)
    assert b"TASK SENTINEL of alice" in hers["data/tasks.jsonl"]
    for files, strangers in ((hers, ("mallory", "bob")), (his, ("mallory", "alice"))):
        whole = b"\n".join(files.values())
        for whose in strangers:
            for secret in secrets[whose]:
                assert secret.encode() not in whole, (whose, secret)
    _checks_out(hers, tmp_path)
    asked = Verdict.objects.filter(evaluation__requested_by=alice.party)
    assert runs_in(hers) == {f"evaluations/{one.evaluation_id}.json" for one in asked} != set()
    assert runs_in(his) == set()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_was_taken_along_makes_its_verdict_again(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    alice, bob = cast.alice(), cast.bob()
    with cast.agent_service(cast.echo) as url:
        run = run_of(cast.agent_of(bob, url), bob, alice)
        to_the_end(run)
    files = unpacked(alice)
    assert runs_in(files) == {f"evaluations/{run.pk}.json"}
    checked = verify(files[f"evaluations/{run.pk}.json"])
    assert checked.holds, checked.differences
    assert checked.trials == checked.observations == 30


def runs_in(files: dict[str, bytes]) -> set[str]:
    return {name for name in files if name.startswith("evaluations/")}


def _secrets_of(alice: cast.Actor, bob: cast.Actor, mallory: cast.Actor) -> dict[str, list[str]]:
    """What each has that no other may read, written down as only it could have."""
    found: dict[str, list[str]] = {}
    for whose, actor in (("alice", alice), ("bob", bob), ("mallory", mallory)):
        task = f"TASK SENTINEL of {whose}"
        tasksets.create_task_set(
            owner=actor.party,
            name=f"SET SENTINEL of {whose}",
            work="arithmetic",
            tasks=[TaskDraft({"text": task}, None)],
            now=clock(),
        )
        found[whose] = [task, f"SET SENTINEL of {whose}"]
    offered(need_of(alice), bob, agent_for(bob, "Second"), note="SEALED SENTINEL of bob")
    found["bob"].append("SEALED SENTINEL of bob")
    need_of(mallory, title="NEED SENTINEL of mallory")
    found["mallory"].append("NEED SENTINEL of mallory")
    return found


def _checks_out(files: dict[str, bytes], folder: Path) -> None:
    """Every digest of the manifest, and every bundle by the stranger's own program."""
    manifest = json.loads(files["manifest.json"])
    listed = {one["name"]: one["sha256"] for one in manifest["files"]}
    assert set(listed) == set(files) - {"manifest.json"}
    for name, digest in listed.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest, name
    (folder / "verify.py").write_bytes(files["verify.py"])
    bundles = [name for name in files if name.startswith("evidence/")]
    assert bundles
    for name in bundles:
        there = folder / Path(name).name
        there.write_bytes(files[name])
        done = subprocess.run(
            [sys.executable, folder / "verify.py", there], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_a_cell_that_would_be_a_formula_is_text_in_the_csv() -> None:
    alice = cast.alice()
    tasksets.create_task_set(
        owner=alice.party,
        name='=HYPERLINK("http://x")',
        work="arithmetic",
        tasks=[TaskDraft({"a": 1}, None)],
        now=clock(),
    )
    files = unpacked(alice)
    assert (
        inert('=HYPERLINK("http://x")').replace('"', '""').encode() in files["data/task_sets.csv"]
    )
    assert lines(files, "task_sets")[0]["name"] == '=HYPERLINK("http://x")'


def test_a_party_has_one_archive_under_way_and_it_ends_after_a_week() -> None:
    alice, at = cast.alice(), clock()
    first = packing.ask(party=alice.party, by=alice.user, now=at)
    assert packing.ask(party=alice.party, by=alice.user, now=at).pk == first.pk
    packing.pack_next(now=at)
    row = Archive.objects.get()
    assert row.expires_at == at + packing.KEPT
    assert b"".join(packing.pieces_of(row, now=row.expires_at))
    with pytest.raises(packing.ArchiveGone):
        packing.pieces_of(row, now=row.expires_at + TICK)
    assert packing.forget_expired(now=row.expires_at) == 0
    assert packing.forget_expired(now=row.expires_at + TICK) == 1
    assert not ArchivePiece.objects.exists()


def test_a_worker_that_died_leaves_it_to_another_and_the_third_gives_up() -> None:
    alice, at = cast.alice(), clock()
    packing.ask(party=alice.party, by=alice.user, now=at)
    for attempt in range(packing.MOST_ATTEMPTS):
        Archive.objects.update(state="packing", attempt=attempt, lease_expires_at=at)
        assert packing.pack_next(now=at) is None, "its lease still holds"
    Archive.objects.update(attempt=1)
    assert packing.pack_next(now=at + TICK)
    assert Archive.objects.get().state == "ready"
    Archive.objects.update(state="packing", attempt=packing.MOST_ATTEMPTS, lease_expires_at=at)
    assert packing.pack_next(now=at + TICK) is None
    assert Archive.objects.get().state == "failed"


def test_pieces_are_sealed_at_rest() -> None:
    alice = cast.alice()
    Party.objects.filter(pk=alice.party.pk).update(name="PARTY SENTINEL")
    unpacked(alice)
    assert not any(b"PK\x03\x04" in bytes(piece.body) for piece in ArchivePiece.objects.all())


def test_only_owners_ask_and_download_by_page_and_program() -> None:
    alice = cast.alice()
    hers = browser_of(alice)
    page = hers.get("/archives/").content.decode()
    assert 'data-test="empty"' in page
    token = page.split('name="idempotency_key" value="')[1].split('"')[0]
    assert hers.post("/archives/", {"idempotency_key": token}).status_code == 302
    assert hers.post("/archives/", {"idempotency_key": token}).status_code == 302
    row = Archive.objects.get()
    program = program_of(alice)
    assert program.get(f"archives/{row.id}/content").status_code == 410
    packing.pack_next(now=clock())
    for answer in (
        hers.get(f"/archives/{row.id}/content.zip"),
        program.get(f"archives/{row.id}/content"),
    ):
        assert whole(answer)[:2] == b"PK"
    assert member_of(alice, "viewer").get("/archives/").status_code == 403
    assert browser_of(cast.mallory()).get(f"/archives/{row.id}/content.zip").status_code == 404
    assert program_of(cast.actor("dora")).get(f"archives/{row.id}").status_code == 404
