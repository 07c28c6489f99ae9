"""Money that enters and leaves: deposits, payouts, calls made to rails, and what rails tell us."""

import pgtrigger
from django.db import models
from django.db.models import Q

from pacts.models import Party
from reputation.fields import PublicIdField
from reputation.triggers import append_only, never_emptied
from settlement.models.ledger import Account, Transfer


def final_is_frozen(*states: str) -> pgtrigger.Trigger:
    """Refuses to change or delete a row whose money has moved, or was returned."""
    return pgtrigger.Protect(
        name="final_is_frozen",
        operation=pgtrigger.Update | pgtrigger.Delete,
        condition=pgtrigger.Q(old__state__in=list(states)),
    )


# Terms are fixed, nothing is deleted, and a deposit leaves `pending` once.
_DEPOSIT_GUARD = """
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'deposit % is never deleted', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'deposit_never_deleted';
    ELSIF (NEW.id, NEW.party_id, NEW.rail, NEW.source, NEW.amount, NEW.currency,
           NEW.idempotency_key, NEW.requested_at)
        IS DISTINCT FROM (OLD.id, OLD.party_id, OLD.rail, OLD.source, OLD.amount, OLD.currency,
           OLD.idempotency_key, OLD.requested_at) THEN
        RAISE EXCEPTION 'the terms of deposit % are fixed', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'deposit_terms_are_fixed';
    END IF;
    RETURN NEW;
"""

# pending → processing or cancelled; processing → paid or failed; nothing else, and an end is stored
# only beside the transfer that resolved this very hold that way. A deposit goes back once at most.
_PAYOUT_GUARD = """
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'payout % is never deleted', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'payout_never_deleted';
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending' THEN
            RAISE EXCEPTION 'a payout begins as pending'
                USING ERRCODE = '23514', CONSTRAINT = 'payout_begins_pending';
        END IF;
        IF NEW.refund_of_id IS NULL THEN RETURN NEW; END IF;
        PERFORM FROM settlement_deposit WHERE id = NEW.refund_of_id FOR NO KEY UPDATE;
        IF NOT EXISTS (
            SELECT FROM settlement_deposit d WHERE d.id = NEW.refund_of_id
               AND d.state = 'succeeded' AND d.party_id = NEW.party_id AND d.rail = NEW.rail
               AND d.currency = NEW.currency AND d.amount >= NEW.amount + (
                   SELECT coalesce(sum(p.amount), 0) FROM settlement_payout p
                    WHERE p.refund_of_id = d.id AND p.state NOT IN ('failed', 'cancelled'))
        ) THEN
            RAISE EXCEPTION 'deposit % does not hold this refund', NEW.refund_of_id
                USING ERRCODE = '23514', CONSTRAINT = 'refund_within_its_deposit';
        END IF;
        RETURN NEW;
    ELSIF (NEW.id, NEW.party_id, NEW.rail, NEW.destination, NEW.amount, NEW.currency,
           NEW.idempotency_key, NEW.requested_at, NEW.account_id, NEW.hold_id, NEW.refund_of_id,
           NEW.not_before_at)
        IS DISTINCT FROM (OLD.id, OLD.party_id, OLD.rail, OLD.destination, OLD.amount, OLD.currency,
           OLD.idempotency_key, OLD.requested_at, OLD.account_id, OLD.hold_id, OLD.refund_of_id,
           OLD.not_before_at) THEN
        RAISE EXCEPTION 'the terms of payout % are fixed', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'payout_terms_are_fixed';
    ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('pending', 'processing'), ('pending', 'cancelled'),
        ('processing', 'paid'), ('processing', 'failed')) THEN
        RAISE EXCEPTION 'payout % does not go from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = '23001', CONSTRAINT = 'payout_state_follows';
    ELSIF NEW.resolution_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM settlement_transfer t
         WHERE t.id = NEW.resolution_id AND t.resolves_id = NEW.hold_id AND t.kind =
               CASE WHEN NEW.state = 'paid' THEN 'payout_paid' ELSE 'payout_returned' END
    ) THEN
        RAISE EXCEPTION 'payout % was not ended so by transfer %', OLD.id, NEW.resolution_id
            USING ERRCODE = '23514', CONSTRAINT = 'payout_end_moves_its_hold';
    END IF;
    RETURN NEW;
"""


def _guard(func: str, *, inserts: bool = False) -> pgtrigger.Trigger:
    operation = pgtrigger.Update | pgtrigger.Delete
    return pgtrigger.Trigger(
        name="guard",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=operation | pgtrigger.Insert if inserts else operation,
        func=func,
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
    rail_reference = models.CharField(max_length=255, blank=True)  # what the rail calls it
    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="deposit"
    )
    requested_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        triggers = [
            final_is_frozen("succeeded", "failed"),
            _guard(_DEPOSIT_GUARD),
            never_emptied(),
        ]
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
    rail_reference = models.CharField(max_length=255, blank=True)  # what the rail calls it
    # A refund: the deposit that goes back to its own source, in whole or in part.
    refund_of = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="payout")
    hold = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="held_payout")
    resolution = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="resolved_payout"
    )
    requested_at = models.DateTimeField()
    not_before_at = models.DateTimeField()  # the end of the cooldown
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at"]
        triggers = [
            final_is_frozen("paid", "failed", "cancelled"),
            _guard(_PAYOUT_GUARD, inserts=True),
            never_emptied(),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="payout_due",
            ),
            models.Index(fields=["destination"], name="payout_to"),
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
    # succeeded, failed, pending or unknown, as the rail said; "" while nobody recorded an answer
    outcome = models.CharField(max_length=10, blank=True)
    rail_reference = models.CharField(max_length=255, blank=True)
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


class RailEvent(models.Model):
    """A webhook a rail sent, once per the rail's own id of it. A hint: the rail is then asked."""

    class Effect(models.TextChoices):
        HINT = "hint"  # its deposit or payout was open, so the rail is asked about it now
        LATE = "late"  # its deposit or payout was final already
        UNKNOWN = "unknown"  # about nothing of ours

    id = PublicIdField("rev", primary_key=True)
    rail = models.CharField(max_length=16)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=100)
    reference = models.CharField(max_length=80, blank=True)
    effect = models.CharField(max_length=8, choices=Effect.choices)
    body_digest = models.CharField(max_length=80)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at"]
        triggers = [append_only()]
        constraints = [
            models.UniqueConstraint(fields=["rail", "event_id"], name="rail_event_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rail} {self.event_id}"
