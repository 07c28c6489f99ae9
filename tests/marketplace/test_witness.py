"""The witness is a program of its own: it cosigns what continues what it saw, and nothing else."""

import base64
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from marketplace import cosigning
from marketplace.local.folder import ROOT
from marketplace.witness import place_of
from pacts.egress import Egress, EgressPolicy
from reputation import audit, checkpoints, keys, merkle, notes, witnesses
from reputation.models import Cosignature, WitnessAnswer
from reputation.sequencer import sequence_batch
from tests.reputation.cast import NOON, days, record, taskset

pytestmark = pytest.mark.django_db

ORIGIN = "log.example/1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = notes.Vkey(ORIGIN, notes.ED25519, KEY.public_key().public_bytes_raw())
LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(40)]
FORKED = [*LEAVES[:10], *[merkle.leaf_hash(b"forked")] * 30]


class Running:
    """A witness in a process that was given nothing but its folder and whom to trust."""

    def __init__(self, folder: Path, *trusted: str) -> None:
        options = [word for vkey in trusted for word in ("--trust", vkey)]
        command = [sys.executable, "-m", "marketplace.witness", "--folder", str(folder)]
        self.process = subprocess.Popen(
            [*command, "--port", "0", *options],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        said = re.fullmatch(r"witness (\S+) at (\S+)\n", self.process.stdout.readline())
        assert said is not None
        self.vkey, self.url = notes.read_vkey(said[1]), said[2]

    def ask(self, body: str, method: str = "POST", path: str = "/add-checkpoint") -> "Answer":
        line = HTTPConnection("127.0.0.1", int(self.url.rsplit(":", 1)[1].strip("/")), timeout=10)
        line.request(method, path, body.encode())
        reply = line.getresponse()
        return Answer(reply.status, reply.getheader("Content-Type", ""), reply.read().decode())

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)


class Answer:
    def __init__(self, status: int, kind: str, text: str) -> None:
        self.status, self.kind, self.text = status, kind, text


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*trusted: str) -> Running:
        running.append(Running(tmp_path / "witness", *trusted))
        return running[-1]

    yield begin
    for one in running:
        one.end()


def checkpoint(size: int, leaves: list[bytes] = LEAVES, key: Ed25519PrivateKey = KEY) -> str:
    head = notes.Head(ORIGIN, size, merkle.root_of(b"".join(leaves[:size])))
    return str(notes.Note(head.text, (notes.sign(text=head.text, name=ORIGIN, key=key),)))


def request(old: int, size: int, leaves: list[bytes] = LEAVES) -> str:
    def read(spans: object) -> list[bytes]:
        return [b"".join(leaves[s.first : s.first + s.count]) for s in spans]  # type: ignore[attr-defined]

    steps = merkle.consistency_proof(old=old, new=size, read=read)
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in steps)]
    return "\n".join(lines) + "\n\n" + checkpoint(size, leaves)


def test_it_cosigns_what_continues_what_it_saw_and_remembers_it_over_a_restart(
    start: Callable[..., Running],
) -> None:
    witness = start(str(LOG))
    for old, size in ((0, 5), (5, 5), (5, 12), (12, 40)):
        answer = witness.ask(request(old, size))
        assert answer.status == 200, answer.text
        note = notes.read_note(checkpoint(size) + answer.text)
        assert notes.verified(note, [LOG, witness.vkey]) == [LOG, witness.vkey]
    witness.end()
    again = start()
    assert again.vkey == witness.vkey
    kept = again.ask("", "GET", f"/{place_of(ORIGIN)}/checkpoint")
    assert notes.read_checkpoint(kept.text, [LOG]).size == 40
    conflict = again.ask(request(12, 40))
    assert (conflict.status, conflict.kind, conflict.text) == (409, "text/x.tlog.size", "40\n")


def test_it_declines_what_the_protocol_declines(start: Callable[..., Running]) -> None:
    witness = start(str(LOG))
    assert witness.ask(request(0, 12)).status == 200
    stranger = Ed25519PrivateKey.generate()
    unsigned = "old 12\n\n" + checkpoint(12, key=stranger)
    asked = {
        "another log": (request(12, 40).replace(ORIGIN, "other.example/1"), 404),
        "another key": (unsigned.replace("\n— ", "\n— "), 403),
        "an old size beyond the new one": ("old 13\n\n" + checkpoint(12), 400),
        "another old size": (request(5, 40), 409),
        "a forked log": (request(12, 40, FORKED), 422),
        "no proof": ("old 12\n\n" + checkpoint(40), 422),
        "another root of the same size": ("old 12\n\n" + checkpoint(12, FORKED), 409),
        "a smaller log": ("old 5\n\n" + checkpoint(5), 409),
        "no request": ("hello", 400),
        "too many steps": ("old 12\n" + ("A" * 43 + "=\n") * 64 + "\n" + checkpoint(40), 400),
    }
    answers = {name: witness.ask(body).status for name, (body, _) in asked.items()}
    assert answers == {name: status for name, (_, status) in asked.items()}
    assert witness.ask("", path="/elsewhere").status == 404
    assert witness.ask("a" * 70_000).status == 413
    assert witness.ask(request(12, 40)).status == 200


def test_what_a_log_signed_and_cannot_prove_is_kept_as_proof(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    witness = start(str(LOG))
    witness.ask(request(0, 12))
    witness.ask("old 12\n\n" + checkpoint(12, FORKED))
    with sqlite3.connect(tmp_path / "witness/seen.sqlite3") as store:
        ((reason, body),) = store.execute("SELECT reason, body FROM declined")
    assert reason == "two roots of the same 12 entries"
    assert notes.read_checkpoint(body.decode().partition("\n\n")[2], [LOG]).size == 12


# --- the platform asks ----------------------------------------------------------------------------

EGRESS = Egress(EgressPolicy(allow_loopback=True, deadline_seconds=10))


def grown(many: int, *, later: int = 0) -> None:
    record(*[taskset(f"tst_{number}") for number in range(many)])
    while sequence_batch():
        pass
    checkpoints.sign_now(now=NOON + days(later))


def test_each_head_is_cosigned_once_and_shown_with_its_cosignature(
    start: Callable[..., Running], settings: object
) -> None:
    grown(3)
    witness = start(str(keys.vkeys()[0]))
    settings.LOG_WITNESSES = [[str(witness.vkey), witness.url]]  # type: ignore[attr-defined]
    asked = [cosigning.ask_all(egress=EGRESS, now=NOON) for _ in range(2)]
    grown(300, later=1)
    asked.append(cosigning.ask_all(egress=EGRESS, now=NOON))
    assert asked == [1, 0, 1]
    head = checkpoints.newest()
    assert head is not None
    note = notes.read_note(checkpoints.text_of(head))
    assert notes.verified(note, [*keys.vkeys(), witness.vkey])[1] == witness.vkey
    assert WitnessAnswer.objects.get().accepted


def test_a_log_that_was_cut_and_signed_again_gets_no_cosignature_and_everybody_can_see_why(
    start: Callable[..., Running], settings: object
) -> None:
    grown(40)
    witness = start(str(keys.vkeys()[0]))
    settings.LOG_WITNESSES = [[str(witness.vkey), witness.url]]  # type: ignore[attr-defined]
    cosigning.ask_all(egress=EGRESS, now=NOON)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in ("cosignature", "checkpoint"):
            cursor.execute(f"DELETE FROM reputation_{table}")
        tail = "IN (SELECT evidence_id FROM reputation_logentry WHERE index >= 30)"
        cursor.execute(f"DELETE FROM reputation_evidencesubject WHERE evidence_id {tail}")
        cursor.execute(f"DELETE FROM reputation_evidence WHERE id {tail}")
        cursor.execute("DELETE FROM reputation_logentry WHERE index >= 30")
        cursor.execute("SET session_replication_role = DEFAULT")
    grown(5)
    cosigning.ask_all(egress=EGRESS, now=NOON)
    answer = WitnessAnswer.objects.get()
    assert (answer.accepted, answer.size) == (False, 35)
    assert "a tree of 35 does not contain one of 40" in answer.reason
    grown(50, later=1)
    cosigning.ask_all(egress=EGRESS, now=NOON)
    assert WitnessAnswer.objects.get().reason.startswith("422 ")
    assert not Cosignature.objects.exists()
    remembered = cosigning.seen_by_witnesses(
        egress=EGRESS, origin=keys.vkeys()[0].name, log_keys=keys.vkeys()
    )
    assert audit.rehash().findings == []
    assert audit.rehash(heads=remembered).first_bad is not None


def test_a_witness_that_is_away_or_lies_is_noted_and_nothing_else_happens(
    start: Callable[..., Running], settings: object
) -> None:
    grown(3)
    witness = start(str(keys.vkeys()[0]))
    other = notes.Vkey(witness.vkey.name, notes.COSIGNATURE, bytes(range(32)))
    settings.LOG_WITNESSES = [[str(other), witness.url]]  # type: ignore[attr-defined]
    assert cosigning.ask_all(egress=EGRESS, now=NOON) == 0
    assert "no known key signed" in WitnessAnswer.objects.get().reason
    witness.end()
    assert cosigning.ask_all(egress=EGRESS, now=NOON) == 0
    assert not Cosignature.objects.exists()
    assert witnesses.answers()[other.name].accepted is False
