"""What a builder stakes on one milestone, until it is returned or slashed, once."""

import pgtrigger
from django.db import models
from django.db.models import Q

from reputation.fields import PublicIdField
from reputation.triggers import never_emptied
from settlement.models.escrows import Escrow
from settlement.models.ledger import Account, Transfer

_GUARD = """
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'bond % is never deleted', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'bond_never_deleted';
    ELSIF OLD.resolution_id IS NOT NULL THEN
        RAISE EXCEPTION 'bond % had its outcome', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'bond_ended_is_frozen';
    ELSIF (NEW.escrow_id, NEW.account_id, NEW.hold_id, NEW.amount) IS DISTINCT FROM
          (OLD.escrow_id, OLD.account_id, OLD.hold_id, OLD.amount) THEN
        RAISE EXCEPTION 'the terms of bond % are fixed', OLD.id
            USING ERRCODE = '23001', CONSTRAINT = 'bond_terms_are_fixed';
    ELSIF NEW.resolution_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM settlement_transfer t JOIN settlement_account a ON a.id = NEW.account_id
         WHERE t.id = NEW.resolution_id AND t.resolves_id = NEW.hold_id AND a.balance = 0
           AND t.kind = 'bond_' || NEW.state
    ) THEN
        RAISE EXCEPTION 'bond % is not % by transfer %', OLD.id, NEW.state, NEW.resolution_id
            USING ERRCODE = '23514', CONSTRAINT = 'bond_resolution_empties_it';
    END IF;
    RETURN NEW;
"""


class Bond(models.Model):
    """Held from the moment its escrow is funded; ends in the transaction that ends the escrow."""

    class State(models.TextChoices):
        HELD = "held"
        RETURNED = "returned"  # to the builder
        SLASHED = "slashed"  # to the buyer

    id = PublicIdField("bnd", primary_key=True)
    escrow = models.OneToOneField(Escrow, on_delete=models.PROTECT, related_name="bond")
    amount = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="bond")
    hold = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="held_bond")
    resolution = models.OneToOneField(
        Transfer, on_delete=models.PROTECT, null=True, blank=True, related_name="resolved_bond"
    )
    held_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="bond_of_something"),
            models.CheckConstraint(
                condition=Q(state="held", resolution__isnull=True, ended_at__isnull=True)
                | Q(
                    state__in=["returned", "slashed"],
                    resolution__isnull=False,
                    ended_at__isnull=False,
                ),
                name="bond_ended_by_a_resolution",
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
