"""The log has every fact once, without a gap, whoever races and whatever dies."""

import random
import time
from functools import partial
from threading import Barrier, Event

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from reputation.models import Evidence, EvidenceQueue, LogEntry
from reputation.sequencer import sequence_batch
from tests.reputation.cast import NOON, at_once, record, settlement, taskset, verdict

pytestmark = pytest.mark.django_db(transaction=True)


def assert_the_log_is_whole() -> None:
    """Contiguous from 0, each piece of evidence once, each leaf that of its evidence."""
    rows = list(LogEntry.objects.order_by("index").values_list("index", "evidence_id"))
    assert [index for index, _ in rows] == list(range(len(rows)))
    assert sorted(key for _, key in rows) == sorted(Evidence.objects.values_list("pk", flat=True))
    assert not EvidenceQueue.objects.exists()
    for entry in LogEntry.objects.select_related("evidence"):
        assert bytes(entry.leaf_hash) == bytes(entry.evidence.leaf_hash)


def test_an_empty_queue_is_no_work() -> None:
    assert sequence_batch() == 0


def test_batches_continue_where_the_last_one_ended() -> None:
    record(*[taskset() for _ in range(7)])
    assert [sequence_batch(limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert_the_log_is_whole()


def test_facts_keep_the_order_in_which_they_were_appended() -> None:
    made = [one.pk for _ in range(5) for one in record(taskset(), verdict(), taskset())]
    sequence_batch()
    assert list(LogEntry.objects.order_by("index").values_list("evidence_id", flat=True)) == made


def test_an_effect_comes_after_its_cause_even_when_clocks_disagree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (cause,) = record(verdict())
    monkeypatch.setattr("reputation.evidence.new_id", lambda prefix: f"{prefix}_0")
    (effect,) = record(settlement(cause.pk, at=NOON))
    assert effect.pk < cause.pk
    sequence_batch(limit=1)
    sequence_batch(limit=1)
    assert LogEntry.objects.get(index=0).evidence_id == cause.pk


def test_writers_and_sequencers_that_race_leave_a_whole_log() -> None:
    start = Barrier(6)

    def write(seed: int) -> None:
        dice = random.Random(seed)
        start.wait()
        for number in range(25):
            with transaction.atomic():
                record(*[taskset(f"tst_{seed}x{number}") for _ in range(dice.randint(1, 3))])
                transaction.set_rollback(dice.random() < 0.3)

    def sequence() -> None:
        start.wait()
        for _ in range(60):
            sequence_batch(limit=5)

    at_once(*[partial(write, seed) for seed in range(3)], *[sequence] * 3)
    while sequence_batch(limit=1000):
        pass
    assert Evidence.objects.count() > 50
    assert_the_log_is_whole()


def test_an_open_writer_holds_up_neither_sequencer_nor_other_writers() -> None:
    opened, closed = Event(), Event()

    def write_slowly() -> None:
        with transaction.atomic():
            record(taskset("tst_slow"))
            opened.set()
            assert closed.wait(10)

    def sequence_meanwhile() -> int:
        assert opened.wait(10)
        record(taskset("tst_quick"))
        done = sequence_batch()
        closed.set()
        return done

    assert at_once(write_slowly, sequence_meanwhile)[1] == 1
    assert sequence_batch() == 1
    assert_the_log_is_whole()


def test_a_writer_does_not_wait_for_a_sequencer_and_a_second_sequencer_steps_aside() -> None:
    record(taskset())
    sequenced, written = Event(), Event()

    def sequence_slowly() -> int:
        with transaction.atomic():
            done = sequence_batch()
            sequenced.set()
            assert written.wait(10)
        return done

    def write_meanwhile() -> int:
        assert sequenced.wait(10)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            record(taskset())
        second = sequence_batch()
        written.set()
        return second

    assert at_once(sequence_slowly, write_meanwhile) == [1, 0]
    assert sequence_batch() == 1
    assert_the_log_is_whole()


def test_a_sequencer_killed_before_its_commit_leaves_neither_gap_nor_loss() -> None:
    record(*[taskset() for _ in range(4)])
    sequence_batch(limit=1)

    def die() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            assert sequence_batch(limit=2) == 2
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError):
        at_once(die)
    while not sequence_batch():  # the dead session's lock goes with it
        time.sleep(0.01)
    assert_the_log_is_whole()


def test_whoever_drains_the_queue_by_hand_puts_the_evidence_into_the_log() -> None:
    record(*[taskset() for _ in range(3)])
    EvidenceQueue.objects.all().delete()
    assert_the_log_is_whole()


def test_nobody_queues_evidence_but_the_evidence_itself() -> None:
    (one,) = record(taskset())
    with pytest.raises(IntegrityError, match="evidence queues itself"):
        EvidenceQueue.objects.create(evidence=one, leaf_hash=one.leaf_hash)


@pytest.mark.parametrize("index", [0, 1, 2, -1])
def test_nobody_writes_the_log_but_the_queue(index: int) -> None:
    record(taskset())
    sequence_batch()
    (late,) = record(taskset())
    with pytest.raises(IntegrityError, match="only the queue writes the log"):
        LogEntry.objects.create(
            index=index, evidence=late, leaf_hash=late.leaf_hash, sequenced_at=NOON
        )


def test_no_fact_can_be_in_the_log_twice() -> None:
    (one,) = record(taskset())
    sequence_batch()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # as a superuser would
        with pytest.raises(IntegrityError, match="log_entry_once"):
            LogEntry.objects.create(index=1, evidence=one, leaf_hash=b"0" * 32, sequenced_at=NOON)
        transaction.set_rollback(True)
