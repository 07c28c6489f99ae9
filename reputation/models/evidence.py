"""Public facts, whom they name, and the private payloads that may be erased."""

import json
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from reputation.fields import PublicIdField
from reputation.identifiers import ID_MAX_LENGTH
from reputation.triggers import append_only, never_edited

models.BinaryField.register_lookup(Length)


class Evidence(models.Model):
    """One recorded fact. `envelope` is its canonical public text; nothing about it ever changes."""

    id = PublicIdField("evd", primary_key=True)
    kind = models.CharField(max_length=40)
    envelope = models.TextField()
    leaf_hash = models.BinaryField(max_length=32)
    dedupe_key = models.CharField(max_length=120, null=True)  # noqa: DJ001 - unknown is not ""
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "evidence"
        constraints = [
            models.UniqueConstraint(fields=["dedupe_key"], name="evidence_dedupe_key_once"),
            models.CheckConstraint(
                name="evidence_leaf_hash_is_rfc6962",
                condition=Q(
                    leaf_hash=models.Func(
                        models.F("envelope"),
                        template=r"sha256('\x00'::bytea || convert_to(%(expressions)s, 'UTF8'))",
                        output_field=models.BinaryField(),
                    )
                ),
            ),
        ]
        triggers = [
            append_only(),
            pgtrigger.Trigger(
                name="queue",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="recorded"),  # type: ignore[no-untyped-call]
                func="""
                    INSERT INTO reputation_evidencequeue (evidence_id, leaf_hash)
                    SELECT id, leaf_hash FROM recorded ORDER BY id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    def read(self) -> dict[str, Any]:
        """The envelope as an object; `reputation.envelope.seal` says its shape."""
        content: dict[str, Any] = json.loads(self.envelope)
        return content


class EvidenceSubject(models.Model):
    """That a piece of evidence names somebody or something, and as what."""

    evidence = models.ForeignKey(
        Evidence, on_delete=models.PROTECT, db_index=False, related_name="subjects"
    )
    role = models.CharField(max_length=16)
    subject_id = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")

    class Meta:
        constraints = [
            # Ids sort by time, so this index also reads a subject's history in order.
            models.UniqueConstraint("subject_id", "evidence", "role", name="evidence_subject_once"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.evidence_id} names {self.subject_id} as {self.role}"


class EvidencePayload(models.Model):
    """The private half. Once deleted, the envelope's commitment to it says nothing.

    Salt and payload are sealed under SECRET_KEY, which is not in the database: what a deleted row
    leaves in the files, the write-ahead log or a backup of the server is no trace of them.
    """

    evidence = models.OneToOneField(
        Evidence, on_delete=models.PROTECT, primary_key=True, related_name="payload"
    )
    sealed = models.BinaryField()

    class Meta:
        triggers = [never_edited()]

    def __str__(self) -> str:
        return f"payload of {self.evidence_id}"
