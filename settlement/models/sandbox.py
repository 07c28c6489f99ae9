"""The sandbox rail's own books: what the world outside would hold, apart from our ledger.

Nothing of ours points here and these rows point at nothing of ours: only `settlement.rails.sandbox`
reads and writes them, as a bank would, in transactions of its own.
"""

from django.contrib.postgres.functions import TransactionNow
from django.db import models

from reputation.fields import PublicIdField


class SandboxMovement(models.Model):
    """A movement the sandbox made, or declined. `asked` counts how often we asked about it."""

    id = PublicIdField("sbx", primary_key=True)
    kind = models.CharField(max_length=8)
    reference = models.CharField(max_length=80)
    copy = models.PositiveSmallIntegerField(default=0)  # above 0 where the rail did it twice
    place = models.CharField(max_length=80)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=12)
    state = models.CharField(max_length=10)
    detail = models.CharField(max_length=200, blank=True)
    asked = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        indexes = [models.Index(fields=["made_at"], name="sandbox_movement_made")]
        constraints = [
            models.UniqueConstraint(fields=["reference", "copy"], name="sandbox_reference_once")
        ]

    def __str__(self) -> str:
        return self.id


class SandboxEvent(models.Model):
    """A webhook the sandbox owes us, `copies` times in all, from `due_at` on."""

    id = PublicIdField("sbev", primary_key=True)
    movement = models.ForeignKey(SandboxMovement, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=40)
    due_at = models.DateTimeField()
    copies = models.PositiveSmallIntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(copies__gt=0), name="sandbox_event_due"
            )
        ]

    def __str__(self) -> str:
        return self.id


class SandboxLostRequest(models.Model):
    """A request that the network swallowed: the sandbox never saw it, so its books lack it."""

    reference = models.CharField(max_length=80, primary_key=True)

    def __str__(self) -> str:
        return self.reference
