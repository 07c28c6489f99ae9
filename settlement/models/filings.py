"""What whoever files a dispute sets aside: lost if the dispute is, returned otherwise."""

import pgtrigger
from django.db import models
from django.db.models import Q

from pacts.models import Dispute, Party
from reputation.fields import PublicIdField
from reputation.triggers import never_emptied
from settlement.models.ledger import Account, Transfer

_GUARD = """
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'filing deposit % is never deleted', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'filing_never_deleted';
    ELSIF OLD.resolution_id IS NOT NULL THEN
        RAISE EXCEPTION 'filing deposit % had its outcome', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'filing_ended_is_frozen';
    ELSIF (NEW.dispute_id, NEW.party_id, NEW.account_id, NEW.hold_id, NEW.amount, NEW.currency)
          IS DISTINCT FROM
          (OLD.dispute_id, OLD.party_id, OLD.account_id, OLD.hold_id, OLD.amount, OLD.currency) THEN
        RAISE EXCEPTION 'the terms of filing deposit % are fixed', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'filing_terms_are_fixed';
    ELSIF NEW.resolution_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM settlement_transfer t JOIN settlement_account a ON a.id = NEW.account_id
         WHERE t.id = NEW.resolution_id AND t.resolves_id = NEW.hold_id AND a.balance = 0
           AND t.kind = 'filing_' || NEW.state
    ) THEN
        RAISE EXCEPTION 'filing deposit % is not % by transfer %',
            OLD.id, NEW.state, NEW.resolution_id
            USING ERRCODE = '23514', CONSTRAINT = 'filing_resolution_empties_it';
    END IF;
    RETURN NEW;
"""


class FilingDeposit(models.Model):
    """Held from the moment the dispute is opened; ends once, when the dispute is closed."""

    class State(models.TextChoices):
        HELD = "held"
        RETURNED = "returned"  # to whoever filed
        FORFEITED = "forfeited"  # to the other side: the dispute changed nothing for the filer

    id = PublicIdField("fil", primary_key=True)
    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="deposit")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="filing_deposits")
    currency = models.CharField(max_length=12)
    amount = models.PositiveBigIntegerField()  # minor units
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="filing")
    hold = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="held_filing")
    resolution = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="resolved_filing"
    )
    held_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["dispute"], condition=Q(state="held"), name="filing_held"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="filing_of_something"),
            models.CheckConstraint(
                condition=Q(state="held", resolution__isnull=True, ended_at__isnull=True)
                | Q(
                    state__in=["returned", "forfeited"],
                    resolution__isnull=False,
                    ended_at__isnull=False,
                ),
                name="filing_ended_by_a_resolution",
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
