"""The signed heads of the log, the keys that sign them, and what witnesses said of them."""

import base64

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from reputation.fields import PublicIdField
from reputation.triggers import append_only, never_emptied

models.BinaryField.register_lookup(Length)


class LogKey(models.Model):
    """An Ed25519 key of the log. Rows stay for ever, so old checkpoints stay verifiable.

    `origin` names the log in every checkpoint; it is settled with the first key and then kept.
    """

    id = PublicIdField("lky", primary_key=True)
    origin = models.CharField(max_length=200)
    public_key = models.BinaryField(max_length=32)
    sealed_seed = models.BinaryField(max_length=256)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "retired_at",
                condition=Q(retired_at__isnull=True),
                name="log_key_one_in_use",
                nulls_distinct=False,
            )
        ]
        triggers = [never_emptied()]

    def __str__(self) -> str:
        return f"{self.id} of {self.origin}"


class Checkpoint(models.Model):
    """A signed head: the first `size` entries hash to `root`. A later head is never smaller."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    key = models.ForeignKey(LogKey, on_delete=models.PROTECT, related_name="checkpoints")
    note = models.TextField()
    # The leaf hashes since the head before that no complete tile held at the signing, the last of
    # them at `size` − 1: kept apart from the entries, so that an audit can name the one rewritten.
    tail = models.BinaryField(max_length=255 * 32, default=b"", db_default=b"")
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="checkpoint_of_a_tree", condition=Q(size__gte=0, root__length=32)
            ),
        ]
        triggers = [
            append_only(),
            pgtrigger.Trigger(
                name="grows",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (SELECT FROM reputation_checkpoint WHERE size > NEW.size) THEN
                        RAISE EXCEPTION 'a head of % follows a larger one', NEW.size
                        USING ERRCODE = '23001';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.size} {base64.b64encode(bytes(self.root)).decode()}"


class Cosignature(models.Model):
    """A witness's signature line under a checkpoint (C2SP tlog-cosignature), as it came."""

    checkpoint = models.ForeignKey(
        Checkpoint, on_delete=models.PROTECT, related_name="cosignatures"
    )
    witness = models.CharField(max_length=200)
    line = models.TextField()
    cosigned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["checkpoint", "witness"], name="cosignature_once_per_witness"
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.witness} on {self.checkpoint_id}"


class WitnessAnswer(models.Model):
    """What a witness last answered, so that a refusal is seen: the newest answer, no history."""

    witness = models.CharField(max_length=200, primary_key=True)
    size = models.BigIntegerField()
    accepted = models.BooleanField()
    reason = models.CharField(max_length=300)
    answered_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.witness}: {'cosigned' if self.accepted else 'refused'} {self.size}"
