"""Money set aside for one milestone, until exactly one outcome."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from pacts.models import Agent, Milestone, Verdict
from reputation.fields import PublicIdField
from reputation.triggers import never_emptied
from settlement.models.ledger import Account, Transfer
from settlement.reasons import REASONS, Reason

FINAL = ["released", "refunded", "split"]

# A settled escrow never changes; an update that did not see the latest version is refused; and an
# outcome is stored only beside the transfer that resolved this very hold and left nothing behind.
_GUARD = """
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'escrow % is never deleted', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'escrow_never_deleted';
    ELSIF OLD.state IN ('released', 'refunded', 'split') THEN
        RAISE EXCEPTION 'escrow % is settled', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'escrow_settled_is_frozen';
    ELSIF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'escrow % changed in between', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'escrow_version_follows';
    ELSIF OLD.hold_id IS NOT NULL AND (
        (NEW.milestone_id, NEW.account_id, NEW.hold_id, NEW.currency, NEW.amount, NEW.fee_bps,
         NEW.fee_bands, NEW.agent_id)
        IS DISTINCT FROM
        (OLD.milestone_id, OLD.account_id, OLD.hold_id, OLD.currency, OLD.amount, OLD.fee_bps,
         OLD.fee_bands, coalesce(OLD.agent_id, NEW.agent_id))
    ) THEN
        RAISE EXCEPTION 'the terms of escrow % are fixed once it is funded', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'escrow_terms_are_fixed';
    ELSIF NEW.resolution_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM settlement_transfer t JOIN settlement_account a ON a.id = NEW.account_id
         WHERE t.id = NEW.resolution_id AND t.resolves_id = NEW.hold_id AND a.balance = 0
    ) THEN
        RAISE EXCEPTION 'escrow % is not resolved by transfer %', OLD.id, NEW.resolution_id
            USING ERRCODE = '23514', CONSTRAINT = 'escrow_resolution_empties_it';
    ELSIF NEW.resolution_id IS NOT NULL AND EXISTS (
        SELECT FROM settlement_bond WHERE escrow_id = NEW.id AND resolution_id IS NULL
    ) THEN
        RAISE EXCEPTION 'the bond of escrow % is still held', OLD.id
            USING ERRCODE = '23514', CONSTRAINT = 'escrow_ends_with_its_bond';
    END IF;
    RETURN NEW;
"""


class Escrow(models.Model):
    """One milestone's money. State follows `settlement.decisions`; amounts are minor units."""

    class State(models.TextChoices):
        UNFUNDED = "unfunded"
        HELD = "held"
        WITHHELD = "withheld"  # the verdict stands against release; the cure period runs
        FROZEN = "frozen"  # a dispute or a review is open
        RELEASED = "released"
        REFUNDED = "refunded"
        SPLIT = "split"

    id = PublicIdField("esc", primary_key=True)
    milestone = models.OneToOneField(Milestone, on_delete=models.PROTECT, related_name="escrow")
    state = models.CharField(max_length=10, choices=State.choices, default=State.UNFUNDED)
    currency = models.CharField(max_length=12)
    amount = models.PositiveBigIntegerField()
    fee_bps = models.PositiveIntegerField()
    fee_bands = models.JSONField(default=list, blank=True)  # as agreed; none is `fee_bps`
    # Whose exposure it is while it is open; null only where it was settled before this was kept.
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, db_index=False, related_name="escrows"
    )
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="escrow")
    hold = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="held_escrow"
    )
    resolution = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="resolved_escrow"
    )
    funded_at = models.DateTimeField(null=True, blank=True)
    funded_evidence_id = models.CharField(max_length=48, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)  # by the buyer, not by silence
    given_back_at = models.DateTimeField(null=True, blank=True)  # by the builder
    agreed_at = models.DateTimeField(null=True, blank=True)  # by both, on a split
    agreed_share_bps = models.PositiveIntegerField(null=True, blank=True)  # the builder's
    submit_by_at = models.DateTimeField(null=True, blank=True)
    acceptance_ends_at = models.DateTimeField(null=True, blank=True)
    cure_ends_at = models.DateTimeField(null=True, blank=True)
    # The last verdict that was looked at, and when to look again at the latest.
    verdict = models.ForeignKey(
        Verdict, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    next_action_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)  # a code of `settlement.reasons`
    timeout = models.CharField(max_length=12, blank=True)  # which deadline decided, if one did
    fault = models.CharField(max_length=12, blank=True)  # and whose fault that, or the breach, was
    earned_share_bps = models.PositiveIntegerField(null=True, blank=True)
    released = models.PositiveBigIntegerField(null=True, blank=True)  # to the builder, net
    refunded = models.PositiveBigIntegerField(null=True, blank=True)  # to the buyer
    fee = models.PositiveBigIntegerField(null=True, blank=True)  # to the platform
    settled_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False),
                name="escrow_due",
            ),
            models.Index(fields=["state"], condition=Q(state="frozen"), name="escrow_frozen"),
            models.Index(
                fields=["agent", "currency"],
                include=["amount"],
                condition=Q(state__in=["held", "withheld", "frozen"]),
                name="escrow_exposure",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["unfunded", "held", "withheld", "frozen", *FINAL]),
                name="escrow_state_known",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, fee_bps__lte=10_000), name="escrow_terms_bounded"
            ),
            models.CheckConstraint(
                condition=Q(state="unfunded", hold__isnull=True, funded_at__isnull=True)
                | (~Q(state="unfunded") & Q(hold__isnull=False, funded_at__isnull=False)),
                name="escrow_funded_by_a_hold",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=FINAL,
                    resolution__isnull=False,
                    settled_at__isnull=False,
                    next_action_at__isnull=True,
                    released__isnull=False,
                    refunded__isnull=False,
                    fee__isnull=False,
                )
                | (~Q(state__in=FINAL) & Q(resolution__isnull=True, settled_at__isnull=True)),
                name="escrow_final_by_a_resolution",
            ),
            models.CheckConstraint(
                condition=Q(released__isnull=True)
                | Q(amount=F("released") + F("refunded") + F("fee")),
                name="escrow_funded_equals_paid",
            ),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True, agreed_share_bps__isnull=True)
                | Q(agreed_at__isnull=False, agreed_share_bps__lte=10_000),
                name="escrow_agreed_on_a_share",
            ),
            # Funded and not final: somebody must look again, so money cannot lock.
            models.CheckConstraint(
                condition=~Q(state__in=["held", "withheld", "frozen"])
                | Q(next_action_at__isnull=False),
                name="escrow_open_has_a_next_action",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="guard",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=_GUARD,
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def why(self) -> Reason | None:
        """What it waits for or how it ended, in words, and whose fault that was."""
        return REASONS.get(self.reason)

    @property
    def is_final(self) -> bool:
        """Whether its one outcome is reached."""
        return self.state in FINAL
