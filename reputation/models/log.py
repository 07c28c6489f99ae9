"""The log: every piece of evidence once, at a contiguous index from 0."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from reputation.models.evidence import Evidence
from reputation.triggers import append_only

models.BinaryField.register_lookup(Length)


class EvidenceQueue(models.Model):
    """Evidence that waits for its index. A trigger queues it; only its log entry lets it leave.

    The database draws the id when the evidence is written, so what was committed before another
    piece was written has the smaller id, whichever machine wrote it.
    """

    # No foreign key in the database: evidence cannot be deleted, and the check would lock its row.
    evidence = models.ForeignKey(
        Evidence, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "evidence queue"
        constraints = [
            models.UniqueConstraint(fields=["evidence"], name="evidence_queued_once"),
        ]
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
            pgtrigger.Trigger(
                name="sequenced_first",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                referencing=pgtrigger.Referencing(old="drained"),  # type: ignore[no-untyped-call]
                declare=[("lost", "text")],
                func="""
                    SELECT d.evidence_id INTO lost FROM drained d
                    LEFT JOIN reputation_logentry l ON l.evidence_id = d.evidence_id
                    WHERE l.index IS NULL LIMIT 1;
                    IF FOUND THEN
                        RAISE EXCEPTION '% leaves the queue without an index', lost
                        USING ERRCODE = '23001';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evidence_id} waits"


class LogEntry(models.Model):
    """One leaf of the log. The database refuses a gap, a second entry for a fact, and any edit."""

    index = models.BigIntegerField(primary_key=True)
    evidence = models.ForeignKey(
        Evidence, on_delete=models.PROTECT, db_index=False, related_name="entries"
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
            pgtrigger.Trigger(
                name="contiguous",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),  # type: ignore[no-untyped-call]
                declare=[
                    ("first", "bigint"),
                    ("last", "bigint"),
                    ("many", "bigint"),
                    ("before", "bigint"),
                ],
                func="""
                    SELECT min(index), max(index), count(*) INTO first, last, many FROM added;
                    SELECT coalesce(max(index), -1) INTO before
                    FROM reputation_logentry WHERE index < first;
                    IF many > 0 AND (first <> before + 1 OR last <> before + many) THEN
                        RAISE EXCEPTION 'the log would have a gap at %', before + 1
                        USING ERRCODE = '23001';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.index}: {self.evidence_id}"
