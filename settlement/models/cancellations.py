"""An offer to end a milestone by agreement, and what became of it."""

import pgtrigger
from django.db import models
from django.db.models import Q

from pacts.models import Milestone, Party, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import never_emptied, only_emptying


class Cancellation(models.Model):
    """One side offers a split; the other accepts it, or it ends. One is open at a time.

    `award_bps` is the builder's share. It is null where no money is set aside yet: then accepting
    ends the milestones of the engagement that were never funded.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        WITHDRAWN = "withdrawn"  # by the side that offered it
        SUPERSEDED = "superseded"  # by a later offer of either side
        EXPIRED = "expired"
        OVERTAKEN = "overtaken"  # the escrow reached its outcome another way

    id = PublicIdField("cnc", primary_key=True)
    milestone = models.ForeignKey(Milestone, on_delete=models.PROTECT, related_name="cancellations")
    proposed_by = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    proposed_by_user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    award_bps = models.PositiveIntegerField(null=True, blank=True)
    note = SealedTextField(max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by_user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-proposed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["milestone"], condition=Q(state="open"), name="cancellation_one_open"
            ),
            models.CheckConstraint(
                condition=Q(award_bps__isnull=True) | Q(award_bps__lte=10_000),
                name="cancellation_award_bounded",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="cancellation_closed_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="open"), name="cancellation_open")
        ]
        triggers = [
            pgtrigger.Trigger(
                name="closed_is_frozen",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="open"),
                func=only_emptying("note"),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return self.id
