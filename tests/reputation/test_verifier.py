"""A stranger's program verifies a bundle: nothing of the product, no network, and no tampering."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from reputation import bundles, checkpoints, keys
from reputation.models import Evidence
from reputation.sequencer import sequence_batch
from tests.reputation.cast import NOON, days, record, taskset

pytestmark = pytest.mark.django_db

VERIFIER = Path(__file__).parents[2] / "reputation/verifier/verify.py"
Bundle = dict[str, Any]


@pytest.fixture
def verify(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a copy of the verifier in a folder where nothing of ours is to be found."""
    copied = tmp_path / "verify.py"
    copied.write_text(VERIFIER.read_text())

    def run(bundle: Bundle, *options: str) -> "subprocess.CompletedProcess[str]":
        (tmp_path / "bundle.json").write_text(json.dumps(bundle))
        command = [sys.executable, "-I", str(copied), str(tmp_path / "bundle.json"), *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def grown(many: int, *, later: int = 0) -> int:
    record(*[taskset(f"tst_{n}", private={"name": f"secret {n}"}) for n in range(many)])
    while sequence_batch():
        pass
    return checkpoints.sign_now(now=NOON + days(later)).size


def whole_bundle(*since: int) -> Bundle:
    ids = list(Evidence.objects.order_by("pk").values_list("pk", flat=True)[:3])
    return bundles.bundle(evidence_ids=ids, opened=ids[:2], since=since)


def test_it_is_short_and_knows_nothing_of_the_product() -> None:
    text = VERIFIER.read_text()
    assert len(text.splitlines()) <= 150
    named = {line.split()[1].split(".")[0] for line in text.splitlines() if is_import(line)}
    assert named <= {*sys.stdlib_module_names, "cryptography"}


def is_import(line: str) -> bool:
    return line.startswith(("import ", "from "))


def test_a_real_bundle_verifies_by_a_key_known_beforehand(verify: Any) -> None:
    grown(300)
    done = verify(whole_bundle(), "--key", str(keys.vkeys()[0]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "3 entries and 0 earlier heads hold at size 300\n"


def flipped(text: str) -> str:
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def with_entry(change: Callable[[dict[str, Any]], Any]) -> Callable[[Bundle], Any]:
    return lambda bundle: change(bundle["entries"][0])


TAMPERED: dict[str, Callable[[Bundle], Any]] = {
    "a fact": with_entry(
        lambda one: one.update(envelope=one["envelope"].replace('"tasks":50', '"tasks":51'))
    ),
    "an added space": with_entry(lambda one: one.update(envelope=one["envelope"] + " ")),
    "the id": with_entry(lambda one: one.update(id="evd_0")),
    "the index": with_entry(lambda one: one.update(index=one["index"] + 1)),
    "an index below zero": with_entry(lambda one: one.update(index=-1)),
    "an index beyond": with_entry(lambda one: one.update(index=300)),
    "a step": with_entry(lambda one: one["proof"].__setitem__(0, flipped(one["proof"][0]))),
    "a step left out": with_entry(lambda one: one["proof"].pop()),
    "a step too many": with_entry(lambda one: one["proof"].append(one["proof"][0])),
    "no proof at all": with_entry(lambda one: one.pop("proof")),
    "the payload": with_entry(lambda one: one["private"].update(payload='{"name":"another"}')),
    "the salt": with_entry(lambda one: one["private"].update(salt="00" * 32)),
    "two proofs exchanged": lambda b: b["entries"][0].update(proof=b["entries"][1]["proof"]),
    "the size": lambda b: b.update(checkpoint=b["checkpoint"].replace("\n300\n", "\n299\n")),
    "the root": lambda b: b.update(
        checkpoint="\n".join([*b["checkpoint"].split("\n")[:2], "A" * 43 + "="])
        + b["checkpoint"][b["checkpoint"].index("\n\n") :]
    ),
    "the origin": lambda b: b.update(checkpoint="evil" + b["checkpoint"]),
    "the signature": lambda b: b.update(
        checkpoint=b["checkpoint"].rpartition(" ")[0] + " " + "A" * 92 + "\n"
    ),
    "no signature": lambda b: b.update(checkpoint=b["checkpoint"].partition("\n\n")[0] + "\n\n"),
    "another key": lambda b: b.update(log_keys=[flipped(b["log_keys"][0])]),
    "a foreign payload": lambda b: b["entries"][2].update(private=b["entries"][0]["private"]),
}


def test_no_tampered_bundle_verifies(verify: Any) -> None:
    grown(300)
    good = whole_bundle()
    assert verify(good).returncode == 0
    passed = []
    for name, tamper in TAMPERED.items():
        bundle = copy.deepcopy(good)
        tamper(bundle)
        assert bundle != good, name
        done = verify(bundle)
        if done.returncode != 1 or not done.stderr.startswith("refuted: "):
            passed.append((name, done))
    assert passed == []


def test_a_key_known_beforehand_refutes_a_log_signed_by_another(verify: Any) -> None:
    grown(3)
    own = str(keys.vkeys()[0])
    with connection.cursor() as cursor:  # the whole log signed anew by a thief of the database
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM reputation_checkpoint")
        cursor.execute("UPDATE reputation_logkey SET retired_at = now()")
        cursor.execute("SET session_replication_role = DEFAULT")
    checkpoints.sign_now(now=NOON)
    assert verify(whole_bundle()).returncode == 0
    assert verify(whole_bundle(), "--key", own).returncode == 1


def test_a_log_still_begins_with_the_heads_somebody_kept(verify: Any, tmp_path: Path) -> None:
    kept = []
    for many in (1, 6, 293):
        size = grown(many, later=many)
        head = checkpoints.newest()
        assert head is not None
        (tmp_path / f"{size}.txt").write_text(checkpoints.text_of(head))
        kept += ["--seen", str(tmp_path / f"{size}.txt")]
    receipt = {"body": json.dumps({"log": {"checkpoint": (tmp_path / "7.txt").read_text()}})}
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    kept += ["--seen", str(tmp_path / "receipt.json")]
    done = verify(whole_bundle(1, 7), *kept)
    assert done.stdout == "3 entries and 4 earlier heads hold at size 300\n", done.stderr
    assert "ask for ?since=7" in verify(whole_bundle(1), *kept).stderr


def test_a_tail_cut_and_signed_again_is_refuted_by_any_old_receipt(
    verify: Any, tmp_path: Path
) -> None:
    size = grown(40)
    head = checkpoints.newest()
    assert head is not None
    (tmp_path / "receipt.json").write_text(
        json.dumps({"body": json.dumps({"log": {"checkpoint": checkpoints.text_of(head)}})})
    )
    seen = ("--seen", str(tmp_path / "receipt.json"))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM reputation_checkpoint")
        cursor.execute("DELETE FROM reputation_logentry WHERE index >= 30")
        cursor.execute("SET session_replication_role = DEFAULT")
    checkpoints.sign_now(now=NOON)
    shorter = verify(whole_bundle(), *seen)
    assert (shorter.returncode, "40 were signed before" in shorter.stderr) == (1, True)
    grown(70, later=1)
    regrown = verify(whole_bundle(size), *seen)
    assert regrown.returncode == 1
    assert "does not begin with the 40" in regrown.stderr
