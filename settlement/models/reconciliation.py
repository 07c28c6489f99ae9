"""What a rail's books and ours say differently, and who settled that with which reason."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import append_only, never_removed, texts_erased_only


class Reconciliation(models.Model):
    """One comparison of a rail's books with ours over a window; written when it is finished."""

    id = PublicIdField("rec", primary_key=True)
    rail = models.CharField(max_length=16)
    since = models.DateTimeField()
    until = models.DateTimeField()
    movements = models.PositiveIntegerField()  # in the rail's books
    matched = models.PositiveIntegerField()
    healed = models.PositiveIntegerField()  # open rows that the rail's answer ended
    found = models.PositiveIntegerField()  # differences, new ones and ones seen before
    totals = models.JSONField()  # per currency: what the rail says came in, what our ledger says
    finished_at = models.DateTimeField()

    class Meta:
        ordering = ["-finished_at"]
        triggers = [append_only()]
        constraints = [
            models.CheckConstraint(
                condition=Q(since__lt=F("until")), name="reconciliation_of_a_window"
            )
        ]

    def __str__(self) -> str:
        return self.id


class Difference(models.Model):
    """Something the two books say differently. It is stored once, however often it is seen."""

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here"
        MISSING_THERE = "missing_there"
        AMOUNT = "amount"
        CURRENCY = "currency"
        STATE = "state"
        DUPLICATED = "duplicated"
        LEDGER = "ledger"

    id = PublicIdField("dif", primary_key=True)
    rail = models.CharField(max_length=16)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=80, blank=True)  # our deposit, payout or transfer
    rail_reference = models.CharField(max_length=255, blank=True)
    ours = models.CharField(max_length=200)
    theirs = models.CharField(max_length=200)
    first_seen_in = models.ForeignKey(
        Reconciliation, on_delete=models.PROTECT, related_name="differences"
    )

    class Meta:
        ordering = ["-id"]
        triggers = [append_only()]
        constraints = [
            models.UniqueConstraint(
                fields=["rail", "kind", "subject", "rail_reference", "ours", "theirs"],
                name="difference_once",
            )
        ]

    def __str__(self) -> str:
        return self.id


class DifferenceResolution(models.Model):
    """A person settled a difference, once, and says why."""

    difference = models.OneToOneField(
        Difference, on_delete=models.PROTECT, related_name="resolution"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = SealedTextField(max_length=1000)
    resolved_at = models.DateTimeField()

    class Meta:
        ordering = ["-resolved_at"]
        triggers = [
            pgtrigger.Protect(
                name="has_a_reason",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__reason=""),
            ),
            texts_erased_only("reason"),
            never_removed(),
        ]

    def __str__(self) -> str:
        return f"{self.difference_id} by {self.by_id}"
