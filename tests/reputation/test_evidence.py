"""Appending facts, once and for good."""

import hashlib
import time
from threading import Event

import pytest
from django.db import IntegrityError, connection, transaction

from reputation import evidence
from reputation.canonical import NotCanonical, canonical
from reputation.clock import database_now
from reputation.evidence import (
    EvidenceAlreadyRecorded,
    EvidenceOutsideTransaction,
    EvidenceUnknown,
    PayloadAbsent,
    PayloadAltered,
)
from reputation.models import Evidence, EvidencePayload, EvidenceQueue, EvidenceSubject
from tests.reputation.cast import ALICE, NOON, at_once, record, taskset, verdict

pytestmark = pytest.mark.django_db
SECRET = {"note": "alice@example.org says: half of it is in Polish", "shares": [0.1, 2]}


def test_what_is_appended_reads_back_as_canonical_json() -> None:
    written = Evidence.objects.get(pk=record(taskset())[0].pk)
    assert written.envelope.encode() == canonical(written.read())
    assert written.read() == {
        "id": written.pk,
        "kind": "taskset.committed",
        "version": 2,
        "at": "2026-03-01T12:00:00.000000Z",
        "subjects": {"taskset": "tst_1", "party": ALICE},
        "facts": {"number": 1, "tasks": 50},
        "digests": {"commitment": "sha256:" + "a" * 64},
    }


def test_the_object_handed_back_is_the_row_in_the_database() -> None:
    (handed,) = record(taskset(private=SECRET, dedupe_key="k"))
    stored = Evidence.objects.get(pk=handed.pk)
    for column in ("kind", "envelope", "dedupe_key", "recorded_at"):
        assert getattr(stored, column) == getattr(handed, column)
    assert bytes(stored.leaf_hash) == handed.leaf_hash


def test_the_leaf_hash_is_that_of_rfc_6962() -> None:
    (one,) = record(taskset())
    assert one.leaf_hash == hashlib.sha256(b"\x00" + one.envelope.encode()).digest()


def test_the_database_refuses_a_leaf_hash_of_something_else() -> None:
    (one,) = record(taskset())
    with pytest.raises(IntegrityError, match="evidence_leaf_hash_is_rfc6962"):
        Evidence.objects.create(
            kind=one.kind, envelope=one.envelope + " ", leaf_hash=one.leaf_hash, recorded_at=NOON
        )


@pytest.mark.django_db(transaction=True)
def test_evidence_outside_a_transaction_is_refused() -> None:
    with pytest.raises(EvidenceOutsideTransaction):
        evidence.append_all(drafts=[taskset()])
    assert not Evidence.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_evidence_falls_with_the_fact_it_speaks_of() -> None:
    def fail() -> None:
        with transaction.atomic():
            evidence.append_all(drafts=[taskset(private=SECRET)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    for table in (Evidence, EvidenceSubject, EvidencePayload, EvidenceQueue):
        assert not table._default_manager.exists()


def test_one_fact_is_recorded_once_and_the_transaction_goes_on() -> None:
    record(taskset(dedupe_key="verdict:1"))
    with pytest.raises(EvidenceAlreadyRecorded, match="verdict:1"):
        record(taskset("tst_2", dedupe_key="verdict:1", private=SECRET))
    assert Evidence.objects.count() == EvidenceQueue.objects.count() == 1
    assert not EvidenceSubject.objects.filter(subject_id="tst_2").exists()
    assert not EvidencePayload.objects.exists()


def test_a_duplicate_undoes_the_whole_batch_it_came_in() -> None:
    with pytest.raises(EvidenceAlreadyRecorded):
        evidence.append_all(drafts=[taskset(), taskset(dedupe_key="k"), taskset(dedupe_key="k")])
    assert not Evidence.objects.exists()


def test_facts_without_a_key_may_repeat() -> None:
    assert len(record(taskset(), taskset())) == Evidence.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_ten_that_race_to_record_one_fact_one_does() -> None:
    def try_to_record() -> bool:
        try:
            record(taskset(dedupe_key="verdict:1"))
        except EvidenceAlreadyRecorded:
            return False
        return True

    assert sorted(at_once(*[try_to_record] * 10)) == [False] * 9 + [True]
    assert Evidence.objects.count() == EvidenceQueue.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_fact_whose_first_recorder_fails_is_recorded_by_the_second() -> None:
    appended = Event()

    def fail_late() -> None:
        with transaction.atomic():
            evidence.append_all(drafts=[taskset(dedupe_key="k")])
            appended.set()
            time.sleep(0.1)  # long enough for the second to be waiting on the key
            transaction.set_rollback(True)

    def record_later() -> None:
        assert appended.wait(10)
        record(taskset(dedupe_key="k"))

    at_once(fail_late, record_later)
    assert Evidence.objects.count() == 1


def test_every_subject_leads_to_the_evidence_by_an_index() -> None:
    (one,) = record(verdict())
    named = EvidenceSubject.objects.filter(evidence=one).values_list("role", "subject_id")
    assert dict(named) == one.read()["subjects"]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT * FROM reputation_evidencesubject WHERE subject_id = 'x'")
        assert "evidence_subject_once" in str(cursor.fetchall())


# --- the private half -------------------------------------------------------------------------


def test_a_private_payload_leaves_only_a_commitment_in_the_open() -> None:
    (one,) = record(taskset(private=SECRET))
    row = EvidencePayload.objects.get(pk=one.pk)
    salt, payload = evidence.open_payload(row)
    opened = hashlib.sha256(salt + payload).hexdigest()
    assert one.read()["commitment"] == "sha256:" + opened
    assert b"example.org" not in bytes(row.sealed)
    assert "example.org" not in one.envelope
    assert evidence.read_payload(evidence=one) == SECRET


def test_equal_payloads_cannot_be_told_by_their_commitments() -> None:
    first, second = record(taskset(private=SECRET), taskset(private=SECRET))
    assert first.read()["commitment"] != second.read()["commitment"]


def test_an_empty_payload_is_still_one() -> None:
    (one,) = record(taskset(private={}))
    assert evidence.read_payload(evidence=one) == {}


def test_an_erased_payload_is_gone_and_the_envelope_stays() -> None:
    (one,) = record(taskset(private=SECRET))
    before = Evidence.objects.get(pk=one.pk).envelope
    erased = evidence.erase_payload(evidence_id=one.pk, reason="asked", at=NOON)
    assert Evidence.objects.get(pk=one.pk).envelope == before
    assert erased.read()["subjects"] == {"taskset": "tst_1", "party": ALICE, "evidence": one.pk}
    with pytest.raises(PayloadAbsent):
        evidence.read_payload(evidence=one)


def test_what_cannot_be_erased_leaves_no_record_of_an_erasure() -> None:
    (bare,) = record(taskset())
    with pytest.raises(PayloadAbsent):
        evidence.erase_payload(evidence_id=bare.pk, reason="asked", at=NOON)
    with pytest.raises(EvidenceUnknown):
        evidence.erase_payload(evidence_id="evd_0", reason="asked", at=NOON)
    assert Evidence.objects.count() == 1


def test_a_payload_swapped_behind_our_back_is_noticed() -> None:
    first, second = record(taskset(private=SECRET), taskset())
    row = EvidencePayload.objects.get(pk=first.pk)
    EvidencePayload.objects.create(evidence=second, sealed=bytes(row.sealed))
    with pytest.raises(PayloadAltered):
        evidence.read_payload(evidence=second)


# --- what the database refuses --------------------------------------------------------------------

TABLES = ["evidence", "evidencesubject", "evidencepayload", "evidencequeue", "logentry"]


@pytest.mark.parametrize("table", TABLES)
def test_nobody_truncates_what_happened(table: str) -> None:
    with pytest.raises(IntegrityError, match="TRUNCATE refused"), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE reputation_{table} CASCADE")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("evidence", "kind"),
        ("evidencesubject", "role"),
        ("evidencepayload", "sealed"),
        ("evidencequeue", "leaf_hash"),
        ("logentry", "sequenced_at"),
    ],
)
def test_nobody_edits_what_happened(table: str, column: str) -> None:
    record(taskset(private=SECRET))
    with pytest.raises(IntegrityError, match="UPDATE refused"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE reputation_{table} SET {column} = {column}")


@pytest.mark.parametrize("table", ["evidence", "evidencesubject", "logentry"])
def test_nobody_deletes_what_happened(table: str) -> None:
    with pytest.raises(IntegrityError, match="DELETE refused"), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM reputation_{table}")


def test_evidence_that_another_program_inserts_is_queued_too() -> None:
    (one,) = record(taskset())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reputation_evidence (id, kind, envelope, leaf_hash, recorded_at)"
            " SELECT 'evd_foreign', kind, envelope, leaf_hash, recorded_at FROM reputation_evidence"
        )
    queued = EvidenceQueue.objects.order_by("id").values_list("evidence_id", flat=True)
    assert list(queued) == [one.pk, "evd_foreign"]


@pytest.mark.django_db(transaction=True)
def test_the_clock_stands_still_within_a_transaction_and_runs_between_them() -> None:
    with transaction.atomic():
        first = database_now()
        time.sleep(0.01)
        assert database_now() == first
    assert database_now() > first


def test_hostile_text_is_kept_as_it_came() -> None:
    hostile = {"x": "'; DROP TABLE reputation_evidence; --\u2028 \x00 \U0001f600"}
    (one,) = record(taskset(private=hostile))
    assert evidence.read_payload(evidence=one) == hostile


def test_a_payload_without_canonical_form_is_refused() -> None:
    with pytest.raises(NotCanonical):
        record(taskset(private={"x": "\ud800"}))
    assert not Evidence.objects.exists()
