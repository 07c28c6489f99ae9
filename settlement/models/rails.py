"""Money that enters and leaves: deposits, payouts, and every call made to a rail about them."""

import pgtrigger
from django.db import models
from django.db.models import Q

from pacts.models import Party
from reputation.fields import PublicIdField
from reputation.triggers import never_emptied
from settlement.models.ledger import Account, Transfer


def final_is_frozen(*states: str) -> pgtrigger.Trigger:
    """Refuses to change or delete a row whose money has moved, or was returned."""
    return pgtrigger.Protect(
        name="final_is_frozen",
        operation=pgtrigger.Update | pgtrigger.Delete,
        condition=pgtrigger.Q(old__state__in=list(states)),
    )


class Deposit(models.Model):
    """A party brings money in. Credited once, when the rail says that it came."""

    class State(models.TextChoices):
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    id = PublicIdField("dep", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="deposits")
    rail = models.CharField(max_length=16)
    source = models.CharField(max_length=80)  # what the rail charges; a token, never a card number
    amount = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=12)
    idempotency_key = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    failure = models.CharField(max_length=200, blank=True)
    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="deposit"
    )
    requested_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        triggers = [final_is_frozen("succeeded", "failed"), never_emptied()]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="deposit_due",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["party", "idempotency_key"], name="deposit_key_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="deposit_of_something"),
            models.CheckConstraint(
                condition=Q(state="succeeded", transfer__isnull=False)
                | (Q(state__in=["pending", "failed"]) & Q(transfer__isnull=True)),
                name="deposit_succeeded_is_credited",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Payout(models.Model):
    """A party takes money out. Set aside at once, then paid, or returned to the party."""

    class State(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        PAID = "paid"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = PublicIdField("pyt", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="payouts")
    rail = models.CharField(max_length=16)
    destination = models.CharField(max_length=80)
    amount = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=12)
    idempotency_key = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    failure = models.CharField(max_length=200, blank=True)
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="payout")
    hold = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="held_payout")
    resolution = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="resolved_payout"
    )
    requested_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)  # not before the cooldown's end
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        triggers = [final_is_frozen("paid", "failed", "cancelled"), never_emptied()]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="payout_due",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["party", "idempotency_key"], name="payout_key_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_of_something"),
            models.CheckConstraint(
                condition=Q(state__in=["paid", "failed", "cancelled"], resolution__isnull=False)
                | Q(state__in=["pending", "processing"], resolution__isnull=True),
                name="payout_final_by_a_resolution",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class RailAttempt(models.Model):
    """One call to a rail, written before it is made: a lost answer leaves its question behind."""

    id = PublicIdField("att", primary_key=True)
    deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, null=True, blank=True, related_name="attempts"
    )
    payout = models.ForeignKey(
        Payout, on_delete=models.PROTECT, null=True, blank=True, related_name="attempts"
    )
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, blank=True)  # succeeded, failed, pending; "" unknown
    rail_reference = models.CharField(max_length=80, blank=True)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["started_at", "number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(deposit__isnull=False, payout__isnull=True)
                | Q(deposit__isnull=True, payout__isnull=False),
                name="rail_attempt_for_one_thing",
            ),
            models.UniqueConstraint(
                fields=["deposit", "payout", "number"],
                name="rail_attempt_number_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deposit_id or self.payout_id} attempt {self.number}"
