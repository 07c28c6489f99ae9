"""The ledger's rows. The database guards them (migration 0002); `settlement.ledger` posts them."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Func, Q

from pacts.models import Party


class Currency(models.Model):
    """A currency in use. Its exponent never changes: every balance rests on it."""

    code = models.CharField(max_length=12, primary_key=True)
    exponent = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "currencies"
        constraints = [
            models.CheckConstraint(condition=Q(exponent__lte=18), name="currency_exponent_bounded")
        ]

    def __str__(self) -> str:
        return self.code


class Account(models.Model):
    """A place for money of one currency. `balance` moves through entries and nothing else.

    What never changes is checked when it is opened, by a trigger (migration 0006): the kind is
    known, a party's account and no other has an owner, all but a rail's have a floor.
    """

    class Kind(models.TextChoices):
        PARTY = "party"  # what a party can spend or withdraw
        ESCROW = "escrow"  # one escrow's own, so that holds never wait for each other
        PAYOUT = "payout"  # one payout's own, while it is on its way
        BOND = "bond"  # one builder's bond, while its escrow is open
        FILING = "filing"  # one dispute's deposit, while it is open
        METER = "meter"  # one metered hire's budget, until it ends
        FEES = "fees"  # what the platform earned
        RAIL = "rail"  # the world outside: the only one that may go below its floor

    kind = models.CharField(max_length=8, choices=Kind.choices)
    owner = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    subject = models.CharField(max_length=40, blank=True, default="")  # an escrow, payout or rail
    currency = models.ForeignKey(Currency, on_delete=models.PROTECT, related_name="+")
    floor = models.BigIntegerField(null=True, blank=True, default=0, db_default=0)
    deferred = models.BooleanField(default=False, db_default=False)  # credits are queued, not added
    balance = models.BigIntegerField(default=0, db_default=0)
    version = models.BigIntegerField(default=0, db_default=0)
    opened_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "subject", "currency"],
                name="account_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(floor__isnull=True) | Q(balance__gte=F("floor")), name="account_floor"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.owner_id or self.subject} {self.currency_id}".replace("  ", " ")


class Transfer(models.Model):
    """One movement. `resolves` names the hold it ends; a hold is ended once.

    Whether its kind needs a hold, and of which kind, is checked by a trigger (migration 0006).
    """

    class Kind(models.TextChoices):
        DEPOSIT = "deposit"
        HOLD = "hold"
        RELEASE = "release"
        REFUND = "refund"
        SPLIT = "split"
        PAYOUT_HOLD = "payout_hold"
        PAYOUT_PAID = "payout_paid"
        PAYOUT_RETURNED = "payout_returned"
        BOND_HOLD = "bond_hold"
        BOND_RETURNED = "bond_returned"
        BOND_SLASHED = "bond_slashed"
        FILING_HOLD = "filing_hold"
        FILING_RETURNED = "filing_returned"
        FILING_FORFEITED = "filing_forfeited"
        METER_FUNDED = "meter_funded"
        METER_DRAWN = "meter_drawn"
        METER_HOLDBACK = "meter_holdback"
        METER_RETURNED = "meter_returned"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    idempotency_key = models.CharField(max_length=160)
    request_hash = models.BinaryField(max_length=32)
    resolves = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="resolutions",
    )
    # The transaction that made it, which is also the last that may add an entry.
    xid = models.BigIntegerField(
        db_default=Func(
            template="(pg_current_xact_id()::text::bigint)", output_field=models.BigIntegerField()
        )
    )
    posted_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key"], name="transfer_key_once"),
            models.UniqueConstraint(fields=["resolves"], name="transfer_resolves_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.idempotency_key}"


class Entry(models.Model):
    """One side of a transfer: `amount` minor units, a debit below zero, a credit above it.

    Foreign keys are checked by the posting trigger: a constraint would lock the hot account's row.
    `balance_after` and `account_version` are null where the credit was queued.
    """

    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, db_constraint=False, related_name="entries"
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="entries",
    )
    currency = models.CharField(max_length=12)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField(null=True)
    account_version = models.BigIntegerField(null=True)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "account_version"], name="entry_version_once"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="entry_moves_something"),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+} {self.currency} on account {self.account_id}"


class QueuedCredit(models.Model):
    """A movement of a deferred account that waits to be folded into its balance.

    Deleting rows folds them: a trigger adds what was deleted, so no row can vanish.
    """

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_constraint=False, related_name="queue"
    )
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.amount:+} queued for account {self.account_id}"
