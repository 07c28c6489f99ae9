"""A budget set aside for production calls, drawn down window by window, until it ends once."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from pacts.models import Agent, CallStream, Engagement, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import append_only, never_emptied, only_emptying
from settlement.models.ledger import Account, Transfer
from settlement.models.receipts import PlatformKey

# What a meter says of its money is what its account holds, at every change.
_METER_GUARD = """
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'meter % is never deleted', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'meter_never_deleted';
    ELSIF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'meter % has ended', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'meter_ended_is_frozen';
    ELSIF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'meter % changed in between', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'meter_version_follows';
    ELSIF (NEW.engagement_id, NEW.account_id, NEW.agent_id, NEW.currency, NEW.terms, NEW.fee_bps,
           NEW.fee_bands) IS DISTINCT FROM
          (OLD.engagement_id, OLD.account_id, OLD.agent_id, OLD.currency, OLD.terms, OLD.fee_bps,
           OLD.fee_bands) THEN
        RAISE EXCEPTION 'the terms of meter % are fixed', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'meter_terms_are_fixed';
    ELSIF NEW.funded - NEW.paid - NEW.fees - NEW.returned <>
          (SELECT balance FROM settlement_account WHERE id = NEW.account_id) THEN
        RAISE EXCEPTION 'meter % does not say what its account holds', OLD.id
            USING ERRCODE = '23514', CONSTRAINT = 'meter_says_its_balance';
    END IF;
    RETURN NEW;
"""
# Of a window that waits, only what is decided later may change, once.
_DECIDED_LATER = (
    *("state", "reason", "earned", "held_back", "paid", "fee", "paid_before", "transfer_id"),
    *("decided_by_id", "award_bps", "decision", "settled_at", "evidence_id"),
)
_WINDOW_GUARD = f"""
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'window % is never deleted', OLD.id USING ERRCODE = '23001';
    ELSIF OLD.state = 'settled' THEN
        {only_emptying("decision").strip()}
    ELSIF to_jsonb(NEW) - ARRAY[{", ".join(f"'{name}'" for name in _DECIDED_LATER)}] <>
          to_jsonb(OLD) - ARRAY[{", ".join(f"'{name}'" for name in _DECIDED_LATER)}] THEN
        RAISE EXCEPTION 'what window % counted is fixed', OLD.id USING ERRCODE = '23001';
    END IF;
    RETURN NEW;
"""


def _guard(body: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="guard",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=body,
    )


class Meter(models.Model):
    """One engagement's budget. `terms` are `pacts.metering.MeteringTerms`; amounts minor units.

    `funded` is everything the buyer put in; `paid` (net) and `fees` went to the builder and the
    platform, `returned` to the buyer. Of what is left, `held_back` was earned and waits for the
    end, `withheld` waits for a decision on its window, and the rest is free for further windows.
    """

    class State(models.TextChoices):
        UNFUNDED = "unfunded"
        RUNNING = "running"
        PAUSED = "paused"
        FROZEN = "frozen"  # a critical clause was breached; nothing more is paid
        CLOSING = "closing"  # no more calls count; the last windows are settled
        ENDED = "ended"

    id = PublicIdField("mtr", primary_key=True)
    engagement = models.OneToOneField(Engagement, on_delete=models.PROTECT, related_name="meter")
    terms = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.UNFUNDED)
    reason = models.CharField(max_length=40, default="meter_unfunded")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="meters")
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="meter")
    currency = models.CharField(max_length=12)
    fee_bps = models.PositiveIntegerField()
    fee_bands = models.JSONField(default=list, blank=True)
    funded = models.PositiveBigIntegerField(default=0)
    paid = models.PositiveBigIntegerField(default=0)
    fees = models.PositiveBigIntegerField(default=0)
    returned = models.PositiveBigIntegerField(default=0)
    held_back = models.PositiveBigIntegerField(default=0)
    withheld = models.PositiveBigIntegerField(default=0)
    funded_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    breached_clause = models.CharField(max_length=64, blank=True)
    breach_evidence = models.CharField(max_length=48, blank=True)
    # Breaches up to here were looked at: one that the buyer waived stops nothing again.
    breaches_seen_to = models.DateTimeField(null=True, blank=True)
    frozen_until = models.DateTimeField(null=True, blank=True)
    closing_at = models.DateTimeField(null=True, blank=True)
    closing_reason = models.CharField(max_length=40, blank=True)
    next_action_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False),
                name="meter_due",
            ),
            models.Index(
                fields=["agent", "currency"],
                condition=Q(state__in=["running", "paused", "frozen", "closing"]),
                name="meter_exposure",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    funded__gte=F("paid")
                    + F("fees")
                    + F("returned")
                    + F("held_back")
                    + F("withheld")
                ),
                name="meter_spends_what_it_has",
            ),
            models.CheckConstraint(
                condition=Q(state="unfunded", funded=0, funded_at__isnull=True)
                | (~Q(state="unfunded") & Q(funded__gt=0, funded_at__isnull=False)),
                name="meter_funded_has_money",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="ended",
                    ended_at__isnull=False,
                    next_action_at__isnull=True,
                    funded=F("paid") + F("fees") + F("returned"),
                    held_back=0,
                    withheld=0,
                )
                | (~Q(state="ended") & Q(ended_at__isnull=True)),
                name="meter_ended_is_empty",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["unfunded", "ended"]) | Q(next_action_at__isnull=False),
                name="meter_waits_for_a_moment",
            ),
        ]
        triggers = [_guard(_METER_GUARD), never_emptied()]

    def __str__(self) -> str:
        return self.id

    @property
    def balance(self) -> int:
        """What its account holds."""
        return self.funded - self.paid - self.fees - self.returned

    @property
    def available(self) -> int:
        """What further windows may still cost."""
        return self.balance - self.held_back - self.withheld


class MeterPause(models.Model):
    """A time in which calls do not count: by a side, or after a critical breach."""

    class Cause(models.TextChoices):
        BUYER = "buyer"
        BUILDER = "builder"
        BREACH = "breach"

    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="pauses")
    cause = models.CharField(max_length=8, choices=Cause.choices)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["meter", "began_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["meter"], condition=Q(ended_at__isnull=True), name="meter_pause_one_open"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="ended_is_frozen",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
            pgtrigger.ReadOnly(name="beginning_is_fixed", fields=["meter", "cause", "began_at"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.meter_id} {self.cause}"


class MeterWindow(models.Model):
    """What one window of calls came to, in money. One row for each stream and number, for ever.

    `calls` = `verified` + `failed` + `platform_faults` + `buyer_faults` + `unchecked` + `outside`.
    `exact` is the price as a fraction of minor units, `due` it rounded. A settled window has
    `due` = `unearned` + `uncovered` + `earned`, and `earned` = `paid` + `fee` + `held_back`.
    """

    class State(models.TextChoices):
        WITHHELD = "withheld"  # undetermined, and the pact lets it wait
        SETTLED = "settled"

    id = PublicIdField("mtw", primary_key=True)
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="windows")
    stream = models.ForeignKey(CallStream, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices)
    outcome = models.CharField(max_length=16)
    rule = models.CharField(max_length=16, blank=True)  # what the pact says of undetermined
    reason = models.CharField(max_length=40)
    clauses = models.JSONField()
    calls = models.PositiveBigIntegerField()
    verified = models.PositiveBigIntegerField()
    failed = models.PositiveBigIntegerField()  # a check failed, or the agent did
    platform_faults = models.PositiveBigIntegerField()
    buyer_faults = models.PositiveBigIntegerField()
    unchecked = models.PositiveBigIntegerField()  # no clause said anything of them
    outside = models.PositiveBigIntegerField()  # while paused, frozen, or after the end
    share_bps = models.PositiveIntegerField()
    exact = models.CharField(max_length=80)
    due = models.PositiveBigIntegerField()
    covered = models.PositiveBigIntegerField()  # as much of it as the budget holds
    award_bps = models.PositiveIntegerField(null=True, blank=True)  # decided later
    earned = models.PositiveBigIntegerField(default=0)
    held_back = models.PositiveBigIntegerField(default=0)
    paid = models.PositiveBigIntegerField(default=0)
    fee = models.PositiveBigIntegerField(default=0)
    paid_before = models.PositiveBigIntegerField()  # fee bands count on from here
    next_call = models.BigIntegerField()  # every call of this stream before it is settled
    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="meter_window"
    )
    concluded_at = models.DateTimeField()
    decide_by_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decision = SealedTextField(max_length=2000, blank=True)  # an adjudicator's reasons
    settled_at = models.DateTimeField(null=True, blank=True)
    evidence_id = models.CharField(max_length=48, blank=True)

    class Meta:
        ordering = ["meter", "stream", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["meter", "stream", "number"], name="meter_window_once"),
            models.CheckConstraint(
                condition=Q(
                    calls=F("verified")
                    + F("failed")
                    + F("platform_faults")
                    + F("buyer_faults")
                    + F("unchecked")
                    + F("outside")
                ),
                name="meter_window_counts_every_call",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="settled",
                    settled_at__isnull=False,
                    earned=F("paid") + F("fee") + F("held_back"),
                    earned__lte=F("covered"),
                    covered__lte=F("due"),
                )
                | Q(
                    state="withheld",
                    settled_at__isnull=True,
                    decide_by_at__isnull=False,
                    earned=0,
                    covered__gt=0,
                ),
                name="meter_window_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state="withheld") | Q(paid=0, fee=0) | Q(transfer__isnull=False),
                name="meter_window_pays_by_a_transfer",
            ),
        ]
        indexes = [
            models.Index(
                fields=["decide_by_at"], condition=Q(state="withheld"), name="meter_window_waiting"
            )
        ]
        triggers = [_guard(_WINDOW_GUARD), never_emptied()]

    def __str__(self) -> str:
        return f"{self.meter_id}#{self.number}"


class MeterMovement(models.Model):
    """Money into a meter or out of it, beside the transfer that moved it."""

    class Kind(models.TextChoices):
        FUNDING = "funding"
        TOP_UP = "top_up"
        DRAW = "draw"  # a window's pay
        HOLDBACK = "holdback"  # what was held back, paid at the end
        RETURN = "return"  # to the buyer

    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    amount = models.PositiveBigIntegerField()
    fee = models.PositiveBigIntegerField(default=0)  # of `amount`, where the builder was paid
    transfer = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, related_name="meter_movement"
    )
    window = models.OneToOneField(
        MeterWindow, on_delete=models.PROTECT, null=True, blank=True, related_name="movement"
    )
    moved_at = models.DateTimeField()

    class Meta:
        ordering = ["meter", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, fee__lte=F("amount")), name="meter_movement_of_something"
            )
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.meter_id} {self.kind}"


class MeterStatement(models.Model):
    """The signed arithmetic of one settled window; nothing about it changes."""

    id = PublicIdField("mts", primary_key=True)
    window = models.OneToOneField(MeterWindow, on_delete=models.PROTECT, related_name="statement")
    body = models.TextField()
    key = models.ForeignKey(PlatformKey, on_delete=models.PROTECT, related_name="statements")
    signature = models.BinaryField(max_length=64)
    issued_at = models.DateTimeField()

    class Meta:
        triggers = [append_only()]

    def __str__(self) -> str:
        return self.id
