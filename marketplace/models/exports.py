"""Archives of everything a party has: asked for, packed by a worker, kept for a week."""

from django.db import models

from pacts.models import Party, User
from reputation.fields import PublicIdField


class Archive(models.Model):
    """One request for everything. The row is the queue: claimed under a lease, packed once."""

    class State(models.TextChoices):
        QUEUED = "queued"
        PACKING = "packing"
        READY = "ready"
        FAILED = "failed"
        EXPIRED = "expired"  # its pieces are deleted

    id = PublicIdField("arc", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="archives")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    size = models.PositiveBigIntegerField(default=0)  # bytes of the zip
    digest = models.CharField(max_length=80, blank=True, default="")  # of the zip
    mark = models.CharField(max_length=80, blank=True, default="")  # of what it was packed from
    counts = models.JSONField(default=dict, blank=True)  # rows by file

    class Meta:
        ordering = ["-asked_at"]
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=models.Q(state__in=["queued", "packing"]),
                name="archive_waiting",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["party"],
                condition=models.Q(state__in=["queued", "packing"]),
                name="archive_one_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class ArchivePiece(models.Model):
    """A part of a packed archive, sealed; read one after the other it is the zip."""

    archive = models.ForeignKey(Archive, on_delete=models.CASCADE, related_name="pieces")
    attempt = models.PositiveSmallIntegerField()
    position = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        ordering = ["archive", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["archive", "attempt", "position"], name="archive_piece_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.archive_id}#{self.position}"
