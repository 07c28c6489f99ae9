"""The log: every piece of evidence once, at a contiguous index from 0."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from reputation.models.evidence import Evidence
from reputation.triggers import append_only

models.BinaryField.register_lookup(Length)


def _only_within_a_trigger(name: str, reason: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
            IF pg_trigger_depth() < 2 THEN
                RAISE EXCEPTION 'INSERT refused: {reason}' USING ERRCODE = '23001';
            END IF;
            RETURN NULL;
        """,
    )


class EvidenceQueue(models.Model):
    """Evidence that waits for its index: to leave the queue is to enter the log.

    The database draws the id when the evidence is written, so what was committed before another
    piece was written has the smaller id, whichever machine wrote it.
    """

    # No foreign key in the database: only the evidence's own trigger writes here, and evidence
    # cannot be deleted; the check would lock its row.
    evidence = models.ForeignKey(
        Evidence, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "evidence queue"
        triggers = [
            pgtrigger.Trigger(
                name="kept_whole",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Truncate,
                func="""
                    RAISE EXCEPTION '% refused: the queue is only drained', TG_OP
                    USING ERRCODE = '23001';
                """,
            ),
            _only_within_a_trigger("queued_by_evidence", "evidence queues itself"),
            pgtrigger.Trigger(
                name="sequenced",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                referencing=pgtrigger.Referencing(old="drained"),  # type: ignore[no-untyped-call]
                declare=[("first", "bigint")],
                # The next index is read from the log itself: a rollback leaves no gap and there is
                # no second counter to disagree. Two at once would collide on the primary key.
                func="""
                    SELECT coalesce(max(index) + 1, 0) INTO first FROM reputation_logentry;
                    INSERT INTO reputation_logentry (index, evidence_id, leaf_hash, sequenced_at)
                    SELECT first + row_number() OVER (ORDER BY id) - 1,
                           evidence_id, leaf_hash, now()
                    FROM drained ORDER BY id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evidence_id} waits"


class LogEntry(models.Model):
    """One leaf of the log. Only the queue writes it: there is no gap, no stranger and no edit."""

    index = models.BigIntegerField(primary_key=True)
    # No foreign key in the database: what leaves the queue came from the evidence's own trigger,
    # and the check for each row would take half of the sequencer's time.
    evidence = models.ForeignKey(
        Evidence,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="entries",
    )
    leaf_hash = models.BinaryField(max_length=32)
    sequenced_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "log entries"
        constraints = [
            models.UniqueConstraint(fields=["evidence"], name="log_entry_once"),
            models.CheckConstraint(name="log_entry_index_from_0", condition=Q(index__gte=0)),
            models.CheckConstraint(
                name="log_entry_leaf_hash_length", condition=Q(leaf_hash__length=32)
            ),
        ]
        triggers = [
            append_only(),
            _only_within_a_trigger("written_by_the_queue", "only the queue writes the log"),
        ]

    def __str__(self) -> str:
        return f"{self.index}: {self.evidence_id}"


class Tile(models.Model):
    """256 hashes of one row of the tree (C2SP tlog-tiles), written once, when they are complete.

    Level 0 holds leaf hashes; the n-th hash of a level above is the root of the n-th tile below.
    What fills no tile yet is read from the log entries, or from the roots of the tiles below.
    """

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField(max_length=8192)
    root = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tile_is_full_and_rooted",
                condition=Q(hashes__length=8192, root__length=32, index__gte=0, level__gte=0),
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"tile {self.level}/{self.index}"
