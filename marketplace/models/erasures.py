"""Requests to erase what is private about somebody, until the last of it is gone."""

from django.db import models

from reputation.fields import PublicIdField
from reputation.identifiers import ID_MAX_LENGTH


class ErasureRequest(models.Model):
    """Whose private parts are to go. It is open while something of theirs must wait.

    A case that is open keeps its texts until it ends; the sweep erases them then.
    """

    id = PublicIdField("ers", primary_key=True)
    subject_id = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    reason = models.CharField(max_length=40)  # a token
    asked_at = models.DateTimeField()
    waits_until = models.DateTimeField(null=True, blank=True)  # the latest end of what it waits for
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_id"],
                condition=models.Q(done_at__isnull=True),
                name="erasure_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} since {self.asked_at:%Y-%m-%d}"
