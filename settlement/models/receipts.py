"""Signed receipts, and the platform's keys that sign them."""

from django.db import models
from django.db.models import Q

from reputation.fields import PublicIdField
from reputation.triggers import append_only
from settlement.models.escrows import Escrow


class PlatformKey(models.Model):
    """An Ed25519 key of the platform. Rows stay for ever, so old receipts stay verifiable."""

    id = PublicIdField("key", primary_key=True)
    public_key = models.BinaryField(max_length=32)
    sealed_seed = models.BinaryField(max_length=256)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "retired_at",
                condition=Q(retired_at__isnull=True),
                name="platform_key_one_in_use",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return self.id


class Receipt(models.Model):
    """What happened to one escrow and why. `body` is canonical JSON; nothing about it changes."""

    id = PublicIdField("rcp", primary_key=True)
    escrow = models.OneToOneField(Escrow, on_delete=models.PROTECT, related_name="receipt")
    body = models.TextField()
    key = models.ForeignKey(PlatformKey, on_delete=models.PROTECT, related_name="receipts")
    signature = models.BinaryField(max_length=64)
    issued_at = models.DateTimeField()

    class Meta:
        triggers = [append_only()]

    def __str__(self) -> str:
        return self.id
